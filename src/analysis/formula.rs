//! What a metric is of one row: its value from the row's columns, and whether the row failed. Must not know which rows are asked for.

use super::AnalysisError;
use super::columns::{NumericColumn, RequestColumns};
use crate::metric::{Metric, MetricDirection};

/// Which rows failed. No token in a row without a failure cannot come from this program; it is a failure all the same, and never a 0.
#[derive(Clone, Copy)]
pub(super) struct RowFailures<'a> {
    pub columns: &'a RequestColumns,
    pub first_token: &'a [f64],
}

impl RowFailures<'_> {
    pub fn of(&self, row: usize) -> bool {
        self.columns.has_failure(row) || self.first_token[row].is_nan()
    }
}

/// How the value of a row follows from its columns: a later stamp less an earlier one, and over or under it a count of tokens.
pub(super) struct MetricFormula<'a> {
    pub failed: RowFailures<'a>,
    worst: f64,
    later: &'a [f64],
    earlier: &'a [f64],
    tokens: FormulaTokens<'a>,
}

enum FormulaTokens<'a> {
    None,
    /// Output tokens after the first event, which has one where nobody tells.
    After {
        output: &'a [f64],
        first: &'a [f64],
    },
    Output(&'a [f64]),
}

impl<'a> MetricFormula<'a> {
    pub fn of(columns: &'a RequestColumns, metric: Metric) -> Result<Self, AnalysisError> {
        let (later, earlier) = match metric {
            Metric::Ttft => (NumericColumn::FirstToken, NumericColumn::Sent),
            Metric::Ttfat => (NumericColumn::FirstAnswer, NumericColumn::Sent),
            Metric::TtftIntended => (NumericColumn::FirstToken, NumericColumn::Intended),
            Metric::Ttfe => (NumericColumn::FirstEvent, NumericColumn::Sent),
            Metric::E2e | Metric::OutputTps => (NumericColumn::LastToken, NumericColumn::Sent),
            Metric::SendLag => (NumericColumn::Sent, NumericColumn::Intended),
            Metric::Tpot => (NumericColumn::LastToken, NumericColumn::FirstToken),
            Metric::Itl => return Err(AnalysisError::NotPerRow { metric }),
        };
        let tokens = match metric {
            Metric::Tpot => FormulaTokens::After {
                output: columns.number(NumericColumn::OutputTokens)?,
                first: columns.number(NumericColumn::FirstEventTokens)?,
            },
            Metric::OutputTps => FormulaTokens::Output(columns.number(NumericColumn::OutputTokens)?),
            _ => FormulaTokens::None,
        };
        let worst = match metric.better() {
            MetricDirection::Lower => f64::INFINITY,
            MetricDirection::Higher => 0.0,
        };
        let failed = RowFailures { columns, first_token: columns.number(NumericColumn::FirstToken)? };
        Ok(Self { failed, worst, later: columns.number(later)?, earlier: columns.number(earlier)?, tokens })
    }

    /// NaN where it is undefined.
    pub fn value(&self, row: usize) -> f64 {
        if self.failed.of(row) {
            return self.worst;
        }
        let seconds = (self.later[row] - self.earlier[row]) / 1e6;
        match self.tokens {
            FormulaTokens::None => seconds,
            FormulaTokens::After { output, first } => {
                let first = if first[row].is_nan() { 1.0 } else { first[row] };
                positive_quotient(seconds, output[row] - first)
            }
            FormulaTokens::Output(output) => positive_quotient(output[row], seconds),
        }
    }
}

/// a / b; NaN where b is not above 0.
fn positive_quotient(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { f64::NAN }
}
