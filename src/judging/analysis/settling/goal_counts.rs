//! Where the rows that came stand to a goal: counts, and the values next to its limit. Constant in size, whatever comes.

use crate::vocabulary::goal::{ComparisonOperator, Goal};

/// The rows of a goal that came.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GoalCounts {
    pub seen: u64,
    /// Those against the goal: beyond the limit, failed, or not good.
    pub beyond: u64,
    /// Of the values that fit, the one nearest to the limit.
    pub(super) nearest_within: Option<f64>,
    /// Of the values beyond, the one nearest to the limit.
    pub(super) nearest_beyond: Option<f64>,
}

impl GoalCounts {
    /// Takes a value in: seconds, infinity for a failed request.
    pub fn add(&mut self, goal: &Goal, value: f64) {
        let upper = is_upper(goal);
        self.seen += 1;
        let nearest =
            |known: Option<f64>, larger: bool| Some(known.map_or(value, |known| if larger { known.max(value) } else { known.min(value) }));
        if goal.allows(value) {
            self.nearest_within = nearest(self.nearest_within, upper);
        } else {
            self.beyond += 1;
            self.nearest_beyond = nearest(self.nearest_beyond, !upper);
        }
    }

    /// Takes a row of a share in, where it is only counted whether it is against it: failed, or not good.
    pub fn add_case(&mut self, is_against: bool) {
        self.seen += 1;
        self.beyond += u64::from(is_against);
    }
}

/// Whether a goal limits from above.
pub(super) fn is_upper(goal: &Goal) -> bool {
    matches!(goal.comparison, ComparisonOperator::Less | ComparisonOperator::LessOrEqual)
}
