//! The rows of the measured phase, known before anything is sent: by walking through a schedule.
//!
//! Every step of a schedule leaves exactly one row, also where it is never sent or its session has ended; only of a sequence that users share, the
//! steps that a duration cuts off leave none.

use super::{RequestSchedule, ScheduledTurn, SendTrigger, SessionArrivals};
use crate::vocabulary::goal::{ConditionField, RowCondition};

/// What is known of a row before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedRow {
    /// As rows number it.
    pub session: u64,
    pub lane: u32,
    pub turn: u32,
}

impl PlannedRow {
    /// Whether a condition on that field can be judged before the row is sent.
    #[must_use]
    pub fn tells(field: ConditionField) -> bool {
        Self { session: 0, lane: 0, turn: 0 }.field(field).is_some()
    }

    /// Whether it fulfils all conditions; one on what is not known yet is not fulfilled.
    #[must_use]
    pub fn fulfils(&self, conditions: &[RowCondition]) -> bool {
        conditions.iter().all(|condition| condition.keeps(self.field(condition.field), || false))
    }

    #[expect(clippy::cast_precision_loss, reason = "sessions are far below 2^53")]
    fn field(&self, field: ConditionField) -> Option<f64> {
        match field {
            ConditionField::Turn => Some(f64::from(self.turn)),
            ConditionField::Session => Some(self.session as f64),
            ConditionField::Lane => Some(f64::from(self.lane)),
            ConditionField::PromptTokens
            | ConditionField::CachedTokens
            | ConditionField::OutputTokens
            | ConditionField::InFlight
            | ConditionField::LiveLanes
            | ConditionField::Time => None,
        }
    }
}

impl RequestSchedule {
    /// The rows of the measured phase, lane by lane.
    pub fn measured_rows(&self) -> impl Iterator<Item = PlannedRow> {
        let of_lanes = self.lanes.iter().flat_map(|lane| lane.steps.clone().map(|step| (step, lane.number)));
        let of_arrivals = self.arrivals.clone().into_iter().flatten().map(|step| (step, 0));
        let of_users = self.user_pool.clone().into_iter().flatten().map(|step| (step, 0));
        let of_sessions = self.sessions.iter().flat_map(turns_of_sessions).map(|step| (step, 0));
        of_lanes
            .chain(of_arrivals)
            .chain(of_users)
            .chain(of_sessions)
            .filter(|(step, _)| self.is_measured(*step))
            .map(|(step, lane)| PlannedRow { session: self.first_session.saturating_add(step.session), lane, turn: step.turn })
    }

    /// Whether a step belongs to the measured phase; what follows an answer may be due after any warm-up.
    fn is_measured(&self, step: ScheduledTurn) -> bool {
        let is_due_in_it = match step.due {
            SendTrigger::At(at) => at >= self.warmup,
            SendTrigger::AfterPrevious | SendTrigger::AfterFirstAnswers => true,
        };
        is_due_in_it && step.session >= self.warmup_requests
    }
}

/// The turns of recorded sessions as steps.
fn turns_of_sessions(sessions: &SessionArrivals) -> impl Iterator<Item = ScheduledTurn> {
    sessions.clone().flat_map(|start| {
        let turns = sessions.turns(start.session).into_iter().zip(0..);
        turns.map(move |(turn, number)| {
            let due = start.turn_due(turn.due).map_or(SendTrigger::AfterPrevious, SendTrigger::At);
            ScheduledTurn { session: start.session, turn: number, due }
        })
    })
}
