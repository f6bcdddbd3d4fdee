//! What servers told. Types only.

use serde::{Deserialize, Serialize};

/// What the server and its machine told while a cell was measured. What nobody told is missing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ServerFigures {
    /// Samples behind all this; 0 where nothing was watched.
    pub samples: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hits: Option<CacheHitShares>,
    /// Of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_computed: Option<ServerMetricValue>,
    /// Prompt tokens of all runs, those that a cache outside the engine was asked for, and those that it brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<ServerMetricValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_queries: Option<ServerMetricValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_tokens: Option<ServerMetricValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<GaugeSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<GaugeSummary>,
    /// Of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preemptions: Option<ServerMetricValue>,
    /// The share of drafted tokens that the model kept (speculative decoding), from 0 to 1; the mean of the runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speculative_acceptance: Option<ServerMetricValue>,
    /// The share of KV memory that running requests hold, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_usage: Option<GaugeSummary>,
    /// What is told of it by role, where prefill and decode are apart: that of prefill first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleFigures>,
    /// Tokens that the KV cache on the device holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_pool_tokens: Option<ServerMetricValue>,
    /// From 0 to 1: the mean of all GPUs that are watched, the largest of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_utilization: Option<GaugeSummary>,
    /// All GPUs that are watched, together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_memory_bytes: Option<GaugeSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_power_watts: Option<GaugeSummary>,
    /// Mean power of the watched GPUs times the time watched, over all output tokens; what they draw when idle is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joules_per_output_token: Option<ServerMetricValue>,
    /// From 0 to 1, of all cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_cpu: Option<GaugeSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_memory_bytes: Option<GaugeSummary>,
}

/// What a server does whose prefill and decode are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerRole {
    Prefill,
    Decode,
}

impl ServerRole {
    pub const ALL: [Self; 2] = [Self::Prefill, Self::Decode];
}

/// What the servers of one role told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleFigures {
    pub role: ServerRole,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<GaugeSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<GaugeSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_usage: Option<GaugeSummary>,
}

impl ServerFigures {
    /// What the servers of a role told, where some have it.
    #[must_use]
    pub fn of_role(&self, role: ServerRole) -> Option<&RoleFigures> {
        self.roles.iter().find(|told| told.role == role)
    }
}

/// A gauge over the time of the runs: its mean and its largest value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GaugeSummary {
    pub mean: f64,
    pub max: f64,
    pub by: String,
}

/// A number and the metric that it was measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerMetricValue {
    pub value: f64,
    pub by: String,
}

/// Shares of prompt tokens by where they came from; all phases of a run where a server's counter tells them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheHitShares {
    /// From the cache on the device; missing where only cached tokens as a whole are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<f64>,
    /// From a cache outside the engine's device memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<f64>,
    /// From any cache.
    pub cached: f64,
    pub computed: f64,
    pub by: String,
}
