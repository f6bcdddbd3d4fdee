//! N users at a target rate: each sends a turn every `N / qps` seconds, leaves after `rounds` turns, and a new user takes its place.
//!
//! At time 0 the users are spread evenly over their lives, so that joins, turns and leaves are uniform from the first second. All times are
//! absolute, so nothing drifts. A user joins every `rounds / qps` seconds: the offered rate is `qps`, not `qps × rounds / (rounds - 1)`.
//!
//! Users that join every `rounds / qps` seconds and send every `N / qps` seconds would fall on each other's moments where `rounds` and N
//! have a common divisor. Their ages are therefore shifted by less than that divisor, in units of `1 / qps`: then requests are exactly
//! `1 / qps` seconds apart.

use super::{PrefilledUser, RequestSchedule, ScheduledTurn, SendTrigger, SerialRequestSource, SerialRequests, StartTrigger};
use crate::foundation::clock::Micros;
use crate::vocabulary::spec::workload::{ChatSpec, UserPopulation};

/// A user's place: the user that is there at time 0 and, in a capped population, those who follow it.
#[derive(Debug, Clone)]
pub struct UserSlot {
    /// The user that the next step belongs to.
    session: u64,
    /// Added to `session` when a life ends; `None` where nobody follows.
    follower: Option<u64>,
    turn: u32,
    rounds: u32,
    /// Due time of step `k` is `first_due_s + k × gap_s`.
    first_due_s: f64,
    gap_s: f64,
    step: u32,
    end: Micros,
}

impl Iterator for UserSlot {
    type Item = ScheduledTurn;

    fn next(&mut self) -> Option<ScheduledTurn> {
        if self.turn == self.rounds {
            self.session += self.follower?;
            self.turn = 0;
        }
        let due = Micros::from_secs_f64(self.first_due_s + f64::from(self.step) * self.gap_s);
        if due >= self.end {
            return None;
        }
        let step = ScheduledTurn { session: self.session, turn: self.turn, due: SendTrigger::At(due) };
        self.turn += 1;
        self.step += 1;
        Some(step)
    }
}

pub(super) fn schedule(spec: &ChatSpec) -> RequestSchedule {
    let gap_s = f64::from(spec.users) / spec.qps;
    let end = Micros::from_secs_f64(spec.duration.0);
    let place = |number: u32| {
        let turns = age_turns(spec, number);
        let turn = turns.ceil();
        UserSlot {
            session: u64::from(number),
            follower: (spec.population == UserPopulation::Capped).then_some(u64::from(spec.users)),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and rounds")]
            turn: turn as u32,
            rounds: spec.rounds,
            first_due_s: (turn - turns) * gap_s,
            gap_s,
            step: 0,
            end,
        }
    };
    let present: Vec<UserSlot> = (0..spec.users).map(place).collect();
    let mid_life: Vec<PrefilledUser> = present
        .iter()
        .zip(0..)
        .filter(|(place, _)| place.turn < place.rounds)
        .map(|(place, lane)| PrefilledUser { lane, session: place.session, first_turn: place.turn })
        .collect();

    let joining = match spec.population {
        UserPopulation::Capped => Vec::new(),
        UserPopulation::Open => joining_users(spec, gap_s, end),
    };
    let lanes: Vec<SerialRequests> = present
        .into_iter()
        .chain(joining)
        .zip(0..)
        .map(|(place, number)| SerialRequests { number, start: StartTrigger::AtOnce, steps: SerialRequestSource::Place(place) })
        .collect();
    let turns: usize = lanes.iter().map(|lane| lane.steps.clone().count()).sum();
    RequestSchedule {
        requests: Some((turns + mid_life.len()) as u64),
        lanes,
        tied_lanes: 0,
        arrivals: None,
        user_pool: None,
        sessions: None,
        mid_life,
        first_session: spec.first_user_id,
        warmup: Micros::from_secs_f64(spec.warmup.0),
        warmup_requests: 0,
        end: Some(end),
        offered_qps: Some(spec.qps),
    }
}

/// How many turns old the user of that place is at time 0: between 0 and `rounds`, and in no other place's phase.
#[expect(clippy::cast_precision_loss, reason = "users × rounds is far below 2^53")]
fn age_turns(spec: &ChatSpec, number: u32) -> f64 {
    let (number, users, rounds) = (u64::from(number), u64::from(spec.users), u64::from(spec.rounds));
    let steps = number * rounds + number * common_divisor(users, rounds) / users;
    (steps as f64 + 0.5) / users as f64
}

/// The greatest, by Euclid.
pub(super) fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// The users of an open population who come after time 0: place `i` is taken again when the life of its user is over on schedule.
fn joining_users(spec: &ChatSpec, gap_s: f64, end: Micros) -> Vec<UserSlot> {
    let life_s = f64::from(spec.rounds) * gap_s;
    let mut joining: Vec<UserSlot> = (0..spec.users)
        .flat_map(|number| {
            let age_s = age_turns(spec, number) * gap_s;
            (1_u32..)
                .map(move |generation| (number, generation, f64::from(generation) * life_s - age_s))
                .take_while(|(_, _, joins_s)| Micros::from_secs_f64(*joins_s) < end)
        })
        .map(|(number, generation, joins_s)| UserSlot {
            session: u64::from(number) + u64::from(generation) * u64::from(spec.users),
            follower: None,
            turn: 0,
            rounds: spec.rounds,
            first_due_s: joins_s,
            gap_s,
            step: 0,
            end,
        })
        .collect();
    joining.sort_by(|a, b| a.first_due_s.total_cmp(&b.first_due_s));
    joining
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(fields: &str) -> ChatSpec {
        serde_json::from_str(&format!("{{{fields}}}")).unwrap()
    }

    fn dues(schedule: &RequestSchedule) -> Vec<(f64, ScheduledTurn)> {
        let mut steps: Vec<(f64, ScheduledTurn)> = schedule
            .lanes
            .iter()
            .flat_map(|lane| lane.steps.clone())
            .map(|step| match step.due {
                SendTrigger::At(at) => (at.as_secs_f64(), step),
                SendTrigger::AfterPrevious | SendTrigger::AfterFirstAnswers => unreachable!("a rate has times"),
            })
            .collect();
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        steps
    }

    #[test]
    fn requests_are_exactly_one_interval_apart_whatever_users_and_rounds_have_in_common() {
        for (users, rounds) in [(7, 5), (10, 5), (12, 8), (6, 6), (4, 8), (1, 3)] {
            let fields = format!(r#""users": {users}, "qps": 2.0, "rounds": {rounds}, "duration": 60"#);
            let steps = dues(&schedule(&spec(&fields)));
            assert_eq!(steps.len(), 120, "{users} users, {rounds} rounds");
            for pair in steps.windows(2) {
                assert!((pair[1].0 - pair[0].0 - 0.5).abs() < 1e-5, "{users} users, {rounds} rounds: {pair:?}");
            }
        }
    }

    #[test]
    fn every_turn_number_is_equally_frequent_in_steady_state() {
        let steps = dues(&schedule(&spec(r#""users": 10, "qps": 5.0, "rounds": 5, "duration": 100"#)));
        for turn in 0..5 {
            assert_eq!(steps.iter().filter(|(_, step)| step.turn == turn).count(), 100, "turn {turn}");
        }
    }

    #[test]
    fn no_session_number_comes_twice_and_turns_come_in_order() {
        for population in ["capped", "open"] {
            let fields = format!(r#""users": 4, "qps": 2.0, "rounds": 3, "duration": 60, "population": "{population}""#);
            let mut next_turn = std::collections::BTreeMap::new();
            for (_, step) in dues(&schedule(&spec(&fields))) {
                if let Some(turn) = next_turn.insert(step.session, step.turn + 1) {
                    assert_eq!(step.turn, turn);
                } else {
                    assert!(step.turn == 0 || step.session < 4, "only those met in mid-life start late: {step:?}");
                }
            }
        }
    }

    #[test]
    fn an_open_population_offers_the_same_turns_as_a_capped_one() {
        let of = |population: &str| {
            let fields = format!(r#""users": 4, "qps": 2.0, "rounds": 3, "duration": 60, "population": "{population}""#);
            let mut steps: Vec<(Micros, u64, u32)> = dues(&schedule(&spec(&fields)))
                .into_iter()
                .map(|(at, step)| (Micros::from_secs_f64(at), step.session, step.turn))
                .collect();
            steps.sort_unstable();
            steps
        };
        assert_eq!(of("open"), of("capped"));
    }
}
