//! Which cell of one side is compared with which of the other: those that agree in all axes. An axis of the workload that only one side
//! has counts with the value that the other's cells were run with. Saved sweeps in, pairs out.

use std::collections::BTreeSet;

use serde_json::Value;

use super::comparison_note::{ComparisonNote, UncomparedCell};
use crate::analysis::axes::{Axes, is_same_place};
use crate::analysis::cells::{CellRuns, cells};
use crate::analysis::summary::CellState;
use crate::records::store::SavedSweep;

/// Cells of both sides that are the same work.
#[derive(Debug)]
pub(super) struct CellPair<'a> {
    pub axes: Axes,
    pub base: CellRuns<'a>,
    pub new: CellRuns<'a>,
}

#[derive(Debug, Default)]
pub(super) struct CellPairing<'a> {
    /// In the order of the base's axes; both have a result.
    pub cells: Vec<CellPair<'a>>,
    pub notes: Vec<ComparisonNote>,
    /// Cells with a result on the base's side that were run on the new one and have none there.
    pub lost: usize,
}

/// Pairs the cells of a variant of each side.
pub(super) fn pair<'a>(base: (&'a SavedSweep, &str), new: (&'a SavedSweep, &str)) -> CellPairing<'a> {
    let names = shared_axes(base.0, new.0);
    let of = |(sweep, variant): (&'a SavedSweep, &str)| {
        // What a search left out was not lost: that side does not have it.
        let left_out = |cell: &CellRuns<'_>| sweep.manifest.search.is_some() && cell.runs.is_empty();
        let cells = cells(sweep).into_iter().filter(|cell| cell.variant == variant && !left_out(cell));
        cells.map(|cell| (place(&names, &cell), cell)).collect::<Vec<_>>()
    };
    let (base, mut new) = (of(base), of(new));
    let mut pairs = CellPairing::default();
    let (mut only_base, mut missing) = (Vec::new(), Vec::new());
    for (axes, cell) in base {
        let Some(at) = new.iter().position(|(known, _)| is_same_place(known, &axes)) else {
            only_base.push(axes);
            continue;
        };
        let (_, other) = new.remove(at);
        match (cell.state(), other.state()) {
            (CellState::Measured, CellState::Measured) => pairs.cells.push(CellPair { axes, base: cell, new: other }),
            (base, new) => {
                pairs.lost += usize::from(base == CellState::Measured);
                missing.push(ComparisonNote::NoResult(Box::new(UncomparedCell { cell: axes, base, new })));
            }
        }
    }
    let only_new: Vec<Axes> = new.into_iter().map(|(axes, _)| axes).collect();
    pairs.notes.extend((!only_base.is_empty()).then_some(ComparisonNote::OnlyBase { cells: only_base }));
    pairs.notes.extend((!only_new.is_empty()).then_some(ComparisonNote::OnlyNew { cells: only_new }));
    pairs.notes.extend(missing);
    pairs
}

/// The axes of both, and those of the workload of either.
fn shared_axes(base: &SavedSweep, new: &SavedSweep) -> Vec<String> {
    let of = |sweep: &SavedSweep| sweep.manifest.axes.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (base, new) = (of(base), of(new));
    let both: BTreeSet<&String> = base.iter().filter(|name| new.contains(name)).collect();
    let mut names: Vec<String> = Vec::new();
    for name in base.iter().chain(&new) {
        if (both.contains(name) || name.starts_with("workload.")) && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn place(names: &[String], cell: &CellRuns<'_>) -> Axes {
    let run_with = |name: &str| cell.runs.first()?.record.header.cell.axis_value(name).cloned();
    let value = |name: &String| cell.axes.get(name).cloned().or_else(|| run_with(name)).unwrap_or(Value::Null);
    names.iter().map(|name| (name.clone(), value(name))).collect()
}
