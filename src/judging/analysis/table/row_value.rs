//! What a row brings to a measure: its metric, or whether something is true of it. Columns in, a number a row out.

use super::super::AnalysisError;
use super::super::columns::{NumericColumn, RequestColumns};
use super::super::formula::MetricColumns;
use super::RequestTable;
use crate::vocabulary::goal::{Aggregate, Measure, ServiceLevel, ThroughputAmount};
use crate::vocabulary::metric::Metric;

/// What is taken of each row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowValue {
    Metric(Metric),
    /// 1 for a failed request, 0 for another.
    Failed,
    /// 1 for a request that meets every level, 0 for another.
    Good(Vec<ServiceLevel>),
}

impl RowValue {
    /// What a measure is made of. Of a throughput it is what tells its requests apart.
    pub fn of(measure: &Measure) -> Self {
        match (&measure.aggregate, measure.metric()) {
            (_, Some(metric)) => Self::Metric(metric),
            (Aggregate::Goodput(levels) | Aggregate::Throughput(ThroughputAmount::GoodRequests(levels), _), None) => {
                Self::Good(levels.clone())
            }
            (_, None) => Self::Failed,
        }
    }

    pub fn metric(&self) -> Option<Metric> {
        match self {
            Self::Metric(metric) => Some(*metric),
            Self::Failed | Self::Good(_) => None,
        }
    }
}

/// The columns that levels of service look at.
struct LevelColumns<'a> {
    columns: &'a RequestColumns,
    levels: Vec<(ServiceLevel, MetricColumns<'a>)>,
}

impl<'a> LevelColumns<'a> {
    fn of(columns: &'a RequestColumns, levels: &[ServiceLevel]) -> Result<Self, AnalysisError> {
        let levels = levels.iter().map(|level| Ok((*level, MetricColumns::of(columns, level.metric)?)));
        Ok(Self { columns, levels: levels.collect::<Result<_, AnalysisError>>()? })
    }

    fn are_met(&self, row: usize) -> bool {
        let is_met = |(level, columns): &(ServiceLevel, MetricColumns<'_>)| level.is_met(columns.value(row), columns.span_micros(row));
        !self.columns.is_failed(row) && self.levels.iter().all(is_met)
    }
}

/// A number of a row.
pub type NumberOfRow<'a> = Box<dyn Fn(usize) -> f64 + 'a>;

impl RequestTable {
    /// Whether rows meet every level, as 1 or 0.
    pub(in crate::analysis) fn good(&self, levels: &[ServiceLevel]) -> Result<NumberOfRow<'_>, AnalysisError> {
        let levels = LevelColumns::of(&self.columns, levels)?;
        Ok(Box::new(move |row| f64::from(u8::from(levels.are_met(row)))))
    }

    /// How many rows meet every level.
    pub fn good_rows(&self, levels: &[ServiceLevel]) -> Result<u64, AnalysisError> {
        let good = self.good(levels)?;
        Ok(self.rows.iter().filter(|row| good(*row) > 0.5).count() as u64)
    }

    /// What rows bring to a throughput. A request whose tokens nobody tells brings none.
    pub(in crate::analysis) fn amounts(&self, amount: &ThroughputAmount) -> Result<NumberOfRow<'_>, AnalysisError> {
        match amount {
            ThroughputAmount::Requests => Ok(Box::new(|row| f64::from(u8::from(!self.columns.is_failed(row))))),
            ThroughputAmount::GoodRequests(levels) => self.good(levels),
            ThroughputAmount::OutputTokens => {
                let tokens = self.columns.number(NumericColumn::OutputTokens)?;
                Ok(Box::new(move |row| tokens.of(row).max(0.0)))
            }
        }
    }
}
