//! What the values of a picture are, and where a goal draws its line among them.

use crate::vocabulary::goal::ComparisonOperator;

/// What the values of a picture are.
#[derive(Debug, Clone, PartialEq)]
pub struct PlotQuantity {
    /// As in a goal: `p95(ttft where turn >= 1)`.
    pub name: String,
    /// The unit that is shown; empty for a plain number.
    pub unit: String,
    /// What a value in the base unit is multiplied by to be in the shown one: 1000 for seconds shown as `ms`, 100 for a share as `%`.
    pub factor: f64,
}

/// Where a goal draws its line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlotLimit {
    /// What a value must be: less than the limit, at least the limit, ...
    pub comparison: ComparisonOperator,
    /// In the base unit.
    pub value: f64,
}

impl PlotLimit {
    /// Whether a value is on the good side.
    pub fn holds(&self, value: f64) -> bool {
        match self.comparison {
            ComparisonOperator::Less => value < self.value,
            ComparisonOperator::LessOrEqual => value <= self.value,
            ComparisonOperator::Greater => value > self.value,
            ComparisonOperator::GreaterOrEqual => value >= self.value,
            #[expect(clippy::float_cmp, reason = "the goal asks for equality")]
            ComparisonOperator::Equal => value == self.value,
            #[expect(clippy::float_cmp, reason = "the goal asks for inequality")]
            ComparisonOperator::NotEqual => value != self.value,
        }
    }
}
