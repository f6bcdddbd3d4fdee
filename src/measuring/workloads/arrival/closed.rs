//! C closed groups: each goes round-robin through its S sessions, turn 0 of every session first, then turn 1 of every session, and so on.
//!
//! At most C requests are in flight, C×S sessions are alive, and between two turns of a session lie S - 1 other sessions. Before its first
//! follow-up each group waits for all others, so that follow-ups meet no first turn, and then for the first token of the group before it, so that
//! groups do not ask in step; the published benchmark has no such wait.

use super::{RequestSchedule, ScheduledTurn, SendTrigger, SerialRequestSource, SerialRequests, StartTrigger};
use crate::foundation::clock::Micros;
use crate::vocabulary::spec::workload::{DocumentQaSpec, FollowUpStart, GroupStart};

/// What is left to send of one group.
#[derive(Debug, Clone)]
pub struct SessionGroup {
    first_session: u64,
    sequential: u64,
    follow_ups: FollowUpStart,
    steps: std::ops::Range<u64>,
}

impl SessionGroup {
    /// All sessions of the group.
    pub fn sessions(&self) -> std::ops::Range<u64> {
        self.first_session..self.first_session + self.sequential
    }
}

impl Iterator for SessionGroup {
    type Item = ScheduledTurn;

    fn next(&mut self) -> Option<ScheduledTurn> {
        let step = self.steps.next()?;
        let turn = u32::try_from(step / self.sequential).ok()?;
        let is_first_follow_up = step == self.sequential;
        let due = match self.follow_ups {
            FollowUpStart::AllAnswered if is_first_follow_up => SendTrigger::AfterFirstAnswers,
            FollowUpStart::AllAnswered | FollowUpStart::Original => SendTrigger::AfterPrevious,
        };
        Some(ScheduledTurn { session: self.first_session + step % self.sequential, turn, due })
    }
}

pub(super) fn schedule(spec: &DocumentQaSpec) -> RequestSchedule {
    let sequential = u64::from(spec.sequential);
    let requests_a_group = sequential * (u64::from(spec.rounds) + 1);
    let lanes = (0..spec.concurrent)
        .map(|number| SerialRequests {
            number,
            start: match spec.start {
                GroupStart::Staggered if number > 0 => StartTrigger::AfterFirstTokenOfPrevious,
                _ => StartTrigger::AtOnce,
            },
            steps: SerialRequestSource::Group(SessionGroup {
                first_session: u64::from(number) * sequential,
                sequential,
                follow_ups: spec.follow_ups,
                steps: 0..requests_a_group,
            }),
        })
        .collect();
    let is_tied = spec.start == GroupStart::Staggered || spec.follow_ups == FollowUpStart::AllAnswered;
    RequestSchedule {
        lanes,
        tied_lanes: if is_tied { spec.concurrent } else { 0 },
        arrivals: None,
        user_pool: None,
        sessions: None,
        mid_life: Vec::new(),
        first_session: 0,
        warmup: Micros::ZERO,
        warmup_requests: 0,
        end: None,
        offered_qps: None,
        requests: Some(u64::from(spec.concurrent) * requests_a_group),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(concurrent: u32, sequential: u32, rounds: u32) -> DocumentQaSpec {
        let text = format!(r#"{{"concurrent": {concurrent}, "sequential": {sequential}, "rounds": {rounds}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_group_asks_every_session_before_it_asks_one_again() {
        let schedule = schedule(&spec(2, 3, 1));
        let second: Vec<(u64, u32)> = schedule.lanes[1].steps.clone().map(|step| (step.session, step.turn)).collect();
        assert_eq!(second, [(3, 0), (4, 0), (5, 0), (3, 1), (4, 1), (5, 1)]);
        assert_eq!(schedule.requests, Some(12));
    }

    #[test]
    fn the_first_follow_up_of_each_group_waits_for_all_first_answers_except_in_the_original() {
        let waiting = |spec: &DocumentQaSpec| -> Vec<Vec<u32>> {
            let waits = |lane: &SerialRequests| {
                lane.steps.clone().zip(0..).filter(|(step, _)| step.due == SendTrigger::AfterFirstAnswers).map(|(_, at)| at).collect()
            };
            schedule(spec).lanes.iter().map(waits).collect()
        };
        let all_answered = spec(2, 3, 2);
        assert_eq!(waiting(&all_answered), [[3], [3]]);
        assert_eq!(waiting(&spec(2, 3, 0)), [[0; 0], []], "without follow-ups there is nothing to wait for");
        let original = DocumentQaSpec { follow_ups: FollowUpStart::Original, ..all_answered };
        assert_eq!(waiting(&original), [[0; 0], []]);
    }

    #[test]
    fn groups_start_one_after_the_other_unless_a_burst_is_asked_for() {
        let starts = |spec: &DocumentQaSpec| schedule(spec).lanes.iter().map(|lane| lane.start).collect::<Vec<_>>();
        let staggered = spec(3, 1, 1);
        assert_eq!(
            starts(&staggered),
            [StartTrigger::AtOnce, StartTrigger::AfterFirstTokenOfPrevious, StartTrigger::AfterFirstTokenOfPrevious]
        );
        let burst = DocumentQaSpec { start: GroupStart::Burst, ..staggered };
        assert_eq!(starts(&burst), [StartTrigger::AtOnce; 3]);
    }
}
