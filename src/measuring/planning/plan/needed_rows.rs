//! How many rows it takes to certify a goal.

use crate::vocabulary::goal::{Aggregate, ComparisonOperator, Goal};

/// One-sided confidence at which a goal is certified.
const CONFIDENCE: f64 = 0.95;

/// The least number of rows that can certify a goal, if all of them keep to it: n rows within the limit happen by chance with
/// probability share^n, and that has to be at most 5 %. For a p95 that is 59. `None` for goals that no number of rows certifies.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, saturating")]
pub fn needed_rows(goal: &Goal) -> Option<u64> {
    let upper = matches!(goal.comparison, ComparisonOperator::Less | ComparisonOperator::LessOrEqual);
    let share = match goal.measure.aggregate {
        Aggregate::Percentile(p, _) if upper => p / 100.0,
        Aggregate::Percentile(p, _) => 1.0 - p / 100.0,
        Aggregate::ErrorRate if upper => 1.0 - goal.limit,
        Aggregate::Goodput(_) if !upper => goal.limit,
        _ => return None,
    };
    if share <= 0.0 {
        return Some(0);
    }
    let rows = (1.0 - CONFIDENCE).ln() / share.ln();
    rows.is_finite().then(|| rows.ceil() as u64).filter(|_| share < 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(text: &str) -> Goal {
        text.parse().unwrap()
    }

    #[test]
    fn a_p95_needs_59_rows_and_others_what_the_same_rule_gives() {
        assert_eq!(needed_rows(&goal("p95(ttft where turn >= 1) <= 2s")), Some(59));
        assert_eq!(needed_rows(&goal("p99(itl) < 200ms")), Some(299));
        assert_eq!(needed_rows(&goal("p50(ttft) <= 1s")), Some(5));
        assert_eq!(needed_rows(&goal("p5(output_tps) >= 10 tokens/s")), Some(59));
        assert_eq!(needed_rows(&goal("error_rate <= 1%")), Some(299));
        assert_eq!(needed_rows(&goal("error_rate <= 0%")), None);
        assert_eq!(needed_rows(&goal("goodput(ttft <= 500ms) >= 95%")), Some(59));
        assert_eq!(needed_rows(&goal("throughput(requests) >= 10/s")), None);
        assert_eq!(needed_rows(&goal("mean(ttft) <= 1s")), None);
    }
}
