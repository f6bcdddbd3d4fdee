//! In which order the runs of a plan are done, and what may end them early: along a frontier, by early stop, or as they are listed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::early_stop_scheduler::{EarlyStopScheduler, recall};
use super::early_stopper::EarlyStopper;
use super::search_scheduler::{SearchChannels, SearchScheduler};
use crate::analysis::AnalysisError;
use crate::executor::{PlanScheduler, RunScheduler};
use crate::planning::plan::Plan;
use crate::records::store::StoreError;

/// Why what is sealed says nothing of how to go on.
#[derive(Debug, thiserror::Error)]
pub enum SteeringError {
    #[error("the runs in `{}` cannot be judged", dir.display())]
    Runs { dir: PathBuf, source: StoreError },
    #[error("the rows of run `{id}` cannot be read")]
    Rows { id: String, source: StoreError },
    #[error("nobody saves results any more, so that no further cell can be chosen")]
    Unsaved,
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
}

/// What the executor asks for the next run.
#[derive(Debug)]
pub enum SweepScheduler {
    Searching(Box<SearchScheduler>),
    StoppingEarly(Box<EarlyStopScheduler>),
    Listed(PlanScheduler),
}

impl SweepScheduler {
    /// Goes on from what is sealed in the folder.
    pub fn new(plan: &Plan, sealed: &BTreeSet<String>, dir: &Path, channels: SearchChannels) -> Result<Self, SteeringError> {
        let mut stopping = EarlyStopper::of(plan);
        if plan.frontier.is_some() {
            if let Some(stopping) = stopping.as_mut().filter(|_| !sealed.is_empty()) {
                recall(plan, sealed, stopping, dir)?;
            }
            if let Some(searching) = SearchScheduler::new(plan, sealed, stopping, dir, channels)? {
                return Ok(Self::Searching(Box::new(searching)));
            }
            return Ok(Self::Listed(PlanScheduler::new(plan, sealed)));
        }
        Ok(match stopping {
            Some(stopping) => Self::StoppingEarly(Box::new(EarlyStopScheduler::new(plan, sealed, stopping, dir)?)),
            None => Self::Listed(PlanScheduler::new(plan, sealed)),
        })
    }

    pub fn scheduler(&mut self) -> &mut dyn RunScheduler {
        match self {
            Self::Searching(scheduler) => scheduler.as_mut(),
            Self::StoppingEarly(scheduler) => scheduler.as_mut(),
            Self::Listed(scheduler) => scheduler,
        }
    }

    /// What went wrong on the way, after the sweep.
    pub fn trouble(&mut self) -> Option<SteeringError> {
        if let Self::Searching(scheduler) = self { scheduler.trouble() } else { None }
    }
}
