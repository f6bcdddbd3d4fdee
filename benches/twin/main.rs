//! How good a twin is. Recovery: random simulated engines are measured in a few cells, fitted, and their other cells predicted. A real engine: the same with
//! saved sweeps of `scenarios/lab-twin.toml`. How often the 90 % interval of a held-out cell's p95 holds what was measured there, and how far the
//! prediction is off.
//!
//! `cargo bench --bench twin` tries 500 engines on grids of 4×4 of which 3 to 5 cells are fitted; `-- --engines 20` fewer. `-- --lab benches/twin/lab` prints the table of the
//! saved sweep there instead.

mod engine;
mod held_out;
mod lab;
mod recovery;

use std::path::Path;

use held_out::{HeldOut, tell};
use lab::Lab;
use recovery::recover;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    if let Some(folder) = after("--lab") {
        return Lab::read(Path::new(folder)).tell();
    }
    let engines: u32 = after("--engines").map_or(500, |count| count.parse().unwrap());
    println!("simulated; seed of an engine: its number; 2 repeats a cell; of 4×4 cells 3 to 5 are fitted and all others predicted");
    let held: Vec<HeldOut> = (0..engines).flat_map(recover).collect();
    tell(&held.iter().collect::<Vec<_>>());
}
