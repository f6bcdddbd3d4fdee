//! The plan in its order, with cells ended early by their goals: what the stopping rules say, as a scheduler that the executor follows.

use std::collections::BTreeSet;
use std::path::Path;

use super::cell_stopper::CellStopper;
use super::early_stopper::EarlyStopper;
use super::sweep_scheduler::SteeringError;
use crate::executor::{PlanScheduler, RunScheduler, StoppingRule};
use crate::planning::plan::{Plan, Run};
use crate::records::record::{EarlyStopReason, RequestRecord, RunRecord};
use crate::records::store::read_sweep;

impl StoppingRule for CellStopper {
    fn heard(&mut self, request: &RequestRecord) -> Option<EarlyStopReason> {
        Self::heard(self, request)
    }
}

/// Every run of a plan that is not sealed and that its cell still needs.
#[derive(Debug)]
pub struct EarlyStopScheduler {
    runs: PlanScheduler,
    stopping: EarlyStopper,
    /// The run that goes on.
    current: Option<Run>,
    /// Runs left out at the start, since their cells were settled before.
    left_out: usize,
}

impl EarlyStopScheduler {
    /// Goes on from what is sealed in the folder.
    pub fn new(plan: &Plan, sealed: &BTreeSet<String>, mut stopping: EarlyStopper, dir: &Path) -> Result<Self, SteeringError> {
        if !sealed.is_empty() {
            recall(plan, sealed, &mut stopping, dir)?;
        }
        let left_out = plan.runs.iter().filter(|run| !sealed.contains(&run.id) && !stopping.needs(run)).count();
        Ok(Self { runs: PlanScheduler::new(plan, sealed), stopping, current: None, left_out })
    }
}

/// Tells the rules what earlier starts have brought.
pub(super) fn recall(plan: &Plan, sealed: &BTreeSet<String>, stopping: &mut EarlyStopper, dir: &Path) -> Result<(), SteeringError> {
    let runs = |source| SteeringError::Runs { dir: dir.to_owned(), source };
    for saved in read_sweep(dir).map_err(runs)?.runs {
        let id = &saved.record.header.id;
        if let Some(run) = plan.runs.iter().find(|run| run.id == *id && sealed.contains(id)) {
            let rows = saved.requests.records().map_err(|source| SteeringError::Rows { id: id.clone(), source })?;
            stopping.sealed(run, &saved.record, &rows);
        }
    }
    Ok(())
}

impl RunScheduler for EarlyStopScheduler {
    fn extent(&self) -> (usize, usize) {
        let (planned, sealed) = self.runs.extent();
        (planned, sealed + self.left_out)
    }

    fn next(&mut self) -> Option<Run> {
        loop {
            let run = self.runs.next()?;
            if self.stopping.needs(&run) {
                return Some(run);
            }
        }
    }

    fn rule(&mut self, run: &Run) -> Option<&mut dyn StoppingRule> {
        self.current = Some(run.clone());
        self.stopping.watch(run).map(|watch| watch as &mut dyn StoppingRule)
    }

    fn ended(&mut self, record: &RunRecord) {
        if let Some(run) = self.current.take() {
            self.stopping.ended(&run, record);
        }
    }
}
