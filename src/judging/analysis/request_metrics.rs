//! Metrics of single rows, for tables that go out: a part of a run's saved rows in, a value a row out. The same definitions as everywhere
//! ([`Metric::formula`]), without the columns of a whole cell in memory.

use polars::prelude::{DataFrame, Int64Chunked};

use super::AnalysisError;
use super::columns::NumericColumn;
use super::formula::column;
use crate::records::record::FailureKind;
use crate::vocabulary::metric::Metric;

/// Rows with the columns of requests.
#[derive(Debug)]
pub struct RequestMetrics<'a> {
    rows: &'a DataFrame,
    failed: Vec<bool>,
    left: Vec<bool>,
}

impl<'a> RequestMetrics<'a> {
    pub fn of(rows: &'a DataFrame) -> Result<Self, AnalysisError> {
        let kinds = rows.column("failure")?.str()?;
        let first_tokens = rows.column(NumericColumn::FirstToken.name())?.i64()?;
        // No token in a row without a failure cannot come from this program; it is a failure all the same, and never a 0.
        let left: Vec<bool> = kinds.iter().map(|kind| kind.is_some_and(|kind| FailureKind::of_name(kind) == FailureKind::Left)).collect();
        let missing = kinds.iter().zip(first_tokens.iter()).map(|(kind, first_token)| kind.is_some() || first_token.is_none());
        let failed = missing.zip(&left).map(|(missing, left)| missing && !left).collect();
        Ok(Self { rows, failed, left })
    }

    /// Whether each row failed.
    #[must_use]
    pub fn failed(&self) -> &[bool] {
        &self.failed
    }

    /// The metric of each row: its worst value where the request failed, `None` where it is undefined.
    pub fn values(&self, metric: Metric) -> Result<Vec<Option<f64>>, AnalysisError> {
        let formula = metric.formula();
        let (from, to) = formula.span().ok_or(AnalysisError::NotPerRow { metric })?;
        let [from, to] = [self.integers(column(from))?, self.integers(column(to))?];
        let [all, first_event] = [self.integers(NumericColumn::OutputTokens)?, self.integers(NumericColumn::FirstEventTokens)?];
        let stamps = from.iter().zip(to.iter());
        let tokens = all.iter().zip(first_event.iter());
        let outcomes = self.failed.iter().zip(&self.left);
        let values = outcomes.zip(stamps).zip(tokens).map(|(((failed, left), (from, to)), (all, first_event))| {
            let value = formula.value(number(to) - number(from), number(all), number(first_event));
            let value = match (failed, left) {
                (true, _) => metric.worst(),
                (false, true) => metric.of_left(value),
                (false, false) => value,
            };
            (!value.is_nan()).then_some(value)
        });
        Ok(values.collect())
    }

    fn integers(&self, column: NumericColumn) -> Result<&'a Int64Chunked, AnalysisError> {
        Ok(self.rows.column(column.name())?.i64()?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "stamps and token counts are far below 2^53")]
fn number(value: Option<i64>) -> f64 {
    value.map_or(f64::NAN, |value| value as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{answered, failed};
    use crate::records::record::RequestRecord;
    use crate::records::store::to_table;

    #[test]
    fn a_row_of_a_table_has_the_values_that_its_record_has() {
        let reasoning_alone = RequestRecord { first_answer_us: None, ..answered(3, 1, 0.75) };
        let left = failed(4, 0, FailureKind::Left).failure;
        let left_after_tokens = RequestRecord { failure: left.clone(), ..answered(4, 0, 0.5) };
        let left_before = RequestRecord { failure: left, ..failed(5, 0, FailureKind::Left) };
        let records = [
            answered(0, 0, 0.5),
            answered(1, 2, 1.25),
            failed(2, 1, FailureKind::Connect),
            reasoning_alone,
            left_after_tokens,
            left_before,
        ];
        let table = to_table(&records).unwrap();
        let metrics = RequestMetrics::of(&table).unwrap();
        assert_eq!(metrics.failed(), [false, false, true, false, false, false]);
        for metric in Metric::ALL.into_iter().filter(|metric| metric.formula().span().is_some()) {
            let expected: Vec<Option<f64>> =
                records.iter().map(|record| Some(record.value(metric)).filter(|value| !value.is_nan())).collect();
            assert_eq!(metrics.values(metric).unwrap(), expected, "{metric}");
        }
        // Who left after the first token waited for it; who left before waited longer than anybody knows; neither had a whole answer.
        let of = |metric| metrics.values(metric).unwrap()[4..].to_vec();
        assert_eq!((of(Metric::Ttft), of(Metric::E2e)), (vec![Some(0.5), Some(f64::INFINITY)], vec![None, None]));
        assert!(matches!(metrics.values(Metric::Itl), Err(AnalysisError::NotPerRow { .. })));
    }
}
