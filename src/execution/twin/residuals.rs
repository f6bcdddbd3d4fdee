//! How far simulated cells are from measured ones.

use crate::planning::plan::Run;
use crate::vocabulary::spec::engine::EngineSpec;

use super::observation::{CellObservation, ObservedValue};
use super::replay::replay;

/// A cell that was measured: the runs that simulate it, one for each repeat that there is, and what its rows show.
#[derive(Debug, Clone)]
pub struct MeasuredCell {
    /// As people name it.
    pub name: String,
    pub runs: Vec<Run>,
    pub observed: CellObservation,
}

/// What a number is off by where the simulated cell does not show it at all, in standard deviations.
const NOT_SHOWN: f64 = 20.0;

/// The simulated numbers of all cells, an engine after the other: each cell's in the order of its observation, `None` where it shows none.
pub(super) fn simulated(cells: &[MeasuredCell], engines: &[EngineSpec]) -> Vec<Vec<Vec<Option<f64>>>> {
    let runs: Vec<_> = engines.iter().flat_map(|engine| cells.iter().flat_map(|cell| &cell.runs).map(move |run| (run, engine))).collect();
    let mut rows = replay(&runs).into_iter();
    let mut of_cell = |cell: &MeasuredCell| {
        let all: Vec<_> = rows.by_ref().take(cell.runs.len()).collect();
        let shown = CellObservation::plain(&all);
        cell.observed.values.iter().map(|observed| shown.get(&observed.statistic).copied()).collect::<Vec<_>>()
    };
    engines.iter().map(|_| cells.iter().map(&mut of_cell).collect()).collect()
}

/// How many standard deviations each number is off.
pub(super) fn residuals(cells: &[MeasuredCell], shown: &[Vec<Option<f64>>]) -> Vec<f64> {
    let of_cell = |(cell, shown): (&MeasuredCell, &Vec<Option<f64>>)| {
        cell.observed.values.iter().zip(shown).map(|(observed, shown)| residual(observed, *shown)).collect::<Vec<_>>()
    };
    cells.iter().zip(shown).flat_map(of_cell).collect()
}

fn residual(observed: &ObservedValue, shown: Option<f64>) -> f64 {
    let deviation = observed.error.hypot(observed.statistic.tolerance());
    shown.map_or(NOT_SHOWN, |shown| ((shown - observed.value) / deviation).clamp(-NOT_SHOWN, NOT_SHOWN))
}
