//! How often what is said of a cell is true: intervals, verdicts and a frontier, on systems whose true percentiles are known. Everything here is
//! simulated.
//!
//! `cargo bench --bench coverage` prints the table of docs/metrics.md; `-- --quick` a small one. `--replications`, `--systems queue,engine,...`,
//! `--arrivals`, `--utilisations`, `--durations` and `--repeats` choose rows.

mod asked;
mod cases;
mod executor;
mod frontier;
mod judging;
mod parallel;
mod requests;
mod series;
mod sessions;
mod table;
mod tally;
mod truth;

use std::time::Instant;

use asked::AskedRows;
use cases::{ArrivalKind, QueueLoad, SERVICE_PER_S, SystemKind, engine_capacity};
use judging::{MeasuredRun, judge_cell};
use parallel::on_all_cores;
use series::{write_series, write_truth};
use sessions::{SESSION_CELLS, SessionCell};
use table::RowName;
use tally::{CoverageCounts, TrueValues};
use truth::{LongRuns, true_values};

fn main() {
    let asked = AskedRows::read(&std::env::args().skip(1).collect::<Vec<_>>());
    let begun = Instant::now();
    println!("{}", table::HEAD);
    for (name, system) in [("queue", SystemKind::Queue), ("engine", SystemKind::Engine)] {
        if asked.has(name) {
            open_loops(&asked, system);
        }
    }
    for cell in SESSION_CELLS.iter().filter(|cell| asked.has(cell.name)) {
        sessions(&asked, cell);
    }
    if asked.has("frontier") {
        let long = LongRuns { runs: asked.long_runs, duration_s: 7200.0 };
        frontier::frontier(asked.replications.min(200), long).iter().for_each(|line| println!("{line}"));
    }
    println!("{:.0} s", begun.elapsed().as_secs_f64());
}

/// All loads of one system.
fn open_loops(asked: &AskedRows, system: SystemKind) {
    let capacity = match system {
        SystemKind::Queue => SERVICE_PER_S,
        SystemKind::Engine => engine_capacity(),
    };
    println!("# {system:?} carries {capacity:.2}/s");
    for arrival in [ArrivalKind::Poisson, ArrivalKind::Gamma] {
        for utilisation in asked.utilisations.iter().filter(|_| asked.arrivals.iter().any(|name| name == arrival.name())) {
            let load = QueueLoad { system, arrival, utilisation: *utilisation, capacity };
            let begun = Instant::now();
            let truth = true_values(&load, LongRuns { runs: asked.long_runs, duration_s: 7200.0 });
            eprintln!("{load:?}: truth {truth:?} in {:.1} s", begun.elapsed().as_secs_f64());
            for duration_s in &asked.durations_s {
                rows(asked, &load, &truth, *duration_s);
            }
        }
    }
}

/// A load for so long.
fn rows(asked: &AskedRows, load: &QueueLoad, truth: &TrueValues, duration_s: f64) {
    let system = if load.system == SystemKind::Engine { "engine" } else { "M/M/1" };
    let series = asked.series.as_ref().map(|folder| {
        let name = format!("{}_{}_{}_{duration_s}s", system.replace('/', ""), load.arrival.name(), load.utilisation);
        folder.join(name.to_lowercase())
    });
    series.iter().for_each(|folder| write_truth(folder, truth));
    let run = |replication: u32, repeat: u32, seed: u64| {
        let run = load.run(duration_s, seed).measured(repeat);
        series.iter().filter(|_| repeat == 0).for_each(|folder| write_series(folder, replication, &run));
        run
    };
    let name = RowName { system, arrivals: load.arrival.name(), load: format!("{} %", load.utilisation), duration_s: Some(duration_s) };
    measure(asked, &name, truth, run);
}

/// A cell of a workload with sessions.
fn sessions(asked: &AskedRows, cell: &SessionCell) {
    let begun = Instant::now();
    let truth = cell.true_values();
    eprintln!("{} {}: truth {truth:?} in {:.1} s", cell.name, cell.load, begun.elapsed().as_secs_f64());
    let durations = if cell.durations_s.is_empty() { vec![None] } else { cell.durations_s.iter().copied().map(Some).collect() };
    for duration_s in durations {
        let name = RowName { system: cell.name, arrivals: "noise", load: cell.load.to_owned(), duration_s };
        measure(asked, &name, &truth, |_, _, seed| cell.run(duration_s.unwrap_or(0.0), seed));
    }
}

/// Prints a line a percentile for each number of repeats. The first runs of more repeats are those of fewer.
fn measure(asked: &AskedRows, name: &RowName, truth: &TrueValues, run: impl Fn(u32, u32, u64) -> MeasuredRun + Sync) {
    let begun = Instant::now();
    let goals = truth.goals();
    let most = asked.repeats.iter().copied().max().unwrap_or(1);
    let cells = on_all_cores(asked.replications, |replication| {
        let seed = |repeat: u32| asked.seed * 100_000_000 + u64::from(replication) * 100 + u64::from(repeat);
        let runs: Vec<MeasuredRun> = (0..most).map(|repeat| run(replication, repeat, seed(repeat))).collect();
        let judged = |repeats: &u32| judge_cell(&runs.iter().take(*repeats as usize).collect::<Vec<_>>(), &goals);
        asked.repeats.iter().map(judged).collect::<Vec<_>>()
    });
    for (number, repeats) in asked.repeats.iter().enumerate() {
        let mut counts = CoverageCounts::default();
        cells.iter().for_each(|cell| counts.add(&cell[number], truth));
        table::lines(name, *repeats, truth, &counts).iter().for_each(|line| println!("{line}"));
    }
    eprintln!("{:.1} s", begun.elapsed().as_secs_f64());
}
