//! The values of a metric over the rows of a table, ascending. Those of very many rows are held once, in this order alone.

use std::ops::Deref;
use std::rc::Rc;

use super::super::AnalysisError;
use super::super::clusters::SessionValues;
use super::super::value_order::ascending;
use super::RequestTable;
use super::row_value::RowValue;
use crate::vocabulary::metric::{Metric, MetricDirection};

/// The values of a metric, ascending.
#[derive(Debug, Clone)]
pub struct AscendingValues {
    held: HeldValues,
    /// How many of them, from the least on.
    count: usize,
}

#[derive(Debug, Clone)]
enum HeldValues {
    /// With the table that keeps them.
    Shared(Rc<SessionValues>),
    Alone(Rc<Vec<f64>>),
}

impl Deref for AscendingValues {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.all()[..self.count]
    }
}

impl AscendingValues {
    fn of(held: HeldValues) -> Self {
        let mut values = Self { held, count: 0 };
        values.count = values.all().len();
        values
    }

    fn all(&self) -> &[f64] {
        match &self.held {
            HeldValues::Shared(values) => values.ascending(),
            HeldValues::Alone(values) => values,
        }
    }

    /// Those that are finite.
    fn finite(mut self) -> Self {
        self.count = self.partition_point(|value| value.is_finite());
        self
    }
}

impl RequestTable {
    /// The values of a metric, ascending. A failed request is +infinity, or 0 where higher is better; what is undefined for a
    /// successful one (time per output token of a single event, a rate without a token count) is left out.
    pub fn values(&self, metric: Metric) -> Result<AscendingValues, AnalysisError> {
        if self.columns.keeps() {
            return self.values_by_session(metric).map(|values| AscendingValues::of(HeldValues::Shared(values)));
        }
        let mut values = Vec::with_capacity(self.rows());
        let bring = self.values_of_row(metric, self.gaps_of_a_failure(Some(metric))?)?;
        self.rows.iter().for_each(|row| bring(row, &mut values));
        drop(bring);
        Ok(AscendingValues::of(HeldValues::Alone(Rc::new(ascending(values)))))
    }

    /// The same where they have been worked out already.
    pub(in crate::analysis) fn known_values(&self, metric: Metric) -> Option<AscendingValues> {
        let known = self.known.by_session.borrow();
        let (_, values) = known.iter().find(|(of, _)| *of == RowValue::Metric(metric))?;
        Some(AscendingValues::of(HeldValues::Shared(Rc::clone(values))))
    }

    /// The values of a time of successful requests alone, ascending: failed ones are the infinite ones at the end.
    pub fn successful_values(&self, metric: Metric) -> Result<AscendingValues, AnalysisError> {
        let (values, failed) = (self.values(metric)?, self.failed_rows());
        let finite = values.clone().finite();
        if metric.better() == MetricDirection::Lower && metric != Metric::Itl && (values.len() - finite.len()) as u64 == failed {
            return Ok(finite);
        }
        self.keeping(|row| !self.columns.is_failed(row)).values(metric)
    }
}
