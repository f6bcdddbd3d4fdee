//! The cheapest proof of a grid's answer: what the shortest search could cost that knows the answer beforehand.
//!
//! In: how every cell came out, and what a cell costs. Out: the least server time of cells that prove the largest C×S and the best harmonic mean: one
//! that passes for each, and failing ones that exclude all better ones, since more load is not easier.
//!
//! The better cells are closed upwards, so that it is enough to exclude the easiest of them. These lie on a staircase, and a failing cell
//! excludes a row of its neighbouring steps: of a cover by intervals the cheapest is found step by step, exactly, for every size of grid.

use std::collections::BTreeMap;

use bench::search::{CellIndex, LoadLattice, SearchMeasure};

/// The numbers that are proved.
const MEASURES: [SearchMeasure; 2] = [SearchMeasure::Product, SearchMeasure::HarmonicMean];

/// Of so many failing cells all sets are tried as well, and must not be cheaper.
const MOST_TRIED: usize = 10;

/// A failing cell, by the steps of the staircase that it excludes.
#[derive(Debug, Clone, Copy)]
struct Exclusion {
    first: usize,
    last: usize,
    cost: f64,
}

/// The cost of the cheapest proof, in that of `cost`, which is asked for the cells that could be part of one.
pub fn cheapest_proof(lattice: &LoadLattice, passes: &BTreeMap<CellIndex, bool>, mut cost: impl FnMut(CellIndex) -> f64) -> f64 {
    let passing: Vec<CellIndex> = passes.iter().filter(|(_, passes)| **passes).map(|(place, _)| *place).collect();
    let best = MEASURES.map(|measure| passing.iter().map(|place| measure.value(lattice, *place)).fold(0.0, f64::max));
    let staircase = easiest_better(lattice, best);
    let mut exclusions = Vec::new();
    for (place, _) in passes.iter().filter(|(_, passes)| !**passes) {
        let excluded: Vec<usize> = (0..staircase.len()).filter(|step| place.is_no_harder_than(staircase[*step])).collect();
        if let (Some(first), Some(last)) = (excluded.first(), excluded.last()) {
            exclusions.push(Exclusion { first: *first, last: *last, cost: cost(*place) });
        }
    }
    let cover = cheapest_cover(staircase.len(), &exclusions);
    if exclusions.len() <= MOST_TRIED {
        let of_all = cheapest_of_all(staircase.len(), &exclusions);
        assert!((cover - of_all).abs() <= 1e-9 * of_all, "a cover for {cover}, and one of all sets costs {of_all}");
    }
    cover + cheapest_witnesses(lattice, &passing, best, cost)
}

/// The cells that would raise one of the numbers and that are harder than no other such one, by ascending first load.
fn easiest_better(lattice: &LoadLattice, best: [f64; 2]) -> Vec<CellIndex> {
    let raises = |place: &CellIndex| MEASURES.iter().zip(best).any(|(measure, best)| measure.value(lattice, *place) > best);
    let better: Vec<CellIndex> = lattice.places().filter(raises).collect();
    let is_easiest = |place: &CellIndex| !better.iter().any(|other| other != place && other.is_no_harder_than(*place));
    better.iter().copied().filter(is_easiest).collect()
}

/// Every step excluded, by intervals: the best of all that end a cover of the steps so far.
fn cheapest_cover(steps: usize, exclusions: &[Exclusion]) -> f64 {
    let mut upto = vec![0.0];
    for step in 0..steps {
        let ends = exclusions.iter().filter(|exclusion| exclusion.first <= step && step <= exclusion.last);
        let cost = ends.map(|exclusion| upto[exclusion.first] + exclusion.cost).fold(f64::INFINITY, f64::min);
        upto.push(cost);
    }
    upto[steps]
}

/// The same by trying all sets.
fn cheapest_of_all(steps: usize, exclusions: &[Exclusion]) -> f64 {
    let sets = 0..1_u32 << exclusions.len();
    let chosen = |set: u32| exclusions.iter().enumerate().filter(move |(at, _)| set >> at & 1 == 1).map(|(_, exclusion)| exclusion);
    let covers = |set: &u32| (0..steps).all(|step| chosen(*set).any(|exclusion| exclusion.first <= step && step <= exclusion.last));
    sets.filter(covers).map(|set| chosen(set).map(|exclusion| exclusion.cost).sum()).fold(f64::INFINITY, f64::min)
}

/// A passing cell for each number, or one for both.
fn cheapest_witnesses(lattice: &LoadLattice, passing: &[CellIndex], best: [f64; 2], mut cost: impl FnMut(CellIndex) -> f64) -> f64 {
    let [products, means] = [0, 1].map(|at| {
        let reaches = |place: &CellIndex| MEASURES[at].value(lattice, *place).total_cmp(&best[at]).is_eq();
        passing.iter().copied().filter(reaches).collect::<Vec<_>>()
    });
    let mut costs: BTreeMap<CellIndex, f64> = BTreeMap::new();
    for place in products.iter().chain(&means) {
        costs.entry(*place).or_insert_with(|| cost(*place));
    }
    let both = |product: &CellIndex, mean: &CellIndex| costs[product] + if product == mean { 0.0 } else { costs[mean] };
    let pairs = products.iter().flat_map(|product| means.iter().map(move |mean| both(product, mean)));
    pairs.reduce(f64::min).unwrap_or(0.0)
}
