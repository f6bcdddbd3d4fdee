//! A closed loop of single requests: N users, and one sequence of requests from which each takes the next number as soon as it is free. In goes what a
//! scenario says of it; out come the numbers and when each user begins. When a user is free only a run can tell.

use super::load_shard::SequenceShard;
use super::{RequestSchedule, ScheduledTurn, SendTrigger, most_requests};
use crate::foundation::clock::Micros;
use crate::vocabulary::recording::RecordedInput;
use crate::vocabulary::spec::workload::RequestsSpec;

/// The requests of a run, and the users who send them. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct UserPool {
    number: u64,
    most: u64,
    /// Of all clients.
    pub(super) users: u32,
    pub(super) shard: SequenceShard,
    ramp: Micros,
    /// How long after the end of a user's request its next one is due.
    pub think_time: Micros,
}

impl UserPool {
    /// When each user's first request is due: they begin evenly over the ramp, the first at once.
    pub fn starts(&self) -> impl Iterator<Item = Micros> + use<> {
        let (users, ramp, shard) = (u64::from(self.users), self.ramp.0, self.shard);
        // 2^32 users over a ramp of centuries still fit into 128 bits, and the result into the ramp.
        (0..self.users).filter(move |user| shard.holds_user(*user)).map(move |user| {
            let micros = u128::from(ramp) * u128::from(user) / u128::from(users);
            Micros(u64::try_from(micros).unwrap_or(ramp))
        })
    }
}

impl Iterator for UserPool {
    type Item = ScheduledTurn;

    fn next(&mut self) -> Option<ScheduledTurn> {
        while self.number < self.most {
            let session = self.number;
            self.number += 1;
            if self.shard.holds(session) {
                return Some(ScheduledTurn { session, turn: 0, due: SendTrigger::AfterPrevious });
            }
        }
        None
    }
}

pub(super) fn schedule(spec: &RequestsSpec, users: u32, input: Option<&RecordedInput>) -> RequestSchedule {
    let most = most_requests(spec, input);
    let is_counted = spec.requests.is_some() || most < spec.bound();
    RequestSchedule {
        lanes: Vec::new(),
        tied_lanes: 0,
        arrivals: None,
        user_pool: Some(UserPool {
            number: 0,
            most,
            users,
            shard: SequenceShard::WHOLE,
            ramp: Micros::from_secs_f64(spec.ramp_s()),
            think_time: Micros::from_secs_f64(spec.think_time.map_or(0.0, |time| time.0)),
        }),
        sessions: None,
        mid_life: Vec::new(),
        first_session: 0,
        warmup: Micros::from_secs_f64(spec.unmeasured().0),
        warmup_requests: spec.unmeasured_requests(),
        end: spec.duration.map(|duration| Micros::from_secs_f64(duration.0)),
        offered_qps: None,
        requests: Some(most).filter(|_| is_counted && spec.duration.is_none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &str) -> RequestSchedule {
        let spec: RequestsSpec = serde_json::from_str(&format!(r#"{{"arrival": "closed", {fields}}}"#)).unwrap();
        schedule(&spec, spec.users().unwrap(), None)
    }

    #[test]
    fn requests_come_out_of_one_sequence_whose_length_only_a_number_tells() {
        let schedule = of(r#""concurrency": 3, "requests": 4"#);
        let steps: Vec<(u64, SendTrigger)> = schedule.user_pool.unwrap().map(|step| (step.session, step.due)).collect();
        assert_eq!(steps, [0, 1, 2, 3].map(|number| (number, SendTrigger::AfterPrevious)));
        assert_eq!((schedule.requests, schedule.end, schedule.offered_qps), (Some(4), None, None));
        let timed = of(r#""concurrency": 3, "duration": 60"#);
        assert_eq!((timed.requests, timed.end), (None, Some(Micros(60_000_000))));
        assert_eq!(of(r#""concurrency": 3, "duration": 60, "requests": 4"#).requests, None, "what comes first ends it");
    }

    #[test]
    fn users_begin_evenly_over_the_ramp() {
        let starts = |fields: &str| of(fields).user_pool.unwrap().starts().map(|start| start.0).collect::<Vec<u64>>();
        assert_eq!(starts(r#""concurrency": 4, "requests": 9, "ramp": 10"#), [0, 2_500_000, 5_000_000, 7_500_000]);
        assert_eq!(starts(r#""concurrency": 3, "requests": 9"#), [0, 0, 0]);
        assert_eq!(
            of(r#""concurrency": 3, "requests": 9, "ramp": 10, "warmup": 4"#).warmup,
            Micros(10_000_000),
            "a rising load is warm-up"
        );
    }
}
