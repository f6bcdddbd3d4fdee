//! The proof of the frontier search: on seeded random engines the search gives the same answer as the whole grid, for how much of its
//! server time. Everything here is simulated.
//!
//! `cargo bench --bench frontier` runs 500 engines on grids of 4×4, 8×8 and 16×16; `-- --engines 20 --sizes 4,8` fewer. The answer is
//! that of the plain values with one run a cell, on both sides; a bracket holds the grid's answer where the search excludes nothing that the
//! grid found to pass and claims nothing beyond it. The search's server time is set against the cheapest proof of the grid's answer as well,
//! and so is that of a search that is told how the cells come out, and of one that a fitted engine guides; the cells of the fit are not counted.

mod engine;
mod expected;
mod outcome;
mod proof;
mod runs;
mod table;

use std::sync::atomic::{AtomicU32, Ordering};

use engine::RandomEngine;
use expected::{by_a_fit, by_the_answer};
use outcome::{Outcome, Searches, compare};
use runs::{Cells, search, whole_grid};

fn main() {
    let asked = Asked::read(std::env::args().skip(1));
    println!("simulated; seed of an engine: its number; one run a cell; server time is the sum of the runs' virtual durations");
    println!("{}", table::HEAD);
    for size in &asked.sizes {
        let outcomes = all(*size, asked.engines);
        for row in table::rows(*size, &outcomes) {
            println!("{row}");
        }
    }
}

/// What was asked for on the command line.
struct Asked {
    engines: u32,
    sizes: Vec<u32>,
}

impl Asked {
    /// Words that a test runner adds are read over.
    fn read(words: impl Iterator<Item = String>) -> Self {
        let words: Vec<String> = words.collect();
        let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        let number = |text: &String| text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"));
        Self {
            engines: after("--engines").map_or(500, number),
            sizes: after("--sizes").map_or(vec![4, 8, 16], |sizes| sizes.split(',').map(|size| number(&size.to_owned())).collect()),
        }
    }
}

/// Every engine on a grid of that size, on all cores; in the engines' order.
fn all(size: u32, engines: u32) -> Vec<Outcome> {
    let next = AtomicU32::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut outcomes: Vec<(u32, Outcome)> = std::thread::scope(|scope| {
        let work = || {
            let numbers = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < engines));
            numbers.map(|number| (number, one(number, size))).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn one(number: u32, size: u32) -> Outcome {
    let engine = RandomEngine::draw(number, size);
    let cells = Cells::new(&engine.scenario());
    let grid = whole_grid(&cells);
    let searches = Searches {
        unguided: search(&cells, None),
        by_answer: search(&cells, Some(by_the_answer(&grid))),
        by_fit: by_a_fit(&cells, size).map(|expected| search(&cells, Some(expected))),
    };
    compare(&engine, &cells, &grid, &searches)
}
