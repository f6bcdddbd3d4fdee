//! What a scenario may say about whom it measures: the `[target]` section.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::target_api::TargetApi;
use crate::foundation::units::{Seconds, Tokens};

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
    /// Base URL of the server, with or without `/v1`; that of a deployment with its query, or of a whole endpoint.
    #[serde(default = "local_server")]
    pub url: String,
    /// Several servers that share the sessions: each session stays with one of them, by its number in turn. In place of `url`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Which API is used.
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
    /// A file of certificates (PEM) that are trusted beside the system's: an authority's, or the server's own where nobody signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// A file with the certificate (PEM) by which the client says who it is; with `client_key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<PathBuf>,
    /// A file with that certificate's private key (PEM); the key itself is never saved or shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<PathBuf>,
    /// Whether any certificate is taken, so that nobody knows who answers. Said wherever a run is shown.
    #[serde(default, skip_serializing_if = "is_default")]
    pub insecure: bool,
    /// The version of HTTP that is spoken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub http_version: HttpVersion,
    /// Whether a connection serves again once its answer has ended.
    #[serde(default, skip_serializing_if = "is_default")]
    pub connection: ConnectionReuse,
    /// What is done with a request whose connection, used before, turns out closed before any byte of the answer has come.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_dead_connection: OnDeadConnection,
    /// What is done with a request that the server refuses for its load (status 429, or 503) and says when to come again (`Retry-After`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry_after: RetryAfterPolicy,
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
    /// What is said wherever a run is shown that trusted everybody.
    pub const INSECURE: &'static str = "the server's certificate was not checked (`target.insecure`): nobody knows who answered";
    /// Where a server is looked for that the scenario names no address of.
    pub const LOCAL_SERVER: &'static str = "http://127.0.0.1:8000";
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

/// What is done with a request that is to come again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfterPolicy {
    /// It has failed (`http_429`).
    #[default]
    Ignore,
    /// It is sent again after the pause, as often as it takes within its limits, and its times count from the first sending.
    Honour,
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
    TargetSpec::LOCAL_SERVER.to_owned()
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
