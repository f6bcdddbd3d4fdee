//! One client's part of a load that several clients send: a pure function of the schedule, the client's rank and how many clients there are.
//!
//! In: the whole schedule. Out: the same with the sessions of one client alone. The parts of all clients are the whole, and no two have anything in common.
//! Must not know: clients' addresses, clocks.

use super::RequestSchedule;

/// Whose part of a load it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadShard {
    rank: u32,
    clients: u32,
}

/// The same of a sequence of sessions that go through so many places: session `n` goes through place `n` modulo their number, and each place is one client's.
/// So a client with fewer places has fewer sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SequenceShard {
    shard: LoadShard,
    places: u64,
}

impl LoadShard {
    /// Of the only client.
    pub const WHOLE: Self = Self { rank: 0, clients: 1 };

    /// `None` where there is no such client.
    #[must_use]
    pub fn new(rank: u32, clients: u32) -> Option<Self> {
        (rank < clients).then_some(Self { rank, clients })
    }

    /// Whether a group, or a user's place, is this client's.
    #[must_use]
    pub fn holds(self, place: u64) -> bool {
        place % u64::from(self.clients) == u64::from(self.rank)
    }

    /// How many of so many places are.
    #[must_use]
    pub fn places(self, all: u32) -> u32 {
        all / self.clients + u32::from(self.rank < all % self.clients)
    }

    fn of_sequence(self, places: u32) -> SequenceShard {
        SequenceShard { shard: self, places: u64::from(places).max(1) }
    }
}

impl SequenceShard {
    pub(super) const WHOLE: Self = Self { shard: LoadShard::WHOLE, places: 1 };

    pub(super) fn holds(self, session: u64) -> bool {
        self.shard.holds(session % self.places)
    }

    /// Whether a user of the places is this client's.
    pub(super) fn holds_user(self, user: u32) -> bool {
        self.shard.holds(user.into())
    }
}

impl RequestSchedule {
    /// What one of several clients sends. What says how much there is in all, as the number of requests, stays that of the whole.
    #[must_use]
    pub fn of_client(mut self, shard: LoadShard) -> Self {
        self.lanes.retain(|lane| shard.holds(lane.number.into()));
        self.mid_life.retain(|user| shard.holds(user.lane.into()));
        if let Some(arrivals) = &mut self.arrivals {
            arrivals.shard = shard.of_sequence(arrivals.places);
            arrivals.places = shard.places(arrivals.places);
        }
        if let Some(pool) = &mut self.user_pool {
            pool.shard = shard.of_sequence(pool.users);
        }
        if let Some(sessions) = &mut self.sessions {
            sessions.shard = shard.of_sequence(sessions.places);
            sessions.places = shard.places(sessions.places);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::{PrefilledUser, SendTrigger, UserPool};
    use super::*;
    use crate::foundation::clock::Micros;
    use crate::vocabulary::recording::{RecordedInput, SessionReadOptions, SessionRecording};

    /// All that a schedule sends: turns with their times by lane, whoever is laid in before, users with their first times, and places.
    #[derive(Debug, PartialEq, Default)]
    struct SentLoad {
        turns: BTreeMap<(u32, u64, u32), SendTrigger>,
        mid_life: Vec<PrefilledUser>,
        users: Vec<Micros>,
        places: u32,
    }

    impl SentLoad {
        fn add(&mut self, schedule: &RequestSchedule) {
            let mut send = |lane, session, turn, due| assert_eq!(self.turns.insert((lane, session, turn), due), None, "it is sent twice");
            for lane in &schedule.lanes {
                lane.steps.clone().for_each(|step| send(lane.number, step.session, step.turn, step.due));
            }
            schedule.arrivals.iter().flat_map(Clone::clone).for_each(|step| send(0, step.session, step.turn, step.due));
            schedule.user_pool.iter().flat_map(Clone::clone).for_each(|step| send(0, step.session, step.turn, step.due));
            schedule.sessions.iter().flat_map(Clone::clone).for_each(|start| send(0, start.session, 0, start.due));
            self.mid_life.extend(&schedule.mid_life);
            self.mid_life.sort_by_key(|user| user.session);
            self.users.extend(schedule.user_pool.iter().flat_map(UserPool::starts));
            self.users.sort_unstable();
            self.places += schedule.arrivals.as_ref().map_or(0, |arrivals| arrivals.places);
            self.places += schedule.sessions.as_ref().map_or(0, |sessions| sessions.places);
        }
    }

    fn recording() -> RecordedInput {
        let file = tempfile::NamedTempFile::new().unwrap();
        let row = |session: u32| format!("{{\"session_id\": \"{session}\", \"timestamp\": {}, \"input_length\": 3}}\n", session * 100);
        fs_err::write(file.path(), (0..23).map(row).collect::<String>()).unwrap();
        let cut = SessionReadOptions { unit: None, block_tokens: None, sessions: 99, turns: 99 };
        RecordedInput::Sessions(Arc::new(SessionRecording::read(file.path(), cut).unwrap()))
    }

    fn any_workload() -> impl Strategy<Value = String> {
        let count = || 1..12_u32;
        prop_oneof![
            (count(), count(), 1..4_u32).prop_map(|(concurrent, sequential, rounds)| format!(
                r#""kind": "document_qa", "concurrent": {concurrent}, "sequential": {sequential}, "rounds": {rounds}"#
            )),
            (count(), 1..6_u32, 1..40_u32, prop::sample::select(&["capped", "open"])).prop_map(|(users, rounds, duration, population)| {
                format!(
                    r#""kind": "chat", "users": {users}, "qps": 2, "rounds": {rounds}, "duration": {duration}, "population": "{population}""#
                )
            }),
            (0..60_u32, count(), prop::sample::select(&["poisson", "constant", "gamma"])).prop_map(|(requests, places, arrival)| format!(
                r#""kind": "requests", "arrival": "{arrival}", "qps": 3, "requests": {requests}, "max_in_flight": {places}"#
            )),
            (0..60_u32, count(), 0..9_u32).prop_map(|(requests, users, ramp)| format!(
                r#""kind": "requests", "arrival": "closed", "concurrency": {users}, "requests": {requests}, "ramp": {ramp}"#
            )),
            count().prop_map(|places| format!(r#""kind": "sessions", "sessions": "a.jsonl", "max_sessions": {places}"#)),
            count().prop_map(|users| format!(r#""kind": "sessions", "sessions": "a.jsonl", "concurrency": {users}"#)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
        #[test]
        fn the_parts_of_all_clients_are_the_load_of_one(fields in any_workload(), clients in 1..6_u32, seed in 0..9_u64) {
            let spec = serde_json::from_str(&format!("{{{fields}}}")).unwrap();
            let schedule = RequestSchedule::new(&spec, seed, Some(&recording()));
            let (mut whole, mut parts) = (SentLoad::default(), SentLoad::default());
            whole.add(&schedule);
            for rank in 0..clients {
                parts.add(&schedule.clone().of_client(LoadShard::new(rank, clients).unwrap()));
            }
            prop_assert_eq!(parts, whole);
        }
    }

    #[test]
    fn a_session_is_one_client_s_with_all_its_turns() {
        let spec = serde_json::from_str(r#"{"kind": "document_qa", "concurrent": 5, "sequential": 2, "rounds": 2}"#).unwrap();
        let schedule = RequestSchedule::new(&spec, 7, None);
        let sessions = |rank| {
            let part = schedule.clone().of_client(LoadShard::new(rank, 3).unwrap());
            part.lanes.into_iter().flat_map(|lane| lane.steps.map(|step| step.session)).collect::<std::collections::BTreeSet<u64>>()
        };
        assert_eq!([0, 1, 2].map(|rank| sessions(rank).into_iter().collect::<Vec<_>>()), [vec![0, 1, 6, 7], vec![2, 3, 8, 9], vec![4, 5]]);
    }

    #[test]
    fn there_is_no_client_beyond_the_last() {
        assert_eq!((LoadShard::new(3, 3), LoadShard::new(0, 0)), (None, None));
        assert_eq!(LoadShard::new(2, 3).map(|shard| shard.places(8)), Some(2));
    }

    #[test]
    fn who_has_no_place_has_no_session_that_would_wait_for_one() {
        let spec = serde_json::from_str(r#"{"kind": "requests", "requests": 9, "max_in_flight": 2}"#).unwrap();
        let part = RequestSchedule::new(&spec, 7, None).of_client(LoadShard::new(2, 3).unwrap());
        assert_eq!(part.arrivals.map(|arrivals| (arrivals.places, arrivals.count())), Some((0, 0)));
    }
}
