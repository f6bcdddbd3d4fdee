//! Records, runs and manifests for tests.

use jiff::Timestamp;
use serde_json::json;

use crate::foundation::clock::Micros;
use crate::records::record::{
    AnswerHashes, CacheCheck, CacheEvidence, CacheResetMethod, ClientEnvironment, ClientHealth, FailureKind, FirstEventSource,
    FirstTurnFinding, FormatVersion, InconclusiveTurns, Manifest, PlannedRun, RequestCounts, RequestFailure, RequestPhase, RequestRecord,
    RunHeader, RunOutcome, RunRecord, SampleKind, ServerSample, TokenRule, TokenSource,
};

/// A request that failed early: everything that may be missing is missing.
pub(crate) fn record(request: u64) -> RequestRecord {
    RequestRecord {
        request,
        session: request / 2,
        lane: 1,
        turn: 0,
        phase: RequestPhase::Warmup,
        intended_us: Micros(request * 1000),
        sent_us: Micros(request * 1000 + 7),
        done_us: Micros(request * 1000 + 500_000),
        in_flight: 2,
        live_lanes: 4,
        failure: Some(RequestFailure { kind: FailureKind::Http(503), detail: "status 503: \"no \u{1F980} here\"\n".into() }),
        ..RequestRecord::default()
    }
}

/// A success with everything that a record can hold: first token after 0.5 s, then three gaps of 10, 20 and 30 ms.
pub(crate) fn rich_record(request: u64) -> RequestRecord {
    let at = |offset: u64| Micros(request * 1000 + offset);
    RequestRecord {
        turn: 3,
        phase: RequestPhase::Measure,
        sent_us: at(0),
        headers_us: Some(at(1_000)),
        first_event_us: Some(at(2_000)),
        first_token_us: Some(at(500_000)),
        last_token_us: Some(at(560_000)),
        done_us: at(561_000),
        gaps_us: vec![10_000, 20_000, 30_000],
        first_event_tokens: Some(1),
        prompt_tokens: Some(131_072),
        cached_tokens: Some(0),
        output_tokens: Some(7),
        token_source: TokenSource::Usage,
        connect_us: Some(Micros(420)),
        first_answer_us: Some(at(520_000)),
        token_events: Some(4),
        token_reads: Some(3),
        first_event_source: Some(FirstEventSource::Usage),
        reasoning_tokens: Some(2),
        hidden_tokens: Some(0),
        forced_tokens: Some(7),
        prompt_hash: Some(1 << 52),
        answer_hashes: Some(AnswerHashes::of("Again a summer night.")),
        server: Some(1),
        attempts: Some(2),
        client: Some(1),
        failure: None,
        ..record(request)
    }
}

/// How many requests ran after so many seconds: as many.
pub(crate) fn sample(second: u32) -> ServerSample {
    ServerSample {
        at_us: Micros(u64::from(second) * 1_000_000),
        source: "http://127.0.0.1:8000/metrics".into(),
        name: "vllm:num_requests_running".into(),
        labels: r#"{engine="0"}"#.into(),
        kind: SampleKind::Gauge,
        value: second.into(),
    }
}

pub(crate) fn header(id: &str) -> RunHeader {
    RunHeader {
        id: id.to_owned(),
        variant: "lmcache".into(),
        axes: vec![("workload.concurrent".into(), json!(4)), ("workload.sequential".into(), json!(3))],
        repeat: 0,
        seed: 7,
        simulated: true,
        cell: json!({"workload": {"kind": "document_qa"}, "target": {"kind": "sim"}}).into(),
    }
}

pub(crate) fn run_record(header: RunHeader, requests: u64) -> RunRecord {
    RunRecord {
        format: FormatVersion::CURRENT,
        header,
        outcome: RunOutcome::Completed,
        started_at: Timestamp::UNIX_EPOCH,
        duration_us: Micros(60_000_000),
        token_rule: TokenRule::Simulated,
        cache_contract: CacheCheck::Proven(CacheEvidence::Checked {
            reset: CacheResetMethod::NewEngine,
            canary: None,
            canary_site: None,
            first_turns: FirstTurnFinding::Inconclusive(InconclusiveTurns::NotReported),
        }),
        salt: None,
        server: None,
        client: ClientHealth::default(),
        clients: Vec::new(),
        connections: None,
        counts: RequestCounts { requests, measured: requests, ..RequestCounts::default() },
        offered_qps: None,
        tables: std::collections::BTreeMap::new(),
        notes: Vec::new(),
    }
}

/// A sweep of the given runs.
pub(crate) fn manifest(ids: &[&str]) -> Manifest {
    let planned = |id: &&str| PlannedRun { id: (*id).to_owned(), variant: "lmcache".into(), axes: header(id).axes, repeat: 0 };
    Manifest {
        format: FormatVersion::CURRENT,
        name: "lmcache".into(),
        seed: 7,
        created_at: Timestamp::UNIX_EPOCH,
        simulated: true,
        scenario_hash: "0123456789abcdef".into(),
        scenario_file: "scenario.toml".into(),
        changes: Vec::new(),
        goals: vec![serde_json::from_value(json!("p95(ttft where turn >= 1) <= 2s")).unwrap()],
        plots: Vec::new(),
        variants: vec!["lmcache".into()],
        axes: vec![("workload.concurrent".into(), vec![json!(4)]), ("workload.sequential".into(), vec![json!(3)])],
        repeats: 1,
        runs: ids.iter().map(planned).collect(),
        client: ClientEnvironment { bench_version: "0.1.0".into(), ..ClientEnvironment::default() },
        keeps_texts: false,
        imported: None,
        search: None,
        score: None,
        block: None,
        blocks: Vec::new(),
    }
}
