//! The rows of the measured phase that a goal will look at, counted before they are sent: by walking through the schedules of all repeats.
//!
//! Every step of a schedule leaves exactly one row, also where it is never sent or its session has ended; which rows a goal looks at is known
//! where it asks for nothing but turns, sessions and lanes.

use std::collections::BTreeMap;

use crate::foundation::clock::Micros;
use crate::vocabulary::goal::{Aggregate, ConditionField, Goal, RowCondition};
use crate::vocabulary::metric::Metric;
use crate::vocabulary::spec::workload::WorkloadSpec;
use crate::workloads::arrival::{RequestSchedule, ScheduledTurn, SendTrigger};
use crate::workloads::workload::Corpus;

/// Every session that has a row is held in memory from the start.
const MOST_COUNTED: f64 = 1e6;

/// Why it cannot be known in advance which rows a goal will look at, or what single rows mean to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowCountError {
    #[error("a mean depends on every row")]
    Mean,
    #[error("not every request has one value of `{0}`")]
    Metric(Metric),
    #[error("which rows have such a `{}` is not known before they are sent", .0.name())]
    Field(ConditionField),
    #[error("more than {MOST_COUNTED} requests a run are not counted before they are sent")]
    TooMany,
}

/// Whether the rows of a goal can be counted before that workload sends them.
pub fn countable(goal: &Goal, workload: &WorkloadSpec) -> Result<(), RowCountError> {
    if let Aggregate::Mean(_) = goal.measure.aggregate {
        return Err(RowCountError::Mean);
    }
    if let Some(metric) = goal.measure.metric().filter(|metric| !metric.is_one_a_request()) {
        return Err(RowCountError::Metric(metric));
    }
    let unknown =
        |condition: &&RowCondition| !matches!(condition.field, ConditionField::Turn | ConditionField::Session | ConditionField::Lane);
    if let Some(condition) = goal.measure.filter.iter().find(unknown) {
        return Err(RowCountError::Field(condition.field));
    }
    if matches!(workload, WorkloadSpec::Requests(spec) if spec.about() > MOST_COUNTED) {
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
    /// Requests of all phases and repeats.
    pub requests: u64,
    /// Those that each of the goals looks at.
    pub of_goals: Vec<PlannedRows>,
}

impl CellRows {
    /// Of the repeats of one cell. `None` where a trace cannot be read, which whoever sends it will say.
    pub fn of(repeats: &[PlannedRepeat], goals: &[Goal], corpus: &Corpus) -> Option<Self> {
        let mut counted = Self { requests: 0, of_goals: vec![PlannedRows::default(); goals.len()] };
        for repeat in repeats {
            let trace = match &repeat.workload {
                WorkloadSpec::Requests(spec) => corpus.trace(spec).ok()?,
                WorkloadSpec::DocumentQa(_) | WorkloadSpec::Chat(_) => None,
            };
            let schedule = RequestSchedule::new(&repeat.workload, repeat.seed, trace);
            counted.requests += schedule.requests;
            let first = match &repeat.workload {
                WorkloadSpec::Chat(spec) => spec.first_user_id,
                WorkloadSpec::DocumentQa(_) | WorkloadSpec::Requests(_) => 0,
            };
            let mut count = |step: ScheduledTurn, lane: u32| {
                let session = first.saturating_add(step.session);
                for (goal, rows) in goals.iter().zip(&mut counted.of_goals) {
                    if is_measured(step, schedule.warmup) && fits(&goal.measure.filter, session, lane, step.turn) {
                        *rows.sessions.entry((repeat.number, session)).or_default() += 1;
                    }
                }
            };
            for lane in &schedule.lanes {
                lane.steps.clone().for_each(|step| count(step, lane.number));
            }
            schedule.arrivals.clone().into_iter().flatten().for_each(|step| count(step, 0));
        }
        Some(counted)
    }
}

/// Whether a step belongs to the measured phase; what follows an answer has no warm-up before it.
fn is_measured(step: ScheduledTurn, warmup: Micros) -> bool {
    match step.due {
        SendTrigger::At(at) => at >= warmup,
        SendTrigger::AfterPrevious | SendTrigger::AfterFirstAnswers => true,
    }
}

/// Whether a planned request fulfils all conditions, which are those that can be counted by.
fn fits(conditions: &[RowCondition], session: u64, lane: u32, turn: u32) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "sessions are far below 2^53")]
    let of = |field: ConditionField| match field {
        ConditionField::Turn => Some(f64::from(turn)),
        ConditionField::Session => Some(session as f64),
        ConditionField::Lane => Some(f64::from(lane)),
        _ => None,
    };
    conditions.iter().all(|condition| condition.keeps(of(condition.field), || false))
}
