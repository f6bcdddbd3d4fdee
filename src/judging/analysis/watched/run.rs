//! One run's figures, from its samples.

use std::collections::BTreeMap;

use super::gauge::{GaugeAggregation, level};
use super::hits::{PromptTokenSources, computed, external_queries, pool, prompt_tokens};
use super::role::roles;
use super::series::RunMetricSeries;
use super::speculation::speculative_acceptance;
use crate::analysis::summary::{GaugeSummary, RoleFigures, ServerMetricValue, ServerRole};
use crate::records::record::ServerSample;

/// What was told while one run went on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunServerFigures {
    pub samples: u64,
    /// From the first sample to the last, in seconds.
    pub window_s: f64,
    pub prompt: Option<PromptTokenSources>,
    pub computed: Option<ServerMetricValue>,
    pub external_queries: Option<ServerMetricValue>,
    pub preemptions: Option<ServerMetricValue>,
    /// The share of drafted tokens that was kept, from 0 to 1.
    pub speculative_acceptance: Option<ServerMetricValue>,
    pub pool: Option<ServerMetricValue>,
    pub running: Option<GaugeSummary>,
    pub waiting: Option<GaugeSummary>,
    pub kv_usage: Option<GaugeSummary>,
    /// Of servers whose prefill and decode are apart.
    pub roles: Vec<RoleFigures>,
    pub gpu_utilization: Option<GaugeSummary>,
    pub gpu_memory_bytes: Option<GaugeSummary>,
    pub gpu_power_watts: Option<GaugeSummary>,
    pub host_cpu: Option<GaugeSummary>,
    pub host_memory_bytes: Option<GaugeSummary>,
    /// Output tokens of all phases, as the answers told.
    pub output_tokens: f64,
}

/// A name and what its values are multiplied by, so that shares are from 0 to 1 and memory is in bytes.
pub type Scaled = (&'static str, f64);

pub const RUNNING: [Scaled; 5] = [
    ("vllm:num_requests_running", 1.0),
    ("sglang:num_running_reqs", 1.0),
    ("tgi_batch_current_size", 1.0),
    ("llamacpp:requests_processing", 1.0),
    ("dynamo_frontend_inflight_requests", 1.0),
];
/// Of Dynamo's frontend: those that wait for their first token.
pub const WAITING: [Scaled; 5] = [
    ("vllm:num_requests_waiting", 1.0),
    ("sglang:num_queue_reqs", 1.0),
    ("tgi_queue_size", 1.0),
    ("llamacpp:requests_deferred", 1.0),
    ("dynamo_frontend_queued_requests", 1.0),
];
pub const KV_USAGE: [Scaled; 6] = [
    ("vllm:kv_cache_usage_perc", 1.0),
    ("vllm:gpu_cache_usage_perc", 1.0),
    ("sglang:token_usage", 1.0),
    ("llamacpp:kv_cache_usage_ratio", 1.0),
    ("dynamo_component_gpu_cache_usage_percent", 1.0),
    ("dynamo_component_kvstats_gpu_cache_usage_percent", 1.0),
];
const PREEMPTIONS: [&str; 2] = ["vllm:num_preemptions_total", "sglang:num_retracted_requests_total"];
const GPU_UTILIZATION: [Scaled; 2] = [("gpu_utilization", 1.0), ("DCGM_FI_DEV_GPU_UTIL", 0.01)];
const GPU_MEMORY: [Scaled; 2] = [("gpu_memory_used_bytes", 1.0), ("DCGM_FI_DEV_FB_USED", 1_048_576.0)];
const GPU_POWER: [Scaled; 2] = [("gpu_power_watts", 1.0), ("DCGM_FI_DEV_POWER_USAGE", 1.0)];
const HOST_CPU: [Scaled; 1] = [("cpu_utilization", 1.0)];
const HOST_MEMORY: [Scaled; 1] = [("memory_used_bytes", 1.0)];

impl RunServerFigures {
    /// From a run's samples, the first and last of which lie immediately before and after its load.
    pub fn of(samples: &[ServerSample], output_tokens: f64) -> Self {
        let told = RunMetricSeries::of(samples);
        let roles = roles(samples);
        // What prefill has computed decode is given, and counts once more.
        let is_prompt = |sample: &&ServerSample| roles.get(&*sample.source) != Some(&ServerRole::Decode);
        let prompts =
            roles.values().any(|role| *role == ServerRole::Prefill).then(|| samples.iter().filter(is_prompt).cloned().collect::<Vec<_>>());
        let prompts = prompts.as_deref().map_or_else(|| RunMetricSeries::of(samples), RunMetricSeries::of);
        let times = || samples.iter().map(|sample| sample.at_us);
        let window = times().max().zip(times().min()).map(|(last, first)| last.since(first).as_secs_f64());
        let gauge = |names: &[Scaled], together| names.iter().find_map(|(name, scale)| level(told.named(name)?, together, *scale, name));
        let counter =
            |names: &[&str]| names.iter().find_map(|name| Some(ServerMetricValue { value: told.increase(name)?, by: (*name).to_owned() }));
        Self {
            samples: samples.len() as u64,
            window_s: window.unwrap_or(0.0),
            prompt: prompt_tokens(&prompts),
            computed: computed(&prompts),
            external_queries: external_queries(&prompts),
            preemptions: counter(&PREEMPTIONS),
            speculative_acceptance: speculative_acceptance(&told),
            pool: pool(&told),
            running: gauge(&RUNNING, GaugeAggregation::Sum),
            waiting: gauge(&WAITING, GaugeAggregation::Sum),
            kv_usage: gauge(&KV_USAGE, GaugeAggregation::Shares),
            roles: role_figures(samples, &roles),
            gpu_utilization: gauge(&GPU_UTILIZATION, GaugeAggregation::Shares),
            gpu_memory_bytes: gauge(&GPU_MEMORY, GaugeAggregation::Sum),
            gpu_power_watts: gauge(&GPU_POWER, GaugeAggregation::Sum),
            host_cpu: gauge(&HOST_CPU, GaugeAggregation::Shares),
            host_memory_bytes: gauge(&HOST_MEMORY, GaugeAggregation::Sum),
            output_tokens,
        }
    }
}

/// What the servers of each role told, that of prefill first.
fn role_figures(samples: &[ServerSample], roles: &BTreeMap<&str, ServerRole>) -> Vec<RoleFigures> {
    let of_role = |role: ServerRole| {
        let own: Vec<ServerSample> = samples.iter().filter(|sample| roles.get(&*sample.source) == Some(&role)).cloned().collect();
        let told = RunMetricSeries::of(&own);
        let gauge = |names: &[Scaled], together| names.iter().find_map(|(name, scale)| level(told.named(name)?, together, *scale, name));
        RoleFigures {
            role,
            running: gauge(&RUNNING, GaugeAggregation::Sum),
            waiting: gauge(&WAITING, GaugeAggregation::Sum),
            kv_usage: gauge(&KV_USAGE, GaugeAggregation::Shares),
        }
    };
    ServerRole::ALL.into_iter().filter(|role| roles.values().any(|told| told == role)).map(of_role).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::samples;
    use super::*;

    #[test]
    fn dcgm_is_read_in_the_same_units_as_nvidia_smi() {
        let page =
            |gpu| [("DCGM_FI_DEV_GPU_UTIL", gpu, 50.0), ("DCGM_FI_DEV_FB_USED", gpu, 1024.0), ("DCGM_FI_DEV_POWER_USAGE", gpu, 300.0)];
        let both: Vec<_> = [page("{gpu=\"0\"}"), page("{gpu=\"1\"}")].concat();
        let told = samples(&[(0, &both), (10, &both)]);
        let run = RunServerFigures::of(&told, 10.0);
        let means = [run.gpu_utilization, run.gpu_memory_bytes, run.gpu_power_watts].map(|level| level.unwrap().mean);
        assert_eq!((means, run.window_s), ([0.5, 2.0 * 1_073_741_824.0, 600.0], 10.0));
    }

    #[test]
    fn prefill_and_decode_are_told_apart_and_a_prompt_counts_once() {
        let page = |source: &str, engine: &str, second: u64, prompts: f64, cached: f64, running: f64| {
            let labels = format!("{{engine_type=\"{engine}\"}}");
            let told = [
                ("sglang:prompt_tokens_total", &*labels, prompts),
                ("sglang:cached_tokens_total", &*labels, cached),
                ("sglang:num_running_reqs", &*labels, running),
            ];
            let moved = |sample: ServerSample| ServerSample { source: source.into(), ..sample };
            samples(&[(second, &told)]).into_iter().map(moved).collect::<Vec<_>>()
        };
        let told = [
            page("http://p/metrics", "prefill", 0, 0.0, 0.0, 2.0),
            page("http://d/metrics", "decode", 0, 0.0, 0.0, 8.0),
            page("http://p/metrics", "prefill", 10, 100.0, 25.0, 2.0),
            page("http://d/metrics", "decode", 10, 100.0, 100.0, 8.0),
        ]
        .concat();
        let run = RunServerFigures::of(&told, 0.0);
        let prompt = run.prompt.unwrap();
        assert_eq!((prompt.total, prompt.device), (100.0, 25.0));
        let running: Vec<_> = run.roles.iter().map(|told| (told.role, told.running.as_ref().unwrap().mean)).collect();
        assert_eq!(running, [(ServerRole::Prefill, 2.0), (ServerRole::Decode, 8.0)]);
        assert_eq!(run.running.map(|level| level.mean), Some(10.0), "of all together");
        // Of a role that nobody else has, nothing is left out.
        let alone = RunServerFigures::of(&page("http://d/metrics", "decode", 0, 0.0, 0.0, 8.0), 0.0);
        assert_eq!((alone.roles.len(), alone.prompt.is_some()), (1, true));
    }

    #[test]
    fn what_nobody_tells_is_missing() {
        assert_eq!(RunServerFigures::of(&[], 3.0), RunServerFigures { output_tokens: 3.0, ..RunServerFigures::default() });
    }
}
