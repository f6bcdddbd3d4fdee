//! How many of the tokens that a draft proposed the model kept (speculative decoding).

use super::gauge::{GaugeAggregation, level};
use super::series::RunMetricSeries;
use crate::analysis::summary::ServerMetricValue;

const VLLM_ACCEPTED: &str = "vllm:spec_decode_num_accepted_tokens_total";
const VLLM_DRAFTED: &str = "vllm:spec_decode_num_draft_tokens_total";
/// A gauge over the last steps, which is 0 where nothing is drafted.
const SGLANG_RATE: &str = "sglang:spec_accept_rate";

/// The share of drafted tokens that was kept, from 0 to 1; `None` where nothing was drafted.
pub fn speculative_acceptance(samples: &RunMetricSeries<'_>) -> Option<ServerMetricValue> {
    let counted = || {
        let (accepted, drafted) = (samples.increase(VLLM_ACCEPTED)?, samples.increase(VLLM_DRAFTED)?);
        (drafted > 0.0).then(|| ServerMetricValue { value: accepted / drafted, by: VLLM_ACCEPTED.to_owned() })
    };
    let by_rate = || {
        let rate = level(samples.named(SGLANG_RATE)?, GaugeAggregation::Shares, 1.0, SGLANG_RATE)?;
        Some(ServerMetricValue { value: rate.mean, by: rate.by }).filter(|_| rate.max > 0.0)
    };
    counted().or_else(by_rate)
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::samples;
    use super::*;

    #[test]
    fn the_share_is_of_what_was_drafted_while_the_run_went_on() {
        let page = |accepted: f64, drafted: f64| [(VLLM_ACCEPTED, "{engine=\"0\"}", accepted), (VLLM_DRAFTED, "{engine=\"0\"}", drafted)];
        let told = |first: [f64; 2], last: [f64; 2]| {
            let pages = samples(&[(0, &page(first[0], first[1])), (5, &page(last[0], last[1]))]);
            speculative_acceptance(&RunMetricSeries::of(&pages)).map(|told| told.value)
        };
        assert_eq!(told([100.0, 200.0], [160.0, 280.0]), Some(0.75));
        assert_eq!(told([100.0, 200.0], [100.0, 200.0]), None);
    }

    #[test]
    fn sglang_tells_a_rate_and_0_where_it_drafts_nothing() {
        let told = |rate| {
            let page = [(SGLANG_RATE, "{tp_rank=\"0\"}", rate)];
            speculative_acceptance(&RunMetricSeries::of(&samples(&[(0, &page), (5, &page)]))).map(|told| told.value)
        };
        assert_eq!((told(0.6), told(0.0)), (Some(0.6), None));
    }
}
