//! Saved sweeps for tests, made of the rows they are about.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::analysis::{RequestTable, SummaryOptions, SweepSummary, summarize};
use crate::foundation::clock::Micros;
use crate::records::record::{
    CacheCheck, CacheEvidence, CacheResetMethod, ClientEnvironment, ClientHealth, DecidedGoal, EarlyStopCertainty, EarlyStopReason,
    FailureKind, FirstTurnFinding, FormatVersion, FrontierSweep, InconclusiveTurns, Manifest, PlannedRun, RequestCounts, RequestFailure,
    RequestPhase, RequestRecord, RunHeader, RunOutcome, RunRecord, SampleKind, ServerSample, TokenRule, TokenSource,
};
use crate::records::store::{SavedRequests, SavedRun, SavedSamples, SavedSweep, SweepWriter, to_table};
use crate::vocabulary::goal::SavedGoal;

/// A successful request, sent at second `session + turn`: first token after `ttft_s`, then two gaps of 10 ms, four tokens in all.
pub(crate) fn answered(session: u64, turn: u32, ttft_s: f64) -> RequestRecord {
    let sent = Micros((session + u64::from(turn)) * 1_000_000);
    let first_token = sent + Micros::from_secs_f64(ttft_s);
    RequestRecord {
        request: session * 100 + u64::from(turn),
        session,
        turn,
        intended_us: sent,
        sent_us: sent,
        first_answer_us: Some(first_token),
        token_events: Some(3),
        reasoning_tokens: Some(0),
        headers_us: Some(sent),
        first_event_us: Some(sent + Micros(5_000)),
        first_token_us: Some(first_token),
        last_token_us: Some(first_token + Micros(20_000)),
        done_us: first_token + Micros(21_000),
        gaps_us: vec![10_000, 10_000],
        prompt_tokens: Some(1000),
        cached_tokens: Some(if turn == 0 { 0 } else { 900 }),
        output_tokens: Some(4),
        token_source: TokenSource::Usage,
        in_flight: 1,
        live_lanes: 1,
        ..RequestRecord::default()
    }
}

/// A request that brought nothing.
pub(crate) fn failed(session: u64, turn: u32, kind: FailureKind) -> RequestRecord {
    RequestRecord {
        headers_us: None,
        first_event_us: None,
        first_token_us: None,
        last_token_us: None,
        first_answer_us: None,
        token_events: None,
        gaps_us: Vec::new(),
        prompt_tokens: None,
        cached_tokens: None,
        output_tokens: None,
        token_source: TokenSource::Unknown,
        failure: Some(RequestFailure { kind, detail: "for the test".into() }),
        ..answered(session, turn, 1.0)
    }
}

/// A table of one run's rows.
pub(crate) fn table(records: &[RequestRecord]) -> RequestTable {
    RequestTable::pool([&SavedRequests::held(to_table(records).unwrap())]).unwrap()
}

/// A table in which turn 1 of each session took one of these times; infinity stands for a failed request.
pub(crate) fn table_of_ttfts(ttfts: impl IntoIterator<Item = f64>) -> RequestTable {
    let record = |(session, ttft): (u64, f64)| {
        if ttft.is_finite() { answered(session, 1, ttft) } else { failed(session, 1, FailureKind::TimeoutFirstToken) }
    };
    table(&(0..).zip(ttfts).map(record).collect::<Vec<_>>())
}

/// One run of a sweep to be.
pub(crate) struct Cell {
    pub variant: &'static str,
    pub axes: Vec<(String, Value)>,
    pub repeat: u32,
    pub outcome: RunOutcome,
    pub cache_contract: CacheCheck,
    pub records: Vec<RequestRecord>,
}

/// A cell of the capacity benchmark that went well.
pub(crate) fn cell(variant: &'static str, concurrent: u64, sequential: u64, records: Vec<RequestRecord>) -> Cell {
    Cell {
        variant,
        axes: vec![("workload.concurrent".into(), json!(concurrent)), ("workload.sequential".into(), json!(sequential))],
        repeat: 0,
        outcome: RunOutcome::Completed,
        cache_contract: CacheCheck::Proven(CacheEvidence::Checked {
            reset: CacheResetMethod::NewEngine,
            canary: None,
            canary_site: None,
            first_turns: FirstTurnFinding::Inconclusive(InconclusiveTurns::NotReported),
        }),
        records,
    }
}

/// The same cell, ended early since the goal was lost for certain; so many of its rows were planned.
pub(crate) fn lost_early(cell: Cell, goal: &str, planned: u64) -> Cell {
    let settled = DecidedGoal {
        goal: SavedGoal::Read(goal.parse().unwrap()),
        holds: false,
        planned,
        least_effective: planned / 3,
        seen: 0,
        beyond: 0,
    };
    Cell { outcome: RunOutcome::Curtailed(EarlyStopReason { certainty: EarlyStopCertainty::Exact, settled: vec![settled] }), ..cell }
}

/// Rows of a C×S cell with three follow-up rounds, all of which took the same time to their first token.
pub(crate) fn uniform(concurrent: u64, sequential: u64, ttft_s: f64) -> Vec<RequestRecord> {
    let turns = |session| (0..=3).map(move |turn| answered(session, turn, if turn == 0 { 9.0 } else { ttft_s }));
    (0..concurrent * sequential).flat_map(turns).collect()
}

fn id(cell: &Cell) -> String {
    let values: Vec<String> = cell.axes.iter().map(|(_, value)| value.to_string().replace('"', "")).collect();
    format!("{}-{}-r{}", cell.variant, values.join("-"), cell.repeat)
}

/// Axes of workloads that are counted in other things than documents.
const LOADS: [&str; 3] = ["workload.qps", "workload.users", "workload.concurrency"];

fn run_record(cell: &Cell) -> RunRecord {
    let header = RunHeader {
        id: id(cell),
        variant: cell.variant.into(),
        axes: cell.axes.clone(),
        repeat: cell.repeat,
        seed: 7,
        simulated: true,
        cell: json!({"workload": {"kind": if cell.axes.iter().any(|(name, _)| LOADS.contains(&name.as_str())) { "chat" } else { "document_qa" }}})
            .into(),
    };
    let measured = cell.records.iter().filter(|record| record.phase == RequestPhase::Measure);
    let end = cell.records.iter().map(|record| record.done_us).max().unwrap_or_default();
    let failed = measured.clone().filter(|record| record.failure.is_some()).count() as u64;
    RunRecord {
        format: FormatVersion::CURRENT,
        header,
        outcome: cell.outcome.clone(),
        started_at: Timestamp::UNIX_EPOCH,
        duration_us: end,
        token_rule: TokenRule::Simulated,
        cache_contract: cell.cache_contract.clone(),
        salt: None,
        server: None,
        client: ClientHealth::default(),
        clients: Vec::new(),
        connections: None,
        counts: RequestCounts {
            requests: cell.records.len() as u64,
            measured: measured.count() as u64,
            failed,
            measured_window_us: end,
            ..RequestCounts::default()
        },
        offered_qps: None,
        tables: std::collections::BTreeMap::new(),
        notes: Vec::new(),
    }
}

fn manifest(goals: &[&str], cells: &[Cell]) -> Manifest {
    let mut variants: Vec<String> = Vec::new();
    let mut axes: Vec<(String, Vec<Value>)> = Vec::new();
    for cell in cells {
        if !variants.iter().any(|known| known == cell.variant) {
            variants.push(cell.variant.to_owned());
        }
        for (name, value) in &cell.axes {
            match axes.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) if values.contains(value) => {}
                Some((_, values)) => values.push(value.clone()),
                None => axes.push((name.clone(), vec![value.clone()])),
            }
        }
    }
    for (_, values) in &mut axes {
        values.sort_by(|left, right| left.as_f64().unwrap().total_cmp(&right.as_f64().unwrap()));
    }
    let planned = |cell: &Cell| PlannedRun { id: id(cell), variant: cell.variant.into(), axes: cell.axes.clone(), repeat: cell.repeat };
    Manifest {
        format: FormatVersion::CURRENT,
        name: "capacity".into(),
        seed: 7,
        created_at: Timestamp::UNIX_EPOCH,
        simulated: true,
        scenario_hash: "0123456789abcdef".into(),
        scenario_file: "scenario.toml".into(),
        changes: Vec::new(),
        goals: goals.iter().map(|goal| SavedGoal::Read(goal.parse().unwrap())).collect(),
        plots: Vec::new(),
        variants,
        axes,
        repeats: cells.iter().map(|cell| cell.repeat + 1).max().unwrap_or(1),
        runs: cells.iter().map(planned).collect(),
        client: ClientEnvironment { bench_version: "0.1.0".into(), ..ClientEnvironment::default() },
        keeps_texts: false,
        imported: None,
        search: None,
        score: None,
        block: None,
        blocks: Vec::new(),
    }
}

/// A line of a metrics page: name, labels, value.
pub(crate) type Told<'a> = (&'a str, &'a str, f64);

/// A page, by the second of the run in which it was read.
pub(crate) type Page<'a> = (u64, &'a [Told<'a>]);

/// What one source told in some seconds.
pub(crate) fn samples(pages: &[Page<'_>]) -> Vec<ServerSample> {
    let sample = |second: u64, (name, labels, value): &Told<'_>| ServerSample {
        at_us: Micros(second * 1_000_000),
        source: "http://127.0.0.1:8000/metrics".into(),
        name: (*name).into(),
        labels: (*labels).into(),
        kind: if name.ends_with("_total") { SampleKind::Counter } else { SampleKind::Gauge },
        value: *value,
    };
    pages.iter().flat_map(|(second, page)| page.iter().map(|line| sample(*second, line)).collect::<Vec<_>>()).collect()
}

/// What vLLM tells before, in the midst of and after a minute of load, with a pool of 6,000 tokens: prompt tokens by source, and those that
/// its connector was asked for.
pub(crate) fn told(computed: f64, device: f64, external: f64, asked: f64) -> Vec<ServerSample> {
    const SOURCES: &str = "vllm:prompt_tokens_by_source_total";
    let page = |share: f64, waiting: f64, usage: f64| {
        [
            (SOURCES, "{source=\"local_compute\"}", computed * share),
            (SOURCES, "{source=\"local_cache_hit\"}", device * share),
            (SOURCES, "{source=\"external_kv_transfer\"}", external * share),
            ("vllm:external_prefix_cache_queries_total", "", asked * share),
            ("vllm:num_requests_running", "", 2.0 * waiting),
            ("vllm:num_requests_waiting", "", waiting),
            ("vllm:kv_cache_usage_perc", "", usage),
            ("vllm:num_preemptions_total", "", 0.0),
            ("vllm:cache_config_info", "{kv_cache_size_tokens=\"6000\"}", 1.0),
            ("gpu_power_watts", "{gpu=\"0\"}", 200.0),
        ]
    };
    samples(&[(0, &page(0.0, 0.0, 0.0)), (30, &page(0.5, 1.0, 0.5)), (60, &page(1.0, 0.0, 0.0))])
}

/// A search over users at two rates: users pass up to 20 at 4 requests a second, none passes at 16.
pub(crate) fn searched_over_users(score: Option<&str>) -> SweepSummary {
    let at = |qps: u64, users: u64, ttft| {
        let mut cell = cell("vllm", 1, 1, uniform(24, 1, ttft));
        cell.axes = vec![("workload.qps".into(), qps.into()), ("workload.users".into(), users.into())];
        cell
    };
    let all: Vec<Cell> = [4, 16].into_iter().flat_map(|qps| [5, 10, 20].map(|users| at(qps, users, 1.0))).collect();
    let goals = ["p95(ttft where turn >= 1) <= 2s"];
    let mut saved = sweep(&goals, &all);
    saved.runs = sweep(&goals, &[at(4, 20, 1.0), at(16, 5, 9.0)]).runs;
    saved.manifest.search = Some(FrontierSweep { axes: vec!["workload.users".into()], climbed: Vec::new() });
    saved.manifest.score = score.map(str::to_owned);
    summarize(&saved, &SummaryOptions::default()).unwrap()
}

/// The sweep as the reader would give it, without a folder.
pub(crate) fn sweep(goals: &[&str], cells: &[Cell]) -> SavedSweep {
    let run = |cell: &Cell| SavedRun {
        record: run_record(cell),
        requests: SavedRequests::held(to_table(&cell.records).unwrap()),
        samples: SavedSamples::default(),
    };
    SavedSweep {
        dir: "results/capacity".into(),
        manifest: manifest(goals, cells),
        runs: cells.iter().map(run).collect(),
        missing: Vec::new(),
        notes: Vec::new(),
    }
}

/// The sweep in a folder, by the store's own writer.
pub(crate) fn save(dir: &Path, goals: &[&str], cells: &[Cell]) {
    let writer = SweepWriter::open(dir, &manifest(goals, cells), "name = \"capacity\"\n").unwrap();
    for cell in cells {
        let mut run = writer.begin(&id(cell)).unwrap();
        for record in &cell.records {
            run.append(record).unwrap();
        }
        run.seal(&run_record(cell)).unwrap();
    }
}

/// A published table of p95 by C and S, as cells whose rows have exactly these percentiles.
pub(crate) fn published(variant: &'static str) -> Vec<Cell> {
    let text = match variant {
        "vllm" => include_str!("../../../tests/fixtures/published/vllm.csv"),
        _ => include_str!("../../../tests/fixtures/published/lmcache.csv"),
    };
    let row = |line: &str| {
        let mut parts = line.split(',');
        let mut next = || parts.next().unwrap().trim();
        let (concurrent, sequential) = (next().parse().unwrap(), next().parse().unwrap());
        cell(variant, concurrent, sequential, uniform(concurrent, sequential, next().parse().unwrap()))
    };
    text.lines().skip(1).map(row).collect()
}
