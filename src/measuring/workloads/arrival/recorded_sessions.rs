//! Recorded sessions: when each begins, and when each of its turns is due. In go a recording that was read and what a scenario says of it; out come
//! offsets, and for each turn which ones wait for its answer. Pure arithmetic.

use std::sync::Arc;

use super::load_shard::SequenceShard;
use super::{RequestSchedule, SendTrigger};
use crate::foundation::clock::Micros;
use crate::vocabulary::recording::{RecordedInput, SessionRecording, TurnTrigger};
use crate::vocabulary::spec::sessions::SessionsSpec;

/// The sessions of a run, in the order in which they begin. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct SessionArrivals {
    recording: Option<Arc<SessionRecording>>,
    speed_up: f64,
    max_delay: Option<Micros>,
    is_closed: bool,
    next: u64,
    pub(super) shard: SequenceShard,
    /// No session begins from this offset on.
    pub begins_before: Option<Micros>,
    /// The most sessions at once.
    pub places: u32,
}

/// A session that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionStart {
    pub session: u64,
    /// At that offset from the start of the load; as soon as a user is free, where sessions have no times or shall not keep them.
    pub due: SendTrigger,
}

/// A turn of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTurn {
    pub due: TurnOffset,
    /// The turn whose answer it waits for; `None` of the first.
    pub parent: Option<u32>,
    /// The turns that wait for its answer.
    pub children: Vec<u32>,
}

/// When a turn is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnOffset {
    /// So long after the session was to begin.
    SinceStart(Micros),
    /// So long after the answer that it waits for was over.
    SinceParent(Micros),
}

impl SessionArrivals {
    pub(super) fn new(spec: &SessionsSpec, input: Option<&RecordedInput>) -> Self {
        let recording = match input {
            Some(RecordedInput::Sessions(recording)) => Some(Arc::clone(recording)),
            Some(RecordedInput::Trace(_) | RecordedInput::Prompts(_)) | None => None,
        };
        Self {
            recording,
            speed_up: spec.speed_up,
            max_delay: spec.max_delay.map(|delay| Micros::from_secs_f64(delay.0)),
            is_closed: spec.concurrency.is_some(),
            next: 0,
            shard: SequenceShard::WHOLE,
            begins_before: spec.duration.map(|duration| Micros::from_secs_f64(duration.0)),
            places: spec.places(),
        }
    }

    /// Whether users begin sessions as soon as they are free.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The turns of a session, each behind the one that it waits for.
    #[must_use]
    pub fn turns(&self, session: u64) -> Vec<SessionTurn> {
        let Some(recording) = &self.recording else { return Vec::new() };
        let mut turns: Vec<SessionTurn> = Vec::new();
        for (recorded, number) in recording.turns(session).zip(0..) {
            let due = match recorded.due {
                TurnTrigger::At(ms) => TurnOffset::SinceStart(self.offset(ms)),
                TurnTrigger::After(ms) => {
                    let delay = self.offset(ms);
                    TurnOffset::SinceParent(self.max_delay.map_or(delay, |most| delay.min(most)))
                }
            };
            if let Some(parent) = recorded.parent.and_then(|parent| turns.get_mut(parent as usize)) {
                parent.children.push(number);
            }
            turns.push(SessionTurn { due, parent: recorded.parent, children: Vec::new() });
        }
        turns
    }

    fn offset(&self, ms: f64) -> Micros {
        Micros::from_secs_f64(ms / 1e3 / self.speed_up)
    }

    /// How many turns there are, and how many of them are due before an offset for certain.
    pub(super) fn turn_counts(&self, warmup: Micros) -> (u64, u64) {
        let (mut all, mut before) = (0, 0);
        for start in self.clone() {
            let turns = self.turns(start.session);
            all += turns.len() as u64;
            let is_before = |turn: &SessionTurn| start.turn_due(turn.due).is_some_and(|due| due < warmup);
            before += turns.iter().filter(|turn| is_before(turn)).count() as u64;
        }
        (all, before)
    }
}

impl SessionStart {
    /// The offset at which one of its turns is due, where that is known before the session begins.
    #[must_use]
    pub fn turn_due(&self, due: TurnOffset) -> Option<Micros> {
        match (self.due, due) {
            (SendTrigger::At(start), TurnOffset::SinceStart(offset)) => Some(start + offset),
            _ => None,
        }
    }
}

impl Iterator for SessionArrivals {
    type Item = SessionStart;

    fn next(&mut self) -> Option<SessionStart> {
        let recording = self.recording.as_ref()?;
        let mut session = self.next;
        let mut start_ms = recording.start_ms(session)?;
        while !self.shard.holds(session) {
            session += 1;
            start_ms = recording.start_ms(session)?;
        }
        let due = if self.is_closed { SendTrigger::AfterPrevious } else { SendTrigger::At(self.offset(start_ms)) };
        if matches!(due, SendTrigger::At(at) if self.begins_before.is_some_and(|end| at >= end)) {
            return None;
        }
        self.next = session + 1;
        Some(SessionStart { session, due })
    }
}

pub(super) fn schedule(spec: &SessionsSpec, input: Option<&RecordedInput>) -> RequestSchedule {
    let sessions = SessionArrivals::new(spec, input);
    let is_counted = !sessions.is_closed || sessions.begins_before.is_none();
    RequestSchedule {
        lanes: Vec::new(),
        tied_lanes: 0,
        arrivals: None,
        user_pool: None,
        mid_life: Vec::new(),
        first_session: 0,
        warmup: Micros::from_secs_f64(spec.warmup.0),
        warmup_requests: 0,
        end: None,
        offered_qps: None,
        requests: is_counted.then(|| sessions.turn_counts(Micros::ZERO).0),
        sessions: Some(sessions),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::recording::SessionReadOptions;

    const ROWS: &str = r#"{"session_id": "a", "timestamp": 0, "input_length": 3}
{"session_id": "a", "delay": 500, "input_length": 3}
{"session_id": "b", "timestamp": 2000, "input_length": 3}
{"session_id": "b", "timestamp": 6000, "input_length": 3}
{"session_id": "a", "delay": 9000, "input_length": 3}
"#;

    fn of(fields: &str) -> RequestSchedule {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), ROWS).unwrap();
        let cut = SessionReadOptions { unit: None, block_tokens: None, sessions: 9, turns: 9 };
        let recording = RecordedInput::Sessions(Arc::new(SessionRecording::read(file.path(), cut).unwrap()));
        let spec: SessionsSpec = serde_json::from_str(&format!(r#"{{"sessions": "a.jsonl"{fields}}}"#)).unwrap();
        schedule(&spec, Some(&recording))
    }

    #[test]
    fn sessions_begin_at_their_times_or_whenever_a_user_is_free() {
        let starts = |fields: &str| of(fields).sessions.unwrap().map(|start| start.due).collect::<Vec<_>>();
        assert_eq!(starts(""), [SendTrigger::At(Micros(0)), SendTrigger::At(Micros(2_000_000))]);
        assert_eq!(starts(r#", "speed_up": 4, "duration": 0.5"#), [SendTrigger::At(Micros(0))], "0.5 s is not before the end");
        assert_eq!(starts(r#", "concurrency": 2"#), [SendTrigger::AfterPrevious; 2]);
        assert_eq!((of("").requests, of(r#", "duration": 1"#).requests), (Some(5), Some(3)));
        assert_eq!((of(r#", "concurrency": 2"#).requests, of(r#", "concurrency": 2, "duration": 1"#).requests), (Some(5), None));
    }

    #[test]
    fn turns_are_due_at_their_times_or_after_delays_that_have_a_longest() {
        let sessions = of(r#", "speed_up": 2, "max_delay": "1s""#).sessions.unwrap();
        let dues = |session| sessions.turns(session).into_iter().map(|turn| (turn.due, turn.children)).collect::<Vec<_>>();
        let (start, parent) = (TurnOffset::SinceStart, TurnOffset::SinceParent);
        assert_eq!(dues(0), [(start(Micros(0)), vec![1]), (parent(Micros(250_000)), vec![2]), (parent(Micros(1_000_000)), vec![])]);
        assert_eq!(dues(1), [(start(Micros(0)), vec![1]), (start(Micros(2_000_000)), vec![])]);
        assert_eq!(sessions.turn_counts(Micros(2_000_000)), (5, 2), "what follows an answer may be due after any warm-up");
    }
}
