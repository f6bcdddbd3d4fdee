//! What is known of every cell: what was measured, and what follows from it where more load is not easier.
//!
//! In: the cells that were run. Out: a state for each cell, what is excluded for certain, and the pairs that contradict the assumption. A
//! cell that fails although a harder one passes implies nothing any more: what rested on it alone is open again.

use std::collections::BTreeMap;

use super::lattice::{CellIndex, LoadLattice};
use super::tested_cell::TestedCell;

/// What is known of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchCellState {
    /// Measured: the plain values fulfil all goals.
    Passes,
    /// Measured: they do not.
    Fails,
    /// Measured, and no result came of it.
    NoResult,
    /// Not measured: one that is no easier passes.
    ImpliedToPass,
    /// Not measured: one that is no harder fails.
    ImpliedToFail,
    /// Not measured, and nothing follows, or measured cells contradict each other about it.
    Open,
}

/// Two measured cells that contradict the assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchContradiction {
    /// The cell that fails.
    pub fails: CellIndex,
    /// A cell with at least as much load that passes.
    pub passes: CellIndex,
}

/// All that follows from what was measured.
#[derive(Debug, Clone)]
pub struct CellStateTable {
    width: usize,
    states: Vec<SearchCellState>,
    excluded: Vec<bool>,
    violations: Vec<SearchContradiction>,
}

impl CellStateTable {
    #[must_use]
    pub fn of(lattice: &LoadLattice, seen: &BTreeMap<CellIndex, TestedCell>) -> Self {
        let judged = |passes: bool| seen.iter().filter(move |(_, seen)| seen.passes == Some(passes)).map(|(place, seen)| (*place, *seen));
        let passing: Vec<(CellIndex, TestedCell)> = judged(true).collect();
        let failing: Vec<(CellIndex, TestedCell)> = judged(false).collect();
        let witness =
            |fails: CellIndex| passing.iter().map(|(passes, _)| *passes).filter(move |passes| fails.is_no_harder_than(*passes)).min();
        let violations: Vec<SearchContradiction> =
            failing.iter().filter_map(|(fails, _)| Some(SearchContradiction { fails: *fails, passes: witness(*fails)? })).collect();
        let trusted: Vec<(CellIndex, TestedCell)> = failing.iter().filter(|(fails, _)| witness(*fails).is_none()).copied().collect();
        let passing = extreme(&passing, |one, other| other.is_no_harder_than(one));
        let failing = extreme(&failing, CellIndex::is_no_harder_than);
        let sure: Vec<(CellIndex, TestedCell)> = trusted.iter().filter(|(_, seen)| seen.is_sure()).copied().collect();
        let (trusted, sure) = (extreme(&trusted, CellIndex::is_no_harder_than), extreme(&sure, CellIndex::is_no_harder_than));
        let above = |places: &[CellIndex], place: CellIndex| places.iter().any(|fails| fails.is_no_harder_than(place));
        let state = |place: CellIndex| match seen.get(&place) {
            Some(TestedCell { passes: Some(true), .. }) => SearchCellState::Passes,
            Some(TestedCell { passes: Some(false), .. }) => SearchCellState::Fails,
            Some(TestedCell { passes: None, .. }) => SearchCellState::NoResult,
            None if above(&trusted, place) => SearchCellState::ImpliedToFail,
            None if !passing.iter().any(|passes| place.is_no_harder_than(*passes)) => SearchCellState::Open,
            None if above(&failing, place) => SearchCellState::Open,
            None => SearchCellState::ImpliedToPass,
        };
        let missed = |place: CellIndex| seen.get(&place).is_some_and(|seen| seen.passes == Some(false) && seen.is_sure());
        let met = |place: CellIndex| seen.get(&place).is_some_and(|seen| seen.passes == Some(true));
        Self {
            width: lattice.size().1,
            states: lattice.places().map(state).collect(),
            excluded: lattice.places().map(|place| missed(place) || (!met(place) && above(&sure, place))).collect(),
            violations,
        }
    }

    /// # Panics
    /// Where the cell is none of the lattice.
    #[must_use]
    pub fn state(&self, place: CellIndex) -> SearchCellState {
        self.states[place.0 * self.width + place.1]
    }

    /// Whether the cell is shown to fail for certain, itself or by an easier one.
    ///
    /// # Panics
    /// Where the cell is none of the lattice.
    #[must_use]
    pub fn is_excluded(&self, place: CellIndex) -> bool {
        self.excluded[place.0 * self.width + place.1]
    }

    /// Each cell that fails although a harder one passes, once.
    #[must_use]
    pub fn violations(&self) -> &[SearchContradiction] {
        &self.violations
    }
}

/// Those that no other of them makes superfluous.
fn extreme(cells: &[(CellIndex, TestedCell)], covers: impl Fn(CellIndex, CellIndex) -> bool) -> Vec<CellIndex> {
    let covered = |place: CellIndex| cells.iter().any(|(other, _)| *other != place && covers(*other, place));
    cells.iter().map(|(place, _)| *place).filter(|place| !covered(*place)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::lattice::LatticeAxis;
    use super::*;

    fn square(size: u32) -> LoadLattice {
        let axis = || LatticeAxis::listed((1..=size).map(f64::from).collect()).unwrap();
        LoadLattice::new(vec![axis(), axis()]).unwrap()
    }

    fn known(cells: &[(CellIndex, TestedCell)]) -> CellStateTable {
        CellStateTable::of(&square(4), &cells.iter().copied().collect())
    }

    #[test]
    fn a_cell_implies_the_easier_ones_to_pass_or_the_harder_ones_to_fail() {
        let known = known(&[(CellIndex(1, 1), TestedCell::surely(true)), (CellIndex(2, 2), TestedCell::surely(false))]);
        assert_eq!(known.state(CellIndex(0, 1)), SearchCellState::ImpliedToPass);
        assert_eq!(known.state(CellIndex(3, 2)), SearchCellState::ImpliedToFail);
        assert_eq!(known.state(CellIndex(0, 3)), SearchCellState::Open);
        assert!(known.is_excluded(CellIndex(2, 3)) && !known.is_excluded(CellIndex(1, 3)));
        assert_eq!(known.violations(), []);
    }

    #[test]
    fn a_failure_that_a_harder_cell_contradicts_implies_nothing() {
        let known = known(&[(CellIndex(1, 1), TestedCell::surely(false)), (CellIndex(2, 1), TestedCell::surely(true))]);
        assert_eq!(known.violations(), [SearchContradiction { fails: CellIndex(1, 1), passes: CellIndex(2, 1) }]);
        assert_eq!(known.state(CellIndex(3, 3)), SearchCellState::Open, "the failure alone said that it fails");
        assert!(!known.is_excluded(CellIndex(3, 3)) && known.is_excluded(CellIndex(1, 1)));
        assert_eq!(known.state(CellIndex(2, 0)), SearchCellState::ImpliedToPass);
    }

    #[test]
    fn a_failure_that_is_not_certain_excludes_nothing() {
        let known = known(&[(CellIndex(1, 1), TestedCell::perhaps(false, 1))]);
        assert_eq!(known.state(CellIndex(2, 2)), SearchCellState::ImpliedToFail);
        assert!(!known.is_excluded(CellIndex(2, 2)) && !known.is_excluded(CellIndex(1, 1)));
    }

    #[test]
    fn a_cell_without_a_result_implies_nothing() {
        let known = known(&[(CellIndex(1, 1), TestedCell::nothing(1))]);
        assert_eq!(known.state(CellIndex(1, 1)), SearchCellState::NoResult);
        assert_eq!(known.state(CellIndex(0, 0)), SearchCellState::Open);
    }
}
