//! How much went through in a cell: requests per second as offered, sent and completed, tokens per second, and cache hits.
//!
//! A rate of n events is (n - 1) over the time from the first to the last: so neither a long last answer nor the time before the first
//! request changes it. Runs are pooled by adding both up.

use super::columns::NumericColumn;
use super::moments::{MomentRange, RequestMoment};
use super::{AnalysisError, ExtendedReal, RequestTable, estimate};
use crate::analysis::summary::{CellThroughput, UserThroughput};
use crate::records::store::SavedRun;
use crate::vocabulary::goal::{Aggregate, ComparisonOperator, ConditionField, Measure, RowCondition};
use crate::vocabulary::metric::Metric;

impl UserThroughput {
    fn of(table: &RequestTable) -> Result<Option<Self>, AnalysisError> {
        let median = Measure { aggregate: Aggregate::Percentile(50.0, Metric::Tpot), filter: Vec::new() };
        let median = estimate(&median, table)?;
        let turned = |time: ExtendedReal| Some(1.0 / time.get()).filter(|speed| speed.is_finite());
        let value = median.value.and_then(turned);
        Ok(value.map(|value| Self { value, low: median.high.and_then(turned), high: median.low.and_then(turned), n: median.n }))
    }
}

impl CellThroughput {
    pub fn of(runs: &[&SavedRun], table: &RequestTable) -> Result<Self, AnalysisError> {
        let offered: Vec<f64> = runs.iter().filter_map(|run| run.record.offered_qps).collect();
        let window: f64 = runs.iter().map(|run| run.record.counts.measured_window_us.as_secs_f64()).sum();
        // Without a window nobody knows when requests were sent, as in imported files: their stamps are only laid out.
        let timed = |rate: Option<f64>| rate.filter(|_| window > 0.0);
        let per_second = |total: Option<f64>| timed(total).map(|total| total / window);
        let first_turns = RowCondition { field: ConditionField::Turn, comparison: ComparisonOperator::Equal, value: 0.0 };
        Ok(Self {
            offered_qps: mean(&offered),
            sent_qps: timed(rate(&MomentRange::by_run(table, RequestMoment::Sent)?)),
            completed_qps: timed(rate(&MomentRange::by_run(table, RequestMoment::Completed)?)),
            prompt_tokens_per_s: per_second(table.total(NumericColumn::PromptTokens)?),
            output_tokens_per_s: per_second(table.total(NumericColumn::OutputTokens)?),
            output_tps_per_user: UserThroughput::of(table)?,
            hit_rate: table.hit_rate(&[])?,
            first_turn_hit_rate: table.hit_rate(&[first_turns])?,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "runs and rows are few")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Events per second over several runs.
#[expect(clippy::cast_precision_loss, reason = "runs and rows are few")]
fn rate(runs: &[MomentRange]) -> Option<f64> {
    let (events, span) = runs.iter().fold((0.0, 0.0), |(events, span), run| (events + (run.n - 1) as f64, span + (run.last - run.first)));
    (span > 0.0).then(|| events / span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{answered, failed, table};
    use crate::records::record::FailureKind;

    #[test]
    fn a_user_gets_tokens_as_fast_as_the_median_request() {
        // Three tokens after the first in 20 ms.
        let rows: Vec<_> = (0..9).map(|session| answered(session, 1, 0.5)).collect();
        let speed = UserThroughput::of(&table(&rows)).unwrap().unwrap();
        assert!((speed.value - 150.0).abs() < 1e-9, "{speed:?}");
        assert!(speed.low.unwrap() <= speed.value && speed.n == 9);
        let rows: Vec<_> = (0..9).map(|session| failed(session, 1, FailureKind::Connect)).collect();
        assert_eq!(UserThroughput::of(&table(&rows)).unwrap().map(|speed| speed.value), Some(0.0));
        assert_eq!(UserThroughput::of(&RequestTable::pool([]).unwrap()).unwrap(), None);
    }

    #[test]
    fn a_rate_counts_intervals_and_not_posts() {
        // A request a second for ten seconds is one request per second, not 11 in 10 s.
        let second_by_second = MomentRange { n: 11, first: 0.0, last: 10.0 };
        assert_eq!(rate(&[second_by_second]), Some(1.0));
        assert_eq!(rate(&[second_by_second, MomentRange { n: 3, first: 5.0, last: 6.0 }]), Some(12.0 / 11.0));
        assert_eq!(rate(&[MomentRange { n: 1, first: 3.0, last: 3.0 }]), None);
        assert_eq!(rate(&[]), None);
    }
}
