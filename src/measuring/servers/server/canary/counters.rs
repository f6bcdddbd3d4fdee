//! The server's counters of cached prompt tokens, where it has a page of metrics: read before and after a canary prompt.

use std::time::Duration;

use reqwest::Method;

use crate::servers::endpoint::{EndpointReply, ServerEndpoint};
use crate::servers::server::metrics::{PrometheusPage, PrometheusSample};

/// Totals of tokens that came from a cache: vLLM's own and those of a connector behind it; SGLang's.
const HITS: [&str; 3] = ["vllm:prefix_cache_hits_total", "vllm:external_prefix_cache_hits_total", "sglang:cached_tokens_total"];
/// Totals that grow with every prompt: when they have moved, the hits have, too.
const PROMPTS: [&str; 2] = ["vllm:prompt_tokens_total", "sglang:prompt_tokens_total"];
/// How often, and at what distance, the page is read until it knows of a prompt that was answered.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// What the page says at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CacheHitCounters {
    hits: f64,
    prompts: f64,
}

impl CacheHitCounters {
    /// Nothing where the server has no such page, or not these counters on it.
    pub(super) async fn take(endpoint: &ServerEndpoint) -> Option<Self> {
        let request = endpoint.request(Method::GET, endpoint.address().root("/metrics"), None);
        let reply = endpoint.call(request).await.ok().filter(EndpointReply::is_success)?;
        Self::of(&reply.body)
    }

    /// Tokens that came from a cache since this reading; nothing where the page does not come to know of a further prompt.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of tokens, saturating")]
    pub(super) async fn hits_since(self, endpoint: &ServerEndpoint) -> Option<u64> {
        for _ in 0..LOOKS {
            let now = Self::take(endpoint).await?;
            if now.prompts > self.prompts {
                return Some((now.hits - self.hits) as u64);
            }
            tokio::time::sleep(PAUSE).await;
        }
        None
    }

    fn of(page: &[u8]) -> Option<Self> {
        let page = PrometheusPage::read(page, |name| HITS.contains(&name) || PROMPTS.contains(&name));
        Some(Self { hits: total(&page.samples, &HITS)?, prompts: total(&page.samples, &PROMPTS)? })
    }
}

/// The sum over all series of these names; nothing where there is none.
fn total(samples: &[PrometheusSample], names: &[&str]) -> Option<f64> {
    samples.iter().filter(|sample| names.contains(&sample.name.as_str())).map(|sample| sample.value).reduce(|sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_of_all_engines_and_of_the_cache_behind_them_are_added_up() {
        let page = "# HELP vllm:prefix_cache_hits_total Hits.\n\
            vllm:prefix_cache_hits_total{engine=\"0\",model_name=\"a b}\"} 2048.0\n\
            vllm:prefix_cache_hits_total{engine=\"1\"} 16.0 1700000000\n\
            vllm:external_prefix_cache_hits_total 256\n\
            vllm:prefix_cache_hits_created{engine=\"0\"} 1.7e9\n\
            vllm:prompt_tokens_total{engine=\"0\"} 4.1e3\n";
        assert_eq!(CacheHitCounters::of(page.as_bytes()), Some(CacheHitCounters { hits: 2320.0, prompts: 4100.0 }));
    }

    #[test]
    fn a_page_without_these_counters_tells_nothing() {
        assert_eq!(CacheHitCounters::of(b"python_info 1.0\n"), None);
        assert_eq!(CacheHitCounters::of(b"vllm:prompt_tokens_total 5\n"), None);
        assert_eq!(CacheHitCounters::of(b"<html>"), None);
    }
}
