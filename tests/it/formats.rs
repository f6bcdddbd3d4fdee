//! `docs/results-format.md` against the types and the table: nothing is saved that it does not name, and it names nothing else.

use bench::vocabulary::goal::SavedGoal;
use std::collections::{BTreeMap, BTreeSet};

use bench::execution::reporter::CSV_COLUMNS;
use bench::foundation::clock::Micros;
use bench::records::record::{
    CacheCheck, CacheEvidence, ClientCapacity, ClientEnvironment, ClientHealth, ClockOffset, ConnectionCounts, DecidedGoal,
    EarlyStopCertainty, EarlyStopReason, FailureKind, FormatVersion, FrontierSweep, ImportOrigin, LoadClient, LogExcerpt, Manifest,
    MergedBlock, NodeIdentity, PlannedRun, PromptSalt, RecordedMessage, RecordedText, RequestCounts, RequestText, RunFailure,
    RunFailureCause, RunHeader, RunOutcome, RunRecord, ServerFacts, StampSource, TokenRule,
};
use bench::records::store::{REQUEST_COLUMNS, SAMPLE_COLUMNS};
use jiff::Timestamp;
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../../docs/results-format.md");

/// The names in the first column of the table under a heading.
fn documented(heading: &str) -> Vec<String> {
    let section = DOCUMENT.split("\n## ").find(|section| section.lines().next() == Some(heading)).unwrap();
    section.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned())).collect()
}

/// The dotted paths of a JSON value's leaves. What is free in form (a cell, axes, a count per kind) is a leaf.
fn paths(value: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    let free = ["axes", "runs[].axes", "cell", "counts.failures", "counts.failure_words", "tables"].contains(&prefix);
    match value {
        Value::Object(fields) if !free => {
            for (name, value) in fields {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                paths(value, &path, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                paths(item, &format!("{prefix}[]"), found);
            }
        }
        _ => {
            found.insert(prefix.to_owned());
        }
    }
}

fn saved(values: impl IntoIterator<Item = Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for value in values {
        paths(&value, "", &mut found);
    }
    found
}

/// Every field present: a new one does not compile here before it is written down.
fn run_record(outcome: RunOutcome, token_rule: TokenRule, cache_contract: CacheCheck) -> Value {
    let header = RunHeader {
        id: "a".into(),
        variant: "v".into(),
        axes: vec![("workload.qps".into(), json!(2))],
        repeat: 0,
        seed: 1,
        simulated: false,
        cell: json!({"workload": {"kind": "chat"}}).into(),
    };
    let client = ClientHealth {
        send_lag_p50_s: 0.0,
        send_lag_p99_s: 0.0,
        send_lag_max_s: 0.0,
        cpu_share: Some(0.1),
        timer_jitter_p99_s: Some(0.001),
        records_waiting_max: Some(3),
        stamps: Some(StampSource::Kernel),
        read_lag_p50_s: Some(0.0),
        read_lag_p99_s: Some(0.0),
        read_lag_max_s: Some(0.0),
        merged_reads: Some(0.0),
        stood_still_s: Some(0.02),
        events_per_s: Some(900.0),
        requests_per_s: Some(9.0),
    };
    let server = ServerFacts {
        life: Some(1),
        ready_after_s: Some(41.5),
        version: Some("0.32.0".into()),
        kv_pool_tokens: Some(32_768),
        kv_pool_from: Some("metrics".into()),
        external_cache: Some("LMCacheConnectorV1".into()),
    };
    let failures = BTreeMap::from([(FailureKind::Connect, 1)]);
    let failure_words = BTreeMap::from([(FailureKind::Connect, "refused".to_owned())]);
    let counts = RequestCounts { requests: 1, measured: 1, failed: 1, failures, failure_words, measured_window_us: Micros(1) };
    let record = RunRecord {
        format: FormatVersion::CURRENT,
        header,
        outcome,
        started_at: Timestamp::UNIX_EPOCH,
        duration_us: Micros(1),
        token_rule,
        cache_contract,
        salt: Some(PromptSalt { attempt: "0".into(), tokens: 10, by_default: true }),
        server: Some(server),
        clients: vec![LoadClient {
            rank: 1,
            host: "node1".into(),
            requests: 1,
            rows_blake3: Some("0".into()),
            clock_before: Some(ClockOffset { offset_us: -3, uncertainty_us: 2 }),
            clock_after: Some(ClockOffset { offset_us: -3, uncertainty_us: 2 }),
            health: client.clone(),
        }],
        client,
        connections: Some(ConnectionCounts { ahead: 1, opened: 1, reused: 1, dead: 1, resent: 1, rate_limited: 1, retries: 1 }),
        counts,
        offered_qps: Some(2.0),
        tables: BTreeMap::from([("requests.parquet".into(), "0".into())]),
        notes: vec!["a remark".into()],
    };
    serde_json::to_value(record).unwrap()
}

fn manifest() -> Value {
    let manifest = Manifest {
        format: FormatVersion::CURRENT,
        name: "n".into(),
        seed: 1,
        created_at: Timestamp::UNIX_EPOCH,
        simulated: false,
        scenario_hash: "h".into(),
        scenario_file: "scenario.toml".into(),
        changes: vec!["--simulate".into()],
        goals: vec![SavedGoal::Read("p95(ttft) <= 2s".parse().unwrap())],
        plots: Vec::new(),
        variants: vec!["v".into()],
        axes: vec![("workload.qps".into(), vec![json!(2)])],
        repeats: 1,
        runs: vec![PlannedRun { id: "a".into(), variant: "v".into(), axes: vec![("workload.qps".into(), json!(2))], repeat: 0 }],
        client: ClientEnvironment {
            bench_version: "0.1.0".into(),
            operating_system: Some("linux".into()),
            processors: Some(2),
            ceilings: Some(ClientCapacity { events_per_s: 50_000.0, requests_per_s: 9_000.0 }),
        },
        keeps_texts: true,
        imported: Some(ImportOrigin { program: "the original C×S script".into(), lacks: vec!["seed".into()] }),
        search: Some(FrontierSweep { axes: vec!["workload.qps".into()], climbed: vec!["workload.qps".into()] }),
        score: Some("workload.qps".into()),
        block: Some("0-r0".into()),
        blocks: vec![MergedBlock {
            id: "0-r0".into(),
            node: NodeIdentity { name: "n0".into(), gpus: vec!["NVIDIA H200".into()] },
            bench_version: "0.1.0".into(),
            runs: vec!["a".into()],
        }],
    };
    serde_json::to_value(manifest).unwrap()
}

#[test]
fn every_column_of_the_table_is_documented_in_its_order() {
    assert_eq!(documented("requests.parquet"), REQUEST_COLUMNS.map(|column| column.name));
    assert_eq!(documented("server_metrics.parquet"), SAMPLE_COLUMNS.map(|column| column.name));
    assert_eq!(documented("summary.csv"), CSV_COLUMNS);
}

#[test]
fn every_field_of_a_run_is_documented_and_no_other() {
    let settled = DecidedGoal {
        goal: SavedGoal::Read("p95(ttft) <= 2s".parse().unwrap()),
        holds: false,
        planned: 36,
        least_effective: 12,
        seen: 21,
        beyond: 9,
    };
    let checks: Vec<CacheCheck> = serde_json::from_str(include_str!("../fixtures/cache_checks.json")).unwrap();
    let mut records = vec![
        run_record(
            RunOutcome::Failed(RunFailure {
                cause: RunFailureCause::ServerDied,
                reason: "why".into(),
                log: Some(LogExcerpt { file: "server.log".into(), lines: vec!["lost".into()] }),
            }),
            TokenRule::Tokenizer { file: "tokenizer.json".into(), blake3: "0".into() },
            CacheCheck::Proven(CacheEvidence::NotRun),
        ),
        run_record(
            RunOutcome::Curtailed(EarlyStopReason { certainty: EarlyStopCertainty::Sequential { risk: 0.05 }, settled: vec![settled] }),
            TokenRule::Server,
            CacheCheck::NotProven(CacheEvidence::NotRun),
        ),
    ];
    // Evidence of every kind, which a test beside its types holds.
    let estimate = || TokenRule::Estimate { characters_per_token: 4.0 };
    records.extend(checks.into_iter().map(|check| run_record(RunOutcome::Completed, estimate(), check)));
    assert_eq!(documented("run.json").into_iter().collect::<BTreeSet<_>>(), saved(records));
}

#[test]
fn every_field_of_a_manifest_is_documented_and_no_other() {
    assert_eq!(documented("manifest.json").into_iter().collect::<BTreeSet<_>>(), saved([manifest()]));
}

#[test]
fn every_field_of_kept_texts_is_documented_and_no_other() {
    let said = || RecordedText { text: "why?".into(), cut_bytes: Some(1) };
    let messages = vec![RecordedMessage { role: "user".into(), said: said() }];
    let text = RequestText { request: 0, session: 0, turn: 0, messages, answer: said() };
    let saved = saved([serde_json::to_value(text).unwrap()]);
    assert_eq!(documented("texts.jsonl").into_iter().collect::<BTreeSet<_>>(), saved);
}

#[test]
fn the_documented_version_is_the_one_that_is_written() {
    assert!(DOCUMENT.starts_with(&format!("# The results format, version {}\n", FormatVersion::CURRENT)));
}
