//! Single requests on the simulated engine: each is sent at its time whatever is in flight, and what comes out is what arithmetic says.

use std::collections::BTreeMap;

use bench::foundation::clock::Micros;
use bench::records::record::{FailureKind, RequestPhase, RequestRecord, RunFailure, RunOutcome};
use bench::vocabulary::recording::{Trace, TraceReadOptions};
use serde_json::{Value, json};

use crate::load::{Done, simulate};

const TRACE: &str = "tests/fixtures/trace/tiny.jsonl";

/// 93 tokens of text: with the template, a prompt of 100.
fn requests(fields: &Value) -> Value {
    let mut workload = json!({"kind": "requests", "prompt_tokens": 93, "answer_tokens": 1});
    workload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    workload
}

fn in_order(done: Done) -> Vec<RequestRecord> {
    let mut rows = done.rows;
    rows.sort_by_key(|row| row.session);
    rows
}

fn ttft(row: &RequestRecord) -> Micros {
    row.first_token_us.unwrap().since(row.intended_us)
}

#[test]
fn requests_far_apart_each_take_the_time_of_a_request_alone() {
    let fields = json!({"arrival": "constant", "qps": 2, "duration": 30, "prompt_tokens": 993, "answer_tokens": 3});
    let done = simulate(requests(&fields), json!({"preset": "tiny"}));
    assert_eq!((&done.record.outcome, done.record.offered_qps), (&RunOutcome::Completed, Some(2.0)));
    assert!(done.record.notes.is_empty(), "{:?}", done.record.notes);
    let rows = in_order(done);
    assert_eq!(rows.len(), 60);
    for (row, number) in rows.iter().zip(0..) {
        assert_eq!((row.intended_us, row.sent_us), (Micros(number * 500_000), Micros(number * 500_000)));
        // 1,000 tokens: 1 ms + 10 ms + 1.001 ms; two more answer tokens at 1.11 ms.
        assert_eq!((ttft(row), row.done_us.since(row.sent_us)), (Micros(12_001), Micros(14_221)));
        assert_eq!((row.in_flight, row.output_tokens, row.cached_tokens), (1, Some(3), Some(0)));
    }
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "a mean")]
fn one_sequence_at_a_time_is_the_queue_with_random_arrivals_and_equal_service() {
    // 100 tokens take 1 ms + 1 ms + 10.1 µs.
    const SERVICE: Micros = Micros(2_010);
    let fields = json!({"qps": 250, "requests": 4000});
    let rows = in_order(simulate(requests(&fields), json!({"preset": "tiny", "max_sequences": 1})));
    let (mut free_at, mut waited) = (Micros::ZERO, 0.0);
    for row in &rows {
        // Lindley: a request begins when it has come and the one before it is served. Times are whole microseconds, so each may be off by one.
        let begins = free_at.max(row.intended_us);
        let first_token = row.first_token_us.unwrap();
        assert!(first_token.0.abs_diff((begins + SERVICE).0) <= 1, "{row:?} begins at {begins:?}");
        assert_eq!(row.sent_us, row.intended_us);
        (free_at, waited) = (first_token, waited + begins.since(row.intended_us).as_secs_f64());
    }
    // Pollaczek and Khinchine: the mean wait is ρD / 2(1 - ρ), here about 1.015 ms. Waits of busy periods hang together, so 4,000 of them
    // tell the mean to about 8 %.
    let load = 250.0 * SERVICE.as_secs_f64();
    let expected = load * SERVICE.as_secs_f64() / (2.0 * (1.0 - load));
    let mean = waited / rows.len() as f64;
    assert!((mean / expected - 1.0).abs() < 0.25, "{mean} instead of {expected}");
}

#[test]
fn arrivals_do_not_wait_for_answers() {
    let fields = json!({"arrival": "constant", "qps": 100, "requests": 50, "answer_tokens": 2000});
    let rows = in_order(simulate(requests(&fields), json!({"preset": "tiny"})));
    for (row, number) in rows.iter().zip(0_u32..) {
        assert_eq!(row.sent_us, Micros(u64::from(number) * 10_000));
        assert_eq!(row.in_flight, number + 1, "the first answer takes more than two seconds");
    }
}

#[test]
fn who_finds_no_place_is_sent_late_and_keeps_its_intended_time() {
    let fields = json!({"arrival": "constant", "qps": 100, "requests": 40, "answer_tokens": 20, "max_in_flight": 2});
    let done = simulate(requests(&fields), json!({"preset": "tiny"}));
    let late = done.rows.iter().filter(|row| row.sent_us > row.intended_us).count();
    let notes = done.record.notes.clone();
    assert!(done.record.client.send_lag_max_s < 1e-9, "the client was never late itself");
    let rows = in_order(done);
    assert_eq!(rows.len(), 40);
    assert!(rows.iter().all(|row| row.in_flight <= 2 && row.failure.is_none()));
    for (row, number) in rows.iter().zip(0..) {
        assert_eq!(row.intended_us, Micros(number * 10_000));
        // A place is free at the very moment when an answer is whole.
        assert!(row.sent_us == row.intended_us || rows.iter().any(|before| before.done_us == row.sent_us), "{row:?}");
    }
    assert!(late > 20 && notes.iter().any(|note| note.starts_with(&format!("{late} requests were sent late"))), "{late}: {notes:?}");
}

#[test]
fn a_wait_for_a_place_is_never_the_clients_lateness_however_many_places_come_free_at_once() {
    for places in [1, 2, 3, 4, 8] {
        let fields = json!({"arrival": "constant", "qps": 1000, "requests": 70, "answer_tokens": 100, "max_in_flight": places});
        let done = simulate(requests(&fields), json!({"preset": "tiny"}));
        assert!(done.record.client.send_lag_max_s < 1e-9, "{places}: {:?}", done.record.client);
        let rows = in_order(done);
        assert_eq!(rows.len(), 70, "{places}");
        // Requests that are decoded together end together, so that their places do come free at once.
        let at_once = rows.iter().filter(|row| rows.iter().filter(|other| other.done_us == row.done_us).count() > 1).count();
        assert!(places < 3 || at_once > 0, "{places}");
        assert!(rows.iter().all(|row| u64::from(row.in_flight) <= places), "{places}");
    }
}

#[test]
fn what_finds_no_place_before_the_end_is_a_failure_and_never_left_out() {
    let fields = json!({"arrival": "constant", "qps": 100, "duration": 1, "answer_tokens": 100, "max_in_flight": 1});
    let done = simulate(requests(&fields), json!({"preset": "tiny"}));
    let unsent = |row: &&RequestRecord| row.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Cancelled);
    let count = done.rows.iter().filter(unsent).count();
    assert_eq!((done.rows.len(), done.record.counts.measured), (100, 100));
    assert!(count > 80 && done.record.counts.failed == count as u64, "{count}");
    assert!(done.record.notes.iter().any(|note| note.starts_with(&format!("{count} requests were due and never sent"))));
    // An answer takes some 110 ms; nothing is sent once the second is over.
    assert!(done.rows.iter().filter(|row| !unsent(row)).all(|row| row.sent_us < Micros(1_000_000)));
}

#[test]
fn offered_sent_and_completed_rates_agree_for_every_process() {
    for process in [json!({"arrival": "constant"}), json!({"arrival": "poisson"}), json!({"arrival": "gamma", "burstiness": 0.5})] {
        let mut fields = json!({"qps": 20, "duration": 20, "warmup": 5});
        fields.as_object_mut().unwrap().extend(process.as_object().unwrap().clone());
        let done = simulate(requests(&fields), json!({"preset": "tiny"}));
        let offered = done.record.offered_qps.unwrap();
        let rows = in_order(done);
        let rate = |times: Vec<Micros>| {
            let span = times.iter().max().unwrap().since(*times.iter().min().unwrap()).as_secs_f64();
            f64::from(u32::try_from(times.len() - 1).unwrap()) / span
        };
        let sent = rate(rows.iter().map(|row| row.sent_us).collect());
        let completed = rate(rows.iter().map(|row| row.done_us).collect());
        assert!((sent / offered - 1.0).abs() < 1e-9 && (completed / offered - 1.0).abs() < 0.01, "{offered} {sent} {completed}");
        assert!(rows.iter().all(|row| (row.phase == RequestPhase::Warmup) == (row.intended_us < Micros(5_000_000))));
        assert!(rows.iter().any(|row| row.phase == RequestPhase::Warmup) && rows.iter().all(|row| row.failure.is_none()));
    }
}

#[test]
fn prefix_hits_of_a_trace_are_its_common_leading_blocks() {
    let trace = Trace::read(TRACE.as_ref(), TraceReadOptions { unit: None, block_tokens: None, requests: 100, until_ms: None }).unwrap();
    // Slow enough for each to be over before the next comes; those at one moment share nothing.
    let workload = json!({"kind": "requests", "arrival": "trace", "trace": TRACE, "speed_up": 0.5});
    let rows = in_order(simulate(workload, json!({"preset": "tiny", "kv_memory": "1GB"})));
    assert_eq!(rows.len(), trace.len());
    let mut hits = BTreeMap::new();
    for (number, (row, request)) in rows.iter().zip(trace.iter()).enumerate() {
        let ids = trace.hash_ids(number).unwrap();
        let common =
            |before: usize| trace.hash_ids(before).unwrap().iter().zip(&ids).take_while(|(before, now)| before == now).count() as u64;
        // 512 is a multiple of the engine's 16; the template's three tokens in front fill no block beside.
        let expected = 512 * (0..number).map(common).max().unwrap_or(0);
        assert_eq!(row.cached_tokens, Some(expected), "request {number}");
        assert_eq!(row.prompt_tokens, Some(request.input_tokens + 7), "request {number}");
        assert_eq!(row.output_tokens, Some(u64::from(request.output_tokens)), "request {number}");
        assert_eq!(row.sent_us, Micros::from_secs_f64(request.at_ms / 500.0), "request {number}");
        hits.insert(number, expected / 512);
    }
    assert_eq!(hits.into_values().collect::<Vec<u64>>(), [0, 1, 2, 0, 3, 0, 1, 4]);
}

#[test]
fn the_same_seed_gives_the_same_rows_for_processes_and_traces() {
    for workload in [
        requests(&json!({"qps": 50, "requests": 200, "answer_tokens": 9})),
        json!({"kind": "requests", "arrival": "trace", "trace": TRACE, "speed_up": 16}),
    ] {
        let of = || simulate(workload.clone(), json!({"preset": "tiny", "noise": 0.2}));
        let (once, again) = (of(), of());
        assert_eq!((once.rows, once.record), (again.rows, again.record));
    }
}

#[test]
fn a_trace_with_a_request_longer_than_the_model_takes_fails_before_anything_is_sent() {
    let workload = json!({"kind": "requests", "arrival": "trace", "trace": TRACE});
    let done = simulate(workload, json!({"preset": "tiny", "context_limit": 2600}));
    let RunOutcome::Failed(RunFailure { reason, .. }) = done.record.outcome else { panic!("{:?}", done.record.outcome) };
    assert!(reason.contains("request 7 takes 2620 tokens and the model holds 2600"), "{reason}");
    assert!(done.rows.is_empty());
}

#[test]
fn a_failed_request_is_a_row_and_the_others_come_at_their_times() {
    let faulty = json!({"preset": "tiny", "faults": [{"kind": "status", "status": 503, "every": 4}]});
    let rows = in_order(simulate(requests(&json!({"arrival": "constant", "qps": 10, "requests": 12})), faulty));
    let failed: Vec<u64> = rows.iter().filter(|row| row.failure.is_some()).map(|row| row.session).collect();
    assert_eq!(failed, [3, 7, 11]);
    assert!(rows.iter().all(|row| row.sent_us == row.intended_us));
}
