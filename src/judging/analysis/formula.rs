//! A metric of each row, from the row's columns. Must not know which rows are asked for.

use std::rc::Rc;

use super::AnalysisError;
use super::columns::{NumericColumn, RequestColumns};
use super::number_column::NumberColumn;
use crate::vocabulary::metric::{Metric, MetricFormula, RequestStamp};

/// The columns that a metric's formula reads.
pub(super) struct MetricColumns<'a> {
    columns: &'a RequestColumns,
    metric: Metric,
    formula: MetricFormula,
    from: Rc<NumberColumn>,
    to: Rc<NumberColumn>,
    tokens: Option<TokenColumns>,
}

/// Output tokens, in all and of the first event.
struct TokenColumns {
    all: Rc<NumberColumn>,
    first_event: Rc<NumberColumn>,
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
        Ok(Self { columns, metric, formula, from: columns.number(column(from))?, to: columns.number(column(to))?, tokens })
    }

    /// The microseconds between the metric's stamps; NaN where one is missing.
    pub fn span_micros(&self, row: usize) -> f64 {
        self.to.of(row) - self.from.of(row)
    }

    /// NaN where it is undefined.
    pub fn value(&self, row: usize) -> f64 {
        if self.columns.is_failed(row) {
            return self.metric.worst();
        }
        let tokens = self.tokens.as_ref();
        let (all, first_event) = tokens.map_or((f64::NAN, f64::NAN), |tokens| (tokens.all.of(row), tokens.first_event.of(row)));
        let value = self.formula.value(self.span_micros(row), all, first_event);
        if self.columns.was_left(row) { self.metric.of_left(value) } else { value }
    }
}

/// The column that a stamp is saved in.
pub(super) fn column(stamp: RequestStamp) -> NumericColumn {
    match stamp {
        RequestStamp::Intended => NumericColumn::Intended,
        RequestStamp::Sent => NumericColumn::Sent,
        RequestStamp::FirstEvent => NumericColumn::FirstEvent,
        RequestStamp::FirstToken => NumericColumn::FirstToken,
        RequestStamp::FirstAnswer => NumericColumn::FirstAnswer,
        RequestStamp::LastToken => NumericColumn::LastToken,
    }
}
