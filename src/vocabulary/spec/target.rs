//! What a scenario may say about whom it measures: the `[target]` section.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::foundation::units::{Seconds, Tokens};

/// The fields that a request's body may have beside the conversation, without what `target.body` adds.
pub const OWN_FIELDS: [&str; 6] = ["model", "stream_options", "temperature", "max_tokens", "min_tokens", "ignore_eos"];

/// The `[target]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetSpec {
    /// A server over HTTP, or the simulated engine in this process and in virtual time.
    #[serde(default)]
    pub kind: TargetKind,
    /// The model's name as the server knows it. Where none is written, the only one that the server names is taken.
    #[serde(default = "any_model")]
    pub model: String,
    /// Base URL of the server, with or without `/v1`.
    #[serde(default = "local_server")]
    pub url: String,
    /// Which of the two OpenAI endpoints is used.
    #[serde(default)]
    pub api: TargetApi,
    /// Name of the environment variable that holds the API key; the key itself is never saved or shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// A file that holds the API key; the key itself is never saved or shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_file: Option<PathBuf>,
    /// A command that prints the API key, run once a sweep; its words, and no shell. The key itself is never saved or shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_command: Option<Vec<String>>,
    /// What that command printed, once it was run.
    #[serde(skip)]
    pub api_key: Option<ApiKey>,
    /// Further headers of every request. Values are never saved or shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", serialize_with = "names_only")]
    pub headers: BTreeMap<String, String>,
    /// Further fields of every request body, as they are.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub body: serde_json::Map<String, serde_json::Value>,
    /// Fields that no request's body has, for servers that refuse them; a field of a table by its path: `stream_options.include_usage`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omit: Vec<String>,
    /// Other names of fields of every request body: `{ max_tokens = "max_completion_tokens" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rename: BTreeMap<String, String>,
    /// The model's `tokenizer.json`, for prompts of exactly the asked length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<PathBuf>,
    /// The most tokens of a request, prompt and answer together; what would be longer is refused when the plan is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_limit: Option<Tokens>,
    /// What the whole target costs an hour, all its GPUs together, in any currency: reports then say what a million output tokens cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub price_per_hour: Option<f64>,
    /// How many GPUs the target has, for what is measured `per gpu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub gpus: Option<u32>,
    /// The version of HTTP that is spoken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub http_version: HttpVersion,
    /// Whether a connection serves again once its answer has ended.
    #[serde(default, skip_serializing_if = "is_default")]
    pub connection: ConnectionReuse,
    /// What is done with a request whose connection, used before, turns out closed before any byte of the answer has come.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_dead_connection: OnDeadConnection,
    /// Limit for opening a connection.
    #[serde(default = "ten_seconds")]
    pub connect_timeout: Seconds,
    /// Limit from sending a request to its first token.
    #[serde(default = "five_minutes")]
    pub first_token_timeout: Seconds,
    /// Limit between two events of an answer, once its first token has come.
    #[serde(default = "one_minute")]
    pub idle_timeout: Seconds,
    /// Limit for a whole request.
    #[serde(default = "half_an_hour")]
    pub total_timeout: Seconds,
}

impl TargetSpec {
    /// What the model is called where the scenario names none.
    pub const ANY_MODEL: &'static str = "default";
}

/// An API key. Nothing shows it but [`ApiKey::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Arc<str>);

impl ApiKey {
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(key.into())
    }

    /// The key itself, to be sent and hidden.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// An OpenAI-compatible server.
    #[default]
    Http,
    /// The simulated engine, in memory and in virtual time.
    Sim,
}

/// Which OpenAI endpoint is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetApi {
    /// `/v1/chat/completions`: messages.
    #[default]
    Chat,
    /// `/v1/completions`: the conversation as one text.
    Completions,
}

impl TargetApi {
    /// The endpoint's path below `/v1/`.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "chat/completions",
            Self::Completions => "completions",
        }
    }
}

/// The version of HTTP that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum HttpVersion {
    /// HTTP/1.1, which every server speaks.
    #[default]
    #[serde(rename = "1.1")]
    One,
    /// HTTP/2, one request at a time on a connection: agreed on under TLS, taken for granted without.
    #[serde(rename = "2")]
    Two,
}

/// Whether a connection serves again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionReuse {
    /// It does, within 4 s; the first ones are opened before the load.
    #[default]
    Reuse,
    /// Every request opens its own.
    Fresh,
}

/// What is done with a request on a connection that turns out closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDeadConnection {
    /// It has failed (`reset_mid_stream`).
    #[default]
    Fail,
    /// It is sent once more, on a new connection, and counted.
    Resend,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Header values may be secrets: only their names are saved.
fn names_only<S: serde::Serializer>(headers: &BTreeMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.keys().map(|name| (name, "<not saved>")))
}

fn any_model() -> String {
    TargetSpec::ANY_MODEL.to_owned()
}
fn local_server() -> String {
    "http://127.0.0.1:8000".to_owned()
}
fn ten_seconds() -> Seconds {
    Seconds(10.0)
}
fn five_minutes() -> Seconds {
    Seconds(300.0)
}
fn one_minute() -> Seconds {
    Seconds(60.0)
}
fn half_an_hour() -> Seconds {
    Seconds(1800.0)
}
