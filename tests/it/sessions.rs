//! Recorded sessions on the simulated engine: turns come when the recording says, wait for the answers that it says, and hold what it says.

use std::collections::BTreeMap;
use std::path::Path;

use bench::foundation::clock::Micros;
use bench::records::record::{FailureKind, RequestPhase, RequestRecord, RunOutcome};
use serde_json::{Value, json};

use crate::load::{Done, simulate};

fn recorded(rows: &[Value], fields: &Value) -> Done {
    on(rows, fields, &json!({"preset": "tiny"}))
}

fn on(rows: &[Value], fields: &Value, engine: &Value) -> Done {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sessions.jsonl");
    let line = |row: &Value| format!("{row}\n");
    fs_err::write(&file, rows.iter().map(line).collect::<String>()).unwrap();
    sent(&file, fields, engine)
}

fn sent(file: &Path, fields: &Value, engine: &Value) -> Done {
    let mut workload = json!({"kind": "sessions", "sessions": file});
    workload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    simulate(workload, engine.clone())
}

/// By session and turn.
fn rows(done: Done) -> BTreeMap<(u64, u32), RequestRecord> {
    assert_eq!(done.record.outcome, RunOutcome::Completed);
    let count = done.rows.len();
    let rows: BTreeMap<(u64, u32), RequestRecord> = done.rows.into_iter().map(|row| ((row.session, row.turn), row)).collect();
    assert_eq!(rows.len(), count, "every turn has one row");
    rows
}

fn turn(session: &str, when: (&str, u64), tokens: u64) -> Value {
    json!({"session_id": session, when.0: when.1, "input_length": tokens, "output_length": 3})
}

#[test]
fn a_delay_counts_from_the_end_of_the_answer_and_a_time_from_the_beginning() {
    let recording = [
        turn("a", ("timestamp", 1000), 93),
        turn("a", ("delay", 500), 20),
        turn("b", ("timestamp", 1250), 93),
        turn("b", ("timestamp", 4000), 20),
    ];
    let done = recorded(&recording, &json!({"answers": "forced_length"}));
    assert!(done.record.client.send_lag_max_s < 1e-9, "{:?}", done.record.client);
    let rows = rows(done);
    assert_eq!((rows[&(0, 0)].sent_us, rows[&(1, 0)].sent_us), (Micros(0), Micros(250_000)));
    assert_eq!(rows[&(0, 1)].intended_us, rows[&(0, 0)].done_us + Micros(500_000));
    assert_eq!(rows[&(0, 1)].sent_us, rows[&(0, 1)].intended_us);
    assert_eq!(rows[&(1, 1)].sent_us, Micros(3_000_000));
    // Three tokens in front of the answer and four a message: 93 + 7, and behind it the answer of 3 and 20 tokens in two messages more.
    assert_eq!((rows[&(0, 0)].prompt_tokens, rows[&(0, 1)].prompt_tokens), (Some(100), Some(100 + 3 + 20 + 8)));
    assert!(rows.values().all(|row| row.output_tokens == Some(3) && row.failure.is_none()));
}

#[test]
fn a_turn_whose_time_comes_before_the_answer_keeps_its_time_and_is_sent_when_that_is_over() {
    let slow = json!({"session_id": "a", "timestamp": 0, "input_length": 93, "output_length": 2000});
    let rows = rows(recorded(&[slow, turn("a", ("timestamp", 100), 20)], &json!({"answers": "forced_length"})));
    assert!(rows[&(0, 0)].done_us > Micros(1_000_000));
    assert_eq!((rows[&(0, 1)].intended_us, rows[&(0, 1)].sent_us), (Micros(100_000), rows[&(0, 0)].done_us));
}

fn chat(id: u32, parent: i64, at: f64, blocks: &[u64]) -> Value {
    json!({"chat_id": id, "parent_chat_id": parent, "timestamp": at, "input_length": blocks.len() * 16, "output_length": 40, "hash_ids": blocks})
}

#[test]
fn children_of_one_turn_are_sent_side_by_side_once_its_answer_is_over_and_find_its_prompt_in_the_cache() {
    let blocks: Vec<u64> = (0..20).collect();
    let with = |more: &[u64]| [&blocks, more].concat();
    let recording = [
        chat(1, -1, 10.0, &blocks),
        // Both before the answer can be over: 40 tokens take more than 40 ms.
        chat(2, 1, 10.001, &with(&[100, 101])),
        chat(3, 1, 10.002, &with(&[200])),
        chat(4, 2, 11.0, &with(&[100, 101, 102])),
        chat(5, -1, 12.0, &[300]),
    ];
    let rows = rows(recorded(&recording, &json!({"answers": "forced_length"})));
    let over = rows[&(0, 0)].done_us;
    assert_eq!((rows[&(0, 1)].intended_us, rows[&(0, 2)].intended_us), (Micros(1_000), Micros(2_000)));
    assert_eq!((rows[&(0, 1)].sent_us, rows[&(0, 2)].sent_us), (over, over), "an agent that calls two others");
    assert_eq!((rows[&(0, 3)].sent_us, rows[&(1, 0)].sent_us), (Micros(1_000_000), Micros(2_000_000)));
    // The template's three tokens in front shift the blocks of 16 against those of the engine: one of them is not whole.
    for child in [1, 2, 3] {
        let cached = rows[&(0, child)].cached_tokens.unwrap();
        assert!((19 * 16..=20 * 16 + 32).contains(&cached), "turn {child}: {cached}");
    }
    assert_eq!(rows[&(1, 0)].cached_tokens, Some(0));
}

#[test]
fn n_users_go_through_the_sessions_and_a_delay_has_a_longest() {
    let recording: Vec<Value> = (0..12)
        .flat_map(|number| {
            let name = format!("s{number}");
            [turn(&name, ("timestamp", number * 1000), 93), turn(&name, ("delay", 60_000), 20)]
        })
        .collect();
    let done = recorded(&recording, &json!({"concurrency": 3, "max_delay": "1s", "answers": "forced_length"}));
    assert_eq!(done.record.offered_qps, None);
    let rows = rows(done);
    assert_eq!(rows.len(), 24);
    for session in 0..12 {
        let (first, second) = (&rows[&(session, 0)], &rows[&(session, 1)]);
        assert_eq!(second.sent_us, first.done_us + Micros(1_000_000));
        // The fourth session begins at the end of one of the first three.
        let at_once = (0..12).filter(|other| rows[&(*other, 0)].sent_us <= first.sent_us && first.sent_us < rows[&(*other, 1)].done_us);
        assert!(at_once.count() <= 3, "session {session}");
    }
    let last = rows.values().map(|row| row.done_us).max().unwrap();
    assert!(last < Micros(4_200_000), "four sessions each of little more than a second: {last:?}");
}

#[test]
fn recorded_answers_stand_in_the_history_where_that_is_asked_for() {
    let recording = [json!({"messages": [
        {"role": "system", "content": "You are brief."}, {"role": "user", "content": "What is a cache?"},
        {"role": "assistant", "content": "A place near at hand."}, {"role": "user", "content": "And a token?"}
    ]})];
    let prompt = |answers: &str| {
        rows(recorded(&recording, &json!({"concurrency": 1, "answers": answers, "answer_tokens": 7})))[&(0, 1)].prompt_tokens.unwrap()
    };
    let count = |text: &str| bench::simulation::engine::tokenizer::count(text);
    let texts = ["You are brief.", "What is a cache?", "A place near at hand.", "And a token?"].map(count).iter().sum::<u64>();
    assert_eq!(prompt("scripted"), texts + 4 * 4 + 3);
    assert_eq!(prompt("forced_length"), texts + 4 * 4 + 3, "an answer of as many tokens as were recorded");
}

#[test]
fn what_begins_in_the_warm_up_is_marked_and_no_session_begins_after_the_duration() {
    let recording: Vec<Value> = (0..10).map(|number| turn(&format!("s{number}"), ("timestamp", number * 1000), 20)).collect();
    let rows = rows(recorded(&recording, &json!({"warmup": 2, "duration": 6})));
    assert_eq!(rows.len(), 6);
    let warm = rows.values().filter(|row| row.phase == RequestPhase::Warmup).count();
    assert_eq!(warm, 2);
}

#[test]
fn a_failed_turn_ends_its_session_or_leaves_the_history_as_asked() {
    let faulty = json!({"preset": "tiny", "faults": [{"kind": "status", "status": 503, "every": 2}]});
    let conversation = [turn("a", ("timestamp", 0), 93), turn("a", ("delay", 10), 20), turn("a", ("delay", 10), 20)];
    let kinds = |rows: BTreeMap<(u64, u32), RequestRecord>| {
        rows.into_values().map(|row| row.failure.map(|failure| failure.kind)).collect::<Vec<_>>()
    };
    let failed = Some(FailureKind::Http(503));
    let ended = Some(FailureKind::SessionEnded);
    let fields = |on_error: &str| json!({"answers": "forced_length", "on_error": on_error});
    assert_eq!(kinds(rows(on(&conversation, &fields("drop_turn"), &faulty))), [None, failed, None]);
    assert_eq!(kinds(rows(on(&conversation, &fields("end_session"), &faulty))), [None, failed, ended]);
    let chats = [chat(1, -1, 0.0, &[1]), chat(2, 1, 1.0, &[1, 2]), chat(3, 2, 2.0, &[1, 2, 3]), chat(4, 3, 3.0, &[1, 2, 3, 4])];
    assert_eq!(kinds(rows(on(&chats, &fields("end_session"), &faulty))), [None, failed, ended, ended]);
    assert_eq!(kinds(rows(on(&chats, &fields("drop_turn"), &faulty))), [None, failed, None, failed]);
}

#[test]
fn the_same_seed_gives_the_same_rows() {
    let recording = [turn("a", ("timestamp", 0), 93), turn("a", ("delay", 500), 20), turn("b", ("timestamp", 10), 93)];
    let of = || recorded(&recording, &json!({"answers": "live"}));
    let (once, again) = (of(), of());
    assert_eq!((once.rows, once.record.counts), (again.rows, again.record.counts));
}
