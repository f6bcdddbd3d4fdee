//! What a scenario may say about the server's metrics: `[server.watch]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::foundation::units::Seconds;

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

fn yes() -> bool {
    true
}
fn metrics_page() -> Vec<String> {
    vec!["/metrics".to_owned()]
}
fn second() -> Seconds {
    Seconds(1.0)
}
/// What is kept beside the default of `keep`: that list stays as it is, since ids of runs depend on it.
const ALSO_KEPT: [&str; 3] =
    ["vllm:spec_decode_num_*_tokens_total", "dynamo_frontend_*_requests", "dynamo_component_*gpu_cache_usage_percent"];

/// What answers the questions of a report: where prompts came from, who waited, how full the caches were, what the GPU did.
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
