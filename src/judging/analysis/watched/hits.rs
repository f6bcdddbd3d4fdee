//! Where prompt tokens came from, in tokens: the device's cache, a cache outside the engine, or computation.

use super::series::{MetricSeries, RunMetricSeries};
use crate::analysis::summary::ServerMetricValue;

/// Prompt tokens of a run by source.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptTokenSources {
    pub total: f64,
    pub device: f64,
    /// From outside the engine's own device memory: a connector, host memory, a disk.
    pub external: f64,
    pub by: &'static str,
}

const VLLM_SOURCES: &str = "vllm:prompt_tokens_by_source_total";
const SGLANG_CACHED: &str = "sglang:cached_tokens_total";

/// By the first of these that the server tells: vLLM's tokens by source; its queries and hits, also under their older names; SGLang's
/// prompt tokens and cached tokens by source. Series of several engines are added up.
pub fn prompt_tokens(samples: &RunMetricSeries<'_>) -> Option<PromptTokenSources> {
    vllm_sources(samples).or_else(|| vllm_queries(samples)).or_else(|| sglang(samples))
}

fn vllm_sources(samples: &RunMetricSeries<'_>) -> Option<PromptTokenSources> {
    let mut tokens = PromptTokenSources { total: 0.0, device: 0.0, external: 0.0, by: VLLM_SOURCES };
    for series in samples.named(VLLM_SOURCES)? {
        let grown = series.increase();
        tokens.total += grown;
        match series.label("source").as_deref() {
            Some("local_compute") => {}
            Some("local_cache_hit") => tokens.device += grown,
            _ => tokens.external += grown,
        }
    }
    Some(tokens)
}

fn vllm_queries(samples: &RunMetricSeries<'_>) -> Option<PromptTokenSources> {
    let pairs = [
        ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total"),
        ("vllm:gpu_prefix_cache_queries_total", "vllm:gpu_prefix_cache_hits_total"),
    ];
    let read = |(queries, hits): (&str, &'static str)| {
        let external = samples.increase("vllm:external_prefix_cache_hits_total").unwrap_or(0.0);
        Some(PromptTokenSources { total: samples.increase(queries)?, device: samples.increase(hits)?, external, by: hits })
    };
    pairs.into_iter().find_map(read)
}

fn sglang(samples: &RunMetricSeries<'_>) -> Option<PromptTokenSources> {
    let total = samples.increase("sglang:prompt_tokens_total")?;
    let cached = samples.named(SGLANG_CACHED)?;
    // Versions that do not tell the source have the device's cache alone in mind.
    let on_device = |series: &&MetricSeries<'_>| series.label("cache_source").is_none_or(|source| source == "device");
    let device = cached.iter().filter(on_device).map(MetricSeries::increase).sum();
    let external = cached.iter().filter(|series| !on_device(series)).map(MetricSeries::increase).sum();
    Some(PromptTokenSources { total, device, external, by: SGLANG_CACHED })
}

/// Prompt tokens that the server computed, where it tells only these: llama.cpp counts no token that it found in its cache.
pub fn computed(samples: &RunMetricSeries<'_>) -> Option<ServerMetricValue> {
    let by = "llamacpp:prompt_tokens_total";
    Some(ServerMetricValue { value: samples.increase(by)?, by: by.to_owned() })
}

/// Tokens that a cache outside the engine was asked for.
pub fn external_queries(samples: &RunMetricSeries<'_>) -> Option<ServerMetricValue> {
    let by = "vllm:external_prefix_cache_queries_total";
    Some(ServerMetricValue { value: samples.increase(by)?, by: by.to_owned() })
}

/// Tokens that the device's KV cache holds, all engines added up.
pub fn pool(samples: &RunMetricSeries<'_>) -> Option<ServerMetricValue> {
    let (by, series) = samples.first_of(&["vllm:cache_config_info", "sglang:max_total_num_tokens"])?;
    let whole = |series: &MetricSeries<'_>, label| series.label(label)?.parse::<f64>().ok();
    let of_vllm = |series: &MetricSeries<'_>| {
        whole(series, "kv_cache_size_tokens").or_else(|| Some(whole(series, "num_gpu_blocks")? * whole(series, "block_size")?))
    };
    let tokens =
        |series: &MetricSeries<'_>| if by.starts_with("vllm") { of_vllm(series) } else { series.points.last().map(|(_, value)| *value) };
    let value: f64 = series.iter().filter_map(tokens).sum();
    (value > 0.0).then(|| ServerMetricValue { value, by: by.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::samples;
    use super::*;
    use crate::records::record::ServerSample;

    fn read(told: &[ServerSample]) -> (f64, f64, f64) {
        let tokens = prompt_tokens(&RunMetricSeries::of(told)).unwrap();
        (tokens.total, tokens.device, tokens.external)
    }

    #[test]
    fn vllm_tells_the_sources_apart() {
        let page = |compute, device, external| {
            let name = "vllm:prompt_tokens_by_source_total";
            [
                (name, "{engine=\"0\",source=\"local_compute\"}", compute),
                (name, "{engine=\"0\",source=\"local_cache_hit\"}", device),
                (name, "{engine=\"0\",source=\"external_kv_transfer\"}", external),
                ("vllm:prefix_cache_queries_total", "", 1.0),
                ("vllm:prefix_cache_hits_total", "", 1.0),
            ]
        };
        assert_eq!(read(&samples(&[(0, &page(7.0, 7.0, 7.0)), (5, &page(107.0, 27.0, 17.0))])), (130.0, 20.0, 10.0));
    }

    #[test]
    fn queries_and_hits_do_where_there_are_no_sources() {
        let page = |queries, hits, external| {
            [
                ("vllm:prefix_cache_queries_total", "", queries),
                ("vllm:prefix_cache_hits_total", "", hits),
                ("vllm:external_prefix_cache_hits_total", "", external),
            ]
        };
        assert_eq!(read(&samples(&[(0, &page(5.0, 5.0, 0.0)), (5, &page(105.0, 65.0, 10.0))])), (100.0, 60.0, 10.0));
    }

    #[test]
    fn sglang_tells_host_and_storage_apart_from_the_device() {
        let page = |prompt, device, host| {
            [
                ("sglang:prompt_tokens_total", "", prompt),
                ("sglang:cached_tokens_total", "{cache_source=\"device\"}", device),
                ("sglang:cached_tokens_total", "{cache_source=\"host\"}", host),
            ]
        };
        assert_eq!(read(&samples(&[(0, &page(0.0, 0.0, 0.0)), (5, &page(100.0, 40.0, 30.0))])), (100.0, 40.0, 30.0));
    }

    #[test]
    fn the_pool_is_read_from_the_engine_s_configuration() {
        let pool_of =
            |labels: &str| pool(&RunMetricSeries::of(&samples(&[(0, &[("vllm:cache_config_info", labels, 1.0)])]))).map(|told| told.value);
        assert_eq!(pool_of(r#"{block_size="128",kv_cache_size_tokens="32768",num_gpu_blocks="256"}"#), Some(32_768.0));
        assert_eq!(pool_of(r#"{block_size="16",num_gpu_blocks="4000"}"#), Some(64_000.0));
        assert_eq!(pool_of(r#"{block_size="16",num_gpu_blocks="None"}"#), None);
    }
}
