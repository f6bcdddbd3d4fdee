//! How many tokens a server's KV cache holds on its device, as its own page tells it.

use std::collections::BTreeMap;

use crate::records::exposition::PrometheusSample;

/// vLLM: everything in the labels, the value is 1.
const VLLM: &str = "vllm:cache_config_info";
/// SGLang: a gauge, of each rank that reports.
const SGLANG: &str = "sglang:max_total_num_tokens";

/// Whether a metric tells of the pool.
pub(super) fn tells_of_pool(name: &str) -> bool {
    matches!(name, VLLM | SGLANG)
}

/// The tokens of all engines behind one page; `None` where it does not tell.
pub fn kv_pool_tokens(samples: &[PrometheusSample]) -> Option<u64> {
    // Ranks of one tensor-parallel engine share its pool; data-parallel engines have one each.
    let mut pools: BTreeMap<String, u64> = BTreeMap::new();
    for sample in samples {
        let (engine, tokens) = match sample.name.as_str() {
            VLLM => ("engine", vllm_tokens(sample)),
            SGLANG => ("dp_rank", whole(sample.value)),
            _ => continue,
        };
        if let Some(tokens) = tokens {
            let pool = pools.entry(sample.label(engine).unwrap_or_default().into_owned()).or_default();
            *pool = tokens.max(*pool);
        }
    }
    let tokens = pools.into_values().fold(0_u64, u64::saturating_add);
    (tokens > 0).then_some(tokens)
}

/// What vLLM says itself, since blocks times their size is too much for models with several kinds of layers; older ones do not say.
fn vllm_tokens(sample: &PrometheusSample) -> Option<u64> {
    let number = |name| sample.label(name)?.parse::<u64>().ok();
    number("kv_cache_size_tokens").or_else(|| number("block_size")?.checked_mul(number("num_gpu_blocks")?))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating, and negative is 0, which is no pool")]
fn whole(value: f64) -> Option<u64> {
    value.is_finite().then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::exposition::PrometheusPage;

    fn pool(page: &[u8]) -> Option<u64> {
        kv_pool_tokens(&PrometheusPage::read(page, tells_of_pool).samples)
    }

    #[test]
    fn the_pool_of_a_recorded_vllm_is_what_it_was_started_with() {
        assert_eq!(pool(include_bytes!("../../../../../tests/fixtures/engine/vllm_metrics.txt")), Some(131_072));
        assert_eq!(pool(include_bytes!("../../../../../tests/fixtures/engine/vllm_lmcache_metrics.txt")), Some(32_768));
    }

    #[test]
    fn engines_add_up_and_ranks_of_one_do_not() {
        let two = b"vllm:cache_config_info{block_size=\"16\",engine=\"0\",num_gpu_blocks=\"100\"} 1\n\
                    vllm:cache_config_info{block_size=\"16\",engine=\"1\",num_gpu_blocks=\"50\"} 1\n";
        assert_eq!(pool(two), Some(2_400));
        let ranks = b"sglang:max_total_num_tokens{tp_rank=\"0\",dp_rank=\"0\"} 471258\nsglang:max_total_num_tokens{tp_rank=\"1\",dp_rank=\"0\"} 471258\n";
        assert_eq!(pool(ranks), Some(471_258));
    }

    #[test]
    fn a_page_that_does_not_tell_is_no_pool_of_nothing() {
        let none = b"vllm:cache_config_info{block_size=\"None\",num_gpu_blocks=\"None\"} 1\nsglang:max_total_num_tokens NaN\nother 3\n";
        assert_eq!(pool(none), None);
        assert_eq!(pool(b""), None);
    }
}
