//! Users who leave before their answer is over, on the simulated engine: when they go, what the others get of it, and what their requests count as.

use bench::foundation::clock::Micros;
use bench::records::record::{FailureKind, RequestRecord, RunOutcome};
use bench::vocabulary::metric::Metric;
use serde_json::{Value, json};

use crate::load::{Done, simulate};

/// 93 tokens of text: with the template, a prompt of 100. Alone it takes 1 ms + 1 ms + 10.1 µs to its first token.
fn run(fields: &Value, engine: &Value) -> Done {
    let mut workload = json!({"kind": "requests", "arrival": "closed", "prompt_tokens": 93, "answer_tokens": 1000});
    workload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    simulate(workload, engine.clone())
}

fn rows(done: Done) -> Vec<RequestRecord> {
    assert_eq!(done.record.outcome, RunOutcome::Completed);
    let mut rows = done.rows;
    rows.sort_by_key(|row| row.session);
    rows
}

fn has_left(row: &RequestRecord) -> bool {
    row.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Left)
}

#[test]
fn a_user_who_leaves_is_gone_at_that_moment_and_its_request_is_neither_a_failure_nor_a_whole_answer() {
    let done = run(&json!({"concurrency": 1, "requests": 20, "leave": {"share": 1, "after": "50ms"}}), &json!({"preset": "tiny"}));
    assert_eq!((done.record.counts.failed, done.record.counts.failures.get(&FailureKind::Left)), (0, Some(&20)));
    assert!(done.record.counts.failure_words.is_empty());
    let note = "20 of 20 requests were left by their users before the answer was over";
    assert!(done.record.notes.iter().any(|remark| remark.starts_with(note)), "{:?}", done.record.notes);
    let rows = rows(done);
    for (row, number) in rows.iter().zip(0..) {
        assert_eq!((row.sent_us, row.done_us), (Micros(50_000 * number), Micros(50_000 * (number + 1))));
        // One token at 2.01 ms and one every 1.101 ms from then on: 44 by then.
        let tokens = row.gaps_us.len() as u64 + 1;
        assert!((43..=45).contains(&tokens) && row.output_tokens == Some(tokens), "{row:?}");
        assert!(has_left(row) && !row.has_failed());
        // The step of the one before is over first.
        assert!((0.00201..0.0033).contains(&row.value(Metric::Ttft)), "{row:?}");
        assert!(row.value(Metric::E2e).is_nan() && row.value(Metric::Tpot).is_nan());
    }
}

#[test]
fn who_leaves_before_the_first_token_waited_longer_than_anybody_knows() {
    let fields = json!({"concurrency": 2, "requests": 4, "leave": {"share": 1, "after": "40ms"}});
    let rows = rows(run(&fields, &json!({"preset": "tiny", "max_sequences": 1})));
    let waiting = rows.iter().find(|row| row.first_token_us.is_none()).unwrap();
    assert!(has_left(waiting) && !waiting.has_failed());
    assert_eq!((waiting.value(Metric::Ttft), waiting.value(Metric::OutputTps).is_nan()), (f64::INFINITY, true));
}

#[test]
fn the_place_of_who_leaves_is_the_next_one_s() {
    // One place in the engine: the second request waits for the first one's end, which is its leaving.
    let engine = json!({"preset": "tiny", "max_sequences": 1});
    let fields = |leave: &str| json!({"concurrency": 2, "requests": 2, "leave": {"share": 1, "after": leave}});
    let first_tokens = |leave: &str| rows(run(&fields(leave), &engine)).iter().map(|row| row.first_token_us).collect::<Vec<_>>();
    let patient = first_tokens("1h");
    assert!(patient[1].unwrap() > Micros(1_000_000), "after the whole answer of a thousand tokens: {patient:?}");
    let file = trace(&[(0, 93, 1000), (60, 93, 10)]);
    let workload = json!({"kind": "requests", "arrival": "trace", "trace": file.path(), "leave": {"share": 1, "after": "100ms"}});
    let left = simulate(workload, engine);
    let rows = rows(left);
    // Left at 100 ms; the step that was running then ends within 1.2 ms, and the other takes 2.01 ms.
    let first_token = rows[1].first_token_us.unwrap();
    assert!((Micros(102_000)..Micros(103_400)).contains(&first_token), "{first_token:?}");
    assert!(has_left(&rows[0]) && rows[1].failure.is_none());
}

fn trace(requests: &[(u32, u32, u32)]) -> tempfile::NamedTempFile {
    let line =
        |(at, input, output): &(u32, u32, u32)| format!("{}\n", json!({"timestamp": at, "input_length": input, "output_length": output}));
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), requests.iter().map(line).collect::<String>()).unwrap();
    file
}

#[test]
fn others_are_faster_where_some_leave() {
    // Some 16 answers of 200 tokens a second is what four at once come to: 20 are more than it holds.
    let p50 = |share: f64| {
        let fields =
            json!({"arrival": "constant", "qps": 20, "requests": 300, "answer_tokens": 200, "leave": {"share": share, "after": "100ms"}});
        let rows = rows(run(&fields, &json!({"preset": "tiny", "max_sequences": 4})));
        assert_eq!(rows.iter().any(has_left), share > 0.0);
        let mut waits: Vec<f64> = rows.iter().filter(|row| !has_left(row)).map(|row| row.value(Metric::Ttft)).collect();
        waits.sort_by(f64::total_cmp);
        waits[waits.len() / 2]
    };
    let (all, half) = (p50(0.0), p50(0.5));
    assert!(half < 0.5 * all, "{half} instead of {all}");
}

#[test]
fn what_a_user_had_read_stands_in_the_history_of_its_next_turn() {
    let rows_of = |leave: Value| {
        let text = "{\"session_id\": 1, \"timestamp\": 0, \"input_length\": 93, \"output_length\": 1000}\n{\"session_id\": 1, \"delay\": 5, \"input_length\": 20, \"output_length\": 3}\n";
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        let mut workload = json!({"kind": "sessions", "sessions": file.path(), "answers": "forced_length"});
        workload["leave"] = leave;
        rows(simulate(workload, json!({"preset": "tiny"})))
    };
    let rows = rows_of(json!({"share": 1, "after": "50ms"}));
    let read = rows.iter().find(|row| row.turn == 0).unwrap().output_tokens.unwrap();
    let next = rows.iter().find(|row| row.turn == 1).unwrap();
    assert_eq!(next.prompt_tokens, Some(100 + read + 20 + 8));
    assert!(next.failure.is_none() && (40..50).contains(&read));
}
