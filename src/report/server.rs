//! What servers told, as a table with a row a cell: only the columns that some cell fills. Shared by Markdown and the page; the terminal
//! takes [`compact`]. Summaries in, texts out; no escaping.

use super::number::{percent, significant};
use crate::analysis::{CellState, CellSummary, GaugeSummary, ServerMetricValue, VariantSummary, show_axes};

/// Heads and rows, of equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTable {
    pub heads: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// A column: its head, and what a cell puts there.
type Column = (&'static str, fn(&CellSummary) -> Option<String>);

const COLUMNS: [Column; 16] = [
    ("from device", |cell| Some(percent(Some(cell.server.hits.as_ref()?.device?)))),
    ("from external cache", |cell| Some(percent(Some(cell.server.hits.as_ref()?.external?)))),
    ("from any cache", |cell| Some(percent(Some(cell.server.hits.as_ref()?.cached)))),
    ("prompt tokens computed a run", |cell| count(cell.server.prompt_tokens_computed.as_ref())),
    ("reused of what was sent before", |cell| Some(percent(Some(cell.sessions.reused?)))),
    ("tokens alive", |cell| Some(cell.sessions.resident_tokens?.to_string())),
    ("KV pool, tokens", |cell| count(cell.server.kv_pool_tokens.as_ref())),
    ("running, mean / max", |cell| level(cell.server.running.as_ref())),
    ("waiting, mean / max", |cell| level(cell.server.waiting.as_ref())),
    ("preemptions a run", |cell| Some(whole(cell.server.preemptions.as_ref()?.value))),
    ("KV in use, mean / max", |cell| shares(cell.server.kv_usage.as_ref())),
    ("GPU busy, mean / max", |cell| shares(cell.server.gpu_utilization.as_ref())),
    ("GPU memory max, GiB", |cell| Some(significant(cell.server.gpu_memory_bytes.as_ref()?.max / 1_073_741_824.0, 3))),
    ("power mean, W", |cell| Some(significant(cell.server.gpu_power_watts.as_ref()?.mean, 3))),
    ("J per output token, idle power included", |cell| Some(significant(cell.server.joules_per_output_token.as_ref()?.value, 3))),
    ("host CPU, mean / max", |cell| shares(cell.server.host_cpu.as_ref())),
];

/// The table of a variant; none where no cell fills any column.
#[must_use]
pub fn server_table(variant: &VariantSummary) -> Option<ServerTable> {
    let filled: Vec<Column> = COLUMNS.into_iter().filter(|(_, text)| variant.cells.iter().any(|cell| text(cell).is_some())).collect();
    if filled.is_empty() {
        return None;
    }
    let row = |cell: &CellSummary| {
        let dash = || word(cell).to_owned();
        std::iter::once(show_axes(&cell.axes)).chain(filled.iter().map(|(_, text)| text(cell).unwrap_or_else(dash))).collect()
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
        CellState::Failed { .. } => "failed",
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
    let waiting = server.waiting.as_ref().map(|level| format!("{} waiting", whole(level.max)));
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
        value => whole(value),
    }
}

/// `5`, and `2.33` for the mean of a few runs.
fn whole(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { significant(value, 3) }
}

fn count(told: Option<&ServerMetricValue>) -> Option<String> {
    told.map(|told| format!("{:.0}", told.value))
}

fn level(level: Option<&GaugeSummary>) -> Option<String> {
    level.map(|level| format!("{} / {}", significant(level.mean, 3), whole(level.max)))
}

fn shares(level: Option<&GaugeSummary>) -> Option<String> {
    level.map(|level| format!("{} / {}", percent(Some(level.mean)), percent(Some(level.max))))
}
