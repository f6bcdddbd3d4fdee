//! How many cells a search will take, before anything is known: by walking through tables that could be.

use super::frontier_search::{FrontierSearch, SearchLimits, SearchStep};
use super::lattice::{CellIndex, LoadLattice};
use super::objective::{SearchObjective, SearchScores};
use super::tested_cell::TestedCell;

/// How many cells a search runs, repeats not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct CellCount {
    /// The mean over tables whose boundary is a product of the loads, all products alike likely on a logarithmic scale.
    pub expected: usize,
    /// What no table without contradictions takes.
    pub most: usize,
    /// All cells there are.
    pub grid: usize,
}

/// How many boundaries are tried, of a lattice with many cells fewer.
fn tables(lattice: &LoadLattice) -> u32 {
    if lattice.cells() > 2_000 { 6 } else { 24 }
}

impl CellCount {
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a mean of counts")]
    pub fn of(lattice: &LoadLattice, aim: SearchObjective, max_cells: Option<usize>) -> Self {
        let tables = tables(lattice);
        let height = |place: CellIndex| SearchScores::of(lattice, place).product.ln();
        let (first, second) = lattice.size();
        let (low, high) = (height(CellIndex(0, 0)), height(CellIndex(first - 1, second - 1)));
        let limit = |table: u32| low + (high - low) * f64::from(table) / f64::from(tables - 1) - 1e-9 + 2e-9 * f64::from(table.min(1));
        let taken: usize = (0..tables).map(|table| cells(lattice, aim, max_cells, |place| height(place) <= limit(table))).sum();
        let grid = lattice.cells();
        let expected = (taken as f64 / f64::from(tables)).round() as usize;
        Self { expected, most: most(lattice).min(max_cells.unwrap_or(grid)).min(grid), grid }
    }
}

/// Twice the values of both axes, and the checks; along one axis what bisection takes, and its check.
fn most(lattice: &LoadLattice) -> usize {
    let (first, second) = lattice.size();
    match lattice.axes() {
        [axis] => {
            let bisected = |cells: usize| (usize::BITS - cells.leading_zeros()) as usize;
            let climbed = axis.rungs().map_or(0, <[usize]>::len);
            climbed + bisected(first) + 1
        }
        _ => 2 * (first + second) + 8,
    }
}

fn cells(lattice: &LoadLattice, aim: SearchObjective, max_cells: Option<usize>, passes: impl Fn(CellIndex) -> bool) -> usize {
    let mut walk = FrontierSearch::new(lattice.clone(), aim, SearchLimits { repeats: 1, max_cells });
    let mut count = 0;
    while let SearchStep::Run { place, .. } = walk.next() {
        walk.saw(place, TestedCell::surely(passes(place)));
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::lattice::LatticeAxis;
    use super::*;

    fn axis(size: u32) -> LatticeAxis {
        LatticeAxis::listed((1..=size).map(f64::from).collect()).unwrap()
    }

    #[test]
    fn a_search_is_expected_to_take_a_few_cells_of_many() {
        let square = LoadLattice::new(vec![axis(8), axis(8)]).unwrap();
        let count = CellCount::of(&square, SearchObjective::Capacity, None);
        assert!((6..=14).contains(&count.expected), "{count:?}");
        assert_eq!((count.most, count.grid), (40, 64));
        let line = LoadLattice::new(vec![axis(64)]).unwrap();
        let count = CellCount::of(&line, SearchObjective::Boundary, None);
        assert!((6..=8).contains(&count.expected) && count.most == 8, "{count:?}");
    }

    #[test]
    fn a_limit_of_cells_bounds_both_numbers() {
        let square = LoadLattice::new(vec![axis(8), axis(8)]).unwrap();
        let count = CellCount::of(&square, SearchObjective::Capacity, Some(3));
        assert!(count.expected <= 3 && count.most == 3, "{count:?}");
    }
}
