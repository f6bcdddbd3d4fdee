//! The table behind a picture: a panel in, texts and classes for the template out.

use serde::Serialize;

use crate::analysis::GoalVerdict;
use crate::report::panel::{ReportPanel, ReportPanelCell, ReportPanelRow};

/// One table.
#[derive(Debug, Serialize)]
pub struct PageGrid {
    pub caption: String,
    corner: String,
    columns: Vec<String>,
    rows: Vec<PageGridRow>,
}

#[derive(Debug, Serialize)]
struct PageGridRow {
    head: String,
    places: Vec<Option<PageGridCell>>,
}

#[derive(Debug, Serialize)]
struct PageGridCell {
    class: &'static str,
    text: String,
    mark: &'static str,
    /// The verdict in a word, for those who cannot see its mark.
    word: Option<&'static str>,
    n: Option<u64>,
    /// The interval, and how the value grows.
    interval: Option<String>,
}

/// How many places a panel has.
#[must_use]
pub fn places(panel: &ReportPanel) -> usize {
    panel.rows.len() * panel.columns.len()
}

#[must_use]
pub fn grid(panel: ReportPanel) -> PageGrid {
    let what = panel.subject();
    let within = if panel.within.is_empty() { String::new() } else { format!(" at {}", panel.within) };
    let row = |row: ReportPanelRow| PageGridRow { head: row.head, places: row.places.into_iter().map(|at| at.map(place)).collect() };
    PageGrid {
        caption: format!("{what}{within}, in {}", panel.unit),
        corner: panel.corner(),
        columns: panel.columns,
        rows: panel.rows.into_iter().map(row).collect(),
    }
}

fn place(place: ReportPanelCell) -> PageGridCell {
    let lines: Vec<String> = [place.interval.clone(), place.growth.clone()].into_iter().flatten().collect();
    PageGridCell {
        class: match (place.n, place.passes) {
            (None, _) if place.interval.is_some() => "predicted",
            (None, _) => "without",
            (Some(_), Some(true)) => "passes",
            (Some(_), Some(false)) => "fails",
            (Some(_), None) => "",
        },
        mark: place.mark(),
        word: place.verdict.map(GoalVerdict::name),
        text: place.text,
        n: place.n,
        interval: if lines.is_empty() { None } else { Some(lines.join("; ")) },
    }
}
