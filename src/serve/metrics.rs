//! `/metrics`: the engine's counters as Prometheus text, under vLLM's names.

use std::fmt::Write;

use crate::engine::{Histogram, Snapshot};

/// The whole page.
pub(super) fn page(model: &str, snapshot: &Snapshot) -> String {
    let model = model.replace('\\', "\\\\").replace('"', "\\\"");
    let mut page = Page { text: String::new(), labels: format!("engine=\"0\",model_name=\"{model}\"") };
    let counters = &snapshot.counters;
    page.gauge("num_requests_running", "Number of requests in model execution batches.", snapshot.running);
    page.gauge("num_requests_waiting", "Number of requests waiting to be processed.", snapshot.waiting);
    page.gauge("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", snapshot.kv_usage);
    let queried = "in terms of number of queried tokens.";
    let cached = "in terms of number of cached tokens.";
    page.counter("prefix_cache_queries", &format!("Prefix cache queries, {queried}"), counters.prefix_queries);
    page.counter("prefix_cache_hits", &format!("Prefix cache hits, {cached}"), counters.prefix_hits);
    page.counter("external_prefix_cache_queries", &format!("Queries of the tiers behind the device, {queried}"), counters.external_queries);
    page.counter("external_prefix_cache_hits", &format!("Hits in the tiers behind the device, {cached}"), counters.external_hits);
    page.counter("num_preemptions", "Cumulative number of preemption from the engine.", counters.preemptions);
    page.counter("prompt_tokens", "Number of prefill tokens processed.", counters.prompt_tokens);
    let computed = counters.prompt_tokens - counters.prompt_tokens_device - counters.prompt_tokens_tiers;
    let sources = [
        ("local_compute", computed),
        ("local_cache_hit", counters.prompt_tokens_device),
        ("external_kv_transfer", counters.prompt_tokens_tiers),
    ];
    page.counters("prompt_tokens_by_source", "Number of prompt tokens by source.", "source", &sources);
    let cached = counters.prompt_tokens_device + counters.prompt_tokens_tiers;
    page.counter("prompt_tokens_cached", "Number of cached prompt tokens (local + external).", cached);
    page.counter("generation_tokens", "Number of generation tokens processed.", counters.generation_tokens);
    let reasons = [("stop", 0), ("length", counters.finished), ("abort", counters.aborted)];
    page.counters("request_success", "Count of successfully processed requests.", "finished_reason", &reasons);
    page.histogram("time_to_first_token_seconds", "Histogram of time to first token in seconds.", &counters.ttft_seconds);
    page.histogram("e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", &counters.e2e_seconds);
    page.head("cache_config_info", "Information of the LLMEngine CacheConfig", "gauge");
    let (block_tokens, blocks) = (snapshot.block_tokens, snapshot.blocks);
    let _ = writeln!(
        page.text,
        "vllm:cache_config_info{{block_size=\"{block_tokens}\",enable_prefix_caching=\"True\",engine=\"0\",num_gpu_blocks=\"{blocks}\"}} 1.0"
    );
    page.text
}

struct Page {
    text: String,
    labels: String,
}

// Writing into a `String` cannot fail, so that results are dropped.
impl Page {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.text, "# HELP vllm:{name} {help}\n# TYPE vllm:{name} {kind}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, help, "gauge");
        let _ = writeln!(self.text, "vllm:{name}{{{}}} {value}", self.labels);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(&format!("{name}_total"), help, "counter");
        let _ = writeln!(self.text, "vllm:{name}_total{{{}}} {value}", self.labels);
    }

    fn counters(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) {
        self.head(&format!("{name}_total"), help, "counter");
        for (source, value) in values {
            let _ = writeln!(self.text, "vllm:{name}_total{{{},{label}=\"{source}\"}} {value}", self.labels);
        }
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(name, help, "histogram");
        for (bound, count) in histogram.cumulated() {
            let _ = writeln!(self.text, "vllm:{name}_bucket{{{},le=\"{bound:?}\"}} {count}", self.labels);
        }
        let _ = writeln!(self.text, "vllm:{name}_bucket{{{},le=\"+Inf\"}} {}", self.labels, histogram.count());
        let _ = writeln!(self.text, "vllm:{name}_count{{{}}} {}", self.labels, histogram.count());
        let _ = writeln!(self.text, "vllm:{name}_sum{{{}}} {}", self.labels, histogram.sum_s());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Micros;

    #[test]
    fn counters_stand_under_the_names_that_scrapers_look_for() {
        let mut snapshot = Snapshot { running: 2, blocks: 4000, block_tokens: 16, kv_usage: 0.25, ..Snapshot::default() };
        snapshot.counters.prompt_tokens = 100;
        snapshot.counters.prompt_tokens_device = 64;
        snapshot.counters.ttft_seconds.add(Micros(30_000));
        let page = page("tiny", &snapshot);
        for line in [
            "vllm:num_requests_running{engine=\"0\",model_name=\"tiny\"} 2",
            "vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"tiny\"} 0.25",
            "vllm:prompt_tokens_by_source_total{engine=\"0\",model_name=\"tiny\",source=\"local_compute\"} 36",
            "vllm:time_to_first_token_seconds_bucket{engine=\"0\",model_name=\"tiny\",le=\"0.02\"} 0",
            "vllm:time_to_first_token_seconds_bucket{engine=\"0\",model_name=\"tiny\",le=\"0.04\"} 1",
            "vllm:time_to_first_token_seconds_bucket{engine=\"0\",model_name=\"tiny\",le=\"1.0\"} 1",
            "vllm:time_to_first_token_seconds_sum{engine=\"0\",model_name=\"tiny\"} 0.03",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
    }
}
