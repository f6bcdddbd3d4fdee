//! One cell's times to first token as other tools would publish them, so that numbers can be reconciled.
//!
//! The same rows under each tool's own definition: which event is the first token, what becomes of a failed request, how a percentile is
//! taken. In: rows. Out: named renderings; no goal is judged by any but our own. What is said of a tool is in `docs/metrics.md`.

use std::borrow::Cow;

use super::table::AscendingValues;
use super::{AnalysisError, ExtendedReal, RequestTable, percentile};
use crate::analysis::summary::ToolTtftSummary;
use crate::records::record::FailureKind;
use crate::vocabulary::goal::{ComparisonOperator, ConditionField, Measure, RowCondition};
use crate::vocabulary::metric::Metric;

/// How a percentile is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PercentileRule {
    /// Between order statistics, as numpy and pandas do.
    Linear,
    /// The least value that at least the share is at or below: rank ⌈p n⌉.
    NearestRank,
}

/// Every rendering of the measured rows, and of those that the shown measure speaks of.
pub fn renderings(table: &RequestTable, shown: &Measure) -> Result<Vec<ToolTtftSummary>, AnalysisError> {
    let mut found = of_rows(&TtftSamples::of(table, &[])?, "all");
    if !shown.filter.is_empty() {
        found.extend(of_rows(&TtftSamples::of(table, &shown.filter)?, &filter_text(shown)));
    }
    let follow_ups = [RowCondition { field: ConditionField::Turn, comparison: ComparisonOperator::GreaterOrEqual, value: 1.0 }];
    let original = TtftSamples::of(table, &follow_ups)?;
    found.push(render(
        "original C×S script",
        "first token of turns >= 1, none is 0 s, no failures; linear",
        "turn >= 1",
        &original.with_zeros(),
        PercentileRule::Linear,
    ));
    found.retain(|rendering| rendering.n > 0);
    Ok(found)
}

/// The conditions of a measure as they are written.
fn filter_text(measure: &Measure) -> String {
    let text = measure.to_string();
    text.split_once("where ").map_or(String::new(), |(_, filter)| filter.trim_end_matches(')').to_owned())
}

/// Some rows' times, each ascending.
struct TtftSamples {
    /// To the first token, a failed request as infinity.
    judged: AscendingValues,
    /// To the first token, of successful requests.
    first_token: AscendingValues,
    /// To the first event of any kind, of successful requests.
    first_event: AscendingValues,
    /// Answers that ended in order and brought no token.
    tokenless: usize,
}

impl TtftSamples {
    fn of(table: &RequestTable, filter: &[RowCondition]) -> Result<Self, AnalysisError> {
        let rows = table.filtered(filter)?;
        let tokenless = rows.failures_by_kind().get(&FailureKind::NoToken).copied().unwrap_or(0);
        Ok(Self {
            judged: rows.values(Metric::Ttft)?,
            first_token: rows.successful_values(Metric::Ttft)?,
            first_event: rows.successful_values(Metric::Ttfe)?,
            tokenless: usize::try_from(tokenless).unwrap_or(usize::MAX),
        })
    }

    /// Successful requests with answers without a token as 0 seconds, as some tools take them.
    fn with_zeros(&self) -> Cow<'_, [f64]> {
        if self.tokenless == 0 {
            return Cow::Borrowed(&self.first_token);
        }
        let mut values = vec![0.0; self.tokenless];
        values.extend(&*self.first_token);
        Cow::Owned(values)
    }
}

fn of_rows(rows: &TtftSamples, name: &str) -> Vec<ToolTtftSummary> {
    vec![
        render("bench", "first token, failures infinite; linear", name, &rows.judged, PercentileRule::Linear),
        render("bench, nearest rank", "first token, failures infinite; rank ceil(p n)", name, &rows.judged, PercentileRule::NearestRank),
        render("success only (AIPerf)", "first token, no failures; linear", name, &rows.first_token, PercentileRule::Linear),
        render("vllm bench serve", "first event, role chunk too, no failures; linear", name, &rows.first_event, PercentileRule::Linear),
        render("guidellm", "first token, none is 0 s, no failures; rank ceil(p n)", name, &rows.with_zeros(), PercentileRule::NearestRank),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn render(tool: &str, definition: &str, rows: &str, ascending: &[f64], rule: PercentileRule) -> ToolTtftSummary {
    let at = |percent: u32| {
        let value = match rule {
            PercentileRule::Linear => percentile(ascending, f64::from(percent)),
            PercentileRule::NearestRank => nearest_rank(ascending, percent as usize),
        };
        value.and_then(ExtendedReal::new)
    };
    let mean = (!ascending.is_empty()).then(|| ascending.iter().sum::<f64>() / ascending.len() as f64);
    ToolTtftSummary {
        tool: tool.to_owned(),
        definition: definition.to_owned(),
        rows: rows.to_owned(),
        n: ascending.len() as u64,
        mean_s: mean.and_then(ExtendedReal::new),
        p50_s: at(50),
        p95_s: at(95),
        p99_s: at(99),
    }
}

/// The value at rank ⌈p n⌉, in whole numbers: 0.95 n is not exact in binary.
fn nearest_rank(ascending: &[f64], percent: usize) -> Option<f64> {
    let rank = (percent * ascending.len()).div_ceil(100).max(1);
    ascending.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{answered, failed, table};
    use super::*;
    use crate::records::record::RequestRecord;

    /// Seconds of p50, p95 and p99.
    fn percentiles(found: &[ToolTtftSummary], tool: &str, rows: &str) -> (u64, [f64; 3]) {
        let one = found.iter().find(|rendering| rendering.tool == tool && rendering.rows == rows).unwrap();
        (one.n, [one.p50_s, one.p95_s, one.p99_s].map(|value| value.unwrap().get()))
    }

    fn near(left: [f64; 3], right: [f64; 3]) {
        assert!(
            left.iter().zip(right).all(|(left, right)| left.total_cmp(&right).is_eq() || (left - right).abs() < 1e-9),
            "{left:?} is not {right:?}"
        );
    }

    /// Nine follow-ups that took 1 to 9 s, one that broke, one that brought no token, and a first turn of 90 s.
    fn rows() -> Vec<RequestRecord> {
        let mut records: Vec<RequestRecord> = (1..=9_u32).map(|at| answered(u64::from(at), 1, f64::from(at))).collect();
        records.push(failed(10, 1, FailureKind::Http(503)));
        records.push(failed(11, 1, FailureKind::NoToken));
        records.push(answered(12, 0, 90.0));
        records
    }

    #[test]
    fn the_same_rows_are_different_numbers_in_different_tools() {
        let found = renderings(&table(&rows()), &"p95(ttft where turn >= 1)".parse().unwrap()).unwrap();
        let infinite = f64::INFINITY;
        // 11 follow-ups, two of them infinite: the places are 5, 9.5 and 9.9.
        let (n, values) = percentiles(&found, "bench", "turn >= 1");
        assert_eq!(n, 11);
        near(values, [6.0, infinite, infinite]);
        near(percentiles(&found, "bench, nearest rank", "turn >= 1").1, [6.0, infinite, infinite]);
        // Nine successes: the places are 4, 7.6 and 7.92.
        let (n, values) = percentiles(&found, "success only (AIPerf)", "turn >= 1");
        assert_eq!(n, 9);
        near(values, [5.0, 8.6, 8.92]);
        // The role chunk comes 5 ms after the request, whatever the answer takes.
        near(percentiles(&found, "vllm bench serve", "turn >= 1").1, [0.005, 0.005, 0.005]);
        // 0, 1, ..., 9: ranks 5, 10 and 10.
        let (n, values) = percentiles(&found, "guidellm", "turn >= 1");
        assert_eq!(n, 10);
        near(values, [4.0, 9.0, 9.0]);
        // The same ten by interpolation: places 4.5, 8.55 and 8.91.
        near(percentiles(&found, "original C×S script", "turn >= 1").1, [4.5, 8.55, 8.91]);
        // And with the first turn: ten successes, places 4.5, 8.55 and 8.91 of 1, ..., 9, 90.
        near(percentiles(&found, "success only (AIPerf)", "all").1, [5.5, 9.0 + 0.55 * 81.0, 9.0 + 0.91 * 81.0]);
    }

    #[test]
    fn nearest_ranks_are_whole_ranks() {
        let values: Vec<f64> = (1..=60).map(f64::from).collect();
        // 0.95 * 60 = 57 exactly, which binary fractions may miss.
        assert_eq!([50, 95, 99].map(|p| nearest_rank(&values, p)), [Some(30.0), Some(57.0), Some(60.0)]);
        assert_eq!(nearest_rank(&[], 95), None);
        assert_eq!(nearest_rank(&[7.0], 50), Some(7.0));
    }

    #[test]
    fn without_a_filter_all_rows_are_rendered_once() {
        let found = renderings(&table(&rows()), &"error_rate".parse().unwrap()).unwrap();
        assert_eq!(found.iter().filter(|rendering| rendering.tool == "bench").count(), 1);
        let single = renderings(&table(&[answered(0, 0, 1.0)]), &"p95(ttft)".parse().unwrap()).unwrap();
        assert!(single.iter().all(|rendering| rendering.tool != "original C×S script"), "no follow-up, nothing to render");
        let filtered = "error_rate(where turn >= 1)".parse().unwrap();
        assert!(renderings(&table(&rows()), &filtered).unwrap().iter().any(|rendering| rendering.rows == "turn >= 1"));
    }
}
