//! Goals: what must hold, as an expression over request rows: `p95(ttft where turn >= 1) <= 2s`, `error_rate <= 1%`.
//!
//! Text comes in, a [`Goal`] or a [`Measure`] goes out, and either is shown again as a text that reads to the same. What they mean
//! over rows is in `analysis`; nothing here knows rows.
//!
//! ```text
//! goal      = measure ("<" | "<=" | ">" | ">=") limit
//! measure   = aggregate "(" metric [filter] ")"  |  "error_rate" ["(" filter ")"]
//! aggregate = "p95" (any percentile between 0 and 100)  |  "mean"  |  "max"  |  "min"
//! filter    = "where" condition {"and" condition}
//! condition = field ("<" | "<=" | ">" | ">=" | "==" | "!=") value
//! limit     = 2s | 200ms | 50ms/token | 20 tokens/s | 1% | 0.01       (only a share, and 0, needs no unit)
//! ```

mod cursor;
mod parse;
mod population;
mod saved;
mod show;

use crate::vocabulary::metric::{MeasureUnit, Metric, MetricDirection};

pub use cursor::GoalError;
pub use population::MetricPopulation;
pub use saved::{SavedGoal, UnreadGoalError};

/// One requirement: an aggregate compared with a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    pub measure: Measure,
    pub comparison: ComparisonOperator,
    /// In the measure's base unit (seconds, tokens/s, or a share from 0 to 1).
    pub limit: f64,
}

/// A number computed from rows: an aggregate of a metric, or the share of failed requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub aggregate: Aggregate,
    /// Conditions on rows, all of which must hold.
    pub filter: Vec<RowCondition>,
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
pub struct RowCondition {
    pub field: ConditionField,
    pub comparison: ComparisonOperator,
    pub value: f64,
}

/// The columns that a condition may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionField {
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
pub enum ComparisonOperator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Goal {
    /// Whether a measured value fits the goal; the limit itself does for `<=` and `>=`. NaN never does.
    #[must_use]
    pub fn allows(&self, value: f64) -> bool {
        self.comparison.holds(value, self.limit)
    }
}

impl RowCondition {
    /// `turn >= 1`: the steady state of the capacity benchmark, whose first turns bring the documents.
    pub const FOLLOW_UPS: Self = Self { field: ConditionField::Turn, comparison: ComparisonOperator::GreaterOrEqual, value: 1.0 };

    /// Whether a row with this value stays. One that lacks the field stays where it failed: a condition on what only an answer tells drops no failure.
    #[must_use]
    pub fn keeps(&self, value: Option<f64>, has_failed: impl FnOnce() -> bool) -> bool {
        value.map_or_else(has_failed, |value| self.comparison.holds(value, self.value))
    }
}

impl Measure {
    /// The unit of its values: that of its metric, or `share` (from 0 to 1).
    #[must_use]
    pub fn unit(&self) -> MeasureUnit {
        self.metric().map_or(MeasureUnit::Share, Metric::unit)
    }

    /// What is aggregated; `None` for the error rate.
    #[must_use]
    pub fn metric(&self) -> Option<Metric> {
        match self.aggregate {
            Aggregate::Percentile(_, metric) | Aggregate::Mean(metric) | Aggregate::Max(metric) | Aggregate::Min(metric) => Some(metric),
            Aggregate::ErrorRate => None,
        }
    }

    /// Which direction is better.
    #[must_use]
    pub fn better(&self) -> MetricDirection {
        self.metric().map_or(MetricDirection::Lower, Metric::better)
    }
}

impl Measure {
    /// How a limit for its values is usually meant: at most, or at least where more is better.
    #[must_use]
    pub fn limit_by(&self) -> ComparisonOperator {
        match self.better() {
            MetricDirection::Lower => ComparisonOperator::LessOrEqual,
            MetricDirection::Higher => ComparisonOperator::GreaterOrEqual,
        }
    }
}

impl ConditionField {
    pub const ALL: [Self; 9] = [
        Self::Turn,
        Self::Session,
        Self::Lane,
        Self::PromptTokens,
        Self::CachedTokens,
        Self::OutputTokens,
        Self::InFlight,
        Self::LiveLanes,
        Self::Time,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Session => "session",
            Self::Lane => "lane",
            Self::PromptTokens => "prompt_tokens",
            Self::CachedTokens => "cached_tokens",
            Self::OutputTokens => "output_tokens",
            Self::InFlight => "in_flight",
            Self::LiveLanes => "live_lanes",
            Self::Time => "time",
        }
    }
}

impl ComparisonOperator {
    pub const ALL: [Self; 6] = [Self::LessOrEqual, Self::GreaterOrEqual, Self::Equal, Self::NotEqual, Self::Less, Self::Greater];

    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }

    #[must_use]
    #[expect(clippy::float_cmp, reason = "`==` on counts means exactly that")]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}
