//! What an engine tells of itself as single figures, under the names that vLLM gives them: a snapshot in, figures out. It must not know
//! whether they become a page or a file.

use super::metrics::EngineSnapshot;

/// The name under which vLLM tells of its cache; the figures are in the labels.
pub const CACHE_CONFIG: &str = "vllm:cache_config_info";

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EngineMetric {
    /// As a page has it: that of a counter ends in `_total`.
    pub name: &'static str,
    pub help: &'static str,
    pub kind: EngineMetricKind,
    /// What tells it from other figures of its name.
    pub label: Option<(&'static str, &'static str)>,
    pub value: f64,
}

/// What a figure means over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineMetricKind {
    /// Only grows.
    Counter,
    Gauge,
}

impl EngineSnapshot {
    /// All figures, always in this order; those of one name stand together.
    #[must_use]
    pub fn figures(&self) -> [EngineMetric; 17] {
        let counters = &self.counters;
        let (device, tiers) = (counters.prompt_tokens_device, counters.prompt_tokens_tiers);
        let computed = counters.prompt_tokens.saturating_sub(device + tiers);
        let sources = "Number of prompt tokens by source.";
        let by_source = |source, tokens| counter("vllm:prompt_tokens_by_source_total", sources, Some(("source", source)), tokens);
        let ends = "Count of successfully processed requests.";
        let by_end = |end, requests| counter("vllm:request_success_total", ends, Some(("finished_reason", end)), requests);
        [
            gauge("vllm:num_requests_running", "Number of requests in model execution batches.", precise(self.running as u64)),
            gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.", precise(self.waiting as u64)),
            gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", self.kv_usage),
            plain(
                "vllm:prefix_cache_queries_total",
                "Prefix cache queries, in terms of number of queried tokens.",
                counters.prefix_queries,
            ),
            plain("vllm:prefix_cache_hits_total", "Prefix cache hits, in terms of number of cached tokens.", counters.prefix_hits),
            plain(
                "vllm:external_prefix_cache_queries_total",
                "Queries of the tiers behind the device, in terms of number of queried tokens.",
                counters.external_queries,
            ),
            plain(
                "vllm:external_prefix_cache_hits_total",
                "Hits in the tiers behind the device, in terms of number of cached tokens.",
                counters.external_hits,
            ),
            plain("vllm:num_preemptions_total", "Cumulative number of preemption from the engine.", counters.preemptions),
            plain("vllm:prompt_tokens_total", "Number of prefill tokens processed.", counters.prompt_tokens),
            by_source("local_compute", computed),
            by_source("local_cache_hit", device),
            by_source("external_kv_transfer", tiers),
            plain("vllm:prompt_tokens_cached_total", "Number of cached prompt tokens (local + external).", device + tiers),
            plain("vllm:generation_tokens_total", "Number of generation tokens processed.", counters.generation_tokens),
            by_end("stop", 0),
            by_end("length", counters.finished),
            by_end("abort", counters.aborted),
        ]
    }

    /// Tokens that the device's cache holds.
    #[must_use]
    pub fn pool_tokens(&self) -> u64 {
        self.block_tokens * self.blocks as u64
    }
}

fn gauge(name: &'static str, help: &'static str, value: f64) -> EngineMetric {
    EngineMetric { name, help, kind: EngineMetricKind::Gauge, label: None, value }
}

fn plain(name: &'static str, help: &'static str, count: u64) -> EngineMetric {
    counter(name, help, None, count)
}

fn counter(name: &'static str, help: &'static str, label: Option<(&'static str, &'static str)>, count: u64) -> EngineMetric {
    EngineMetric { name, help, kind: EngineMetricKind::Counter, label, value: precise(count) }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 tokens are more than an engine computes in a lifetime")]
fn precise(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_tokens_by_source_add_up_to_all() {
        let mut snapshot = EngineSnapshot { blocks: 4_000, block_tokens: 16, ..EngineSnapshot::default() };
        snapshot.counters.prompt_tokens = 100;
        snapshot.counters.prompt_tokens_device = 48;
        snapshot.counters.prompt_tokens_tiers = 16;
        let figures = snapshot.figures();
        let sources: Vec<f64> = figures.iter().filter(|f| f.name == "vllm:prompt_tokens_by_source_total").map(|f| f.value).collect();
        assert_eq!(sources, [36.0, 48.0, 16.0]);
        assert_eq!(snapshot.pool_tokens(), 64_000);
    }

    #[test]
    fn figures_of_one_name_stand_together_and_counters_end_as_vllm_s_do() {
        let figures = EngineSnapshot::default().figures();
        let mut names: Vec<&str> = figures.iter().map(|figure| figure.name).collect();
        names.dedup();
        let heads = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), heads);
        for figure in figures {
            assert_eq!(figure.name.ends_with("_total"), figure.kind == EngineMetricKind::Counter, "{}", figure.name);
        }
    }
}
