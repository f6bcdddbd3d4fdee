//! Goals: what must hold, as an expression over request rows: `p95(ttft where turn >= 1) <= 2s`, `error_rate <= 1%`.
//!
//! Text comes in, a [`Goal`] or a [`Measure`] goes out, and either is shown again as a text that reads to the same. What they mean
//! over rows is in `analysis`; nothing here knows rows.
//!
//! ```text
//! goal      = measure ("<" | "<=" | ">" | ">=") limit
//! measure   = aggregate "(" metric [filter] ")"  |  "error_rate" ["(" filter ")"]
//!           | "goodput" "(" levels [filter] ")"  |  "goodput_rps" "(" levels [per] [filter] ")"
//!           | "throughput" "(" ("requests" | "output_tokens") [per] [filter] ")"
//! aggregate = "p95" (any percentile between 0 and 100)  |  "mean"  |  "max"  |  "min"
//! levels    = metric ("<" | "<=" | ">" | ">=") limit {"and" metric ... limit}
//! per       = "per user"  |  "per gpu"
//! filter    = "where" condition {"and" condition}
//! condition = field ("<" | "<=" | ">" | ">=" | "==" | "!=") value
//! limit     = 2s | 200ms | 50ms/token | 20 tokens/s | 10/s | 1% | 0.01       (only a share, and 0, needs no unit)
//! ```

mod cursor;
mod limit;
mod parse;
mod population;
mod saved;
mod service_level;
mod show;
mod throughput;

use crate::vocabulary::metric::{MeasureUnit, Metric, MetricDirection};

pub use cursor::GoalError;
pub use population::MetricPopulation;
pub use saved::{SavedGoal, UnreadGoalError};
pub use service_level::ServiceLevel;
pub use throughput::{ThroughputAmount, ThroughputScope};

/// One requirement: an aggregate compared with a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    pub measure: Measure,
    pub comparison: ComparisonOperator,
    /// In the measure's base unit (seconds, tokens/s, or a share from 0 to 1).
    pub limit: f64,
}

/// A number computed from rows: an aggregate of a metric, a share of requests, or what went through a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub aggregate: Aggregate,
    /// Conditions on rows, all of which must hold.
    pub filter: Vec<RowCondition>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Aggregate {
    /// `p95(metric)`: a percentile, 0 < p < 100, linear interpolation, failures as +infinity.
    Percentile(f64, Metric),
    Mean(Metric),
    Max(Metric),
    Min(Metric),
    /// `error_rate`: failed requests over all.
    ErrorRate,
    /// `goodput(ttft <= 500ms and tpot <= 50ms)`: requests that meet every level over all; a failed one meets none.
    Goodput(Vec<ServiceLevel>),
    /// `throughput(requests)`, `goodput_rps(...)`: so much of it a second of the measured window.
    Throughput(ThroughputAmount, ThroughputScope),
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
    /// The unit of its values: that of its metric, `share` (from 0 to 1), or so many a second.
    #[must_use]
    pub fn unit(&self) -> MeasureUnit {
        match &self.aggregate {
            Aggregate::ErrorRate | Aggregate::Goodput(_) => MeasureUnit::Share,
            Aggregate::Throughput(amount, _) => amount.unit(),
            Aggregate::Percentile(_, metric) | Aggregate::Mean(metric) | Aggregate::Max(metric) | Aggregate::Min(metric) => metric.unit(),
        }
    }

    /// What is aggregated; `None` for shares of requests and for throughput.
    #[must_use]
    pub fn metric(&self) -> Option<Metric> {
        match self.aggregate {
            Aggregate::Percentile(_, metric) | Aggregate::Mean(metric) | Aggregate::Max(metric) | Aggregate::Min(metric) => Some(metric),
            Aggregate::ErrorRate | Aggregate::Goodput(_) | Aggregate::Throughput(..) => None,
        }
    }

    /// Which direction is better.
    #[must_use]
    pub fn better(&self) -> MetricDirection {
        match &self.aggregate {
            Aggregate::ErrorRate => MetricDirection::Lower,
            Aggregate::Goodput(_) | Aggregate::Throughput(..) => MetricDirection::Higher,
            Aggregate::Percentile(_, metric) | Aggregate::Mean(metric) | Aggregate::Max(metric) | Aggregate::Min(metric) => metric.better(),
        }
    }

    /// The levels that single requests are held to; none but for goodput.
    #[must_use]
    pub fn levels(&self) -> &[ServiceLevel] {
        match &self.aggregate {
            Aggregate::Goodput(levels) | Aggregate::Throughput(ThroughputAmount::GoodRequests(levels), _) => levels,
            _ => &[],
        }
    }

    /// The metrics that it looks at.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> + '_ {
        self.metric().into_iter().chain(self.levels().iter().map(|level| level.metric))
    }

    /// Whether it is the share of requests of which something is true.
    #[must_use]
    pub fn is_share(&self) -> bool {
        matches!(self.aggregate, Aggregate::ErrorRate | Aggregate::Goodput(_))
    }

    /// Whether more load raises it up to what a server can do: then light loads are those that lack it.
    #[must_use]
    pub fn rises_with_load(&self) -> bool {
        matches!(self.aggregate, Aggregate::Throughput(_, ThroughputScope::Cell | ThroughputScope::Gpu))
    }
}

impl Goal {
    /// Whether it limits its measure on the side on which limits of it usually are: from above what should be low, from below what should be high.
    #[must_use]
    pub fn limits_as_usual(&self) -> bool {
        let is_upper = matches!(self.comparison, ComparisonOperator::Less | ComparisonOperator::LessOrEqual);
        is_upper == (self.measure.better() == MetricDirection::Lower)
    }

    /// Of a share: how many of all requests, from 0 to 1, may be those that it wants few of: the failed ones, or those that are not good.
    #[must_use]
    pub fn share_against(&self) -> Option<f64> {
        match self.measure.aggregate {
            Aggregate::ErrorRate => Some(self.limit),
            Aggregate::Goodput(_) => Some(1.0 - self.limit),
            _ => None,
        }
    }

    /// The longest times that it allows, in seconds: its own limit, or those of its levels.
    pub fn time_limits(&self) -> impl Iterator<Item = f64> + '_ {
        let own = (self.measure.unit() == MeasureUnit::Seconds).then_some(self.limit);
        own.into_iter()
            .chain(self.measure.levels().iter().filter(|level| level.metric.unit() == MeasureUnit::Seconds).map(|level| level.limit))
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
