//! The rows of the measured phase that a goal will look at in a cell, counted before they are sent: by walking through the schedules of all repeats.

use std::collections::BTreeMap;

use crate::vocabulary::goal::{Aggregate, ConditionField, Goal, RowCondition};
use crate::vocabulary::metric::Metric;
use crate::vocabulary::spec::workload::{LoadLoop, WorkloadSpec};
use crate::workloads::arrival::{PlannedLoad, PlannedRow, RequestSchedule};
use crate::workloads::workload::Corpus;

/// Every session that has a row is held in memory from the start.
const MOST_COUNTED: u64 = 1_000_000;

/// Why it cannot be known in advance which rows a goal will look at, or what single rows mean to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowCountError {
    #[error("a mean depends on every row")]
    Mean,
    #[error("a throughput depends on how long the whole cell takes")]
    Throughput,
    #[error("not every request has one value of `{0}`")]
    Metric(Metric),
    #[error("which rows have such a `{}` is not known before they are sent", .0.name())]
    Field(ConditionField),
    #[error("how many requests users send, and which of them are measured, is not known before they are answered")]
    Users,
    #[error("more than {MOST_COUNTED} requests a run are not counted before they are sent")]
    TooMany,
}

/// Whether the rows of a goal can be counted before that workload sends them.
pub fn countable(goal: &Goal, workload: &WorkloadSpec) -> Result<(), RowCountError> {
    if let Aggregate::Mean(_) = goal.measure.aggregate {
        return Err(RowCountError::Mean);
    }
    if let Aggregate::Throughput(..) = goal.measure.aggregate {
        return Err(RowCountError::Throughput);
    }
    // What users left has no value of a whole answer.
    let is_one_a_request = |metric: &Metric| metric.is_one_a_request() && (workload.leave().is_none() || metric.is_known_before_the_end());
    if let Some(metric) = goal.measure.metric().filter(|metric| !is_one_a_request(metric)) {
        return Err(RowCountError::Metric(metric));
    }
    let unknown = |condition: &&RowCondition| !PlannedRow::tells(condition.field);
    if let Some(condition) = goal.measure.filter.iter().find(unknown) {
        return Err(RowCountError::Field(condition.field));
    }
    if !workload.measures_known_requests() {
        return Err(RowCountError::Users);
    }
    // A trace is in memory in any case.
    if workload.load_loop() != LoadLoop::Closed && PlannedLoad::of(workload, None).requests.is_some_and(|requests| requests > MOST_COUNTED)
    {
        return Err(RowCountError::TooMany);
    }
    Ok(())
}

/// The rows of one goal in a cell, all repeats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlannedRows {
    /// Of each session (of each repeat) that has some: how many.
    pub sessions: BTreeMap<(u32, u64), u64>,
}

impl PlannedRows {
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.sessions.values().sum()
    }
}

/// One repeat of a cell, as far as it says what is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRepeat {
    /// From 0.
    pub number: u32,
    /// The run's own.
    pub seed: u64,
    pub workload: WorkloadSpec,
}

/// What the repeats of a cell will send.
#[derive(Debug, Clone)]
pub struct CellRows {
    /// Requests of all phases and repeats, prefill included.
    pub requests: u64,
    /// Those that each of the goals looks at.
    pub of_goals: Vec<PlannedRows>,
}

impl CellRows {
    /// Of the repeats of one cell. `None` where answers decide how many there are, or a trace cannot be read, which whoever sends it will say.
    pub fn of(repeats: &[PlannedRepeat], goals: &[Goal], corpus: &Corpus) -> Option<Self> {
        let mut counted = Self { requests: 0, of_goals: vec![PlannedRows::default(); goals.len()] };
        for repeat in repeats {
            let input = corpus.recorded(&repeat.workload).ok()?;
            let schedule = RequestSchedule::new(&repeat.workload, repeat.seed, input.as_ref());
            counted.requests += schedule.requests?;
            for row in schedule.measured_rows() {
                let looking = goals.iter().zip(&mut counted.of_goals).filter(|(goal, _)| row.fulfils(&goal.measure.filter));
                looking.for_each(|(_, rows)| *rows.sessions.entry((repeat.number, row.session)).or_default() += 1);
            }
        }
        Some(counted)
    }
}
