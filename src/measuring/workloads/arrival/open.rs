//! Open loop: requests that arrive at their own times, whatever is in flight. In go a process or a trace and where it ends; out come
//! steps, each a session of one turn.

use super::constant::ConstantArrivals;
use super::gamma::GammaArrivals;
use super::load_shard::SequenceShard;
use super::poisson::PoissonArrivals;
use super::ramp::ramped;
use super::trace::TraceArrivals;
use super::{RequestSchedule, ScheduledTurn, SendTrigger, most_requests};
use crate::foundation::clock::Micros;
use crate::vocabulary::recording::RecordedInput;
use crate::vocabulary::spec::workload::{ArrivalPattern, RequestsSpec};

/// The requests of a run, made as they are asked for. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct OpenLoopArrivals {
    times: ArrivalTimes,
    /// How long the rate rises.
    ramp_s: f64,
    /// None comes from this offset on.
    end: Option<Micros>,
    number: u64,
    most: u64,
    pub(super) shard: SequenceShard,
    /// The most requests in flight.
    pub places: u32,
}

/// A process of arrival times, in seconds from the start.
#[derive(Debug, Clone)]
pub enum ArrivalTimes {
    Constant(ConstantArrivals),
    Poisson(PoissonArrivals),
    Gamma(GammaArrivals),
    Trace(TraceArrivals),
}

impl Iterator for ArrivalTimes {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        match self {
            Self::Constant(times) => times.next(),
            Self::Poisson(times) => times.next(),
            Self::Gamma(times) => times.next(),
            Self::Trace(times) => times.next(),
        }
    }
}

impl OpenLoopArrivals {
    pub(super) fn new(spec: &RequestsSpec, seed: u64, input: Option<&RecordedInput>) -> Self {
        let times = match spec.arrival {
            ArrivalPattern::Constant => ArrivalTimes::Constant(ConstantArrivals::new(spec.qps)),
            ArrivalPattern::Poisson => ArrivalTimes::Poisson(PoissonArrivals::new(seed, spec.qps)),
            ArrivalPattern::Gamma => ArrivalTimes::Gamma(GammaArrivals::new(seed, spec.qps, spec.burstiness)),
            // Users have no times.
            ArrivalPattern::Trace | ArrivalPattern::Closed => {
                let trace = input.and_then(RecordedInput::trace).cloned().unwrap_or_default();
                ArrivalTimes::Trace(TraceArrivals::new(trace, spec.speed_up))
            }
        };
        let end = spec.duration.map(|duration| Micros::from_secs_f64(duration.0));
        let (most, places) = (most_requests(spec, input), spec.max_in_flight);
        Self { times, ramp_s: spec.ramp_s(), end, number: 0, most, shard: SequenceShard::WHOLE, places }
    }
}

impl Iterator for OpenLoopArrivals {
    type Item = ScheduledTurn;

    fn next(&mut self) -> Option<ScheduledTurn> {
        while self.number < self.most {
            let at = Micros::from_secs_f64(ramped(self.times.next()?, self.ramp_s));
            if self.end.is_some_and(|end| at >= end) {
                return None;
            }
            let session = self.number;
            self.number += 1;
            if self.shard.holds(session) {
                return Some(ScheduledTurn { session, turn: 0, due: SendTrigger::At(at) });
            }
        }
        None
    }
}

pub(super) fn schedule(spec: &RequestsSpec, seed: u64, input: Option<&RecordedInput>) -> RequestSchedule {
    let arrivals = OpenLoopArrivals::new(spec, seed, input);
    let (requests, offered_qps) = offered(arrivals.clone(), Micros::from_secs_f64(spec.ramp_s()));
    RequestSchedule {
        lanes: Vec::new(),
        tied_lanes: 0,
        mid_life: Vec::new(),
        first_session: 0,
        warmup: Micros::from_secs_f64(spec.unmeasured().0),
        warmup_requests: spec.unmeasured_requests(),
        end: arrivals.end,
        offered_qps,
        requests: Some(requests),
        arrivals: Some(arrivals),
        user_pool: None,
        sessions: None,
    }
}

/// How many requests come, and the rate at which they do after the ramp: gaps over the time from the first to the last, as rates of what was sent are
/// computed, so that the two can be compared. A process of random gaps keeps its mean rate only on average.
#[expect(clippy::cast_precision_loss, reason = "a run has at most a hundred million requests")]
fn offered(arrivals: OpenLoopArrivals, ramp: Micros) -> (u64, Option<f64>) {
    let dues = arrivals.filter_map(|step| match step.due {
        SendTrigger::At(at) => Some(at),
        SendTrigger::AfterPrevious | SendTrigger::AfterFirstAnswers => None,
    });
    let (mut requests, mut gaps, mut ends) = (0_u64, 0_u64, None);
    for at in dues {
        requests += 1;
        if at >= ramp {
            gaps += u64::from(ends.is_some());
            ends = Some((ends.map_or(at, |(first, _)| first), at));
        }
    }
    let span_s = ends.map_or(0.0, |(first, last): (Micros, Micros)| last.since(first).as_secs_f64());
    (requests, (span_s > 0.0).then(|| gaps as f64 / span_s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::vocabulary::recording::{Trace, TraceReadOptions};

    fn spec(fields: &str) -> RequestsSpec {
        serde_json::from_str(&format!("{{{fields}}}")).unwrap()
    }

    fn of(fields: &str) -> RequestSchedule {
        schedule(&spec(fields), 7, None)
    }

    fn dues(schedule: &RequestSchedule) -> Vec<u64> {
        let due = |step: ScheduledTurn| match step.due {
            SendTrigger::At(at) => at.0,
            SendTrigger::AfterPrevious | SendTrigger::AfterFirstAnswers => unreachable!("an open loop has times"),
        };
        schedule.arrivals.clone().unwrap().map(due).collect()
    }

    fn trace(text: &str) -> RecordedInput {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        let options = TraceReadOptions { unit: None, block_tokens: None, requests: 100, until_ms: None };
        RecordedInput::Trace(Arc::new(Trace::read(file.path(), options).unwrap()))
    }

    #[test]
    fn duration_and_number_end_the_run_whichever_comes_first() {
        let both = |duration: u32, requests: u32| {
            let schedule = of(&format!(r#""arrival": "constant", "qps": 4, "duration": {duration}, "requests": {requests}"#));
            (schedule.requests.unwrap(), dues(&schedule).last().copied())
        };
        assert_eq!(both(10, 1000), (40, Some(9_750_000)));
        assert_eq!(both(10, 7), (7, Some(1_500_000)));
        assert_eq!(of(r#""arrival": "constant", "requests": 3, "qps": 0.5"#).requests, Some(3));
    }

    #[test]
    fn the_offered_rate_is_that_of_the_arrivals_that_come() {
        assert_eq!(of(r#""arrival": "constant", "qps": 4, "duration": 10"#).offered_qps, Some(4.0));
        assert_eq!(of(r#""arrival": "constant", "requests": 1"#).offered_qps, None);
        let poisson = of(r#""qps": 4, "duration": 1000"#);
        let offered = poisson.offered_qps.unwrap();
        // The number in 1,000 s has mean 4,000 and standard deviation 63.
        assert!((offered - 4.0).abs() < 0.25 && poisson.requests.unwrap().abs_diff(4000) < 253, "{offered}");
    }

    #[test]
    fn a_rate_rises_evenly_over_the_ramp_and_is_the_asked_one_after_it() {
        // λ t² / 2R = k: the k-th of two a second over 8 s comes at √(8 k) s until 8 come at 8 s, then one every half second.
        let ramped = of(r#""arrival": "constant", "qps": 2, "ramp": 8, "duration": 10"#);
        let first: Vec<u64> = (0..8_u32).map(|number| Micros::from_secs_f64(f64::from(8 * number).sqrt()).0).collect();
        let then = [8_000_000, 8_500_000, 9_000_000, 9_500_000];
        assert_eq!(dues(&ramped), [first.as_slice(), &then].concat());
        assert_eq!((ramped.requests, ramped.offered_qps, ramped.warmup), (Some(12), Some(2.0), Micros(8_000_000)));
        // A quarter of what a ramp brings comes in its first half, whatever the gaps: 1,000 of 4,000, with standard deviation 32.
        for process in [r#""arrival": "poisson""#, r#""arrival": "gamma", "burstiness": 1"#] {
            let random = dues(&of(&format!(r#"{process}, "qps": 8, "ramp": 1000, "duration": 1001"#)));
            let early = random.iter().filter(|at| **at < 500_000_000).count();
            assert!(early.abs_diff(1000) < 127, "{process}: {early}");
        }
    }

    #[test]
    fn every_request_is_a_session_of_its_own() {
        let schedule = of(r#""qps": 4, "requests": 5"#);
        let steps: Vec<(u64, u32)> = schedule.arrivals.unwrap().map(|step| (step.session, step.turn)).collect();
        assert_eq!(steps, [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]);
    }

    #[test]
    fn a_trace_comes_at_its_own_times_over_the_speed_up() {
        let line = |at: u32| format!("{{\"timestamp\": {at}, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": [1]}}\n");
        let trace = trace(&[5000, 5000, 5277, 8000].map(line).concat());
        let at = |fields: &str| dues(&schedule(&spec(&format!(r#""arrival": "trace"{fields}"#)), 7, Some(&trace)));
        assert_eq!(at(""), [0, 0, 277_000, 3_000_000]);
        assert_eq!(at(r#", "speed_up": 2.0"#), [0, 0, 138_500, 1_500_000]);
        assert_eq!(at(r#", "speed_up": 0.5, "duration": 6"#), [0, 0, 554_000]);
        assert_eq!(at(r#", "requests": 1"#), [0]);
        let schedule = schedule(&spec(r#""arrival": "trace", "speed_up": 2"#), 7, Some(&trace));
        assert_eq!((schedule.requests, schedule.offered_qps), (Some(4), Some(2.0)));
    }
}
