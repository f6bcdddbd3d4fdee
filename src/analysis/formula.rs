//! A metric of each row, from the row's columns, and whether the row failed. Must not know which rows are asked for.

use super::AnalysisError;
use super::columns::{NumericColumn, RequestColumns};
use crate::vocabulary::metric::{Metric, MetricFormula, RequestStamp};

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

/// The columns that a metric's formula reads.
pub(super) struct MetricColumns<'a> {
    pub failed: RowFailures<'a>,
    metric: Metric,
    formula: MetricFormula,
    from: &'a [f64],
    to: &'a [f64],
    tokens: Option<TokenColumns<'a>>,
}

/// Output tokens, in all and of the first event.
struct TokenColumns<'a> {
    all: &'a [f64],
    first_event: &'a [f64],
}

impl<'a> MetricColumns<'a> {
    pub fn of(columns: &'a RequestColumns, metric: Metric) -> Result<Self, AnalysisError> {
        let formula = metric.formula();
        let (from, to) = formula.span().ok_or(AnalysisError::NotPerRow { metric })?;
        let tokens = match formula {
            MetricFormula::Span { .. } | MetricFormula::TokenGaps => None,
            MetricFormula::SpanPerToken { .. } | MetricFormula::TokensPerSpan { .. } => Some(TokenColumns {
                all: columns.number(NumericColumn::OutputTokens)?,
                first_event: columns.number(NumericColumn::FirstEventTokens)?,
            }),
        };
        let failed = RowFailures { columns, first_token: columns.number(NumericColumn::FirstToken)? };
        Ok(Self { failed, metric, formula, from: columns.number(column(from))?, to: columns.number(column(to))?, tokens })
    }

    /// NaN where it is undefined.
    pub fn value(&self, row: usize) -> f64 {
        if self.failed.of(row) {
            return self.metric.worst();
        }
        let (all, first_event) = self.tokens.as_ref().map_or((f64::NAN, f64::NAN), |tokens| (tokens.all[row], tokens.first_event[row]));
        self.formula.value(self.to[row] - self.from[row], all, first_event)
    }
}

fn column(stamp: RequestStamp) -> NumericColumn {
    match stamp {
        RequestStamp::Intended => NumericColumn::Intended,
        RequestStamp::Sent => NumericColumn::Sent,
        RequestStamp::FirstEvent => NumericColumn::FirstEvent,
        RequestStamp::FirstToken => NumericColumn::FirstToken,
        RequestStamp::FirstAnswer => NumericColumn::FirstAnswer,
        RequestStamp::LastToken => NumericColumn::LastToken,
    }
}
