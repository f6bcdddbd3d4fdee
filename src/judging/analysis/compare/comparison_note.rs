//! Remarks on a comparison: what each rests on, and its words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::comparison::SettingDifference;
use crate::analysis::axes::{Axes, named_cell, show_axes};
use crate::analysis::summary::{CellState, NodeDifference, VoidReason};

/// So many cells are named; others are counted.
const SHOWN: usize = 4;

/// A remark on a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ComparisonNote {
    /// How the servers differ, or by what lengths were counted: what is compared.
    ServerDifference(SettingDifference),
    /// The sides were measured on different nodes.
    OtherNodes(NodeDifference),
    /// A side of these cells was ended early.
    EarlyStop { cells: Vec<Axes> },
    /// A side of these cells certifies nothing.
    NotCertified { cells: Vec<VoidCell> },
    /// Cells that only the base side has.
    OnlyBase { cells: Vec<Axes> },
    /// Cells that only the new side has.
    OnlyNew { cells: Vec<Axes> },
    /// A cell has no result on a side.
    NoResult(Box<UncomparedCell>),
}

/// A cell that certifies nothing, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoidCell {
    pub cell: Axes,
    pub reason: VoidReason,
}

/// A cell without a result on a side: how it stands on each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UncomparedCell {
    pub cell: Axes,
    pub base: CellState,
    pub new: CellState,
}

impl fmt::Display for ComparisonNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerDifference(SettingDifference { what, base, new }) => {
                write!(f, "`{what}` is {base} on the base side, {new} on the new one")
            }
            Self::OtherNodes(nodes) => write!(f, "measured on different nodes, so that what differs may be the nodes: {nodes}"),
            Self::EarlyStop { cells } => {
                write!(f, "stopped early on a side, so compared by bounds and certified verdicts alone: {}", few(cells, show_axes))
            }
            Self::NotCertified { cells } => {
                write!(f, "not compared where a side certifies nothing: {}", few(cells, VoidCell::to_string))
            }
            Self::OnlyBase { cells } => write!(f, "cells that only the base side has: {}", few(cells, show_axes)),
            Self::OnlyNew { cells } => write!(f, "cells that only the new side has: {}", few(cells, show_axes)),
            Self::NoResult(cell) => cell.fmt(f),
        }
    }
}

impl fmt::Display for VoidCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cell, reason) = (show_axes(&self.cell), self.reason.words());
        if cell.is_empty() { f.write_str(reason) } else { write!(f, "{cell} ({reason})") }
    }
}

impl fmt::Display for UncomparedCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sides = [("base", &self.base), ("new", &self.new)];
        let words = sides.into_iter().filter_map(|(side, state)| Some(format!("{side}: {}", without_result(state)?)));
        write!(f, "{}: no result to compare ({})", named_cell(&self.cell), words.collect::<Vec<_>>().join("; "))
    }
}

/// Why a side has no result; `None` where it has one.
fn without_result(state: &CellState) -> Option<String> {
    match state {
        CellState::Measured => None,
        CellState::Failed(failure) => Some(format!("failed: {}", failure.to_string().lines().next().unwrap_or_default())),
        CellState::Invalid { reason } => Some(format!("invalid: {reason}")),
        CellState::Missing | CellState::Untested { .. } => Some("no whole run is there".to_owned()),
    }
}

/// The first by name, and how many there are beside them.
fn few<Cell>(cells: &[Cell], words: impl Fn(&Cell) -> String) -> String {
    let shown = cells.iter().take(SHOWN).map(words).collect::<Vec<_>>().join("; ");
    if cells.len() > SHOWN { format!("{shown}; and {} more", cells.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::analysis::summary::NoteList;
    use crate::records::record::{InvalidRunReason, RunFailure, RunFailureCause};

    fn cell(concurrent: u64) -> Axes {
        let Value::Object(axes) = json!({ "workload.concurrent": concurrent, "workload.sequential": 2 }) else { panic!() };
        axes
    }

    #[test]
    fn every_note_says_its_figures_and_comes_back_from_json() {
        let difference = SettingDifference { what: "server".into(), base: "missing".into(), new: "{}".into() };
        let no_result = |base, new| ComparisonNote::NoResult(Box::new(UncomparedCell { cell: cell(1), base, new }));
        let void = |concurrent| VoidCell { cell: cell(concurrent), reason: VoidReason::HeldBack };
        let failed = CellState::Failed(RunFailure::new(RunFailureCause::Cell, "no such model\nat all".into()));
        let invalid = CellState::Invalid { reason: InvalidRunReason::ClientStandstill { stood_still_s: 4.0 } };
        let all = [
            (ComparisonNote::ServerDifference(difference), "`server` is missing on the base side, {} on the new one"),
            (
                ComparisonNote::EarlyStop { cells: vec![cell(1), cell(2)] },
                "stopped early on a side, so compared by bounds and certified verdicts alone: C=1, S=2; C=2, S=2",
            ),
            (
                ComparisonNote::NotCertified { cells: vec![void(1), VoidCell { cell: Axes::new(), ..void(1) }] },
                "not compared where a side certifies nothing: C=1, S=2 (answers came whole); answers came whole",
            ),
            (
                ComparisonNote::OnlyBase { cells: [1, 2, 3, 4, 5, 6].map(cell).to_vec() },
                "cells that only the base side has: C=1, S=2; C=2, S=2; C=3, S=2; C=4, S=2; and 2 more",
            ),
            (ComparisonNote::OnlyNew { cells: vec![cell(1)] }, "cells that only the new side has: C=1, S=2"),
            (no_result(CellState::Measured, failed), "C=1, S=2: no result to compare (new: failed: no such model)"),
            (
                no_result(invalid, CellState::Missing),
                "C=1, S=2: no result to compare (base: invalid: the client stood still for 4.0 s (stopped, suspended, or without a processor); new: no \
                 whole run is there)",
            ),
        ];
        let (notes, words): (Vec<ComparisonNote>, Vec<&str>) = all.into_iter().unzip();
        let notes = NoteList(notes);
        let saved = serde_json::to_value(&notes).unwrap();
        assert_eq!(saved["notes"], json!(words));
        assert_eq!(saved["note_figures"][0], json!({ "kind": "server_difference", "what": "server", "base": "missing", "new": "{}" }));
        assert_eq!(serde_json::from_value::<NoteList<ComparisonNote>>(saved).unwrap(), notes);
    }
}
