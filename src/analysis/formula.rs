//! What a metric is of one row: its value from the row's columns, and whether the row failed. Must not know which rows are asked for.

use super::AnalysisError;
use super::columns::{Columns, Number};
use crate::metric::{Better, Metric};

/// Which rows failed. No token in a row without a failure cannot come from this program; it is a failure all the same, and never a 0.
#[derive(Clone, Copy)]
pub(super) struct Failures<'a> {
    pub columns: &'a Columns,
    pub first_token: &'a [f64],
}

impl Failures<'_> {
    pub fn of(&self, row: usize) -> bool {
        self.columns.has_failure(row) || self.first_token[row].is_nan()
    }
}

/// How the value of a row follows from its columns: a later stamp less an earlier one, and over or under it a count of tokens.
pub(super) struct Formula<'a> {
    pub failed: Failures<'a>,
    worst: f64,
    later: &'a [f64],
    earlier: &'a [f64],
    tokens: Tokens<'a>,
}

enum Tokens<'a> {
    None,
    /// Output tokens after the first event, which has one where nobody tells.
    After {
        output: &'a [f64],
        first: &'a [f64],
    },
    Output(&'a [f64]),
}

impl<'a> Formula<'a> {
    pub fn of(columns: &'a Columns, metric: Metric) -> Result<Self, AnalysisError> {
        let (later, earlier) = match metric {
            Metric::Ttft => (Number::FirstToken, Number::Sent),
            Metric::Ttfat => (Number::FirstAnswer, Number::Sent),
            Metric::TtftIntended => (Number::FirstToken, Number::Intended),
            Metric::Ttfe => (Number::FirstEvent, Number::Sent),
            Metric::E2e | Metric::OutputTps => (Number::LastToken, Number::Sent),
            Metric::SendLag => (Number::Sent, Number::Intended),
            Metric::Tpot => (Number::LastToken, Number::FirstToken),
            Metric::Itl => return Err(AnalysisError::NotPerRow { metric }),
        };
        let tokens = match metric {
            Metric::Tpot => {
                Tokens::After { output: columns.number(Number::OutputTokens)?, first: columns.number(Number::FirstEventTokens)? }
            }
            Metric::OutputTps => Tokens::Output(columns.number(Number::OutputTokens)?),
            _ => Tokens::None,
        };
        let worst = match metric.better() {
            Better::Lower => f64::INFINITY,
            Better::Higher => 0.0,
        };
        let failed = Failures { columns, first_token: columns.number(Number::FirstToken)? };
        Ok(Self { failed, worst, later: columns.number(later)?, earlier: columns.number(earlier)?, tokens })
    }

    /// NaN where it is undefined.
    pub fn value(&self, row: usize) -> f64 {
        if self.failed.of(row) {
            return self.worst;
        }
        let seconds = (self.later[row] - self.earlier[row]) / 1e6;
        match self.tokens {
            Tokens::None => seconds,
            Tokens::After { output, first } => {
                let first = if first[row].is_nan() { 1.0 } else { first[row] };
                positive_quotient(seconds, output[row] - first)
            }
            Tokens::Output(output) => positive_quotient(output[row], seconds),
        }
    }
}

/// a / b; NaN where b is not above 0.
fn positive_quotient(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { f64::NAN }
}
