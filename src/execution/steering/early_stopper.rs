//! All cells of a sweep: finds the cell of a run, remembers what its repeats brought, and knows which need no further one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cell_rows::PlannedRepeat;
use super::cell_stopper::{CellStopper, StoppingCriterion};
use crate::planning::plan::{Plan, Run};
use crate::records::record::{RequestRecord, RunOutcome, RunRecord};
use crate::vocabulary::goal::Goal;
use crate::vocabulary::spec::search::SearchSpec;
use crate::workloads::workload::Corpus;

/// Ends cells early, by the rule of a scenario.
#[derive(Debug)]
pub struct EarlyStopper {
    by: StoppingCriterion,
    goals: Vec<Goal>,
    corpus: Corpus,
    cells: BTreeMap<String, PlannedCell>,
}

/// A cell, counted out when its first run begins.
#[derive(Debug)]
struct PlannedCell {
    repeats: Vec<PlannedRepeat>,
    watch: CellStopperSlot,
}

#[derive(Debug)]
enum CellStopperSlot {
    NotYet,
    /// Nothing of it can be settled early.
    Never,
    On(Box<CellStopper>),
}

impl EarlyStopper {
    /// For the runs of a plan; `None` where its cells are run to their ends.
    #[must_use]
    pub fn of(plan: &Plan) -> Option<Self> {
        let mut stopping = Self::by_rule(&plan.search, plan.goals.clone())?;
        stopping.expect(&plan.runs);
        Some(stopping)
    }

    /// For runs that are yet to be named by [`expect`](Self::expect).
    #[must_use]
    pub fn by_rule(search: &SearchSpec, goals: Vec<Goal>) -> Option<Self> {
        let by = StoppingCriterion::of(search.stop_rule(), search.risk).filter(|_| !goals.is_empty())?;
        Some(Self { by, goals, corpus: Corpus::default(), cells: BTreeMap::new() })
    }

    /// Names runs that will be asked for: all repeats of a cell before the first of them begins.
    pub fn expect(&mut self, runs: &[Run]) {
        for run in runs {
            let cell = self.cells.entry(key(run)).or_insert_with(|| PlannedCell { repeats: Vec::new(), watch: CellStopperSlot::NotYet });
            if cell.repeats.iter().all(|known| known.number != run.repeat) {
                cell.repeats.push(PlannedRepeat { number: run.repeat, seed: run.seed, workload: run.cell.workload.clone() });
            }
        }
    }

    /// What hears the requests of a run that is about to begin; `None` where the run goes to its end.
    pub fn watch(&mut self, run: &Run) -> Option<&mut CellStopper> {
        let cell = self.cells.get_mut(&key(run))?;
        if let CellStopperSlot::NotYet = cell.watch {
            let watch = CellStopper::new(&cell.repeats, &self.goals, self.by, &self.corpus);
            cell.watch = watch.map_or(CellStopperSlot::Never, |watch| CellStopperSlot::On(Box::new(watch)));
        }
        match &mut cell.watch {
            CellStopperSlot::On(watch) if !watch.is_failed() => {
                watch.begin(run.repeat);
                Some(watch)
            }
            CellStopperSlot::On(_) | CellStopperSlot::Never | CellStopperSlot::NotYet => None,
        }
    }

    /// Takes note of how a run ended.
    pub fn ended(&mut self, run: &Run, record: &RunRecord) {
        let Some(watch) = self.watch(run) else { return };
        match record.outcome {
            RunOutcome::Curtailed(_) => watch.settle(),
            RunOutcome::Failed(_) => watch.fail(),
            RunOutcome::Completed | RunOutcome::Interrupted => {}
        }
    }

    /// Takes in a run of an earlier start: how it ended, and its rows.
    pub fn sealed(&mut self, run: &Run, record: &RunRecord, rows: &[RequestRecord]) {
        if let Some(watch) = self.watch(run) {
            for row in rows {
                // Also where that settled it: the run was not ended by it, and the next one will be.
                let _ = watch.heard(row);
            }
        }
        self.ended(run, record);
    }

    /// Whether a run need not be done, since an earlier repeat settled its cell.
    #[must_use]
    pub fn needs(&self, run: &Run) -> bool {
        let settled = |cell: &PlannedCell| matches!(&cell.watch, CellStopperSlot::On(watch) if watch.is_settled());
        !self.cells.get(&key(run)).is_some_and(settled)
    }
}

/// The cell of a run, as a text.
fn key(run: &Run) -> String {
    format!("{} {}", run.variant, run.axes.iter().cloned().collect::<Value>())
}
