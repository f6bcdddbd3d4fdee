//! What a file is, by its content: the keys of its first JSON value in, its program out, or why none of its runs can be read.
//!
//! Summaries are known by name as well: averages and percentiles hold no request, so nothing could be said of them for sure, and the message tells what
//! holds the requests.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::SourceProgram;
use super::json;

/// The keys of an object, or of the first object of a list.
#[derive(Debug, Default)]
struct FormatSignature {
    is_list: bool,
    keys: BTreeSet<String>,
}

impl FormatSignature {
    fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    fn all(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.has(key))
    }
}

impl<'de> Deserialize<'de> for FormatSignature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SignatureVisitor;
        impl<'de> Visitor<'de> for SignatureVisitor {
            type Value = FormatSignature;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object, or a list of objects")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<FormatSignature, A::Error> {
                let mut keys = BTreeSet::new();
                while let Some(key) = entries.next_key::<String>()? {
                    keys.insert(key);
                    entries.next_value::<IgnoredAny>()?;
                }
                Ok(FormatSignature { is_list: false, keys })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<FormatSignature, A::Error> {
                let first = items.next_element::<FormatSignature>()?.unwrap_or_default();
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FormatSignature { is_list: true, ..first })
            }
        }
        deserializer.deserialize_any(SignatureVisitor)
    }
}

/// Which program wrote this JSON, or these lines of JSON, or what was looked for.
pub(super) fn program(text: &str) -> Result<SourceProgram, String> {
    let signs: FormatSignature = json::first(text)?;
    if let Some(refusal) = summary(&signs) {
        return Err(refusal.to_owned());
    }
    let is = |found: bool, program: SourceProgram| found.then_some(program);
    let found = [
        is(signs.all(&["params", "results"]), SourceProgram::CxsScript),
        is(signs.all(&["metadata", "metrics"]) && !signs.has("benchmarks"), SourceProgram::AiperfRecords),
        is(signs.has("benchmarks"), SourceProgram::Guidellm),
        is(signs.all(&["individual_request_metrics", "aggregated_metrics"]), SourceProgram::GenaiBench),
        is(signs.is_list && signs.all(&["ttft_s", "end_to_end_latency_s"]), SourceProgram::Llmperf),
        is(signs.is_list && signs.all(&["start_time", "end_time", "info"]), SourceProgram::InferencePerf),
        is(served(&signs) && signs.has("run_number"), SourceProgram::VllmSweep),
        is(served(&signs) && is_sglang(&signs), SourceProgram::SglangServing),
        is(served(&signs), SourceProgram::VllmServe),
    ];
    found.into_iter().flatten().next().ok_or_else(|| {
        "is JSON of no known program: looked for the files of single requests of the C×S script (`params` and `results`), `vllm bench serve`, \
         `vllm bench sweep` and SGLang's `bench_serving` (`completed`, `duration`, `ttfts`), AIPerf (`metadata` and `metrics`), guidellm \
         (`benchmarks`), genai-bench (`individual_request_metrics`), llmperf (`ttft_s`) and inference-perf (`start_time`, `end_time`, `info`)"
            .to_owned()
    })
}

/// What `vllm bench serve` and SGLang's `bench_serving`, which came from it, have in common.
fn served(signs: &FormatSignature) -> bool {
    signs.has("ttfts") || (signs.has("completed") && (signs.has("duration") || signs.has("request_throughput")))
}

/// SGLang names its data set and no model.
fn is_sglang(signs: &FormatSignature) -> bool {
    let vllm = ["model_id", "tokenizer_id", "endpoint_type", "num_prompts"].into_iter().any(|key| signs.has(key));
    !vllm && (signs.has("dataset_name") || signs.has("backend"))
}

/// Why a summary is refused, by the name of the program that wrote it.
fn summary(signs: &FormatSignature) -> Option<&'static str> {
    let refusals = [
        (
            signs.has("input_config") || signs.all(&["time_to_first_token", "request_latency"]),
            "is AIPerf's summary (`profile_export_aiperf.json`): averages and percentiles, and no request; import its records, \
             `profile_export.jsonl`, beside it",
        ),
        (
            signs.has("data") && signs.keys.len() == 1,
            "is AIPerf's input (`inputs.json`): what was sent, and no time; import `profile_export.jsonl` beside it",
        ),
        (
            signs.all(&["num_concurrent_requests", "mean_input_tokens"]),
            "is llmperf's summary: averages and percentiles, and no request; import the file beside it that ends in \
             `_individual_responses.json`",
        ),
        (
            signs.all(&["load_summary", "successes"]),
            "is a summary of inference-perf: averages and percentiles, and no request; run it with `report.request_lifecycle.per_request: true`, \
             and import `per_request_lifecycle_metrics.json`",
        ),
        (
            signs.has("aggregated_metrics") && !signs.has("individual_request_metrics"),
            "is a summary of genai-bench without its requests; import the file of the run, which has `individual_request_metrics`",
        ),
        (
            signs.has("run_number") && !signs.has("ttfts"),
            "is of `vllm bench sweep` and has no `ttfts` and `itls`, a value a request: only averages and percentiles are in it; put \
             `--save-detailed` into its `--bench-cmd`, run it again, and import its `run=*.json`, or a `summary.json`",
        ),
        (
            is_sglang(signs) && served(signs) && !signs.has("ttfts"),
            "is a summary of SGLang's `bench_serving`: averages and percentiles, and no request; run it again with `--output-details`",
        ),
    ];
    refusals.into_iter().find(|(found, _)| *found).map(|(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_known_by_its_keys() {
        for (text, expected) in [
            (r#"{"params": {}, "results": []}"#, SourceProgram::CxsScript),
            (r#"{"completed": 1, "duration": 2, "model_id": "m"}"#, SourceProgram::VllmServe),
            (r#"[{"completed": 1, "duration": 2, "model_id": "m", "run_number": 0, "ttfts": []}]"#, SourceProgram::VllmSweep),
            (r#"{"backend": "sglang", "completed": 1, "duration": 2, "ttfts": []}"#, SourceProgram::SglangServing),
            ("{\"metadata\": {}, \"metrics\": {}, \"error\": null}\n{\"metadata\": {}}\n", SourceProgram::AiperfRecords),
            (r#"{"metadata": {}, "args": {}, "benchmarks": []}"#, SourceProgram::Guidellm),
            (r#"{"aggregated_metrics": {}, "individual_request_metrics": []}"#, SourceProgram::GenaiBench),
            (r#"[{"ttft_s": 1, "end_to_end_latency_s": 2}]"#, SourceProgram::Llmperf),
            (r#"[{"start_time": 1, "end_time": 2, "request": "", "info": {}}]"#, SourceProgram::InferencePerf),
        ] {
            assert_eq!(program(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_summary_is_refused_by_the_right_name_with_what_holds_the_requests() {
        for (text, name, cure) in [
            (r#"{"input_config": {}, "request_throughput": {"unit": "requests/sec"}}"#, "AIPerf", "`profile_export.jsonl`"),
            (r#"{"model": "m", "num_concurrent_requests": 1, "mean_input_tokens": 550}"#, "llmperf", "`_individual_responses.json`"),
            (r#"{"load_summary": {}, "successes": {}, "failures": {}}"#, "inference-perf", "per_request: true"),
            (r#"[{"model_id": "m", "completed": 1, "duration": 2, "run_number": 0}]"#, "`vllm bench sweep`", "`--save-detailed`"),
            (r#"{"backend": "sglang-oai", "dataset_name": "random", "completed": 1, "duration": 2}"#, "SGLang", "`--output-details`"),
        ] {
            let fault = program(text).unwrap_err();
            assert!(fault.contains(name) && fault.contains(cure), "{fault}");
        }
        let unknown = program(r#"{"some": "thing"}"#).unwrap_err();
        assert!(unknown.starts_with("is JSON of no known program") && unknown.contains("guidellm"), "{unknown}");
    }
}
