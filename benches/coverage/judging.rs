//! What is said of a cell, by the code that judges saved runs: rows in memory stand in for those on disk.

use std::collections::BTreeMap;

use bench::analysis::{CellSummary, SummaryOptions, summarize};
use bench::foundation::clock::Micros;
use bench::records::record::{
    CacheCheck, CacheEvidence, ClientEnvironment, ClientHealth, FormatVersion, Manifest, PlannedRun, RequestCounts, RequestRecord,
    RunHeader, RunOutcome, RunRecord, TokenRule,
};
use bench::records::store::{SavedRequests, SavedRun, SavedSamples, SavedSweep, to_table};
use bench::vocabulary::goal::Goal;
use serde_json::{Value, json};

use crate::requests::OpenRun;
use bench::vocabulary::goal::SavedGoal;

/// A run that came to its end.
pub struct MeasuredRun {
    pub record: RunRecord,
    pub rows: Vec<RequestRecord>,
}

impl OpenRun {
    /// As its record would be saved.
    pub fn measured(self) -> MeasuredRun {
        let end = self.rows.iter().map(|row| row.done_us).max().unwrap_or_default();
        let count = self.rows.len() as u64;
        let counts = RequestCounts { requests: count, measured: count, measured_window_us: end, ..RequestCounts::default() };
        let cell = json!({"workload": self.workload, "target": {"kind": "sim"}, "engine": {"preset": "tiny"}, "server": {}});
        let record = RunRecord { offered_qps: self.offered_qps, ..record(header(cell, self.seed), counts, end) };
        MeasuredRun { record, rows: self.rows }
    }
}

fn header(cell: Value, seed: u64) -> RunHeader {
    RunHeader { id: "run-0".into(), variant: "default".into(), axes: Vec::new(), repeat: 0, seed, simulated: true, cell: cell.into() }
}

fn record(header: RunHeader, counts: RequestCounts, duration_us: Micros) -> RunRecord {
    RunRecord {
        format: FormatVersion::CURRENT,
        header,
        outcome: RunOutcome::Completed,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        duration_us,
        token_rule: TokenRule::Simulated,
        cache_contract: CacheCheck::Proven(CacheEvidence::Text("simulated".into())),
        salt: None,
        server: None,
        client: ClientHealth::default(),
        clients: Vec::new(),
        connections: None,
        counts,
        offered_qps: None,
        tables: BTreeMap::new(),
        notes: Vec::new(),
    }
}

/// Judges a cell with these repeats.
pub fn judge_cell(repeats: &[MeasuredRun], goals: &[Goal]) -> CellSummary {
    let runs: Vec<SavedRun> = repeats.iter().zip(0..).map(|(run, repeat)| saved(run, repeat)).collect();
    let planned = |run: &SavedRun| PlannedRun {
        id: run.record.header.id.clone(),
        variant: run.record.header.variant.clone(),
        axes: Vec::new(),
        repeat: run.record.header.repeat,
    };
    let manifest = Manifest {
        format: FormatVersion::CURRENT,
        name: "coverage".into(),
        seed: 1,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        simulated: true,
        scenario_hash: String::new(),
        scenario_file: "scenario.toml".into(),
        changes: Vec::new(),
        goals: goals.iter().cloned().map(SavedGoal::Read).collect(),
        plots: Vec::new(),
        variants: vec!["default".into()],
        axes: Vec::new(),
        repeats: u32::try_from(repeats.len()).expect("a few"),
        runs: runs.iter().map(planned).collect(),
        client: ClientEnvironment::default(),
        keeps_texts: false,
        imported: None,
        search: None,
        score: None,
        block: None,
        blocks: Vec::new(),
    };
    let sweep = SavedSweep { dir: "coverage".into(), manifest, runs, missing: Vec::new(), notes: Vec::new() };
    let mut summary =
        summarize(&sweep, &SummaryOptions { goals: goals.to_vec(), ..SummaryOptions::default() }).expect("rows that can be judged");
    summary.variants.remove(0).cells.remove(0)
}

/// The runs of a cell are told apart by their ids.
fn saved(run: &MeasuredRun, repeat: u32) -> SavedRun {
    let mut record = run.record.clone();
    (record.header.id, record.header.repeat) = (format!("run-{repeat}"), repeat);
    let requests = SavedRequests::held(to_table(&run.rows).expect("a table"));
    SavedRun { record, requests, samples: SavedSamples::default() }
}
