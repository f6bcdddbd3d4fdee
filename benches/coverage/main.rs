//! How often what is said of a cell is true: intervals, verdicts and a frontier, on systems whose true percentiles are known. Everything here is
//! simulated.
//!
//! `cargo bench --bench coverage` prints the tables of docs/metrics.md; `-- --quick` small ones in a minute. `--systems queue,engine,chat,document_qa,frontier`,
//! `--arrivals`, `--utilisations`, `--durations` and `--repeats` choose rows, `--replications` how often each is simulated, and `--long-runs` how
//! exact true values are that are in no book. Where a share is beyond doubt not as wanted, the process ends with 1.

mod asked;
mod cases;
mod executor;
mod frontier;
mod judging;
mod parallel;
mod requests;
mod rows;
mod series;
mod sessions;
mod table;
mod tally;
mod truth;

use std::process::ExitCode;

use asked::AskedRows;
use cases::SystemKind;
use rows::{open_loops, sessions, timed};
use sessions::SESSION_CELLS;
use table::CoverageTable;

fn main() -> ExitCode {
    let asked = AskedRows::read(&std::env::args().skip(1).collect::<Vec<_>>());
    println!("simulated; seeds from {}", asked.seed);
    let mut table = CoverageTable::default();
    let frontier = timed("all", || {
        for (name, system) in [("queue", SystemKind::Queue), ("engine", SystemKind::Engine)] {
            if asked.has(name) {
                open_loops(&asked, system, &mut table);
            }
        }
        SESSION_CELLS.iter().filter(|cell| asked.has(cell.name)).for_each(|cell| sessions(&asked, cell, &mut table));
        asked.has("frontier").then(|| frontier::frontier(&asked))
    });
    table.lines().iter().chain(frontier.iter().flatten()).for_each(|line| println!("{line}"));
    println!("{} shares are not as wanted, {} of them beyond doubt", table.missed, table.surely_missed);
    if table.surely_missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
