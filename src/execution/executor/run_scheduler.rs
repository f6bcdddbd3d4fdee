//! Which run comes next, and when a run may end early: decided run by run by whoever knows what the results mean.
//!
//! The executor asks and obeys. [`PlanScheduler`] is the plan as it stands; a search decides by what it has seen.

use std::collections::{BTreeSet, VecDeque};

use crate::planning::plan::{Plan, Run};
use crate::records::record::{EarlyStopReason, RequestRecord, RunRecord};

/// Decides what is run.
pub trait RunScheduler {
    /// How many runs there may be in all, of which so many are sealed already.
    fn extent(&self) -> (usize, usize);

    /// Whether that many is a guess, since what is run depends on what is seen.
    fn is_guess(&self) -> bool {
        false
    }

    /// The next run; `None` where all is done.
    fn next(&mut self) -> Option<Run>;

    /// By what a run that is about to begin may end early; `None` where it is run to its end.
    fn rule(&mut self, run: &Run) -> Option<&mut dyn StoppingRule>;

    /// How the last run came out.
    fn ended(&mut self, record: &RunRecord);
}

/// Hears every request of a run as it ends.
pub trait StoppingRule: Send {
    /// Why no further request needs to be sent, as soon as that is so. It is on the way of every request, and must be quick.
    fn heard(&mut self, request: &RequestRecord) -> Option<EarlyStopReason>;
}

/// Every run of a plan that is not sealed, in run order, each to its end.
#[derive(Debug)]
pub struct PlanScheduler {
    planned: usize,
    open: VecDeque<Run>,
}

impl PlanScheduler {
    #[must_use]
    pub fn new(plan: &Plan, sealed: &BTreeSet<String>) -> Self {
        let open = plan.runs.iter().filter(|run| !sealed.contains(&run.id)).cloned().collect();
        Self { planned: plan.runs.len(), open }
    }
}

impl RunScheduler for PlanScheduler {
    fn extent(&self) -> (usize, usize) {
        (self.planned, self.planned - self.open.len())
    }

    fn next(&mut self) -> Option<Run> {
        self.open.pop_front()
    }

    fn rule(&mut self, _: &Run) -> Option<&mut dyn StoppingRule> {
        None
    }

    fn ended(&mut self, _: &RunRecord) {}
}
