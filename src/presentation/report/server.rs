//! What servers told, as a table with a row a cell: only the columns that some cell fills. Shared by Markdown and the page; the terminal
//! takes [`compact`]. Summaries in, texts out; no escaping.

use super::cell_columns::{CellColumn, CellView, column};
use super::cell_value::CellValue;
use super::number::{DisplayUnit, percent, significant};
use super::panel::cell_head;
use crate::analysis::{CellState, CellSummary, SweepSummary, VariantSummary};

/// Heads and rows, of equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTable {
    pub heads: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// A column: its head, and the one or two columns of cells that stand in it.
type ServerColumn = (&'static str, &'static [&'static CellColumn]);

const COLUMNS: [ServerColumn; 23] = [
    of(&[column("device_share")]),
    of(&[column("external_share")]),
    of(&[column("cached_share")]),
    of(&[column("prompt_tokens_computed")]),
    of(&[column("reused_share")]),
    of(&[column("resident_tokens")]),
    of(&[column("kv_pool_tokens")]),
    ("running, mean / max", &[column("running_mean"), column("running_max")]),
    ("waiting, mean / max", &[column("waiting_mean"), column("waiting_max")]),
    of(&[column("preemptions")]),
    of(&[column("speculative_acceptance")]),
    ("KV in use, mean / max", &[column("kv_usage_mean"), column("kv_usage_max")]),
    ("prefill: running, mean / max", &[column("prefill_running_mean"), column("prefill_running_max")]),
    ("prefill: waiting, mean / max", &[column("prefill_waiting_mean"), column("prefill_waiting_max")]),
    ("prefill: KV in use, mean / max", &[column("prefill_kv_usage_mean"), column("prefill_kv_usage_max")]),
    ("decode: running, mean / max", &[column("decode_running_mean"), column("decode_running_max")]),
    ("decode: waiting, mean / max", &[column("decode_waiting_mean"), column("decode_waiting_max")]),
    ("decode: KV in use, mean / max", &[column("decode_kv_usage_mean"), column("decode_kv_usage_max")]),
    ("GPU busy, mean / max", &[column("gpu_utilization_mean"), column("gpu_utilization_max")]),
    of(&[column("gpu_memory_max_bytes")]),
    of(&[column("gpu_power_mean_w")]),
    of(&[column("joules_per_output_token")]),
    ("host CPU, mean / max", &[column("host_cpu_mean"), column("host_cpu_max")]),
];

const fn of(columns: &'static [&'static CellColumn]) -> ServerColumn {
    (columns[0].head, columns)
}

/// What a cell puts into a column, if anything.
fn text(columns: &[&CellColumn], view: &CellView<'_>) -> Option<String> {
    let values: Vec<CellValue> = columns.iter().map(|column| (column.value)(view)).filter(|value| *value != CellValue::Missing).collect();
    (!values.is_empty()).then(|| values.iter().map(CellValue::shown).collect::<Vec<_>>().join(" / "))
}

/// The table of a variant; none where no cell fills any column.
#[must_use]
pub fn server_table(summary: &SweepSummary, variant: &VariantSummary) -> Option<ServerTable> {
    let text = |columns: &[&CellColumn], cell: &CellSummary| {
        text(columns, &CellView { summary, variant, cell, judgement: None, scale: DisplayUnit::BASE })
    };
    let is_filled = |(_, columns): &ServerColumn| variant.cells.iter().any(|cell| text(columns, cell).is_some());
    let filled: Vec<ServerColumn> = COLUMNS.into_iter().filter(is_filled).collect();
    if filled.is_empty() {
        return None;
    }
    let row = |cell: &CellSummary| {
        let dash = || word(cell).to_owned();
        std::iter::once(cell_head(&cell.axes)).chain(filled.iter().map(|(_, columns)| text(columns, cell).unwrap_or_else(dash))).collect()
    };
    Some(ServerTable {
        heads: std::iter::once("cell").chain(filled.iter().map(|(head, _)| *head)).collect(),
        rows: variant.cells.iter().map(row).collect(),
    })
}

/// What stands where a figure is missing.
fn word(cell: &CellSummary) -> &'static str {
    match cell.state {
        CellState::Measured => "-",
        CellState::Invalid { .. } => "invalid",
        CellState::Failed(_) => "failed",
        CellState::Missing => "missing",
        CellState::Untested { .. } => "untested",
    }
}

/// A cell in four short lines for a terminal: shares of prompt tokens from the device and from an external cache, tokens computed in a
/// run, the most requests that waited, the most KV memory in use.
#[must_use]
pub fn compact(cell: &CellSummary) -> Vec<String> {
    if cell.state != CellState::Measured {
        return vec![word(cell).to_owned()];
    }
    let server = &cell.server;
    let hits = server.hits.as_ref().map(|hits| match (hits.device, hits.external) {
        (Some(device), Some(external)) => format!("{} / {}", percent(Some(device)), percent(Some(external))),
        _ => format!("{} cached", percent(Some(hits.cached))),
    });
    let computed = server.prompt_tokens_computed.as_ref().map(|told| format!("{} new", thousands(told.value)));
    let waiting = server.waiting.as_ref().map(|level| format!("{} waiting", CellValue::MeanCount(level.max).shown()));
    let usage = server.kv_usage.as_ref().map(|level| format!("KV {}", percent(Some(level.max))));
    let lines: Vec<String> = [hits, computed, waiting, usage].into_iter().flatten().collect();
    if lines.is_empty() { vec!["-".to_owned()] } else { lines }
}

/// The metrics behind what [`compact`] shows, each once, and what no metric told; none where there is neither.
#[must_use]
pub fn compact_sources(variant: &VariantSummary) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for server in variant.cells.iter().map(|cell| &cell.server) {
        let told = [server.hits.as_ref().map(|hits| &hits.by), server.prompt_tokens_computed.as_ref().map(|told| &told.by)];
        let levels = [server.waiting.as_ref().map(|level| &level.by), server.kv_usage.as_ref().map(|level| &level.by)];
        for name in told.into_iter().chain(levels).flatten() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let untold = super::words::untold(variant);
    match names.is_empty() {
        true if untold.is_empty() => None,
        true => Some(untold.trim_start_matches("; ").to_owned()),
        false => Some(format!("measured by {}{untold}", names.join(", "))),
    }
}

/// `31.2k`, `2.10M`.
fn thousands(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", significant(value / 1e6, 3)),
        value if value >= 1e3 => format!("{}k", significant(value / 1e3, 3)),
        value => CellValue::MeanCount(value).shown(),
    }
}
