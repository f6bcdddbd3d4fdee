//! One goal over a known number of rows: when every completion of those that came agrees.
//!
//! With N rows, b of them beyond the limit so far and r to come, the whole sample has between b and b + r beyond it. A percentile of type 7
//! lies between two neighbouring values; each of the two is beyond the limit exactly when enough rows are, so that counts decide but for
//! one case: one of the two beyond and the other within, where the value in the gap decides. It grows with every row, so the extremes are
//! the completion whose missing rows all take no time and the one whose missing rows all fail.

use super::count_thresholds::CountThresholds;
use super::goal_counts::{GoalCounts, is_upper};
use crate::analysis::percentile::{between, neighbours};
use crate::analysis::summary::GoalVerdict;
use crate::vocabulary::goal::{Aggregate, ComparisonOperator, Goal};
use crate::vocabulary::metric::Metric;

/// Interpolated values of two completions may be ordered wrongly by a last bit: only beyond this relative distance they are believed.
const LAST_BITS: f64 = 1e-12;

/// A goal over a known number of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct GoalCertaintyTest {
    goal: Goal,
    planned: u64,
    claim: CompletionCriterion,
}

/// What the goal says of single rows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum CompletionCriterion {
    /// At most this share is against it, by an interpolated percentile.
    Percentile(f64, CountThresholds),
    /// At most (or, where it asks for more, at least) this share fails, or is not good.
    Share(CountThresholds),
    /// Not one is against it.
    None,
    /// One that fits is enough.
    NotAll,
}

impl GoalCertaintyTest {
    /// For a goal on `planned` rows that are worth at least `least_effective` independent ones, whatever their values. `None` for goals that
    /// only whole samples can be judged by: means, throughput, and metrics that a successful request may lack or bring many values of.
    #[must_use]
    pub fn new(goal: &Goal, planned: u64, least_effective: u64) -> Option<Self> {
        let equality = matches!(goal.comparison, ComparisonOperator::Equal | ComparisonOperator::NotEqual);
        if equality || planned == 0 || !goal.measure.metric().is_none_or(Metric::is_one_a_request) {
            return None;
        }
        let upper = is_upper(goal);
        let shares = |allowed| CountThresholds::new(planned, least_effective, allowed);
        let claim = match goal.measure.aggregate {
            Aggregate::Percentile(p, _) => CompletionCriterion::Percentile(p, shares(if upper { (100.0 - p) / 100.0 } else { p / 100.0 })),
            Aggregate::ErrorRate | Aggregate::Goodput(_) => CompletionCriterion::Share(shares(goal.share_against()?)),
            Aggregate::Max(_) if upper => CompletionCriterion::None,
            Aggregate::Min(_) if !upper => CompletionCriterion::None,
            Aggregate::Max(_) | Aggregate::Min(_) => CompletionCriterion::NotAll,
            Aggregate::Mean(_) | Aggregate::Throughput(..) => return None,
        };
        Some(Self { goal: goal.clone(), planned, claim })
    }

    #[must_use]
    pub fn planned(&self) -> u64 {
        self.planned
    }

    /// The share of rows that may be against the goal's limit, or must at least be where it [wants many](Self::wants_few); `None` of the
    /// largest and the smallest value.
    #[must_use]
    pub fn allowed_share(&self) -> Option<f64> {
        match self.claim {
            CompletionCriterion::Share(_) => self.goal.share_against(),
            CompletionCriterion::Percentile(p, _) => Some(if is_upper(&self.goal) { (100.0 - p) / 100.0 } else { p / 100.0 }),
            CompletionCriterion::None | CompletionCriterion::NotAll => None,
        }
    }

    /// Whether it holds where few rows are against its limit: all but an error rate that must be high and a goodput that must be low.
    #[must_use]
    pub fn wants_few(&self) -> bool {
        !matches!(self.claim, CompletionCriterion::Share(_)) || self.goal.limits_as_usual()
    }

    /// Whether the goal's value fits its limit in the end.
    #[must_use]
    pub fn passes(&self, counts: &GoalCounts) -> Option<bool> {
        let (fewest, most) = self.ends(counts);
        let (best, worst) = match self.claim {
            CompletionCriterion::Percentile(p, _) => (self.best_passes(p, counts, fewest), self.worst_passes(p, counts, most)),
            CompletionCriterion::Share(_) => (self.rate_passes(fewest), self.rate_passes(most)),
            CompletionCriterion::None => (fewest == 0, most == 0),
            CompletionCriterion::NotAll => (fewest < self.planned, most < self.planned),
        };
        (best == worst).then_some(best)
    }

    /// What the goal's verdict is in the end.
    #[must_use]
    pub fn verdict(&self, counts: &GoalCounts) -> Option<GoalVerdict> {
        let (fewest, most) = self.ends(counts);
        match self.claim {
            CompletionCriterion::Percentile(_, shares) => shares.settled(fewest, most).map(GoalVerdict::from),
            CompletionCriterion::Share(shares) => {
                let statement = shares.settled(fewest, most)?;
                Some(if self.wants_few() { statement } else { statement.opposite() }.into())
            }
            CompletionCriterion::None if fewest > 0 => Some(GoalVerdict::Missed),
            CompletionCriterion::NotAll if most < self.planned => Some(GoalVerdict::Met),
            CompletionCriterion::None | CompletionCriterion::NotAll => (fewest == most).then_some(GoalVerdict::Undecided),
        }
    }

    /// The fewest and the most rows that can be beyond the limit in the end.
    fn ends(&self, counts: &GoalCounts) -> (u64, u64) {
        (counts.beyond, counts.beyond + self.planned.saturating_sub(counts.seen))
    }

    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    fn rate_passes(&self, against: u64) -> bool {
        let counted = if self.goal.measure.aggregate == Aggregate::ErrorRate { against } else { self.planned.saturating_sub(against) };
        self.goal.allows(counted as f64 / self.planned as f64)
    }

    /// How many rows must be beyond the limit for the first of the two values of a percentile to be, and how many for both, counted from the
    /// side that is beyond; and the weight of the upper value.
    fn needs(&self, p: f64) -> (u64, u64, f64) {
        let Some((low, high, share)) = neighbours(self.planned, p) else { return (0, 0, 0.0) };
        let need = |index: u64| if is_upper(&self.goal) { self.planned - index } else { index + 1 };
        let (low, high) = (need(low), if share > 0.0 { need(high) } else { need(low) });
        (low.min(high), low.max(high), share)
    }

    /// Whether it passes where all missing rows take the best value.
    fn best_passes(&self, p: f64, counts: &GoalCounts, beyond: u64) -> bool {
        let (one, both, share) = self.needs(p);
        if beyond < one || beyond >= both {
            return beyond < one;
        }
        let within = match (is_upper(&self.goal), counts.nearest_within) {
            (_, Some(seen)) => seen,
            (true, None) => 0.0,
            (false, None) => f64::INFINITY,
        };
        // Rows beyond are as many as were seen to be.
        let value = self.gap(within, counts.nearest_beyond.unwrap_or(within), share);
        self.goal.allows(value) || self.is_open(counts) && self.goal.allows(self.nudged(value, true))
    }

    /// Whether it passes where all missing rows take the worst value.
    fn worst_passes(&self, p: f64, counts: &GoalCounts, beyond: u64) -> bool {
        let (one, both, share) = self.needs(p);
        if beyond < one || beyond >= both {
            return beyond < one;
        }
        let outermost = if is_upper(&self.goal) { f64::INFINITY } else { 0.0 };
        // All missing rows are beyond, so whatever is within has been seen.
        let Some(within) = counts.nearest_within else { return false };
        let value = self.gap(within, counts.nearest_beyond.unwrap_or(outermost), share);
        self.goal.allows(value) && (!self.is_open(counts) || self.goal.allows(self.nudged(value, false)))
    }

    /// The percentile between the last value within and the first one beyond.
    fn gap(&self, within: f64, beyond: f64, share: f64) -> f64 {
        if is_upper(&self.goal) { between(within, beyond, share) } else { between(beyond, within, share) }
    }

    fn is_open(&self, counts: &GoalCounts) -> bool {
        counts.seen < self.planned
    }

    /// The value moved by its last bits, to the better or the worse.
    fn nudged(&self, value: f64, better: bool) -> f64 {
        if is_upper(&self.goal) == better { value * (1.0 - LAST_BITS) } else { value * (1.0 + LAST_BITS) }
    }
}
