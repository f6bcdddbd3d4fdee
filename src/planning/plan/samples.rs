//! How many rows a goal looks at in a cell, against how many it takes to certify it.

use crate::planning::scenario::CellSpec;
use crate::vocabulary::goal::{Aggregate, ComparisonOperator, ConditionField, Goal, RowCondition};
use crate::vocabulary::spec::workload::WorkloadSpec;

/// One-sided confidence at which a goal is certified.
const CONFIDENCE: f64 = 0.95;

/// The least number of rows that can certify a goal, if all of them keep to it: n rows within the limit happen by chance with
/// probability share^n, and that has to be at most 5 %. For a p95 that is 59. `None` for goals that no number of rows certifies.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, saturating")]
pub fn needed(goal: &Goal) -> Option<u64> {
    let upper = matches!(goal.comparison, ComparisonOperator::Less | ComparisonOperator::LessOrEqual);
    let share = match goal.measure.aggregate {
        Aggregate::Percentile(p, _) if upper => p / 100.0,
        Aggregate::Percentile(p, _) => 1.0 - p / 100.0,
        Aggregate::ErrorRate if upper => 1.0 - goal.limit,
        _ => return None,
    };
    if share <= 0.0 {
        return Some(0);
    }
    let rows = (1.0 - CONFIDENCE).ln() / share.ln();
    rows.is_finite().then(|| rows.ceil() as u64).filter(|_| share < 1.0)
}

/// Rows of the measured phase that a goal looks at, in one run of a cell. Conditions on what only a run can tell are taken to hold, so
/// that this is the most there can be.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "expected counts")]
pub fn in_run(cell: &CellSpec, measured: u64, goal: &Goal) -> u64 {
    let conditions = &goal.measure.filter;
    match &cell.workload {
        WorkloadSpec::DocumentQa(spec) => {
            let sessions = u64::from(spec.concurrent) * u64::from(spec.sequential);
            let turns = (0..=spec.rounds).filter(|turn| fits(conditions, ConditionField::Turn, f64::from(*turn))).count() as u64;
            (0..sessions).filter(|session| fits(conditions, ConditionField::Session, *session as f64)).count() as u64 * turns
        }
        WorkloadSpec::Chat(spec) => {
            let turns = (0..spec.rounds).filter(|turn| fits(conditions, ConditionField::Turn, f64::from(*turn))).count();
            (measured as f64 * turns as f64 / f64::from(spec.rounds.max(1))).round() as u64
        }
        WorkloadSpec::Requests(_) if fits(conditions, ConditionField::Turn, 0.0) => measured,
        WorkloadSpec::Requests(_) => 0,
    }
}

fn fits(conditions: &[RowCondition], field: ConditionField, value: f64) -> bool {
    conditions.iter().filter(|condition| condition.field == field).all(|condition| condition.comparison.holds(value, condition.value))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::planning::scenario::{ScenarioOverrides, load_text};

    fn goal(text: &str) -> Goal {
        text.parse().unwrap()
    }

    #[test]
    fn a_p95_needs_59_rows_and_others_what_the_same_rule_gives() {
        assert_eq!(needed(&goal("p95(ttft where turn >= 1) <= 2s")), Some(59));
        assert_eq!(needed(&goal("p99(itl) < 200ms")), Some(299));
        assert_eq!(needed(&goal("p50(ttft) <= 1s")), Some(5));
        assert_eq!(needed(&goal("p5(output_tps) >= 10 tokens/s")), Some(59));
        assert_eq!(needed(&goal("error_rate <= 1%")), Some(299));
        assert_eq!(needed(&goal("error_rate <= 0%")), None);
        assert_eq!(needed(&goal("mean(ttft) <= 1s")), None);
    }

    #[test]
    fn rows_are_counted_as_the_goal_filters_them() {
        let rows = |workload: &str, measured: u64, text: &str| {
            let scenario = load_text(Path::new("test.toml"), &format!("workload = {workload}"), &ScenarioOverrides::default()).unwrap();
            in_run(&scenario.cells[0].cell, measured, &goal(text))
        };
        let qa = "{ kind = \"document_qa\", concurrent = 2, sequential = 3, rounds = 4 }";
        assert_eq!(rows(qa, 30, "p95(ttft) <= 2s"), 30);
        assert_eq!(rows(qa, 30, "p95(ttft where turn >= 1) <= 2s"), 24);
        assert_eq!(rows(qa, 30, "p95(ttft where turn == 0 and session < 2) <= 2s"), 2);
        assert_eq!(rows("{ kind = \"chat\", rounds = 5 }", 100, "p95(ttft where turn >= 1) <= 2s"), 80);
        let requests = "{ kind = \"requests\", requests = 100 }";
        assert_eq!(rows(requests, 100, "p95(ttft) <= 2s"), 100);
        assert_eq!(rows(requests, 100, "p95(ttft where turn >= 1) <= 2s"), 0);
    }
}
