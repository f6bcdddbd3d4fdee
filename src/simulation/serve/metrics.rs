//! `/metrics`: the engine's counters as Prometheus text, under vLLM's names.

use std::fmt::Write;

use crate::engine::{CACHE_CONFIG, EngineLatencyHistogram, EngineMetric, EngineMetricKind, EngineSnapshot};

/// The whole page.
pub(super) fn page(model: &str, snapshot: &EngineSnapshot) -> String {
    let model = model.replace('\\', "\\\\").replace('"', "\\\"");
    let mut page = EngineMetricsPage { text: String::new(), labels: format!("engine=\"0\",model_name=\"{model}\"") };
    let mut name = "";
    for figure in snapshot.figures() {
        if name != figure.name {
            name = figure.name;
            page.head(name, figure.help, kind_word(figure.kind));
        }
        page.figure(&figure);
    }
    let counters = &snapshot.counters;
    page.histogram("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", &counters.ttft_seconds);
    page.histogram("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", &counters.e2e_seconds);
    page.head(CACHE_CONFIG, "Information of the LLMEngine CacheConfig", "gauge");
    let (block_tokens, blocks) = (snapshot.block_tokens, snapshot.blocks);
    let _ = writeln!(
        page.text,
        "{CACHE_CONFIG}{{block_size=\"{block_tokens}\",enable_prefix_caching=\"True\",engine=\"0\",num_gpu_blocks=\"{blocks}\"}} 1.0"
    );
    page.text
}

fn kind_word(kind: EngineMetricKind) -> &'static str {
    match kind {
        EngineMetricKind::Counter => "counter",
        EngineMetricKind::Gauge => "gauge",
    }
}

struct EngineMetricsPage {
    text: String,
    labels: String,
}

// Writing into a `String` cannot fail, so that results are dropped.
impl EngineMetricsPage {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn figure(&mut self, figure: &EngineMetric) {
        let _ = match figure.label {
            None => writeln!(self.text, "{}{{{}}} {}", figure.name, self.labels, figure.value),
            Some((label, value)) => writeln!(self.text, "{}{{{},{label}=\"{value}\"}} {}", figure.name, self.labels, figure.value),
        };
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &EngineLatencyHistogram) {
        self.head(name, help, "histogram");
        for (bound, count) in histogram.cumulated() {
            let _ = writeln!(self.text, "{name}_bucket{{{},le=\"{bound:?}\"}} {count}", self.labels);
        }
        let _ = writeln!(self.text, "{name}_bucket{{{},le=\"+Inf\"}} {}", self.labels, histogram.count());
        let _ = writeln!(self.text, "{name}_count{{{}}} {}", self.labels, histogram.count());
        let _ = writeln!(self.text, "{name}_sum{{{}}} {}", self.labels, histogram.sum_s());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::Micros;

    #[test]
    fn counters_stand_under_the_names_that_scrapers_look_for() {
        let mut snapshot = EngineSnapshot { running: 2, blocks: 4000, block_tokens: 16, kv_usage: 0.25, ..EngineSnapshot::default() };
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
