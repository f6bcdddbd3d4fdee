//! Cells of which a side was ended early: their rows are no sample to draw from, and what is left to compare are bounds and verdicts.
//!
//! A goal's measure is called worse or better only where the one side is certified to meet the goal's limit and the other to miss it, and
//! where the bounds lie further apart than the margin; everything else is not enough data. A pair of cells in, their effects changed.

use super::comparison::{ComparedMeasure, ComparisonVerdict, MeasureEffect};
use super::comparison_note::ComparisonNote;
use super::pairs::CellPair;
use crate::analysis::cells::CellRuns;
use crate::analysis::summary::{GoalJudgement, GoalVerdict};
use crate::analysis::{AnalysisError, Axes, RequestTable, judge};
use crate::records::record::RunOutcome;
use crate::vocabulary::goal::Goal;
use crate::vocabulary::metric::MetricDirection;

/// Whether a side of it was ended early.
pub(super) fn is(pair: &CellPair<'_>) -> bool {
    [&pair.base, &pair.new].into_iter().any(was_curtailed)
}

fn was_curtailed(cell: &CellRuns<'_>) -> bool {
    cell.runs.iter().any(|run| matches!(run.record.outcome, RunOutcome::Curtailed(_)))
}

/// Fills in what bounds allow to say.
pub(super) fn compare(pair: &CellPair<'_>, effects: &mut [MeasureEffect], goals: &[Goal], margin: f64) -> Result<(), AnalysisError> {
    if !is(pair) {
        return Ok(());
    }
    for goal in goals {
        let Some(effect) =
            effects.iter_mut().find(|effect| matches!(&effect.measure, ComparedMeasure::Measure(measure) if *measure == goal.measure))
        else {
            continue;
        };
        let (base, new) = (judged(&pair.base, goal)?, judged(&pair.new, goal)?);
        (effect.base, effect.new) = (base.estimate.value, new.estimate.value);
        (effect.n_base, effect.n_new) = (base.estimate.n, new.estimate.n);
        effect.call = call(goal, &base, &new, margin);
    }
    Ok(())
}

fn judged(cell: &CellRuns<'_>, goal: &Goal) -> Result<GoalJudgement, AnalysisError> {
    let table = RequestTable::of_runs(&cell.runs)?;
    match cell.curtailment() {
        Some(curtailment) => curtailment.judge(goal, &table),
        None => judge(goal, &table),
    }
}

/// By opposite verdicts, each certified, and values that are further apart than the margin. The shown end of a side that is met lies nearer
/// to the limit than its value, and so does that of one that is missed: the true values are no nearer to each other.
fn call(goal: &Goal, base: &GoalJudgement, new: &GoalJudgement, margin: f64) -> ComparisonVerdict {
    let (Some(from), Some(to)) = (base.estimate.value, new.estimate.value) else { return ComparisonVerdict::NotEnoughData };
    let far = |better: f64, worse: f64| match goal.measure.better() {
        MetricDirection::Higher if goal.measure.is_share() => better - worse > margin.min(0.01),
        MetricDirection::Lower if goal.measure.is_share() => worse - better > margin.min(0.01),
        MetricDirection::Lower => worse > better * (1.0 + margin),
        MetricDirection::Higher => better > worse * (1.0 + margin),
    };
    match (base.verdict, new.verdict) {
        (GoalVerdict::Met, GoalVerdict::Missed) if far(from.get(), to.get()) => ComparisonVerdict::Regressed,
        (GoalVerdict::Missed, GoalVerdict::Met) if far(to.get(), from.get()) => ComparisonVerdict::Improved,
        _ => ComparisonVerdict::NotEnoughData,
    }
}

/// Which cells were compared by bounds alone.
pub(super) fn note(pairs: &[CellPair<'_>]) -> Option<ComparisonNote> {
    let cells: Vec<Axes> = pairs.iter().filter(|pair| is(pair)).map(|pair| pair.axes.clone()).collect();
    (!cells.is_empty()).then_some(ComparisonNote::EarlyStop { cells })
}

#[cfg(test)]
mod tests {
    use super::super::{CompareOptions, ComparisonNote, ComparisonVerdict, SavedVariant, VariantComparison, compare};
    use crate::analysis::fixture::{Cell, cell, sweep, uniform};
    use crate::records::record::{DecidedGoal, EarlyStopCertainty, EarlyStopReason, RunOutcome};
    use crate::vocabulary::goal::SavedGoal;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn early(variant: &'static str, ttft: f64) -> Cell {
        let mut cell = whole(variant, ttft);
        cell.records.truncate(96 + 60);
        let settled = DecidedGoal {
            goal: SavedGoal::Read(GOAL.parse().unwrap()),
            holds: false,
            planned: 288,
            least_effective: 96,
            seen: 60,
            beyond: 60,
        };
        cell.outcome = RunOutcome::Curtailed(EarlyStopReason { certainty: EarlyStopCertainty::Exact, settled: vec![settled] });
        cell
    }

    /// 96 sessions of three follow-ups, round by round.
    fn whole(variant: &'static str, ttft: f64) -> Cell {
        let mut records = uniform(12, 8, ttft);
        records.sort_by_key(|record| (record.turn, record.session));
        cell(variant, 12, 8, records)
    }

    fn compared(base: Cell, new: Cell) -> VariantComparison {
        let saved = sweep(&[GOAL], &[base, new]);
        let side = |variant| SavedVariant { sweep: &saved, variant };
        compare(&side("vllm"), &side("lmcache"), &CompareOptions::default()).unwrap()
    }

    fn call(comparison: &VariantComparison) -> ComparisonVerdict {
        comparison.cells[0].effects.iter().find(|effect| effect.measure.to_string() == "p95(ttft where turn >= 1)").unwrap().call
    }

    #[test]
    fn a_cell_that_was_certified_and_is_lost_early_has_regressed() {
        let comparison = compared(whole("vllm", 0.5), early("lmcache", 3.0));
        assert_eq!((call(&comparison), comparison.call), (ComparisonVerdict::Regressed, ComparisonVerdict::Regressed));
        let cell = comparison.cells[0].axes.clone();
        assert!(comparison.notes.0.contains(&ComparisonNote::EarlyStop { cells: vec![cell] }), "{:?}", comparison.notes);
        assert_eq!(call(&compared(early("vllm", 3.0), whole("lmcache", 0.5))), ComparisonVerdict::Improved);
    }

    #[test]
    fn two_cells_that_are_both_lost_early_are_not_compared_by_the_rows_that_came() {
        assert_eq!(call(&compared(early("vllm", 3.0), early("lmcache", 30.0))), ComparisonVerdict::NotEnoughData);
        assert_eq!(call(&compared(early("vllm", 3.0), whole("lmcache", 30.0))), ComparisonVerdict::NotEnoughData);
    }
}
