//! Nights for tests, made of the rows they are about.

use std::path::PathBuf;

use jiff::{Timestamp, ToSpan};

use crate::analysis::SummaryOptions;
use crate::analysis::history::NightSweep;
use crate::fixtures::sweeps::{Cell, answered, cell, sweep};
use crate::records::store::SavedSweep;

pub(crate) const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

/// Follow-up times of `sessions` sessions whose p95 is about `p95_s`: evenly spread from a half of it upward.
pub(crate) fn spread(concurrent: u64, sequential: u64, p95_s: f64) -> Vec<crate::records::record::RequestRecord> {
    const TURNS: u32 = 30;
    let time = |turn: u32| p95_s * (0.5 + 0.5 * f64::from(turn % TURNS) / (0.95 * f64::from(TURNS - 1)));
    (0..concurrent * sequential).flat_map(|session| (1..=TURNS).map(move |turn| answered(session, turn, time(turn)))).collect()
}

/// A sweep of four cells on that day of January 2026, whose largest is as slow as said and whose others take a quarter of a second.
pub(crate) fn steady(day: i64, largest_s: f64) -> SavedSweep {
    of_cells(day, &cells("vllm", largest_s))
}

pub(crate) fn cells(variant: &'static str, largest_s: f64) -> Vec<Cell> {
    [(1, 1, 0.25), (2, 1, 0.25), (1, 2, 0.25), (2, 2, largest_s)]
        .into_iter()
        .map(|(concurrent, sequential, p95)| cell(variant, concurrent, sequential, spread(concurrent, sequential, p95)))
        .collect()
}

/// The same in three repeats: twelve sessions in the largest cell, which certify a p95 that is far from its limit.
pub(crate) fn certified(day: i64, largest_s: f64) -> SavedSweep {
    let repeat = |repeat: u32| cells("vllm", largest_s).into_iter().map(move |cell| Cell { repeat, ..cell });
    of_cells(day, &(0..3).flat_map(repeat).collect::<Vec<_>>())
}

/// The cells as a sweep of that day of January 2026.
pub(crate) fn of_cells(day: i64, cells: &[Cell]) -> SavedSweep {
    let mut sweep = sweep(&[GOAL], cells);
    let first: Timestamp = "2026-01-01T03:00:00Z".parse().unwrap();
    sweep.manifest.created_at = first + ((day - 1) * 24).hours();
    sweep
}

/// The sweep as the night of that number.
pub(crate) fn night(number: i64, sweep: SavedSweep) -> NightSweep {
    NightSweep::new(PathBuf::from(format!("night-{number:02}")), sweep, &SummaryOptions::default()).unwrap()
}

/// A night each, on the days from the first on, with the largest cell's p95.
pub(crate) fn nights(largest_s: &[f64]) -> Vec<NightSweep> {
    (1..).zip(largest_s).map(|(day, p95)| night(day, steady(day, *p95))).collect()
}
