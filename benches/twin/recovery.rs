//! One engine: measured, fitted in some cells, predicted in the others.

use bench::analysis::{FittedServer, RequestTable, estimate};
use bench::execution::twin::{CellObservation, CellStatistic, MeasuredCell, TwinFile, fit, predict, replay};
use bench::planning::plan::{Plan, Run};
use bench::planning::scenario::{ScenarioOverrides, load_text};
use bench::records::record::RequestRecord;
use bench::records::store::{SavedRequests, to_table};
use bench::vocabulary::spec::engine::{EngineCostSpec, EngineSpec};

use super::engine::RandomEngine;
use super::held_out::HeldOut;

const SIZE: u32 = 4;

/// The cells that are fitted, by C and S.
const FITTED: [&[(u32, u32)]; 3] =
    [&[(1, 1), (2, 2), (4, 2)], &[(1, 1), (1, 4), (3, 2), (4, 4)], &[(1, 1), (1, 3), (2, 2), (3, 1), (4, 3)]];

pub fn recover(number: u32) -> Vec<HeldOut> {
    let engine = RandomEngine::draw(number, SIZE);
    let plan = Plan::new(&load_text("random.toml".as_ref(), &engine.scenario, &ScenarioOverrides::default()).unwrap()).unwrap();
    let truth: EngineSpec = toml::from_str(&engine.section).unwrap();
    let measured = measured(&plan, &truth);
    let is_fitted = |place: &(u32, u32)| FITTED[number as usize % FITTED.len()].contains(place);
    let fitted = || measured.iter().filter(|cell| is_fitted(&cell.place));
    let observations = CellObservation::of_cells(&fitted().map(|cell| cell.rows.as_slice()).collect::<Vec<_>>());
    let cells: Vec<MeasuredCell> = fitted()
        .zip(observations)
        .map(|(cell, observed)| MeasuredCell {
            name: format!("{:?}", cell.place),
            runs: cell.runs.iter().map(|run| (*run).clone()).collect(),
            observed,
        })
        .collect();
    let rows: Vec<&RequestRecord> = fitted().flat_map(|cell| cell.rows.iter().flatten()).collect();
    // The caches' sizes are told by a server's metrics and flags; its times are not.
    let told = EngineSpec { costs: EngineCostSpec::default(), noise: None, ..truth };
    let outcome = fit(&cells, &rows, &told, |_, _| {}).unwrap();
    if std::env::var_os("TWIN_SHOW").is_some() {
        println!("{number}: error {:.4}", outcome.error);
        for found in &outcome.parameters {
            println!("  {:?} {:e} ({:e} to {:e}) told {}", found.parameter, found.value, found.low, found.high, found.is_told);
        }
        println!("  {}", engine.section);
        for cell in &outcome.cells {
            for value in &cell.values {
                println!("  {} {value:?}", cell.name);
            }
        }
    }
    let fitted_runs: Vec<&Run> = cells.iter().flat_map(|cell| &cell.runs).collect();
    let (count, twin) = (cells.len(), TwinFile::new(outcome, "default", FittedServer::Simulated, &fitted_runs).unwrap());
    let predicted = predict(&plan, &twin, &twin.engine, |_, _| {}).unwrap();
    let goal = &plan.goals[0];
    let held_out = measured.iter().filter(|cell| !is_fitted(&cell.place)).map(|cell| {
        let of_cell = predicted.cells.iter().find(|predicted| place(&predicted.axes) == cell.place).unwrap();
        let interval = of_cell.figures.goals[0].interval.unwrap();
        let saved: Vec<SavedRequests> = cell.rows.iter().map(|rows| SavedRequests::held(to_table(rows).unwrap())).collect();
        let value = estimate(&goal.measure, &RequestTable::pool(&saved).unwrap()).unwrap().value.unwrap().get();
        HeldOut {
            fit: number.to_string(),
            fits: predicted.misfits.is_empty(),
            fitted_cells: count,
            measured: value,
            hits: CellObservation::plain(&cell.rows)[&CellStatistic::LaterHitShare],
            predicted_hits: None,
            predicted: interval.value.get(),
            low: interval.low.get(),
            high: interval.high.get(),
            chance: of_cell.figures.chance,
            is_met: goal.comparison.holds(value, goal.limit),
            is_within: of_cell.figures.is_within,
        }
    });
    held_out.collect()
}

struct Cell<'a> {
    place: (u32, u32),
    runs: Vec<&'a Run>,
    rows: Vec<Vec<RequestRecord>>,
}

/// Every cell with all its repeats.
fn measured<'a>(plan: &'a Plan, truth: &EngineSpec) -> Vec<Cell<'a>> {
    let jobs: Vec<(&Run, &EngineSpec)> = plan.runs.iter().map(|run| (run, truth)).collect();
    let mut cells: Vec<Cell<'a>> = Vec::new();
    for (run, rows) in plan.runs.iter().zip(replay(&jobs)) {
        let place = place(&run.axes);
        match cells.iter_mut().find(|cell| cell.place == place) {
            Some(cell) => {
                cell.runs.push(run);
                cell.rows.push(rows);
            }
            None => cells.push(Cell { place, runs: vec![run], rows: vec![rows] }),
        }
    }
    cells
}

fn place(axes: &[(String, serde_json::Value)]) -> (u32, u32) {
    let at = |axis: usize| u32::try_from(axes[axis].1.as_u64().unwrap()).unwrap();
    (at(0), at(1))
}
