//! What a scenario may say about the server's life: the `[server]` section.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::reset::{CachePolicy, ResetMode, ResetSpec, SaltReason};
use super::watch::WatchSpec;
use crate::foundation::units::Seconds;

/// The `[server]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// The program that is started and its arguments; without one, the server at `target.url` is used as it is. `{model}`, `{url}`,
    /// `{host}` and `{port}` stand for those of the target, `{args}` for the flags of `server.args`, `{server.args.NAME}` for one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Flags by name, so that each can be an axis: `max-num-seqs = 16` becomes `--max-num-seqs 16`, `true` the bare flag, `false` nothing,
    /// a list one value after the other. They go where `{args}` stands in the command, else to its end.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub args: serde_json::Map<String, serde_json::Value>,
    /// Environment variables beside the inherited ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The folder in which the server is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<PathBuf>,
    /// Hands the command to `sh -c`, as one line.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shell: bool,
    /// Processes that are started before the server, one after the other, and ended after it: a cache server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<ProcessSpec>,
    /// When the server that was started is taken to serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<ReadySpec>,
    /// Limit for each process from its start until it is ready.
    #[serde(default = "ten_minutes")]
    pub start_timeout: Seconds,
    /// How the processes are ended.
    #[serde(default)]
    pub stop: StopSpec,
    /// How often, in one sweep, a server that died is started again.
    #[serde(default = "three")]
    pub restarts: u32,
    /// How a cell is kept from what another one left in the server's caches: a list of endpoints and commands that empty them, `"restart"`,
    /// `"salt"`, a head of every prompt that no other cell and no other attempt has, or `"none"`, where warm caches are wanted. Without it,
    /// `"salt"`. A cell whose reset fails is not run.
    #[serde(default, skip_serializing_if = "ResetSpec::is_unset")]
    pub reset: ResetSpec,
    /// Proves after the reset that the caches are empty, by a prompt that was cached before.
    #[serde(default = "yes")]
    pub canary: bool,
    /// What is recorded of the server and its machine while a cell runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub watch: WatchSpec,
}

/// A process beside the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessSpec {
    /// Names its log.
    pub name: String,
    /// The program and its arguments, with the same fields as the server's.
    pub command: Vec<String>,
    /// Environment variables beside the inherited ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The folder in which it is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<PathBuf>,
    /// Hands the command to `sh -c`, as one line.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shell: bool,
    /// When it is taken to serve; without it, once it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<ReadySpec>,
}

/// When a process is ready: a path on the target's server or a URL that must answer, and a chat request that must be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReadySpec {
    /// A path on the target's server, or a URL.
    #[serde(default = "health")]
    pub path: String,
    /// The status that it must answer with.
    #[serde(default = "ok")]
    pub status: u16,
    /// Whether a chat request of one token must be answered, too.
    #[serde(default)]
    pub chat: bool,
}

/// How processes are ended: a signal to the whole process group, then a kill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopSpec {
    /// The signal that asks a process to end.
    #[serde(default)]
    pub signal: StopSignal,
    /// How long it may take to end before it is killed.
    #[serde(default = "half_minute")]
    pub grace: Seconds,
}

/// A signal that asks a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum StopSignal {
    #[default]
    #[serde(rename = "SIGTERM")]
    Terminate,
    #[serde(rename = "SIGINT")]
    Interrupt,
    #[serde(rename = "SIGQUIT")]
    Quit,
}

impl ServerSpec {
    /// Fields beside `command` that say how a server is started, and nothing where none is.
    pub const OF_A_START: [&str; 9] = ["args", "env", "working_dir", "shell", "before", "ready", "start_timeout", "stop", "restarts"];

    /// Whether there is something to start.
    pub fn is_started(&self) -> bool {
        !self.command.is_empty()
    }

    /// What is done about the caches of a real server.
    pub fn cache_policy(&self) -> CachePolicy<'_> {
        match &self.reset {
            ResetSpec::Steps(steps) if steps.is_empty() => CachePolicy::Salted(SaltReason::Unsaid),
            ResetSpec::Steps(steps) => CachePolicy::Emptied(steps),
            ResetSpec::Whole(ResetMode::Restart) => CachePolicy::Restarted,
            ResetSpec::Whole(ResetMode::Salt) => CachePolicy::Salted(SaltReason::Asked),
            ResetSpec::Whole(ResetMode::None) => CachePolicy::LeftWarm,
        }
    }
}

// By hand: serde's `untagged` reads into a buffer first and so forgets where in the scenario a fault lies.

impl<'de> Deserialize<'de> for ReadySpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            #[serde(default = "health")]
            path: String,
            #[serde(default = "ok")]
            status: u16,
            #[serde(default)]
            chat: bool,
        }
        struct ReadyVisitor;
        impl<'de> Visitor<'de> for ReadyVisitor {
            type Value = ReadySpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path such as `/health`, a URL, or `{ path = \"/health\", status = 200, chat = true }`")
            }
            fn visit_str<E>(self, path: &str) -> Result<ReadySpec, E> {
                Ok(ReadySpec { path: path.to_owned(), ..ReadySpec::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<ReadySpec, A::Error> {
                let Table { path, status, chat } = Table::deserialize(MapAccessDeserializer::new(entries))?;
                Ok(ReadySpec { path, status, chat })
            }
        }
        deserializer.deserialize_any(ReadyVisitor)
    }
}

impl Default for ServerSpec {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            args: serde_json::Map::new(),
            env: BTreeMap::new(),
            working_dir: None,
            shell: false,
            before: Vec::new(),
            ready: None,
            start_timeout: ten_minutes(),
            stop: StopSpec::default(),
            restarts: three(),
            reset: ResetSpec::default(),
            canary: true,
            watch: WatchSpec::default(),
        }
    }
}

impl Default for ReadySpec {
    fn default() -> Self {
        Self { path: health(), status: ok(), chat: false }
    }
}

impl Default for StopSpec {
    fn default() -> Self {
        Self { signal: StopSignal::default(), grace: half_minute() }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
fn is_false(value: &bool) -> bool {
    !*value
}
fn yes() -> bool {
    true
}
fn three() -> u32 {
    3
}
fn ok() -> u16 {
    200
}
fn health() -> String {
    "/health".to_owned()
}
fn half_minute() -> Seconds {
    Seconds(30.0)
}
fn ten_minutes() -> Seconds {
    Seconds(600.0)
}
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> ServerSpec {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn readiness_is_a_path_or_a_table() {
        assert_eq!(read(json!({ "ready": "/v1/models" })).ready.unwrap().path, "/v1/models");
        let ready = read(json!({ "ready": { "status": 204, "chat": true } })).ready.unwrap();
        assert_eq!((ready.path.as_str(), ready.status, ready.chat), ("/health", 204, true));
    }

    #[test]
    fn what_is_saved_reads_back() {
        let written = json!({
            "command": ["vllm", "serve", "{model}"], "args": { "max-num-seqs": 16 }, "env": { "A": "1" }, "shell": true,
            "before": [{ "name": "cache", "command": ["c"], "ready": { "path": "/h", "status": 200, "chat": false } }],
            "start_timeout": 60.0, "stop": { "signal": "SIGINT", "grace": 5.0 }, "restarts": 0, "reset": "restart", "canary": false,
        });
        assert_eq!(serde_json::to_value(read(written.clone())).unwrap(), written);
        assert_eq!(read(serde_json::to_value(ServerSpec::default()).unwrap()), ServerSpec::default());
    }
}
