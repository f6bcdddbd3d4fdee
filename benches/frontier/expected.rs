//! What is expected of a grid's cells: by the answer itself, which is the best that could be, and by an engine that was fitted to four of them.

use std::collections::BTreeMap;

use bench::analysis::FittedServer;
use bench::execution::twin::{CellObservation, MeasuredCell, TwinFile, fit, predict, replay};
use bench::planning::plan::Run;
use bench::search::{CellIndex, ExpectedCells};
use bench::vocabulary::spec::engine::{EngineCostSpec, EngineSpec};

use super::runs::{Cells, Measured};

/// By the answer.
pub fn by_the_answer(grid: &BTreeMap<CellIndex, Measured>) -> ExpectedCells {
    let chance = |measured: &Measured| if measured.seen.passes == Some(true) { 0.99 } else { 0.01 };
    ExpectedCells::new(grid.iter().map(|(place, measured)| (*place, chance(measured))))
}

/// By a fit to the lightest cell, the longest row and column of the light half, and the middle; `None` where it does not fit.
pub fn by_a_fit(cells: &Cells, size: u32) -> Option<ExpectedCells> {
    let (middle, last) = (size as usize / 2, size as usize - 1);
    let runs: Vec<&Run> = [(0, 0), (0, last), (middle, middle), (last, 1)].into_iter().map(|(c, s)| cells.run(CellIndex(c, s))).collect();
    let jobs: Vec<(&Run, &EngineSpec)> = runs.iter().map(|run| (*run, &run.cell.engine)).collect();
    let rows = replay(&jobs);
    let observations = CellObservation::of_cells(&rows.iter().map(std::slice::from_ref).collect::<Vec<_>>());
    let cell = |(run, observed): (&&Run, CellObservation)| MeasuredCell { name: run.id.clone(), runs: vec![(*run).clone()], observed };
    let measured: Vec<MeasuredCell> = runs.iter().zip(observations).map(cell).collect();
    let told = EngineSpec { costs: EngineCostSpec::default(), noise: None, faults: Vec::new(), ..runs[0].cell.engine.clone() };
    let outcome = fit(&measured, &rows.iter().flatten().collect::<Vec<_>>(), &told, |_, _| {})?;
    let twin = TwinFile::new(outcome, "default", FittedServer::Simulated, &runs).unwrap();
    if !twin.fit.misfits().is_empty() {
        return None;
    }
    let predicted = predict(cells.plan(), &twin, &twin.engine, |_, _| {}).unwrap();
    Some(ExpectedCells::new(predicted.cells.iter().map(|cell| (cells.place(&cell.axes), cell.figures.chance))))
}
