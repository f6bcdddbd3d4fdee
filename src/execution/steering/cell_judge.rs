//! One cell judged from the runs of it that are sealed: what a search has to know of it, by the same analysis as the report.

use std::collections::BTreeSet;
use std::path::Path;

use super::sweep_scheduler::SteeringError;
use crate::analysis::{GoalVerdict, SummaryOptions, summarize};
use crate::records::record::{EarlyStopCertainty, RunOutcome};
use crate::records::store::read_runs;
use crate::search::{GoalEvidence, TestedCell};
use crate::vocabulary::goal::Goal;

/// How a cell came out by the runs of these ids, all of them sealed; `repeats` is the most that it gets.
pub(super) fn judge_cell(dir: &Path, ids: &BTreeSet<String>, goals: &[Goal]) -> Result<TestedCell, SteeringError> {
    let sweep = read_runs(dir, ids).map_err(|source| SteeringError::Runs { dir: dir.to_owned(), source })?;
    let runs = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let curtailed = sweep.runs.iter().rev().find_map(|run| match &run.record.outcome {
        RunOutcome::Curtailed(curtailed) => Some(curtailed.clone()),
        RunOutcome::Completed | RunOutcome::Failed(_) | RunOutcome::Interrupted => None,
    });
    let summary = summarize(&sweep, &SummaryOptions { goals: goals.to_vec(), ..SummaryOptions::default() })?;
    let Some(cell) = summary.variants.first().and_then(|variant| variant.cells.first()) else { return Ok(TestedCell::nothing(runs)) };
    let Some(passes) = cell.passes else { return Ok(TestedCell::nothing(runs)) };
    let evidence = match cell.verdict {
        Some(GoalVerdict::Met) => GoalEvidence::Met,
        Some(GoalVerdict::Missed) => GoalEvidence::Missed,
        Some(GoalVerdict::Undecided) | None => GoalEvidence::Undecided,
    };
    if cell.backlog_growth.as_ref().is_some_and(|growth| growth.is_certain) {
        return Ok(TestedCell { passes: Some(passes), evidence, runs });
    }
    let Some(curtailed) = curtailed else { return Ok(TestedCell { passes: Some(passes), evidence, runs }) };
    // What ended it early speaks of the whole cell; its rows alone do not.
    let passes = curtailed.settled.iter().all(|settled| settled.holds);
    let evidence = match (curtailed.certainty, passes) {
        (EarlyStopCertainty::Exact, _) => evidence,
        // What may go on growing is not won by the requests that came.
        (EarlyStopCertainty::Sequential { .. }, true) if cell.backlog_growth.is_some() => GoalEvidence::Undecided,
        (EarlyStopCertainty::Sequential { .. }, true) => GoalEvidence::Met,
        (EarlyStopCertainty::Sequential { .. }, false) => GoalEvidence::Missed,
    };
    Ok(TestedCell { passes: Some(passes), evidence, runs })
}
