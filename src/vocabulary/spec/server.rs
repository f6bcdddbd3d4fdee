//! What a scenario may say about the server's life: the `[server]` section.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

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

/// How caches are emptied.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum ResetSpec {
    /// Endpoints and commands, one after the other.
    Steps(Vec<ResetStep>),
    /// One word for all of it.
    Whole(ResetMode),
}

/// Words for all that is done about the server's caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResetMode {
    /// All processes of the server are started anew before each cell.
    Restart,
    /// Every prompt of a run begins with words that no other run has, and no other attempt at it.
    Salt,
    /// Nothing: warm caches are wanted.
    None,
}

/// What is done so that a cell does not meet what another one left in the server's caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePolicy<'a> {
    /// They are emptied by endpoints and commands.
    Emptied(&'a [ResetStep]),
    /// The server is started anew.
    Restarted,
    /// Every prompt begins with words of the attempt's own.
    Salted(SaltReason),
    /// Nothing, and that is wanted.
    LeftWarm,
}

/// Why prompts are salted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaltReason {
    /// The scenario asks for it.
    Asked,
    /// It says nothing of the caches.
    Unsaid,
}

/// One step of emptying the caches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ResetStep {
    /// A path on the target's server or a whole URL, which is sent a POST.
    Endpoint(String),
    /// A command that must end with status 0.
    Command(ResetCommand),
}

/// A command that empties a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetCommand {
    /// The program and its arguments, with the same fields as the server's command.
    pub command: Vec<String>,
    /// Hands the command to `sh -c`, as one line.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shell: bool,
}

/// What is recorded of the server and its machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchSpec {
    /// Pages in the Prometheus text format: paths on the target's server, or whole URLs (LMCache, node and DCGM exporters).
    #[serde(default = "metrics_page")]
    pub endpoints: Vec<String>,
    /// What servers do whose prefill and decode are apart, by their pages in `endpoints`, where the pages do not tell it themselves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, WatchRole>,
    /// How often they are read.
    #[serde(default = "second")]
    pub period: Seconds,
    /// Which metrics are kept: names with `*` for any characters. The default keeps those of speculative decoding and of NVIDIA Dynamo as well.
    #[serde(default = "kept")]
    pub keep: Vec<String>,
    /// GPUs by `nvidia-smi`, where there are any and the server's URL is on this machine.
    #[serde(default = "yes")]
    pub gpu: bool,
    /// CPU and memory of this machine, where the server's URL is on it.
    #[serde(default = "yes")]
    pub host: bool,
    /// A path on the storage whose reads and writes are recorded: a disk cache's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<PathBuf>,
}

impl ResetSpec {
    /// The endpoints and commands; none where the caches are emptied otherwise.
    pub fn steps(&self) -> &[ResetStep] {
        match self {
            Self::Steps(steps) => steps,
            Self::Whole(_) => &[],
        }
    }

    /// Nothing is said of the caches.
    pub fn is_unset(&self) -> bool {
        matches!(self, Self::Steps(steps) if steps.is_empty())
    }
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

impl<'de> Deserialize<'de> for ResetSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ResetVisitor;
        impl<'de> Visitor<'de> for ResetVisitor {
            type Value = ResetSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list such as `[\"/reset_prefix_cache\"]`, `restart`, `salt`, or `none`")
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<ResetSpec, E> {
                match word {
                    "restart" => Ok(ResetSpec::Whole(ResetMode::Restart)),
                    "salt" => Ok(ResetSpec::Whole(ResetMode::Salt)),
                    "none" => Ok(ResetSpec::Whole(ResetMode::None)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, steps: A) -> Result<ResetSpec, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(steps)).map(ResetSpec::Steps)
            }
        }
        deserializer.deserialize_any(ResetVisitor)
    }
}

impl Serialize for ResetSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => steps.serialize(serializer),
            Self::Whole(whole) => whole.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ResetStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StepVisitor;
        impl<'de> Visitor<'de> for StepVisitor {
            type Value = ResetStep;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an endpoint such as `/reset_prefix_cache`, or `{ command = [\"...\"] }`")
            }
            fn visit_str<E>(self, endpoint: &str) -> Result<ResetStep, E> {
                Ok(ResetStep::Endpoint(endpoint.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<ResetStep, A::Error> {
                ResetCommand::deserialize(MapAccessDeserializer::new(entries)).map(ResetStep::Command)
            }
        }
        deserializer.deserialize_any(StepVisitor)
    }
}

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

impl Default for ResetSpec {
    fn default() -> Self {
        Self::Steps(Vec::new())
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

/// What a server does whose prefill and decode are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchRole {
    /// It computes prompts.
    Prefill,
    /// It generates answers.
    Decode,
}

impl WatchRole {
    /// Its name in a scenario.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::Decode => "decode",
        }
    }
}

impl WatchSpec {
    /// The patterns of the metrics that are kept: those of `keep`, and with its default some that came later.
    #[must_use]
    pub fn kept_names(&self) -> Vec<String> {
        let also = if self.keep == kept() { ALSO_KEPT.as_slice() } else { &[] };
        self.keep.iter().cloned().chain(also.iter().copied().map(str::to_owned)).collect()
    }
}

impl Default for WatchSpec {
    fn default() -> Self {
        Self { endpoints: metrics_page(), roles: BTreeMap::new(), period: second(), keep: kept(), gpu: true, host: true, storage: None }
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
fn metrics_page() -> Vec<String> {
    vec!["/metrics".to_owned()]
}
fn second() -> Seconds {
    Seconds(1.0)
}
fn half_minute() -> Seconds {
    Seconds(30.0)
}
fn ten_minutes() -> Seconds {
    Seconds(600.0)
}
/// What answers the questions of a report: where prompts came from, who waited, how full the caches were, what the GPU did.
/// What is kept beside the default of `keep`: that list stays as it is, since ids of runs depend on it.
const ALSO_KEPT: [&str; 3] =
    ["vllm:spec_decode_num_*_tokens_total", "dynamo_frontend_*_requests", "dynamo_component_*gpu_cache_usage_percent"];

fn kept() -> Vec<String> {
    [
        "vllm:num_requests_*",
        "vllm:*kv_cache_usage_perc",
        "vllm:*prefix_cache_*_total",
        "vllm:prompt_tokens*_total",
        "vllm:generation_tokens_total",
        "vllm:num_preemptions_total",
        "vllm:cache_config_info",
        "lmcache*",
        "sglang:*",
        "llamacpp:*",
        "tgi_batch_current_*",
        "tgi_queue_size",
        "DCGM_FI_DEV_*",
        "node_load1",
        "node_memory_MemAvailable_bytes",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> ServerSpec {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_reset_is_a_list_or_a_word() {
        let steps = read(json!({ "reset": ["/a", { "command": ["rm", "x"] }] })).reset;
        let command = ResetCommand { command: vec!["rm".into(), "x".into()], shell: false };
        assert_eq!(steps.steps(), [ResetStep::Endpoint("/a".into()), ResetStep::Command(command)]);
        assert_eq!(read(json!({ "reset": "salt" })).reset, ResetSpec::Whole(ResetMode::Salt));
        assert_eq!(read(json!({ "reset": "none" })).reset, ResetSpec::Whole(ResetMode::None));
        let error = serde_json::from_value::<ServerSpec>(json!({ "reset": "hope" })).unwrap_err().to_string();
        assert!(error.contains("`restart`, `salt`, or `none`"), "{error}");
    }

    #[test]
    fn where_nothing_is_said_of_the_caches_prompts_are_fresh() {
        let policy = |value| format!("{:?}", read(value).cache_policy());
        assert_eq!(policy(json!({})), "Salted(Unsaid)");
        assert_eq!(policy(json!({ "reset": [] })), "Salted(Unsaid)");
        assert_eq!(policy(json!({ "reset": "salt" })), "Salted(Asked)");
        assert_eq!(policy(json!({ "reset": "none" })), "LeftWarm");
        assert_eq!(policy(json!({ "reset": "restart" })), "Restarted");
        assert!(matches!(read(json!({ "reset": ["/a"] })).cache_policy(), CachePolicy::Emptied([_])));
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
