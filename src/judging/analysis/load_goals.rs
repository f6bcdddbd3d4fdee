//! The goals of cells that more load makes harder to meet: what reversals and bottlenecks are told by. A throughput that is to be high is met by more load and
//! not by less, so that a light cell that lacks it is no contradiction and has no bottleneck. Judged cells in, the same without such goals out.

use std::borrow::Cow;

use super::summarize::passes;
use super::summary::{CellSummary, GoalJudgement, GoalVerdict};

/// The cells as they would be judged without goals that more load helps to meet; as they are where none has such a goal.
pub(super) fn without_rising_goals(cells: &[CellSummary]) -> Cow<'_, [CellSummary]> {
    let rises = |judgement: &GoalJudgement| judgement.goal.measure.rises_with_load() && judgement.goal.limits_as_usual();
    if !cells.iter().any(|cell| cell.goals.iter().any(rises)) {
        return Cow::Borrowed(cells);
    }
    let without = |cell: &CellSummary| {
        let mut cell = cell.clone();
        cell.goals.retain(|judgement| !rises(judgement));
        let is_judged = !cell.goals.is_empty();
        cell.passes = if is_judged { passes(&cell.goals) } else { None };
        cell.verdict = is_judged.then(|| GoalVerdict::all(cell.goals.iter().map(|judgement| judgement.verdict)));
        cell
    };
    Cow::Owned(cells.iter().map(without).collect())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, answered, cell, sweep};
    use super::super::{SummaryOptions, SweepSummary, summarize};

    fn summary(goals: &[&str]) -> SweepSummary {
        // More users, more requests a second: 60 of them over a minute, 120 over the same.
        let at = |users: u64, pause_us: u64| {
            let rows = (0..60 * users).map(|session| {
                let mut row = answered(session, 0, 0.5);
                for stamp in [&mut row.intended_us, &mut row.sent_us, &mut row.done_us] {
                    stamp.0 = stamp.0 - session * 1_000_000 + session * pause_us;
                }
                let moved = |stamp: Option<crate::foundation::clock::Micros>| {
                    stamp.map(|at| crate::foundation::clock::Micros(at.0 - session * 1_000_000 + session * pause_us))
                };
                (row.first_event_us, row.first_token_us, row.last_token_us) =
                    (moved(row.first_event_us), moved(row.first_token_us), moved(row.last_token_us));
                row
            });
            let mut cell: Cell = cell("vllm", 1, 1, rows.collect());
            cell.axes = vec![("workload.users".into(), users.into())];
            cell
        };
        summarize(&sweep(goals, &[at(1, 1_000_000), at(2, 500_000)]), &SummaryOptions::default()).unwrap()
    }

    #[test]
    fn a_light_cell_that_lacks_throughput_contradicts_no_heavier_one_and_has_no_bottleneck() {
        let both = summary(&["throughput(requests) >= 1.5/s", "p95(ttft) <= 2s"]);
        let passes: Vec<_> = both.variants[0].cells.iter().map(|cell| cell.passes).collect();
        assert_eq!(passes, [Some(false), Some(true)]);
        assert!(both.variants[0].reversals.is_empty());
        let said: Vec<String> = both.variants[0].limits.iter().map(ToString::to_string).collect();
        assert!(said.iter().all(|limit| limit.contains("every cell with a result passes")), "{said:?}");
        assert!(summary(&["throughput(requests) >= 1.5/s"]).variants[0].limits.is_empty());
    }
}
