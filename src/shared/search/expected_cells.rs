//! How cells are expected to come out before they are run, by a model of the server. It says where to look first and settles nothing: a wrong one costs
//! cells, and changes no answer.

use std::collections::BTreeMap;

use super::lattice::{CellIndex, LoadLattice};
use super::objective::{SearchObjective, SearchScores};

/// The chance of cells to pass.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExpectedCells(BTreeMap<CellIndex, f64>);

/// What is open in a search: the cells that are neither run nor implied either way, and those of them that could raise the best scores.
pub(super) struct OpenCells<'a> {
    pub lattice: &'a LoadLattice,
    pub aim: SearchObjective,
    pub best: SearchScores,
    pub open: &'a [CellIndex],
    pub raising: &'a [CellIndex],
}

/// A chance that is neither.
const UNKNOWN: f64 = 0.5;

impl ExpectedCells {
    #[must_use]
    pub fn new(chances: impl IntoIterator<Item = (CellIndex, f64)>) -> Self {
        Self(chances.into_iter().collect())
    }

    /// The cell to run first: as long as a cell that could raise the answer is expected to pass, the one whose outcome settles most; then the one whose
    /// failure excludes most of what is left for its load. `None` where nothing is expected of any.
    pub(super) fn choose(&self, cells: &OpenCells<'_>) -> Option<CellIndex> {
        let settles = |place: CellIndex| self.chance(place) * cells.by_pass(place) + (1.0 - self.chance(place)) * cells.by_failure(place);
        let passing = cells.raising.iter().copied().filter(|place| self.chance(*place) > UNKNOWN);
        let excludes = |place: CellIndex| (1.0 - self.chance(place)) * cells.by_failure(place) / cells.load(place);
        let failing = || cells.open.iter().copied().filter(|place| self.chance(*place) < UNKNOWN);
        highest(passing, settles).or_else(|| highest(failing(), excludes))
    }

    fn chance(&self, place: CellIndex) -> f64 {
        self.0.get(&place).copied().unwrap_or(UNKNOWN)
    }
}

#[expect(clippy::cast_precision_loss, reason = "cells of a table")]
impl OpenCells<'_> {
    /// How many cells can no longer raise the answer if this one passes.
    fn by_pass(&self, place: CellIndex) -> f64 {
        let raised = self.best.or(SearchScores::of(self.lattice, place));
        let settled =
            |other: &&CellIndex| other.is_no_harder_than(place) || !self.aim.is_raised(SearchScores::of(self.lattice, **other), raised);
        self.raising.iter().filter(settled).count() as f64
    }

    /// The same if it fails.
    fn by_failure(&self, place: CellIndex) -> f64 {
        self.raising.iter().filter(|other| place.is_no_harder_than(**other)).count() as f64
    }

    /// What it costs, about.
    fn load(&self, place: CellIndex) -> f64 {
        SearchScores::of(self.lattice, place).product
    }
}

/// Of equal ones the first; none that is worth nothing.
fn highest(places: impl Iterator<Item = CellIndex>, worth: impl Fn(CellIndex) -> f64) -> Option<CellIndex> {
    let weighed = places.map(|place| (worth(place), place)).filter(|(worth, _)| *worth > 0.0);
    weighed.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, place)| place)
}
