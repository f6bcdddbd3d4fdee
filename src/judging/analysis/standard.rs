//! The figures that every load test prints of a cell, whatever its goals are: rates, shares, and latencies at three percentiles.
//!
//! In: the measured rows of a cell, and what its target costs. Out: plain figures. Percentiles are selected, not sorted for, one metric after the
//! other, so that a table of very many rows holds one column of numbers for it at a time; gaps between tokens are counted in one pass.

use super::columns::{NumericColumn, RequestColumns};
use super::interval::CONFIDENCE;
use super::number_column::many_rows;
use super::percentile::{between, neighbours, percentile};
use super::summary::{LatencyPercentiles, RateSummary, StandardFigures, TokenCost};
use super::throughput::throughput;
use super::token_gaps::TokenGapCounts;
use super::{AnalysisError, ExtendedReal, RequestTable};
use crate::records::record::RunWork;
use crate::vocabulary::goal::{ThroughputAmount, ThroughputScope};
use crate::vocabulary::metric::Metric;

/// The percentiles that are shown.
const SHOWN: [f64; 3] = [50.0, 95.0, 99.0];

/// Whose gaps between tokens, which are most of the bytes of a table, are part of the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GapReading {
    /// All cells'.
    All,
    /// Only those that a goal has read already.
    Read,
}

impl GapReading {
    /// Of a sweep of so many saved rows: very many are not read for this alone.
    pub(super) fn of(rows: usize) -> Self {
        if rows >= many_rows() { Self::Read } else { Self::All }
    }
}

impl StandardFigures {
    /// Of a cell whose runs did this work.
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub(super) fn of(table: &RequestTable, work: Option<&RunWork>, gaps_of: GapReading) -> Result<Self, AnalysisError> {
        let (rows, failed) = (table.rows(), table.failed_rows());
        // Of very many rows columns are read for as long as somebody holds them: both rates read these.
        let stamps = [NumericColumn::Intended, NumericColumn::Sent, NumericColumn::Done];
        let held = stamps.map(|stamp| table.columns().number(stamp));
        let (requests_per_s, output_tokens_per_s) =
            (rate(table, &ThroughputAmount::Requests)?, rate(table, &ThroughputAmount::OutputTokens)?);
        drop(held);
        let price = work.and_then(|work| Some((work.price_per_hour?, work.gpus)));
        Ok(Self {
            requests_per_s,
            error_rate: (rows > 0).then(|| failed as f64 / rows as f64),
            ttft: latency(table, Metric::Ttft, || selected_of(table, Metric::Ttft))?,
            tpot: latency(table, Metric::Tpot, || selected_of(table, Metric::Tpot))?,
            itl: latency(table, Metric::Itl, || gaps(table, failed, gaps_of))?,
            e2e: latency(table, Metric::E2e, || selected_of(table, Metric::E2e))?,
            cost: output_tokens_per_s.zip(price).and_then(|(rate, (price, gpus))| TokenCost::of(price, gpus, &rate)),
            output_tokens_per_s,
        })
    }
}

fn rate(table: &RequestTable, amount: &ThroughputAmount) -> Result<Option<RateSummary>, AnalysisError> {
    let rate = throughput(table, (amount, ThroughputScope::Cell), None)?;
    Ok(rate.map(|rate| {
        let ends = rate.ends((1.0 - CONFIDENCE) / 2.0);
        RateSummary { value: rate.value, low: ends.map(|(low, _)| low), high: ends.map(|(_, high)| high), n: table.rows() as u64 }
    }))
}

impl TokenCost {
    /// None where nothing was made.
    fn of(price_per_hour: f64, gpus: Option<u64>, rate: &RateSummary) -> Option<Self> {
        let per_million = |tokens_per_s: f64| Some(price_per_hour / (tokens_per_s * 3600.0) * 1e6).filter(|price| price.is_finite());
        Some(Self {
            price_per_hour,
            gpus,
            per_million_output_tokens: per_million(rate.value)?,
            low: rate.high.and_then(per_million),
            high: rate.low.and_then(per_million),
            n: rate.n,
        })
    }
}

/// Of the metric's values where a goal has had them sorted already, else by what takes less.
fn latency(
    table: &RequestTable,
    metric: Metric,
    otherwise: impl FnOnce() -> Result<LatencyPercentiles, AnalysisError>,
) -> Result<LatencyPercentiles, AnalysisError> {
    let Some(values) = table.known_values(metric) else { return otherwise() };
    let [p50_s, p95_s, p99_s] = SHOWN.map(|p| percentile(&values, p).and_then(ExtendedReal::new));
    Ok(LatencyPercentiles { n: values.len() as u64, p50_s, p95_s, p99_s })
}

fn selected_of(table: &RequestTable, metric: Metric) -> Result<LatencyPercentiles, AnalysisError> {
    let mut values = Vec::with_capacity(table.rows());
    values.extend(table.values_of(metric)?.filter(|value| !value.is_nan()));
    let n = values.len() as u64;
    let [p50_s, p95_s, p99_s] = selected(&mut values, SHOWN).map(|value| value.and_then(ExtendedReal::new));
    Ok(LatencyPercentiles { n, p50_s, p95_s, p99_s })
}

/// Ascending percentiles of values in any order, without sorting them.
fn selected(values: &mut [f64], percentiles: [f64; 3]) -> [Option<f64>; 3] {
    let count = values.len() as u64;
    let mut done = 0;
    percentiles.map(|p| {
        let (low, high, share) = neighbours(count, p)?;
        // What was selected before lies in its place, and everything behind it is no less.
        let place = usize::try_from(low).ok()?;
        let rest = values.get_mut(done..)?;
        let (_, at, behind) = rest.select_nth_unstable_by(place.checked_sub(done)?, f64::total_cmp);
        let next = if high > low && share > 0.0 { behind.iter().copied().min_by(f64::total_cmp) } else { None };
        done = place;
        Some(between(*at, next.unwrap_or(*at), share))
    })
}

fn gaps(table: &RequestTable, failed: u64, gaps_of: GapReading) -> Result<LatencyPercentiles, AnalysisError> {
    let columns: &RequestColumns = table.columns();
    if gaps_of == GapReading::Read && !columns.has_gaps() {
        return Ok(LatencyPercentiles::default());
    }
    let mut counts = TokenGapCounts::default();
    columns.visit_gaps(|row, gaps| {
        if columns.is_measured(row) && !columns.is_failed(row) {
            counts.add(gaps);
        }
    })?;
    let successes = table.rows() as u64 - failed;
    Ok(counts.percentiles(successes, failed, SHOWN))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture::{answered, cell, failed, sweep, table, uniform};
    use super::super::{SummaryOptions, percentile, summarize};
    use super::*;
    use crate::records::record::{FailureKind, RequestRecord};

    proptest! {
        #[test]
        fn what_is_selected_is_what_sorting_gives(values in prop::collection::vec(prop_oneof![0.0_f64..9.0, Just(f64::INFINITY)], 0..60)) {
            let mut ascending = values.clone();
            ascending.sort_by(f64::total_cmp);
            prop_assert_eq!(selected(&mut values.clone(), SHOWN), SHOWN.map(|p| percentile(&ascending, p)));
        }

        #[test]
        fn the_table_s_percentiles_are_those_of_the_measures(ttfts in prop::collection::vec(0.01_f64..3.0, 1..40), failures in 0..5_u64) {
            let answers = (0..).zip(&ttfts).map(|(session, ttft)| RequestRecord {
                gaps_us: vec![u32::try_from(session % 7).unwrap() * 1000; usize::try_from(session % 4).unwrap()],
                ..answered(session, 0, *ttft)
            });
            let rows: Vec<_> = answers.chain((0..failures).map(|row| failed(100 + row, 0, FailureKind::TimeoutIdle))).collect();
            let table = table(&rows);
            let figures = StandardFigures::of(&table, None, GapReading::All).unwrap();
            let found = |figures: &StandardFigures| [(Metric::Ttft, figures.ttft), (Metric::Tpot, figures.tpot), (Metric::Itl, figures.itl), (Metric::E2e, figures.e2e)];
            for (metric, found) in found(&figures) {
                let values = table.values(metric).unwrap();
                let expected = SHOWN.map(|p| percentile(&values, p).and_then(ExtendedReal::new));
                prop_assert_eq!([found.p50_s, found.p95_s, found.p99_s], expected, "{}", metric);
                prop_assert_eq!(found.n, values.len() as u64, "{}", metric);
            }
            // Now that all values are known.
            prop_assert_eq!(found(&StandardFigures::of(&table, None, GapReading::Read).unwrap()), found(&figures));
        }
    }

    #[test]
    fn a_million_tokens_cost_what_an_hour_costs_over_the_tokens_that_it_makes() {
        let mut saved = sweep(&[], &[cell("vllm", 2, 2, uniform(2, 2, 0.5))]);
        let seconds = saved.runs[0].record.counts.measured_window_us.as_secs_f64();
        saved.runs[0].record.header.cell = serde_json::json!({"target": {"price_per_hour": 2.5, "gpus": 2}}).into();
        let summary = summarize(&saved, &SummaryOptions::default()).unwrap();
        let figures = &summary.variants[0].cells[0].standard;
        // 16 answers of four tokens each.
        let per_s = 64.0 / seconds;
        assert!((figures.output_tokens_per_s.unwrap().value - per_s).abs() < 1e-9 * per_s, "{figures:?}");
        let cost = figures.cost.unwrap();
        assert!((cost.per_million_output_tokens - 2.5 / (per_s * 3600.0) * 1e6).abs() < 1e-6);
        assert_eq!((cost.gpus, cost.n, figures.error_rate), (Some(2), 16, Some(0.0)));
        assert!(cost.low.unwrap() < cost.per_million_output_tokens);
    }
}
