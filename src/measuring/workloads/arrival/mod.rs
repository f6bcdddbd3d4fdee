//! WHEN it may be sent: a [`RequestSchedule`] of lanes, each a sequence of steps that one user or group goes through one at a time, of
//! arrivals that wait for nobody, or of a sequence out of which each of N users takes the next step when it is free.
//!
//! Pure arithmetic over the workload's spec, the seed and a recording that was read: the same input gives the same schedule. Nothing here
//! knows a target, a prompt or a clock; times are offsets from the start of the load.

mod closed;
mod constant;
mod gamma;
mod load_shard;
mod open;
mod planned_load;
mod planned_row;
mod poisson;
mod ramp;
mod recorded_sessions;
mod trace;
mod user_pool;
mod user_rate;
mod variate;

pub use load_shard::LoadShard;
pub use open::{ArrivalTimes, OpenLoopArrivals};
pub use planned_load::{PlannedLoad, goal_rows, user_numbers};
pub use planned_row::PlannedRow;
pub use recorded_sessions::{SessionArrivals, SessionStart, SessionTurn, TurnOffset};
pub use user_pool::UserPool;

use crate::foundation::clock::Micros;
use crate::vocabulary::recording::RecordedInput;
use crate::vocabulary::spec::workload::{RequestsSpec, WorkloadSpec};

/// One thread of requests: the next step begins only when the one before is over.
#[derive(Debug, Clone)]
pub struct SerialRequests {
    pub number: u32,
    pub start: StartTrigger,
    pub steps: SerialRequestSource,
}

/// When a lane's first step may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTrigger {
    /// Each step says its own time.
    AtOnce,
    /// When the lane with the number before has its first token, or has failed to get one.
    AfterFirstTokenOfPrevious,
}

/// One request to be sent. Sessions are numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledTurn {
    pub session: u64,
    pub turn: u32,
    pub due: SendTrigger,
}

/// When a request is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendTrigger {
    /// As soon as the lane's previous request is over.
    AfterPrevious,
    /// The same, and not before every lane has come to its first step that waits for this; then one lane after the other, each at the first token
    /// of the one before.
    AfterFirstAnswers,
    /// At this offset from the start of the load, whatever the lane is doing then.
    At(Micros),
}

/// The steps of a lane, made as they are asked for.
#[derive(Debug, Clone)]
pub enum SerialRequestSource {
    Group(closed::SessionGroup),
    Place(user_rate::UserSlot),
}

impl Iterator for SerialRequestSource {
    type Item = ScheduledTurn;

    fn next(&mut self) -> Option<ScheduledTurn> {
        match self {
            Self::Group(group) => group.next(),
            Self::Place(place) => place.next(),
        }
    }
}

/// A user who is met in mid-life: its history is laid into the server's cache before the load starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefilledUser {
    pub lane: u32,
    pub session: u64,
    /// The first turn that will be sent, at least 1.
    pub first_turn: u32,
}

/// Everything that a run will send, and when.
#[derive(Debug, Clone)]
pub struct RequestSchedule {
    pub lanes: Vec<SerialRequests>,
    /// How many lanes wait for one another, those of other clients included; 0 where none does.
    pub tied_lanes: u32,
    /// Requests that are sent at their times whatever else is in flight.
    pub arrivals: Option<OpenLoopArrivals>,
    /// Requests of which each is sent by the next free user.
    pub user_pool: Option<UserPool>,
    /// Recorded sessions that begin at their times, or as soon as a user is free.
    pub sessions: Option<SessionArrivals>,
    pub mid_life: Vec<PrefilledUser>,
    /// What rows number session 0 by.
    pub first_session: u64,
    /// Turns due before this offset are warm-up.
    pub warmup: Micros,
    /// And so are the steps of so many sessions, the first ones.
    pub warmup_requests: u64,
    /// No turn is sent from this offset on; `None` where the steps end by themselves.
    pub end: Option<Micros>,
    /// Requests per second that the schedule asks for; `None` for closed loops.
    pub offered_qps: Option<f64>,
    /// How many requests will be sent if every one is answered in time, prefill included; `None` where that depends on the answers.
    pub requests: Option<u64>,
}

impl RequestSchedule {
    /// The schedule of a workload in the run of that seed. `input` is what was read of the file that the workload sends from, where it names one.
    pub fn new(spec: &WorkloadSpec, seed: u64, input: Option<&RecordedInput>) -> Self {
        match spec {
            WorkloadSpec::DocumentQa(spec) => closed::schedule(spec),
            WorkloadSpec::Chat(spec) => user_rate::schedule(spec),
            WorkloadSpec::Sessions(spec) => recorded_sessions::schedule(spec, input),
            WorkloadSpec::Requests(spec) => match spec.users() {
                Some(users) => user_pool::schedule(spec, users, input),
                None => open::schedule(spec, seed, input),
            },
        }
    }
}

/// How many single requests are sent at most: as many as are asked for, and no more than a file of prompts has that is sent once.
fn most_requests(spec: &RequestsSpec, input: Option<&RecordedInput>) -> u64 {
    match input {
        Some(RecordedInput::Prompts(prompts)) if !spec.repeat_prompts => spec.most().min(prompts.count()),
        _ => spec.most(),
    }
}
