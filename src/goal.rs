//! Goals: what must hold, as an expression over request rows: `p95(ttft where turn >= 1) <= 2s`, `error_rate <= 1%`.
//!
//! This module reads and shows them; what they mean over rows is in `analysis`.

use std::fmt;
use std::str::FromStr;

use crate::metric::Metric;

/// One requirement: an aggregate compared with a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    pub measure: Measure,
    pub comparison: Comparison,
    /// In the measure's base unit (seconds, tokens/s, or a share from 0 to 1).
    pub limit: f64,
}

/// A number computed from rows: an aggregate of a metric, or the share of failed requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub aggregate: Aggregate,
    /// Conditions on rows, all of which must hold.
    pub filter: Vec<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aggregate {
    /// `p95(metric)`: a percentile, 0 < p < 100, linear interpolation, failures as +infinity.
    Percentile(f64, Metric),
    Mean(Metric),
    Max(Metric),
    Min(Metric),
    /// `error_rate`: failed requests over all.
    ErrorRate,
}

/// A condition on a row: `turn >= 1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub field: Field,
    pub comparison: Comparison,
    pub value: f64,
}

/// The columns that a condition may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Turn,
    Session,
    Lane,
    PromptTokens,
    CachedTokens,
    OutputTokens,
    InFlight,
    LiveLanes,
    /// Intended time since the run's start, in seconds.
    Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// Why a text is no goal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GoalError {
    pub message: String,
    /// Bytes of the text from which on it went wrong.
    pub offset: usize,
    pub hint: Option<String>,
}

impl FromStr for Goal {
    type Err = GoalError;
    fn from_str(_text: &str) -> Result<Self, GoalError> {
        unimplemented!("being written")
    }
}

impl FromStr for Measure {
    type Err = GoalError;
    fn from_str(_text: &str) -> Result<Self, GoalError> {
        unimplemented!("being written")
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        unimplemented!("being written")
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        unimplemented!("being written")
    }
}
