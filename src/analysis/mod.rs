//! From saved runs to numbers and verdicts, by the store's reader alone: the judging half of the program begins here.
//!
//! Rows become a [`Table`] per cell; a measure over it becomes an [`Estimate`] with its interval; a goal turns that into a [`Judgement`];
//! cells become a [`SweepSummary`] with scores. Nothing here knows how a run is made, and nothing prints. Formulas: `docs/metrics.md`.

pub mod binomial;
mod bootstrap;
mod cells;
mod estimate;
mod extended;
#[cfg(test)]
pub(crate) mod fixture;
pub mod interval;
mod percentile;
mod rates;
mod scores;
mod summary;
mod table;
mod verdict;

pub use cells::Axes;
pub use estimate::{Estimate, estimate};
pub use extended::Extended;
pub use percentile::percentile;
pub use rates::Rates;
pub use scores::{CapacityScore, LargestScore, Score, Shape, short};
pub use summary::{AxisSummary, CellState, CellSummary, Question, Ratio, RunCounts, SuccessOnly, SweepSummary, VariantSummary, summarize};
pub use table::Table;
pub use verdict::{Judgement, Verdict, judge};

use crate::metric::Metric;

/// Why saved runs could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    #[error("the saved rows are no table of requests: {0}")]
    Table(#[from] polars::error::PolarsError),
    #[error("`{goal}` is no goal: {reason}")]
    Goal { goal: String, reason: String },
    #[error("`{metric}` has many values a request")]
    NotPerRow { metric: Metric },
}
