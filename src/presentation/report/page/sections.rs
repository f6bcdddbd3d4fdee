//! What the page says of one variant, and its failures by kind beside those of the others. Summaries in, texts out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::grid::{PageGrid, grid, places};
use super::parts::PageFigure;
use crate::analysis::{SweepSummary, VariantSummary};
use crate::records::record::FailureKind;
use crate::report::certainty::reversal_sentences;
use crate::report::cost::cost_sentences;
use crate::report::panel::panels;
use crate::report::reconcile::{ReconciliationTable, reconciliation};
use crate::report::server::server_table;
use crate::report::standard_table::standard_table;
use crate::report::words::{self, Line};

/// Places in the tables behind the pictures of all variants; what is beyond stands in the table of all cells.
const MOST_PLACES: usize = 1024;
/// Rows of what the servers of all variants told; the files beside the page have all.
const MOST_SERVER_ROWS: usize = 256;
/// Rows of the standard figures of all variants; `cells.csv` beside the page has all.
const MOST_STANDARD_ROWS: usize = 256;

#[derive(Debug, Serialize)]
pub struct VariantSection<'a> {
    name: &'a str,
    /// That its external cache reused nothing.
    exposed: Option<String>,
    limits: Vec<String>,
    scores: Vec<Line>,
    figures: Vec<&'a str>,
    panels: Vec<PageGrid>,
    /// Tables that are too large to stand here.
    more_panels: usize,
    /// What every load test prints of its cells.
    standard: Option<PageStandardTable>,
    costs: Vec<String>,
    server: Option<PageServerTable>,
    /// Where the table is not monotone.
    reversals: Vec<String>,
    /// What is open, remarks on cells, the cache outside the engine.
    sentences: Vec<String>,
    client: String,
    /// One cell's numbers as other tools would publish them.
    published: Option<ReconciliationTable>,
}

/// What every load test prints, a row a cell.
#[derive(Debug, Serialize)]
struct PageStandardTable {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    more: usize,
}

/// What the server told, a row a cell.
#[derive(Debug, Serialize)]
struct PageServerTable {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    more: usize,
    measured_by: Option<String>,
}

#[must_use]
pub fn section<'a>(summary: &SweepSummary, variant: &'a VariantSummary, figures: &[&'a PageFigure]) -> VariantSection<'a> {
    let (panels, more_panels) = shown_panels(summary, variant);
    let server = server_table(summary, variant).map(|mut table| {
        let most = MOST_SERVER_ROWS / summary.variants.len().max(1);
        let more = table.rows.len().saturating_sub(most);
        table.rows.truncate(most);
        PageServerTable { heads: table.heads, rows: table.rows, more, measured_by: words::measured_by(variant) }
    });
    let standard = standard_table(summary, variant).map(|mut table| {
        let most = MOST_STANDARD_ROWS / summary.variants.len().max(1);
        let more = table.rows.len().saturating_sub(most);
        table.rows.truncate(most);
        PageStandardTable { heads: table.heads, rows: table.rows, more }
    });
    let remarks = [words::undecided(variant), words::external(variant)].into_iter().flatten().chain(words::remarks(variant));
    VariantSection {
        name: &variant.name,
        exposed: words::exposed(variant),
        limits: words::limit_sentences(variant),
        scores: words::score_lines(variant),
        figures: figures_of(figures, Some(&variant.name)),
        panels,
        more_panels,
        standard,
        costs: cost_sentences(variant),
        server,
        reversals: reversal_sentences(variant),
        sentences: remarks.collect(),
        client: match &summary.imported {
            Some(imported) => format!("not known: files of {} do not tell how late their client was", imported.program),
            None => words::client(variant),
        },
        published: reconciliation(variant),
    }
}

/// The pictures of a variant, or those that show several.
#[must_use]
pub fn figures_of<'a>(figures: &[&'a PageFigure], variant: Option<&str>) -> Vec<&'a str> {
    figures.iter().filter(|figure| figure.variant.as_deref() == variant).map(|figure| figure.svg.as_str()).collect()
}

fn shown_panels(summary: &SweepSummary, variant: &VariantSummary) -> (Vec<PageGrid>, usize) {
    let (mut shown, mut left_out, mut room) = (Vec::new(), 0, MOST_PLACES / summary.variants.len().max(1));
    for panel in panels(summary, variant) {
        match room.checked_sub(places(&panel)) {
            Some(rest) => {
                room = rest;
                shown.push(grid(panel));
            }
            None => left_out += 1,
        }
    }
    (shown, left_out)
}

/// Failures of all variants by kind.
#[derive(Debug, Serialize)]
pub struct FailureTable {
    kinds: Vec<FailureKind>,
    rows: Vec<FailureRow>,
}

#[derive(Debug, Serialize)]
struct FailureRow {
    variant: String,
    counts: Vec<u64>,
    failed: u64,
    requests: u64,
}

/// None where no request failed.
#[must_use]
pub fn failures(summary: &SweepSummary) -> Option<FailureTable> {
    let kinds: BTreeSet<&FailureKind> =
        summary.variants.iter().flat_map(|variant| &variant.cells).flat_map(|cell| cell.failures.keys()).collect();
    let row = |variant: &VariantSummary| {
        let mut counts: BTreeMap<&FailureKind, u64> = BTreeMap::new();
        for (kind, count) in variant.cells.iter().flat_map(|cell| &cell.failures) {
            *counts.entry(kind).or_default() += count;
        }
        FailureRow {
            variant: variant.name.clone(),
            counts: kinds.iter().map(|kind| counts.get(*kind).copied().unwrap_or(0)).collect(),
            failed: counts.values().sum(),
            requests: variant.cells.iter().map(|cell| cell.n).sum(),
        }
    };
    let rows = summary.variants.iter().map(row).collect();
    (!kinds.is_empty()).then(|| FailureTable { kinds: kinds.into_iter().copied().collect(), rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, failed, sweep, uniform};
    use crate::records::record::FailureKind;

    #[test]
    fn failures_are_counted_by_kind_for_every_variant() {
        let mut rows = uniform(1, 1, 0.5);
        rows.truncate(1);
        rows.extend([failed(0, 1, FailureKind::TimeoutIdle), failed(0, 2, FailureKind::TimeoutIdle), failed(0, 3, FailureKind::Connect)]);
        let saved = sweep(&[], &[cell("vllm", 1, 1, rows), cell("lmcache", 1, 1, uniform(1, 1, 0.5))]);
        let found = failures(&summarize(&saved, &SummaryOptions::default()).unwrap()).unwrap();
        assert_eq!(found.kinds, [FailureKind::Connect, FailureKind::TimeoutIdle]);
        assert_eq!((found.rows[0].counts.as_slice(), found.rows[0].failed, found.rows[0].requests), ([1, 2].as_slice(), 3, 4));
        assert_eq!(found.rows[1].counts, [0, 0]);
    }

    #[test]
    fn where_nothing_failed_there_is_no_table_of_failures() {
        let saved = sweep(&[], &[cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        assert!(failures(&summarize(&saved, &SummaryOptions::default()).unwrap()).is_none());
    }
}
