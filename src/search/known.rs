//! What is known of every cell: what was measured, and what follows from it where more load is not easier.
//!
//! In: the cells that were run. Out: a state for each cell, what is excluded for certain, and the pairs that contradict the assumption. A
//! cell that fails although a harder one passes implies nothing any more: what rested on it alone is open again.

use std::collections::BTreeMap;

use super::lattice::{Lattice, Place};
use super::seen::Seen;

/// What is known of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
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
pub struct Violation {
    /// The cell that fails.
    pub fails: Place,
    /// A cell with at least as much load that passes.
    pub passes: Place,
}

/// All that follows from what was measured.
#[derive(Debug, Clone)]
pub struct Known {
    width: usize,
    states: Vec<State>,
    excluded: Vec<bool>,
    violations: Vec<Violation>,
}

impl Known {
    #[must_use]
    pub fn of(lattice: &Lattice, seen: &BTreeMap<Place, Seen>) -> Self {
        let judged = |passes: bool| seen.iter().filter(move |(_, seen)| seen.passes == Some(passes)).map(|(place, seen)| (*place, *seen));
        let passing: Vec<(Place, Seen)> = judged(true).collect();
        let failing: Vec<(Place, Seen)> = judged(false).collect();
        let witness = |fails: Place| passing.iter().map(|(passes, _)| *passes).filter(move |passes| fails.is_no_harder_than(*passes)).min();
        let violations: Vec<Violation> =
            failing.iter().filter_map(|(fails, _)| Some(Violation { fails: *fails, passes: witness(*fails)? })).collect();
        let trusted: Vec<(Place, Seen)> = failing.iter().filter(|(fails, _)| witness(*fails).is_none()).copied().collect();
        let passing = extreme(&passing, |one, other| other.is_no_harder_than(one));
        let failing = extreme(&failing, Place::is_no_harder_than);
        let sure: Vec<(Place, Seen)> = trusted.iter().filter(|(_, seen)| seen.is_sure()).copied().collect();
        let (trusted, sure) = (extreme(&trusted, Place::is_no_harder_than), extreme(&sure, Place::is_no_harder_than));
        let above = |places: &[Place], place: Place| places.iter().any(|fails| fails.is_no_harder_than(place));
        let state = |place: Place| match seen.get(&place) {
            Some(Seen { passes: Some(true), .. }) => State::Passes,
            Some(Seen { passes: Some(false), .. }) => State::Fails,
            Some(Seen { passes: None, .. }) => State::NoResult,
            None if above(&trusted, place) => State::ImpliedToFail,
            None if !passing.iter().any(|passes| place.is_no_harder_than(*passes)) => State::Open,
            None if above(&failing, place) => State::Open,
            None => State::ImpliedToPass,
        };
        let missed = |place: Place| seen.get(&place).is_some_and(|seen| seen.passes == Some(false) && seen.is_sure());
        let met = |place: Place| seen.get(&place).is_some_and(|seen| seen.passes == Some(true));
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
    pub fn state(&self, place: Place) -> State {
        self.states[place.0 * self.width + place.1]
    }

    /// Whether the cell is shown to fail for certain, itself or by an easier one.
    ///
    /// # Panics
    /// Where the cell is none of the lattice.
    #[must_use]
    pub fn is_excluded(&self, place: Place) -> bool {
        self.excluded[place.0 * self.width + place.1]
    }

    /// Each cell that fails although a harder one passes, once.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

/// Those that no other of them makes superfluous.
fn extreme(cells: &[(Place, Seen)], covers: impl Fn(Place, Place) -> bool) -> Vec<Place> {
    let covered = |place: Place| cells.iter().any(|(other, _)| *other != place && covers(*other, place));
    cells.iter().map(|(place, _)| *place).filter(|place| !covered(*place)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::lattice::Axis;
    use super::*;

    fn square(size: u32) -> Lattice {
        let axis = || Axis::listed((1..=size).map(f64::from).collect()).unwrap();
        Lattice::new(vec![axis(), axis()]).unwrap()
    }

    fn known(cells: &[(Place, Seen)]) -> Known {
        Known::of(&square(4), &cells.iter().copied().collect())
    }

    #[test]
    fn a_cell_implies_the_easier_ones_to_pass_or_the_harder_ones_to_fail() {
        let known = known(&[(Place(1, 1), Seen::surely(true)), (Place(2, 2), Seen::surely(false))]);
        assert_eq!(known.state(Place(0, 1)), State::ImpliedToPass);
        assert_eq!(known.state(Place(3, 2)), State::ImpliedToFail);
        assert_eq!(known.state(Place(0, 3)), State::Open);
        assert!(known.is_excluded(Place(2, 3)) && !known.is_excluded(Place(1, 3)));
        assert_eq!(known.violations(), []);
    }

    #[test]
    fn a_failure_that_a_harder_cell_contradicts_implies_nothing() {
        let known = known(&[(Place(1, 1), Seen::surely(false)), (Place(2, 1), Seen::surely(true))]);
        assert_eq!(known.violations(), [Violation { fails: Place(1, 1), passes: Place(2, 1) }]);
        assert_eq!(known.state(Place(3, 3)), State::Open, "the failure alone said that it fails");
        assert!(!known.is_excluded(Place(3, 3)) && known.is_excluded(Place(1, 1)));
        assert_eq!(known.state(Place(2, 0)), State::ImpliedToPass);
    }

    #[test]
    fn a_failure_that_is_not_certain_excludes_nothing() {
        let known = known(&[(Place(1, 1), Seen::perhaps(false, 1))]);
        assert_eq!(known.state(Place(2, 2)), State::ImpliedToFail);
        assert!(!known.is_excluded(Place(2, 2)) && !known.is_excluded(Place(1, 1)));
    }

    #[test]
    fn a_cell_without_a_result_implies_nothing() {
        let known = known(&[(Place(1, 1), Seen::nothing(1))]);
        assert_eq!(known.state(Place(1, 1)), State::NoResult);
        assert_eq!(known.state(Place(0, 0)), State::Open);
    }
}
