//! Open loop: requests that arrive at their own times, whatever is in flight. In go a process or a trace and where it ends; out come
//! steps, each a session of one turn.

use std::sync::Arc;

use super::constant::ConstantArrivals;
use super::gamma::GammaArrivals;
use super::poisson::PoissonArrivals;
use super::trace::TraceArrivals;
use super::{RequestSchedule, ScheduledTurn, SendTrigger};
use crate::foundation::clock::Micros;
use crate::vocabulary::spec::workload::{ArrivalPattern, RequestsSpec};
use crate::vocabulary::trace::Trace;

/// The requests of a run, made as they are asked for. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct OpenLoopArrivals {
    times: ArrivalTimes,
    /// None comes from this offset on.
    end: Option<Micros>,
    number: u64,
    most: u64,
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
    pub(super) fn new(spec: &RequestsSpec, seed: u64, trace: Arc<Trace>) -> Self {
        let times = match spec.arrival {
            ArrivalPattern::Constant => ArrivalTimes::Constant(ConstantArrivals::new(spec.qps)),
            ArrivalPattern::Poisson => ArrivalTimes::Poisson(PoissonArrivals::new(seed, spec.qps)),
            ArrivalPattern::Gamma => ArrivalTimes::Gamma(GammaArrivals::new(seed, spec.qps, spec.burstiness)),
            ArrivalPattern::Trace => ArrivalTimes::Trace(TraceArrivals::new(trace, spec.speed_up)),
        };
        let end = spec.duration.map(|duration| Micros::from_secs_f64(duration.0));
        Self { times, end, number: 0, most: spec.most(), places: spec.max_in_flight }
    }
}

impl Iterator for OpenLoopArrivals {
    type Item = ScheduledTurn;

    fn next(&mut self) -> Option<ScheduledTurn> {
        if self.number >= self.most {
            return None;
        }
        let at = Micros::from_secs_f64(self.times.next()?);
        if self.end.is_some_and(|end| at >= end) {
            return None;
        }
        let step = ScheduledTurn { session: self.number, turn: 0, due: SendTrigger::At(at) };
        self.number += 1;
        Some(step)
    }
}

pub(super) fn schedule(spec: &RequestsSpec, seed: u64, trace: Arc<Trace>) -> RequestSchedule {
    let arrivals = OpenLoopArrivals::new(spec, seed, trace);
    let (requests, offered_qps) = offered(arrivals.clone());
    RequestSchedule {
        lanes: Vec::new(),
        mid_life: Vec::new(),
        first_session: 0,
        warmup: Micros::from_secs_f64(spec.warmup.0),
        end: arrivals.end,
        offered_qps,
        requests,
        arrivals: Some(arrivals),
    }
}

/// How many requests come, and the rate at which they do: gaps over the time from the first to the last, as rates of what was sent are
/// computed, so that the two can be compared. A process of random gaps keeps its mean rate only on average.
#[expect(clippy::cast_precision_loss, reason = "a run has at most a hundred million requests")]
fn offered(arrivals: OpenLoopArrivals) -> (u64, Option<f64>) {
    let dues = arrivals.filter_map(|step| match step.due {
        SendTrigger::At(at) => Some(at),
        SendTrigger::AfterPrevious | SendTrigger::AfterFirstAnswers => None,
    });
    let (count, ends) = dues.fold((0_u64, None), |(count, ends), at| (count + 1, Some((ends.map_or(at, |(first, _)| first), at))));
    let span_s = ends.map_or(0.0, |(first, last): (Micros, Micros)| last.since(first).as_secs_f64());
    (count, (span_s > 0.0).then(|| (count - 1) as f64 / span_s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::trace::TraceReadOptions;

    fn spec(fields: &str) -> RequestsSpec {
        serde_json::from_str(&format!("{{{fields}}}")).unwrap()
    }

    fn of(fields: &str) -> RequestSchedule {
        schedule(&spec(fields), 7, Arc::default())
    }

    fn dues(schedule: &RequestSchedule) -> Vec<u64> {
        let due = |step: ScheduledTurn| match step.due {
            SendTrigger::At(at) => at.0,
            SendTrigger::AfterPrevious | SendTrigger::AfterFirstAnswers => unreachable!("an open loop has times"),
        };
        schedule.arrivals.clone().unwrap().map(due).collect()
    }

    fn trace(text: &str) -> Arc<Trace> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        Trace::read(file.path(), TraceReadOptions { unit: None, block_tokens: 512, requests: 100, until_ms: None }).unwrap().into()
    }

    #[test]
    fn duration_and_number_end_the_run_whichever_comes_first() {
        let both = |duration: u32, requests: u32| {
            let schedule = of(&format!(r#""arrival": "constant", "qps": 4, "duration": {duration}, "requests": {requests}"#));
            (schedule.requests, dues(&schedule).last().copied())
        };
        assert_eq!(both(10, 1000), (40, Some(9_750_000)));
        assert_eq!(both(10, 7), (7, Some(1_500_000)));
        assert_eq!(of(r#""arrival": "constant", "requests": 3, "qps": 0.5"#).requests, 3);
    }

    #[test]
    fn the_offered_rate_is_that_of_the_arrivals_that_come() {
        assert_eq!(of(r#""arrival": "constant", "qps": 4, "duration": 10"#).offered_qps, Some(4.0));
        assert_eq!(of(r#""arrival": "constant", "requests": 1"#).offered_qps, None);
        let poisson = of(r#""qps": 4, "duration": 1000"#);
        let offered = poisson.offered_qps.unwrap();
        // The number in 1,000 s has mean 4,000 and standard deviation 63.
        assert!((offered - 4.0).abs() < 0.25 && poisson.requests.abs_diff(4000) < 253, "{offered}");
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
        let at = |fields: &str| dues(&schedule(&spec(&format!(r#""arrival": "trace"{fields}"#)), 7, Arc::clone(&trace)));
        assert_eq!(at(""), [0, 0, 277_000, 3_000_000]);
        assert_eq!(at(r#", "speed_up": 2.0"#), [0, 0, 138_500, 1_500_000]);
        assert_eq!(at(r#", "speed_up": 0.5, "duration": 6"#), [0, 0, 554_000]);
        assert_eq!(at(r#", "requests": 1"#), [0]);
        let schedule = schedule(&spec(r#""arrival": "trace", "speed_up": 2"#), 7, trace);
        assert_eq!((schedule.requests, schedule.offered_qps), (4, Some(2.0)));
    }
}
