//! What several clients send together is what one sends alone, and one run comes of it.

use std::collections::{BTreeMap, BTreeSet};

use bench::records::record::{CacheCheck, RequestPhase, RequestRecord};
use bench::records::store::{SavedRun, read_sweep};

use super::{scenario, started};
use crate::stage::{Stage, serving, succeeded};

const TURNS: &str = r#"{"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"}]}
"#;

/// Every workload, in a few requests.
const WORKLOADS: [&str; 7] = [
    "kind = \"document_qa\"\nconcurrent = 5\nsequential = 2\nrounds = 2\nanswer_tokens = 4\ndocuments = { synthetic_tokens = 100 }",
    "kind = \"document_qa\"\nconcurrent = 4\nsequential = 1\nrounds = 1\nanswer_tokens = 4\ndocuments = { synthetic_tokens = 100 }\nstart = \"burst\"\nfollow_ups = \"original\"",
    "kind = \"chat\"\nusers = 7\nqps = 40\nrounds = 3\nsystem_prompt_tokens = 20\nhistory_tokens = 20\nanswer_tokens = 4\nduration = 1",
    "kind = \"requests\"\narrival = \"constant\"\nqps = 60\nrequests = 40\nprompt_tokens = 20\nanswer_tokens = 4\nwarmup_requests = 5",
    "kind = \"requests\"\narrival = \"closed\"\nconcurrency = 5\nrequests = 31\nprompt_tokens = 20\nanswer_tokens = 4",
    "kind = \"sessions\"\nsessions = \"turns.jsonl\"\nconcurrency = 2",
    "kind = \"sessions\"\nsessions = \"turns.jsonl\"\nconcurrency = 4",
];

fn only_run(stage: &Stage, folder: &str) -> SavedRun {
    read_sweep(&stage.path(folder)).unwrap().runs.remove(0)
}

/// What was sent, whenever it was and whoever sent it.
fn sent(rows: &[RequestRecord]) -> BTreeSet<(u64, u32, u32, &'static str, Option<u64>)> {
    let of_row = |row: &RequestRecord| (row.session, row.turn, row.lane, row.phase.name(), row.prompt_tokens);
    let all: BTreeSet<_> = rows.iter().map(of_row).collect();
    assert_eq!(all.len(), rows.len(), "nothing is sent twice");
    all
}

#[test]
fn three_clients_send_what_one_sends_and_their_rows_are_one_run() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    for workload in WORKLOADS {
        let stage = Stage::with("shared.toml", &scenario(&server.url(), workload));
        stage.write("turns.jsonl", &TURNS.repeat(9));
        let mut clients = started(&stage, 3, &[]);
        assert_eq!(clients.leader.end(), Some(0), "{workload}: {:#?}", clients.leader.said);
        for other in &mut clients.others {
            assert_eq!(other.end(), Some(0), "{workload}: {:#?}", other.said);
        }
        let run = only_run(&stage, "out");
        let rows = run.requests.records().unwrap();
        assert!(rows.iter().all(|row| row.failure.is_none()), "{workload}: {rows:#?}");
        succeeded(&stage.run(&["sweep", "shared.toml", "-o", "alone"]));
        let alone = only_run(&stage, "alone");
        let own = alone.requests.records().unwrap();
        assert_eq!(sent(&rows), sent(&own), "{workload}");
        assert!(own.iter().all(|row| row.client.is_none()) && alone.record.clients.is_empty(), "one client needs no rank");
        let counts = |run: &SavedRun| (run.record.counts.requests, run.record.counts.measured, run.record.counts.failed);
        assert_eq!(counts(&run), counts(&alone), "{workload}");
        let proof = |run: &SavedRun| matches!(run.record.cache_contract, CacheCheck::Proven(_));
        assert_eq!(proof(&run), proof(&alone), "{workload}: {:?}", run.record.cache_contract);

        // Each session is one client's, and each client had some.
        let mut owners: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new();
        for row in &rows {
            owners.entry(row.session).or_default().insert(row.client.unwrap());
        }
        assert!(owners.values().all(|clients| clients.len() == 1), "{workload}: {owners:?}");
        let requests = |rank| rows.iter().filter(|row| row.client == Some(rank)).count() as u64;
        assert_eq!(run.record.clients.len(), 3);
        for client in &run.record.clients {
            assert_eq!(client.requests, requests(client.rank), "{workload}: {client:?}");
            assert_eq!(client.rows_blake3.is_some(), client.rank > 0);
            assert_eq!((client.clock_before.is_some(), client.clock_after.is_some()), (client.rank > 0, client.rank > 0));
        }
        counted_over_all(workload, &rows);
    }
}

/// Numbers in the order of sending, and what was in flight then, whoever sent it.
fn counted_over_all(workload: &str, rows: &[RequestRecord]) {
    let mut by_number: Vec<&RequestRecord> = rows.iter().collect();
    by_number.sort_by_key(|row| row.request);
    assert!(by_number.iter().zip(0..).all(|(row, number)| row.request == number), "{workload}");
    assert!(by_number.is_sorted_by_key(|row| row.sent_us), "{workload}");
    for row in rows {
        let in_flight = rows.iter().filter(|other| other.sent_us <= row.sent_us && row.sent_us < other.done_us).count();
        // Those that are sent in the same microsecond have an order.
        let together = rows.iter().filter(|other| other.sent_us == row.sent_us).count();
        assert!((in_flight + 1 - together..=in_flight).contains(&(row.in_flight as usize)), "{workload}: {row:?}");
    }
    // What is due at time 0 is due at one moment on all clients, once their clocks are told apart.
    let due =
        |rank| rows.iter().filter(|row| row.client == Some(rank) && row.phase != RequestPhase::Prefill).map(|row| row.intended_us).min();
    if workload.contains("burst") {
        assert_eq!((due(1), due(2)), (due(0), due(0)), "{workload}");
    }
}
