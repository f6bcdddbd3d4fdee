//! Closed loops of single requests on the simulated engine: N users send as fast as they are answered, and what comes out is what arithmetic says.

use std::collections::BTreeSet;

use bench::foundation::clock::Micros;
use bench::records::record::{RequestPhase, RequestRecord, RunOutcome};
use serde_json::{Value, json};

use crate::load::{Done, simulate};

/// 93 tokens of text: with the template, a prompt of 100. Alone it takes 1 ms + 1 ms + 10.1 µs.
const SERVICE: Micros = Micros(2_010);

fn closed(fields: &Value) -> Value {
    let mut workload = json!({"kind": "requests", "arrival": "closed", "prompt_tokens": 93, "answer_tokens": 1});
    workload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    workload
}

fn tiny() -> Value {
    json!({"preset": "tiny"})
}

/// By number.
fn in_order(done: Done) -> Vec<RequestRecord> {
    assert_eq!(done.record.outcome, RunOutcome::Completed);
    let mut rows = done.rows;
    rows.sort_by_key(|row| row.session);
    rows
}

/// The most requests that were in flight at one moment, by when they were sent and over.
fn most_in_flight(rows: &[RequestRecord]) -> usize {
    // What ends at a moment is over when another one begins then.
    let at = |moment: Micros| rows.iter().filter(|row| row.sent_us <= moment && moment < row.done_us).count();
    rows.iter().map(|row| at(row.sent_us)).max().unwrap_or(0)
}

#[test]
fn one_user_sends_the_next_request_at_the_moment_when_the_previous_one_is_over() {
    let done = simulate(closed(&json!({"concurrency": 1, "requests": 200})), tiny());
    assert_eq!((done.record.offered_qps, done.record.notes.as_slice()), (None, [].as_slice()));
    assert!(done.record.client.send_lag_max_s < 1e-9, "{:?}", done.record.client);
    let rows = in_order(done);
    assert_eq!(rows.len(), 200);
    for (row, number) in rows.iter().zip(0..) {
        // One part in a microsecond is rounded away from each.
        assert!(row.sent_us.0.abs_diff(SERVICE.0 * number) <= number + 1, "{row:?}");
        assert_eq!((row.intended_us, row.in_flight), (row.sent_us, 1));
    }
    assert!(rows.windows(2).all(|pair| pair[1].intended_us == pair[0].done_us));
}

#[test]
fn n_users_get_n_requests_in_the_time_of_one_where_the_engine_serves_them_together() {
    // Answers of 1,000 tokens, at 1 ms a step and 0.11 ms for each sequence in it: equal users are served in step.
    let rate = |users: u32| {
        let rows = in_order(simulate(closed(&json!({"concurrency": users, "requests": users * 10, "answer_tokens": 1000})), tiny()));
        assert_eq!(most_in_flight(&rows), users as usize);
        let service = rows.iter().map(|row| row.done_us.since(row.sent_us).as_secs_f64()).sum::<f64>() / f64::from(users * 10);
        let span = rows.iter().map(|row| row.done_us).max().unwrap().as_secs_f64();
        (f64::from(users * 10) / span, f64::from(users) / service)
    };
    for users in [1, 2, 4, 8] {
        // Little: N users of whom each takes so long get N over that a second.
        let (got, expected) = rate(users);
        assert!((got / expected - 1.0).abs() < 0.01, "{users} users: {got} instead of {expected}");
    }
}

#[test]
fn never_more_are_in_flight_than_there_are_users_and_nobody_waits_while_requests_are_left() {
    for users in [2_u32, 3, 7, 16] {
        let fields = json!({"concurrency": users, "requests": 90, "answer_tokens": 40});
        let rows = in_order(simulate(closed(&fields), json!({"preset": "tiny", "max_sequences": 3, "noise": 0.3})));
        assert_eq!((rows.len(), most_in_flight(&rows)), (90, users as usize), "{users}");
        assert!(rows.iter().all(|row| row.in_flight <= users));
        // The next number is taken by the first user who is free: dues ascend by number, and each is the end of a request.
        let ends: BTreeSet<Micros> = rows.iter().map(|row| row.done_us).collect();
        for (row, number) in rows.iter().zip(0..) {
            assert_eq!(row.sent_us, row.intended_us);
            assert!(if number < users { row.sent_us == Micros::ZERO } else { ends.contains(&row.sent_us) }, "{users}: {row:?}");
        }
        assert!(rows.windows(2).all(|pair| pair[0].intended_us <= pair[1].intended_us));
        // No split that leaves a tail: all users were at work until the last number was handed out.
        let last = rows.last().unwrap().sent_us;
        let at_work = rows.iter().filter(|row| row.sent_us < last && row.done_us >= last).count();
        assert_eq!(at_work, users as usize, "{users}");
    }
}

#[test]
fn a_user_who_thinks_gets_one_request_a_service_and_a_pause() {
    let done = simulate(closed(&json!({"concurrency": 1, "requests": 50, "think_time": 0.5})), tiny());
    assert!(done.record.client.send_lag_max_s < 1e-9, "a pause is not the client's lateness");
    let rows = in_order(done);
    for pair in rows.windows(2) {
        assert_eq!((pair[1].intended_us, pair[1].sent_us), (pair[0].done_us + Micros(500_000), pair[1].intended_us));
    }
    // The last is over after 50 services and 49 pauses.
    let over = 50 * SERVICE.0 + 49 * 500_000;
    assert!(rows[49].done_us.0.abs_diff(over) <= 51, "{:?}", rows[49].done_us);
}

#[test]
fn a_duration_ends_the_run_without_a_row_for_what_was_never_due() {
    let rows = in_order(simulate(closed(&json!({"concurrency": 4, "duration": 2, "answer_tokens": 200})), tiny()));
    assert!(rows.iter().all(|row| row.failure.is_none() && row.sent_us < Micros(2_000_000)));
    let after: Vec<&RequestRecord> = rows.iter().filter(|row| row.done_us >= Micros(2_000_000)).collect();
    assert_eq!(after.len(), 4, "what is in flight then is awaited, and one of each user is");
    // Whichever comes first.
    assert_eq!(simulate(closed(&json!({"concurrency": 4, "duration": 2, "requests": 7})), tiny()).rows.len(), 7);
    // No pause goes beyond the end.
    let paused = in_order(simulate(closed(&json!({"concurrency": 1, "duration": 2, "think_time": 1.5})), tiny()));
    assert_eq!(paused.len(), 2, "at 0 and at 1.502 s");
}

#[test]
fn a_request_that_fails_frees_its_user() {
    let faulty = json!({"preset": "tiny", "faults": [{"kind": "status", "status": 503, "every": 4}]});
    let rows = in_order(simulate(closed(&json!({"concurrency": 1, "requests": 12})), faulty));
    let failed: Vec<u64> = rows.iter().filter(|row| row.failure.is_some()).map(|row| row.session).collect();
    assert_eq!((rows.len(), failed), (12, vec![3, 7, 11]));
    assert!(rows.windows(2).all(|pair| pair[1].sent_us == pair[0].done_us));
}

#[test]
fn users_begin_one_after_the_other_over_the_ramp_and_are_measured_after_it() {
    let fields = json!({"concurrency": 4, "requests": 4000, "ramp": 2, "think_time": 0.01});
    let rows = in_order(simulate(closed(&fields), tiny()));
    // Each of the four has its first request at a quarter of the ramp more.
    for (users, begins) in (1_u32..=4).zip([0_u64, 500_000, 1_000_000, 1_500_000]) {
        assert!(rows.iter().any(|row| row.intended_us == Micros(begins)), "user {users}");
        let here = rows.iter().filter(|row| (begins..begins + 500_000).contains(&row.sent_us.0));
        assert!(here.map(|row| row.in_flight).max() <= Some(users), "{users} users are there from {begins} µs on");
    }
    assert!(rows.iter().all(|row| (row.phase == RequestPhase::Warmup) == (row.intended_us < Micros(2_000_000))));
    assert!(rows.iter().any(|row| row.phase == RequestPhase::Warmup) && rows.iter().any(|row| row.phase == RequestPhase::Measure));
}

#[test]
fn the_first_requests_by_number_are_warm_up_in_closed_and_open_loops() {
    let open = json!({"kind": "requests", "arrival": "constant", "qps": 10, "requests": 60, "prompt_tokens": 93, "answer_tokens": 1,
        "warmup_requests": 20, "warmup": 3});
    for (workload, until) in [
        (closed(&json!({"concurrency": 3, "requests": 60, "warmup_requests": 20})), 20),
        // Those due before 3 s are 30, which is more.
        (open, 30),
    ] {
        let rows = in_order(simulate(workload, tiny()));
        assert_eq!(rows.len(), 60);
        assert!(rows.iter().all(|row| (row.phase == RequestPhase::Warmup) == (row.session < until)), "{until}");
    }
}

#[test]
fn every_number_is_sent_once_however_many_users_there_are_and_a_seed_gives_the_same_rows() {
    let of = |users: u32| {
        let done =
            simulate(closed(&json!({"concurrency": users, "requests": 30, "answer_tokens": 9})), json!({"preset": "tiny", "noise": 0.2}));
        in_order(done).iter().map(|row| (row.session, row.prompt_tokens, row.output_tokens)).collect::<Vec<_>>()
    };
    assert_eq!(of(1), of(8));
    let again = || simulate(closed(&json!({"concurrency": 5, "requests": 60})), json!({"preset": "tiny", "noise": 0.2})).rows;
    assert_eq!(again(), again());
}

#[test]
fn a_rate_rises_over_its_ramp_and_what_comes_then_is_warm_up() {
    let workload =
        json!({"kind": "requests", "arrival": "constant", "qps": 8, "ramp": 4, "duration": 6, "prompt_tokens": 93, "answer_tokens": 1});
    let done = simulate(workload, tiny());
    assert_eq!((done.record.offered_qps, done.record.counts.measured), (Some(8.0), 16));
    let rows = in_order(done);
    // Half of what 4 s at the full rate would bring, a quarter of it in the first half, and 2 s at the full rate.
    let before = |seconds: u64| rows.iter().filter(|row| row.sent_us < Micros(seconds * 1_000_000)).count();
    assert_eq!((before(2), before(4), before(6)), (4, 16, 32));
    assert!(rows.iter().all(|row| (row.phase == RequestPhase::Warmup) == (row.sent_us < Micros(4_000_000))));
}
