//! The search's answer beside the grid's.

use std::collections::BTreeMap;

use bench::search::{CellIndex, SearchMeasure};

use super::engine::RandomEngine;
use super::proof::cheapest_proof;
use super::runs::{Cells, Found, Measured, least_server_s};

/// One engine.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what is counted in the table, a column each")]
pub struct Outcome {
    pub noisy: bool,
    /// No cell of the grid passes that is at least as hard as one that fails.
    pub monotone: bool,
    /// Some cells of the grid pass and some fail.
    pub boundary_inside: bool,
    /// The same max C×S.
    pub same_product: bool,
    pub same_harmonic_mean: bool,
    /// The grid's answer lies between what the search claims as met and what it does not exclude.
    pub in_bracket: bool,
    /// Nothing above the answer is left open: what the search excludes begins right there.
    pub closed_above: bool,
    /// The cells that the search ran contradict each other.
    pub revealed: bool,
    /// It said so.
    pub reported: bool,
    pub cells_share: f64,
    pub time_share: f64,
    /// The search's server time over that of the cheapest proof of the grid's answer.
    pub of_cheapest: f64,
    /// The same of the search that is told how cells come out, and of the one that a fitted engine guides; `None` where the engine does not fit.
    pub told_of_cheapest: f64,
    pub fitted_of_cheapest: Option<f64>,
    /// The fitted engine's search found the same max C×S as the one without it.
    pub fitted_same: bool,
}

/// The searches of an engine.
pub struct Searches {
    pub unguided: Found,
    pub by_answer: Found,
    pub by_fit: Option<Found>,
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred cells")]
pub fn compare(engine: &RandomEngine, cells: &Cells, grid: &BTreeMap<CellIndex, Measured>, searches: &Searches) -> Outcome {
    let found = &searches.unguided;
    let passes = |measured: &Measured| measured.seen.passes == Some(true);
    let best = |measure: SearchMeasure, cells_of: &BTreeMap<CellIndex, Measured>| {
        let values = cells_of.iter().filter(|(_, measured)| passes(measured)).map(|(place, _)| measure.value(cells.lattice(), *place));
        values.fold(0.0, f64::max)
    };
    let same = |measure: SearchMeasure| best(measure, grid).total_cmp(&best(measure, &found.cells)).is_eq();
    let time = |cells: &BTreeMap<CellIndex, Measured>| cells.values().map(|measured| measured.server_s).sum::<f64>();
    let answer = best(SearchMeasure::Product, grid);
    let passing = grid.values().filter(|measured| passes(measured)).count();
    let judged = grid.iter().map(|(place, measured)| (*place, passes(measured))).collect();
    // A cell that the search ran came out there as it would again.
    let cost = |place: CellIndex| found.cells.get(&place).map_or_else(|| least_server_s(cells, place), |measured| measured.server_s);
    let cheapest = cheapest_proof(cells.lattice(), &judged, cost);
    let product = |found: &Found| best(SearchMeasure::Product, &found.cells);
    Outcome {
        noisy: engine.noise > 0.0,
        monotone: !contradicts(grid),
        boundary_inside: passing > 0 && passing < grid.len(),
        same_product: same(SearchMeasure::Product),
        same_harmonic_mean: same(SearchMeasure::HarmonicMean),
        in_bracket: bracket(cells, found).is_some_and(|(met, most)| met <= answer && answer <= most),
        closed_above: bracket(cells, found).is_some_and(|(_, most)| most <= best(SearchMeasure::Product, &found.cells)),
        revealed: contradicts(&found.cells),
        reported: !found.status.violations.is_empty(),
        cells_share: found.cells.len() as f64 / grid.len() as f64,
        time_share: time(&found.cells) / time(grid),
        of_cheapest: time(&found.cells) / cheapest,
        told_of_cheapest: time(&searches.by_answer.cells) / cheapest,
        fitted_of_cheapest: searches.by_fit.as_ref().map(|found| time(&found.cells) / cheapest),
        fitted_same: searches.by_fit.as_ref().is_none_or(|fitted| product(fitted).total_cmp(&product(found)).is_eq()),
    }
}

/// Whether a cell fails and one that is at least as hard passes.
fn contradicts(cells: &BTreeMap<CellIndex, Measured>) -> bool {
    let judged = |wanted: bool| cells.iter().filter(move |(_, measured)| measured.seen.passes == Some(wanted)).map(|(place, _)| *place);
    judged(false).any(|fails| judged(true).any(|passes| fails.is_no_harder_than(passes)))
}

/// The product of the best cell that is met, and of the best that is not excluded.
fn bracket(cells: &Cells, found: &Found) -> Option<(f64, f64)> {
    let bracket = found.status.brackets.iter().find(|bracket| bracket.measure == SearchMeasure::Product)?;
    let value = |place: Option<CellIndex>| place.map_or(0.0, |place| SearchMeasure::Product.value(cells.lattice(), place));
    Some((value(bracket.met), value(bracket.not_excluded)))
}
