//! The rows of the table: a cell is simulated again and again with other seeds, judged, and counted.

use std::time::Instant;

use bench::analysis::CellSummary;

use crate::asked::AskedRows;
use crate::cases::{ArrivalKind, QueueLoad, SERVICE_PER_S, SystemKind, engine_capacity};
use crate::executor::differing_rows;
use crate::judging::{MeasuredRun, judge_cell};
use crate::parallel::on_all_cores;
use crate::series::{write_series, write_truth};
use crate::sessions::SessionCell;
use crate::table::{CoverageTable, RowName};
use crate::tally::{CoverageCounts, TrueValues};
use crate::truth::{LongRuns, simulated_values, true_values};

/// Longer runs of a cell with one repeat are used once more, in the cells with several: they are most of the time that all takes.
const LONG_S: f64 = 300.0;

/// All loads of one system.
pub fn open_loops(asked: &AskedRows, system: SystemKind, table: &mut CoverageTable) {
    let capacity = match system {
        SystemKind::Queue => {
            hold_to_the_closed_form();
            SERVICE_PER_S
        }
        SystemKind::Engine => {
            hold_to_the_executor();
            engine_capacity()
        }
    };
    println!("{} carries {capacity:.2} requests a second", name_of(system));
    for arrival in [ArrivalKind::Poisson, ArrivalKind::Gamma] {
        for utilisation in asked.utilisations.iter().filter(|_| asked.arrivals.iter().any(|name| name == arrival.name())) {
            let load = QueueLoad { system, arrival, utilisation: *utilisation, capacity };
            let truth = timed(&format!("true values of {load:?}"), || true_values(&load, asked.long_runs()));
            for duration_s in &asked.durations_s {
                loaded(asked, &load, &truth, *duration_s, table);
            }
        }
    }
}

fn name_of(system: SystemKind) -> &'static str {
    match system {
        SystemKind::Queue => "M/M/1",
        SystemKind::Engine => "engine",
    }
}

/// The queue is the one of which the closed form speaks: long runs of it come to the same.
fn hold_to_the_closed_form() {
    for arrival in [ArrivalKind::Poisson, ArrivalKind::Gamma] {
        let load = QueueLoad { system: SystemKind::Queue, arrival, utilisation: 80, capacity: SERVICE_PER_S };
        let long = LongRuns { runs: 16, duration_s: 7200.0 };
        let (exact, simulated) = (true_values(&load, long), simulated_values(&load, long));
        let largest = (0..3).map(|number| (simulated.seconds[number] / exact.seconds[number] - 1.0).abs()).fold(0.0, f64::max);
        let error = simulated.error.into_iter().flatten().fold(0.0, f64::max);
        println!("16 long runs differ from the closed form by at most {:.1} %, expected {:.1} %", 100.0 * largest, 100.0 * error);
        assert!(largest <= 2.0 * error, "the table would be of another queue");
    }
}

/// The engine is driven without texts and tasks around it: that must change nothing.
fn hold_to_the_executor() {
    let load = QueueLoad { system: SystemKind::Engine, arrival: ArrivalKind::Gamma, utilisation: 100, capacity: 55.0 };
    let run = load.run(60.0, 1);
    let differing = differing_rows(&run);
    println!("{differing} of {} rows of the engine by itself differ from the executor's", run.rows.len());
    assert_eq!(differing, 0, "the table would be of another engine");
}

/// A load for so long.
fn loaded(asked: &AskedRows, load: &QueueLoad, truth: &TrueValues, duration_s: f64, table: &mut CoverageTable) {
    let system = name_of(load.system);
    let series = asked.series.as_ref().map(|folder| {
        let name = format!("{}_{}_{}_{duration_s}s", system.replace('/', ""), load.arrival.name(), load.utilisation);
        folder.join(name.to_lowercase())
    });
    if let Some(folder) = &series {
        write_truth(folder, truth);
    }
    let run = |number: u32, seed: u64| {
        let run = load.run(duration_s, seed).measured();
        if let Some(folder) = &series {
            write_series(folder, number, &run);
        }
        run
    };
    let arrivals = if load.arrival == ArrivalKind::Gamma { "gamma" } else { "Poisson" };
    let name = RowName { system, arrivals, load: format!("{} %", load.utilisation), duration_s: Some(duration_s) };
    measure(asked, &name, truth, table, run);
}

/// A cell of a workload with sessions.
pub fn sessions(asked: &AskedRows, cell: &SessionCell, table: &mut CoverageTable) {
    let durations: Vec<Option<f64>> =
        if cell.durations_s.is_empty() { vec![None] } else { asked.chosen(cell.durations_s).into_iter().map(Some).collect() };
    if durations.is_empty() {
        return;
    }
    let truth = timed(&format!("true values of {}, {}", cell.name, cell.load), || cell.true_values());
    for duration_s in durations {
        let name = RowName { system: cell.name, arrivals: "", load: cell.load.to_owned(), duration_s };
        measure(asked, &name, &truth, table, |_, seed| cell.run(duration_s.unwrap_or(0.0), seed));
    }
}

/// Adds a line for each number of repeats. Of the runs of a cell with several repeats the first is the cell with one; where runs are long,
/// each of them is.
fn measure(asked: &AskedRows, name: &RowName, truth: &TrueValues, table: &mut CoverageTable, run: impl Fn(u32, u64) -> MeasuredRun + Sync) {
    let goals = truth.goals();
    let most = asked.repeats.iter().copied().max().unwrap_or(1);
    let is_long = name.duration_s.is_some_and(|duration_s| duration_s > LONG_S);
    let batches = if is_long { asked.replications.div_ceil(most) } else { asked.replications };
    let seed = |number: u32| asked.seed * 1_000_000_000 + u64::from(number);
    let batches = timed(&format!("{name:?}"), || {
        on_all_cores(batches, |batch| {
            let runs: Vec<MeasuredRun> = (batch * most..(batch + 1) * most).map(|number| run(number, seed(number))).collect();
            let cells_of = |repeats: &u32| -> Vec<CellSummary> {
                let cells = runs.chunks_exact(*repeats as usize).take(if is_long { usize::MAX } else { 1 });
                cells.map(|cell| judge_cell(cell, &goals)).collect()
            };
            asked.repeats.iter().map(cells_of).collect::<Vec<_>>()
        })
    });
    for (number, repeats) in asked.repeats.iter().enumerate() {
        let mut counts = CoverageCounts::default();
        batches.iter().flat_map(|batch| &batch[number]).for_each(|cell| counts.add(cell, truth));
        table.add(name, *repeats, truth, &counts);
    }
}

/// Says how long something took.
pub fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    eprintln!("{:>6.1} s  {what}", begun.elapsed().as_secs_f64());
    result
}
