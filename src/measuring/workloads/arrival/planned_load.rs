//! How many requests one run of a workload sends and how many rows a goal looks at, without walking through its schedule: a plan of ten thousand
//! cells asks for both of every cell.
//!
//! The schedules say the same step by step ([`RequestSchedule::measured_rows`](super::RequestSchedule::measured_rows)); the tests hold the two to
//! each other. Where gaps are random the numbers here are what is expected; where users ask as fast as they are answered, only a number that is asked for
//! is known.

use std::ops::Range;

use super::open::OpenLoopArrivals;
use super::ramp::{at_full_rate, ramped};
use super::user_rate::common_divisor;
use super::{ScheduledTurn, SendTrigger, SessionArrivals, most_requests};
use crate::foundation::clock::Micros;
use crate::vocabulary::goal::{ComparisonOperator, ConditionField, RowCondition};
use crate::vocabulary::recording::RecordedInput;
use crate::vocabulary::spec::workload::{ArrivalPattern, ChatSpec, DocumentQaSpec, RequestsSpec, SessionsSpec, WorkloadSpec};

/// What one run of a workload sends. Requests that lay histories into the server's caches before the load starts are not among it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedLoad {
    /// Requests of the warm-up and of the measured phase, or the most there can be; `None` where answers alone decide.
    pub requests: Option<u64>,
    /// Those of the measured phase, which come after all others, or the most of them.
    pub measured: Option<u64>,
    /// For how many seconds requests are sent; `None` where that depends on the answers.
    pub duration_s: Option<f64>,
    /// Whether every run has that number of requests; otherwise it is what is expected of random gaps, or the most that a duration may cut off.
    pub is_certain: bool,
}

impl PlannedLoad {
    /// Of a run of that workload. `input` is what was read of the file that the workload sends from, where it names one: without it a trace has no
    /// requests, and own prompts are as many as are asked for.
    #[must_use]
    pub fn of(workload: &WorkloadSpec, input: Option<&RecordedInput>) -> Self {
        match workload {
            WorkloadSpec::DocumentQa(spec) => closed(spec),
            WorkloadSpec::Chat(spec) => user_rate(spec),
            WorkloadSpec::Sessions(spec) => recorded(spec, input),
            WorkloadSpec::Requests(spec) if spec.arrival == ArrivalPattern::Trace => replayed(spec, input),
            WorkloadSpec::Requests(spec) if spec.arrival == ArrivalPattern::Closed => pooled(spec, input),
            WorkloadSpec::Requests(spec) => open(spec, input),
        }
    }

    /// The numbers of the measured phase's requests, in the order of their times.
    #[must_use]
    pub fn measured_numbers(&self) -> Option<Range<u64>> {
        Some(self.requests? - self.measured?..self.requests?)
    }

    /// What the time of a run grows with, to compare runs of one scenario by: the seconds for which requests are sent, or how many there are;
    /// `None` for a trace that was not read.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn work(&self) -> Option<f64> {
        self.duration_s.or_else(|| self.requests.filter(|requests| *requests > 0).map(|requests| requests as f64))
    }
}

fn closed(spec: &DocumentQaSpec) -> PlannedLoad {
    let requests = spec.sessions().saturating_mul(u64::from(spec.rounds) + 1);
    PlannedLoad { requests: Some(requests), measured: Some(requests), duration_s: None, is_certain: true }
}

/// Users who ask as fast as they are answered: how many requests a duration has room for, and how many of them a warm-up takes, is not known.
fn pooled(spec: &RequestsSpec, input: Option<&RecordedInput>) -> PlannedLoad {
    let most = most_requests(spec, input);
    let requests = Some(most).filter(|most| spec.requests.is_some() || *most < spec.bound());
    PlannedLoad {
        requests,
        measured: requests.map(|requests| requests.saturating_sub(spec.unmeasured_requests())),
        duration_s: spec.duration.map(|duration| duration.0).filter(|_| requests.is_none()),
        is_certain: requests.is_some() && spec.duration.is_none(),
    }
}

fn user_rate(spec: &ChatSpec) -> PlannedLoad {
    let requests = turns_before(spec, spec.duration.0);
    let measured = requests.saturating_sub(turns_before(spec, spec.warmup.0));
    PlannedLoad { requests: Some(requests), measured: Some(measured), duration_s: Some(spec.duration.0), is_certain: true }
}

/// Turns are due in the middle of every interval of `1 / qps` seconds, whatever users and rounds are.
#[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^53 requests")]
fn turns_before(spec: &ChatSpec, seconds: f64) -> u64 {
    count_before(seconds, seconds * spec.qps - 0.5, |number| (number as f64 + 0.5) / spec.qps)
}

/// How many numbers the users of a run have, from 0 on. Those who follow the users that are present at the start take the highest number of the next
/// `users` first, since the users with the highest numbers are the oldest: of the last so many numbers some may have no user.
#[must_use]
pub fn user_numbers(spec: &ChatSpec) -> u64 {
    let (users, rounds) = (u64::from(spec.users.max(1)), u64::from(spec.rounds.max(1)));
    let requests = turns_before(spec, spec.duration.0);
    // Of every `rounds` requests one is a user's first; where it stands among them is shifted a little from user to user.
    let (whole, rest) = (requests / rounds, requests % rounds);
    let number = users - 1 - whole % users;
    let joins = whole + u64::from(rounds - 1 - number * common_divisor(users, rounds) / users < rest);
    users.saturating_mul(joins.div_ceil(users).saturating_add(1))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "expected counts, saturating")]
fn open(spec: &RequestsSpec, input: Option<&RecordedInput>) -> PlannedLoad {
    let even = spec.arrival == ArrivalPattern::Constant;
    let ramp_s = spec.ramp_s();
    let before = |seconds: f64| {
        let about = at_full_rate(seconds, ramp_s) * spec.qps;
        if even { count_before(seconds, about, |number| ramped(number as f64 / spec.qps, ramp_s)) } else { about.round() as u64 }
    };
    let most = most_requests(spec, input);
    let requests = spec.duration.map_or(most, |duration| before(duration.0).min(most));
    let by_number = ramped(most as f64 / spec.qps, ramp_s);
    let unmeasured = before(spec.unmeasured().0).max(spec.unmeasured_requests());
    PlannedLoad {
        requests: Some(requests),
        measured: Some(requests.saturating_sub(unmeasured)),
        duration_s: Some(spec.duration.map_or(by_number, |duration| duration.0.min(by_number))),
        // Of a process with random gaps, a number is certain and a duration is not.
        is_certain: even || spec.duration.is_none(),
    }
}

/// Counted: a trace is in memory, and its times follow no rule.
fn replayed(spec: &RequestsSpec, input: Option<&RecordedInput>) -> PlannedLoad {
    let arrivals = OpenLoopArrivals::new(spec, 0, input);
    let warmup = Micros::from_secs_f64(spec.warmup.0);
    let (mut requests, mut measured, mut last) = (0, 0, None);
    for ScheduledTurn { due, session, .. } in arrivals {
        let SendTrigger::At(at) = due else { continue };
        let is_measured = at >= warmup && session >= spec.unmeasured_requests();
        (requests, measured, last) = (requests + 1, measured + u64::from(is_measured), Some(at));
    }
    PlannedLoad { requests: Some(requests), measured: Some(measured), duration_s: last.map(Micros::as_secs_f64), is_certain: true }
}

/// Counted: a recording is in memory. Where users begin sessions as they are free, a duration may cut some off, and a warm-up take any of them.
fn recorded(spec: &SessionsSpec, input: Option<&RecordedInput>) -> PlannedLoad {
    let (requests, before) = SessionArrivals::new(spec, input).turn_counts(Micros::from_secs_f64(spec.warmup.0));
    let is_closed = spec.concurrency.is_some();
    PlannedLoad {
        requests: Some(requests),
        measured: Some(requests - before),
        duration_s: spec.duration.map(|duration| duration.0).filter(|_| is_closed),
        is_certain: !is_closed || spec.duration.is_none(),
    }
}

/// How many of ascending times, in seconds and rounded to microseconds as schedules round them, lie before a moment. `about` is how many before
/// rounding; exact where the times are a microsecond or more from each other.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, saturating")]
fn count_before(seconds: f64, about: f64, time_s: impl Fn(u64) -> f64) -> u64 {
    let at = Micros::from_secs_f64(seconds);
    let is_before = |number: u64| Micros::from_secs_f64(time_s(number)) < at;
    let count = about.ceil() as u64;
    match count.checked_sub(1) {
        Some(last) if !is_before(last) => last,
        _ if is_before(count) => count.saturating_add(1),
        _ => count,
    }
}

/// Rows of the measured phase that a goal with these conditions looks at, in one run. `measured` are the numbers of that phase's requests, in the
/// order of their times.
///
/// Conditions on what only a run can tell are taken to hold, and for `chat` those on sessions and lanes, so that this is the most there can be.
/// Turns of a `chat` are equally frequent: their share of a run is at most two rows of each turn off.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "expected counts")]
pub fn goal_rows(workload: &WorkloadSpec, measured: Range<u64>, conditions: &[RowCondition]) -> u64 {
    let fitting = |field: ConditionField, among: Range<u64>| FittingNumbers::of(conditions, field, among);
    match workload {
        WorkloadSpec::DocumentQa(spec) => {
            let turns = fitting(ConditionField::Turn, 0..u64::from(spec.rounds) + 1).count();
            let lanes = fitting(ConditionField::Lane, 0..u64::from(spec.concurrent));
            let of_lanes = |lanes: Range<u64>| {
                let sequential = u64::from(spec.sequential);
                fitting(ConditionField::Session, lanes.start * sequential..lanes.end * sequential).count()
            };
            let left_out: u64 = lanes.left_out.iter().map(|lane| of_lanes(*lane..*lane + 1)).sum();
            (of_lanes(lanes.range) - left_out).saturating_mul(turns)
        }
        WorkloadSpec::Chat(spec) => {
            let turns = fitting(ConditionField::Turn, 0..u64::from(spec.rounds)).count();
            ((measured.end - measured.start) as f64 * turns as f64 / f64::from(spec.rounds.max(1))).round() as u64
        }
        // How turns are distributed is the recording's.
        WorkloadSpec::Sessions(_) => measured.end - measured.start,
        // Every request is the only turn of a session, and all are of one lane.
        WorkloadSpec::Requests(_) => {
            let is_kept = fitting(ConditionField::Turn, 0..1).count() * fitting(ConditionField::Lane, 0..1).count();
            fitting(ConditionField::Session, measured).count() * is_kept
        }
    }
}

/// The whole numbers of a range that fulfil all conditions on a field.
struct FittingNumbers {
    range: Range<u64>,
    /// Numbers within the range that do not, each once.
    left_out: Vec<u64>,
}

impl FittingNumbers {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, which is what the ends of a range need")]
    fn of(conditions: &[RowCondition], field: ConditionField, among: Range<u64>) -> Self {
        let Range { mut start, mut end } = among;
        let mut left_out = Vec::new();
        for RowCondition { comparison, value, .. } in conditions.iter().filter(|condition| condition.field == field) {
            let (up, above) = (value.ceil() as u64, (value.floor() + 1.0) as u64);
            match comparison {
                ComparisonOperator::Less => end = end.min(up),
                ComparisonOperator::LessOrEqual => end = end.min(above),
                ComparisonOperator::Greater => start = start.max(above),
                ComparisonOperator::GreaterOrEqual => start = start.max(up),
                // Between two whole numbers, `above` is `up` and nothing is left.
                ComparisonOperator::Equal => (start, end) = (start.max(up), end.min(above)),
                ComparisonOperator::NotEqual if up < above => left_out.push(up),
                ComparisonOperator::NotEqual => {}
            }
        }
        let range = start..end.max(start);
        left_out.sort_unstable();
        left_out.dedup();
        left_out.retain(|number| range.contains(number));
        Self { range, left_out }
    }

    fn count(&self) -> u64 {
        self.range.end - self.range.start - self.left_out.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::RequestSchedule;
    use super::*;
    use crate::vocabulary::goal::Goal;
    use crate::vocabulary::recording::{Trace, TraceReadOptions};

    fn spec(fields: &str) -> WorkloadSpec {
        serde_json::from_str(&format!("{{{fields}}}")).unwrap()
    }

    fn conditions(of: &str) -> Vec<RowCondition> {
        if of.is_empty() {
            return Vec::new();
        }
        format!("p95(ttft where {of}) <= 2s").parse::<Goal>().unwrap().measure.filter
    }

    /// Requests, measured ones, and rows that fulfil the conditions, as counted by arithmetic.
    fn planned(spec: &WorkloadSpec, of: &str, input: Option<&RecordedInput>) -> (u64, u64, u64) {
        let load = PlannedLoad::of(spec, input);
        (load.requests.unwrap(), load.measured.unwrap(), goal_rows(spec, load.measured_numbers().unwrap(), &conditions(of)))
    }

    /// The same by walking through the schedule.
    fn walked(spec: &WorkloadSpec, of: &str, seed: u64, input: Option<&RecordedInput>) -> (u64, u64, u64) {
        let schedule = RequestSchedule::new(spec, seed, input);
        let fulfil = conditions(of);
        let requests = schedule.requests.unwrap() - schedule.mid_life.len() as u64;
        let kept = schedule.measured_rows().filter(|row| row.fulfils(&fulfil)).count() as u64;
        (requests, schedule.measured_rows().count() as u64, kept)
    }

    /// Conditions on turns, sessions and lanes, up to three of them.
    fn any_conditions(fields: &'static [&'static str]) -> impl Strategy<Value = String> {
        let operator = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
        let one =
            (prop::sample::select(fields), operator, 0..9_u32).prop_map(|(field, operator, value)| format!("{field} {operator} {value}"));
        prop::collection::vec(one, 0..4).prop_map(|all| all.join(" and "))
    }

    const KNOWN: &[&str] = &["turn", "session", "lane"];

    #[test]
    fn rows_are_counted_as_the_goal_filters_them() {
        let rows = |fields: &str, of: &str| planned(&spec(fields), of, None).2;
        let qa = r#""kind": "document_qa", "concurrent": 2, "sequential": 3, "rounds": 4"#;
        assert_eq!((rows(qa, ""), rows(qa, "turn >= 1"), rows(qa, "turn == 0 and session < 2")), (30, 24, 2));
        assert_eq!((rows(qa, "lane != 0 and turn > 2"), rows(qa, "lane < 1 and session >= 1")), (3 * 2, 2 * 5));
        let chat = r#""kind": "chat", "rounds": 5, "qps": 2, "duration": 60, "warmup": 10"#;
        assert_eq!((rows(chat, ""), rows(chat, "turn >= 1")), (100, 80));
        let requests = r#""kind": "requests", "requests": 100"#;
        assert_eq!((rows(requests, ""), rows(requests, "turn >= 1"), rows(requests, "session >= 90")), (100, 0, 10));
    }

    #[test]
    fn what_comes_at_the_end_s_own_moment_is_not_sent() {
        // 1.1 × 10 is a little more than 11 in binary, and the twelfth request is due at 1.1 s.
        let even = spec(r#""kind": "requests", "arrival": "constant", "qps": 10, "duration": 1.1"#);
        assert_eq!((planned(&even, "", None), walked(&even, "", 7, None)), ((11, 11, 11), (11, 11, 11)));
        // Turns at 0.5 and 1.5 s; that at 2.5 s is too late.
        let chat = spec(r#""kind": "chat", "qps": 1, "duration": 2.5"#);
        assert_eq!((planned(&chat, "", None), walked(&chat, "", 7, None)), ((2, 2, 2), (2, 2, 2)));
    }

    #[test]
    fn no_numbers_take_time_or_overflow() {
        let qa = spec(r#""kind": "document_qa", "concurrent": 4294967295, "sequential": 4294967295, "rounds": 4294967295"#);
        assert_eq!(planned(&qa, "turn >= 1 and lane != 3", None).0, u64::MAX);
        for qps in [1e-300, 1e9, 1e300] {
            let chat = spec(&format!(r#""kind": "chat", "users": 4294967295, "qps": {qps:e}, "duration": 1e9"#));
            assert!(planned(&chat, "turn >= 1", None).2 <= PlannedLoad::of(&chat, None).requests.unwrap());
        }
    }

    #[test]
    fn the_work_of_a_run_is_its_time_or_its_number() {
        let work = |fields: &str| PlannedLoad::of(&spec(fields), None).work();
        assert_eq!(work(r#""kind": "document_qa", "concurrent": 2, "sequential": 3, "rounds": 4"#), Some(30.0));
        assert_eq!(work(r#""kind": "chat", "duration": 90"#), Some(90.0));
        assert_eq!(work(r#""kind": "requests", "qps": 4, "duration": 10, "requests": 20"#), Some(5.0));
        assert_eq!(work(r#""kind": "requests", "arrival": "trace", "trace": "a.jsonl""#), None);
        assert_eq!(work(r#""kind": "requests", "arrival": "closed", "concurrency": 4, "duration": 90"#), Some(90.0));
        assert_eq!(work(r#""kind": "requests", "arrival": "closed", "concurrency": 4, "duration": 90, "requests": 20"#), Some(20.0));
    }

    proptest! {
        #[test]
        fn closed_loops_are_counted_exactly(c in 1..6_u32, s in 1..6_u32, rounds in 1..6_u32, of in any_conditions(KNOWN)) {
            let spec = spec(&format!(r#""kind": "document_qa", "concurrent": {c}, "sequential": {s}, "rounds": {rounds}"#));
            prop_assert_eq!(planned(&spec, &of, None), walked(&spec, &of, 7, None));
        }

        #[test]
        fn requests_that_users_share_are_counted_exactly_where_their_number_is_asked_for(
            users in 1..9_u32, requests in 1..40_u64, warm in 0..50_u64, of in any_conditions(KNOWN),
        ) {
            let closed = format!(r#""kind": "requests", "arrival": "closed", "concurrency": {users}, "warmup_requests": {warm}"#);
            let counted = spec(&format!(r#"{closed}, "requests": {requests}"#));
            prop_assert_eq!(planned(&counted, &of, None), walked(&counted, &of, 7, None));
            prop_assert!(PlannedLoad::of(&counted, None).is_certain);
            let cut_off = PlannedLoad::of(&spec(&format!(r#"{closed}, "requests": {requests}, "duration": 9"#)), None);
            prop_assert_eq!((cut_off.requests, cut_off.duration_s, cut_off.is_certain), (Some(requests), None, false));
            let timed = PlannedLoad::of(&spec(&format!(r#"{closed}, "duration": 9"#)), None);
            prop_assert_eq!((timed.requests, timed.measured, timed.duration_s, timed.is_certain), (None, None, Some(9.0), false));
        }

        #[test]
        fn even_arrivals_are_counted_exactly(
            rate in 1..5_000_u32, ms in 1..20_000_u32, warm in 0.0..1.0_f64, ramp in prop_oneof![Just(0.0), 0.0..1.0_f64], most in 1..400_u32,
            warm_requests in 0..60_u32, of in any_conditions(KNOWN),
        ) {
            let (qps, duration) = (f64::from(rate) / 100.0, f64::from(ms) / 1e3);
            let part = |share: f64| (duration * share * 1e3).floor() / 1e3;
            let (warmup, ramp) = (part(warm), part(ramp));
            let spec = spec(&format!(
                r#""kind": "requests", "arrival": "constant", "qps": {qps}, "duration": {duration}, "warmup": {warmup}, "ramp": {ramp},
                "warmup_requests": {warm_requests}, "requests": {most}"#
            ));
            prop_assert_eq!(planned(&spec, &of, None), walked(&spec, &of, 7, None));
        }

        #[test]
        fn users_are_counted_exactly_and_their_turns_to_two_of_each(
            users in 1..40_u32, rounds in 1..12_u32, rate in 1..2_000_u32, ms in 1..60_000_u32, warm in 0.0..1.0_f64,
            open in any::<bool>(), of in any_conditions(&["turn"]),
        ) {
            let (qps, duration) = (f64::from(rate) / 100.0, f64::from(ms) / 1e3);
            let warmup = (duration * warm * 1e3).floor() / 1e3;
            let population = if open { "open" } else { "capped" };
            let spec = spec(&format!(
                r#""kind": "chat", "users": {users}, "rounds": {rounds}, "qps": {qps}, "duration": {duration}, "warmup": {warmup}, "population": "{population}""#
            ));
            let (planned, walked) = (planned(&spec, &of, None), walked(&spec, &of, 7, None));
            prop_assert_eq!((planned.0, planned.1), (walked.0, walked.1));
            let WorkloadSpec::Chat(chat) = &spec else { unreachable!() };
            let schedule = RequestSchedule::new(&spec, 7, None);
            let came: BTreeSet<u64> = schedule.lanes.iter().flat_map(|lane| lane.steps.clone()).map(|step| step.session).collect();
            let beyond = came.iter().filter(|number| **number >= u64::from(users)).count() as u64;
            // Who is present at the start may have nothing to send before the end.
            prop_assert_eq!(user_numbers(chat), u64::from(users) * (1 + beyond.div_ceil(u64::from(users))));
            prop_assert!(came.last().is_none_or(|last| *last < user_numbers(chat)));
            let turns = FittingNumbers::of(&conditions(&of), ConditionField::Turn, 0..u64::from(rounds)).count();
            prop_assert!(planned.2.abs_diff(walked.2) <= 2 * turns, "{planned:?} {walked:?}");
            if turns == u64::from(rounds) || turns == 0 {
                prop_assert_eq!(planned.2, walked.2);
            }
        }

        #[test]
        fn traces_are_counted_exactly(
            gaps in prop::collection::vec(0..3_000_u32, 1..40), speed_up in 1..40_u32, ms in 1..30_000_u32, warm in 0.0..1.0_f64,
            of in any_conditions(KNOWN),
        ) {
            let mut at = 0;
            let line = |gap: &u32| {
                at += gap;
                format!("{{\"timestamp\": {at}, \"input_length\": 1, \"output_length\": 1}}\n")
            };
            let file = tempfile::NamedTempFile::new().unwrap();
            fs_err::write(file.path(), gaps.iter().map(line).collect::<String>()).unwrap();
            let (speed_up, duration) = (f64::from(speed_up) / 7.0, f64::from(ms) / 1e3);
            let cut = TraceReadOptions { unit: None, block_tokens: None, requests: 100, until_ms: Some(duration * speed_up * 1e3) };
            let Ok(trace) = Trace::read(file.path(), cut).map(|trace| RecordedInput::Trace(Arc::new(trace))) else { return Ok(()) };
            let spec = spec(&format!(
                r#""kind": "requests", "arrival": "trace", "speed_up": {speed_up}, "duration": {duration}, "warmup": {}"#, duration * warm
            ));
            prop_assert_eq!(planned(&spec, &of, Some(&trace)), walked(&spec, &of, 7, Some(&trace)));
        }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    fn random_gaps_bring_on_average_what_is_expected() {
        const SEEDS: u64 = 400;
        for (arrival, variation) in [(r#""poisson""#, 1.0), (r#""gamma", "burstiness": 0.5"#, 2.0), (r#""gamma", "burstiness": 4"#, 0.25)] {
            let spec = spec(&format!(r#""kind": "requests", "arrival": {arrival}, "qps": 5, "duration": 40, "warmup": 10"#));
            let (requests, measured, kept) = planned(&spec, "session >= 0", None);
            assert_eq!((requests, measured, kept), (200, 150, 150));
            let runs: Vec<(u64, u64, u64)> = (0..SEEDS).map(|seed| walked(&spec, "", seed, None)).collect();
            let mean = |of: fn(&(u64, u64, u64)) -> u64| runs.iter().map(of).sum::<u64>() as f64 / SEEDS as f64;
            // A count has variance CV² × mean; four standard errors of its mean. Gaps begin at 0, where none has passed: (CV² - 1) / 2 more come.
            let bound = |expected: f64| 4.0 * (variation * expected / SEEDS as f64).sqrt() + (variation - 1.0_f64).abs() / 2.0;
            assert!((mean(|run| run.0) - 200.0).abs() < bound(200.0), "{arrival}: {}", mean(|run| run.0));
            assert!((mean(|run| run.1) - 150.0).abs() < bound(150.0), "{arrival}: {}", mean(|run| run.1));
        }
        let counted = spec(r#""kind": "requests", "arrival": "poisson", "qps": 5, "requests": 123"#);
        assert_eq!(planned(&counted, "", None), walked(&counted, "", 7, None), "a number is certain");
    }
}
