//! What a search can say at any moment: the best cell that passes, what is certain, what is not excluded, and how it is known.

use std::collections::BTreeMap;

use super::cell_states::{CellStateTable, SearchCellState, SearchContradiction};
use super::lattice::{CellIndex, LoadLattice};
use super::objective::{SearchObjective, SearchScores};
use super::tested_cell::{GoalEvidence, TestedCell};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchMeasure {
    /// Of two axes: one value times the other, of equal ones the larger first value.
    Product,
    /// Of two axes: 2ab/(a+b), of equal ones the larger product, then the larger first value.
    HarmonicMean,
    /// Of one axis: its value.
    Largest,
}

/// How far a measure is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchBracket {
    pub measure: SearchMeasure,
    /// The best measured cell that passes by its plain values.
    pub passes: Option<CellIndex>,
    /// The best measured cell that is met.
    pub met: Option<CellIndex>,
    /// The best cell that is not shown to fail for certain, measured or not.
    pub not_excluded: Option<CellIndex>,
    /// The best cell that is not measured and not implied to fail, where it is better than the one that passes: the answer may still rise.
    pub open: Option<CellIndex>,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct SearchStatus {
    /// Of two axes their product and harmonic mean, of one its value; none for all of a boundary of two axes, where [`SearchStatus::frontier`]
    /// is the answer.
    pub brackets: Vec<SearchBracket>,
    /// The measured cells that pass and are easier than no other of them.
    pub frontier: Vec<CellIndex>,
    pub violations: Vec<SearchContradiction>,
    /// Cells that were measured.
    pub tested: usize,
    /// Their runs.
    pub runs: u32,
    /// State of each cell.
    pub known: CellStateTable,
}

impl SearchStatus {
    pub(super) fn of(lattice: &LoadLattice, aim: SearchObjective, seen: &BTreeMap<CellIndex, TestedCell>) -> Self {
        let known = CellStateTable::of(lattice, seen);
        let measures: &[SearchMeasure] = match (aim, lattice.axes().len()) {
            (_, 1) => &[SearchMeasure::Largest],
            (SearchObjective::Capacity, _) => &[SearchMeasure::Product, SearchMeasure::HarmonicMean],
            (SearchObjective::Boundary, _) => &[],
        };
        let passing: Vec<CellIndex> = seen.iter().filter(|(_, seen)| seen.passes == Some(true)).map(|(place, _)| *place).collect();
        let harder = |place: CellIndex| passing.iter().any(|other| *other != place && place.is_no_harder_than(*other));
        Self {
            brackets: measures.iter().map(|measure| SearchBracket::of(*measure, lattice, seen, &known)).collect(),
            frontier: passing.iter().copied().filter(|place| !harder(*place)).collect(),
            violations: known.violations().to_vec(),
            tested: seen.len(),
            runs: seen.values().map(|seen| seen.runs).sum(),
            known,
        }
    }

    /// Whether the answer is certain at the verdicts' confidence: for each measure the best cell that is not excluded is met, and no measured
    /// cells contradict the assumption. `false` for all of a boundary of two axes that has an undecided or open cell.
    #[must_use]
    pub fn is_certain(&self, lattice: &LoadLattice) -> bool {
        // Cells of equal value in other shapes change nothing.
        let value = |bracket: &SearchBracket, place: Option<CellIndex>| place.map(|place| bracket.measure.value(lattice, place));
        let settled = |bracket: &SearchBracket| value(bracket, bracket.met) == value(bracket, bracket.not_excluded);
        let whole = || lattice.places().all(|place| self.known.is_excluded(place) != self.known.state(place).is_passing());
        self.violations.is_empty() && if self.brackets.is_empty() { whole() } else { self.brackets.iter().all(settled) }
    }
}

impl SearchCellState {
    fn is_passing(self) -> bool {
        matches!(self, Self::Passes | Self::ImpliedToPass)
    }
}

impl SearchBracket {
    fn of(measure: SearchMeasure, lattice: &LoadLattice, seen: &BTreeMap<CellIndex, TestedCell>, known: &CellStateTable) -> Self {
        let best = |places: &mut dyn Iterator<Item = CellIndex>| places.max_by(|one, other| measure.order(lattice, *one, *other));
        let fitting = |fits: fn(&TestedCell) -> bool| best(&mut seen.iter().filter(|(_, seen)| fits(seen)).map(|(place, _)| *place));
        let passes = fitting(|seen| seen.passes == Some(true));
        let better = |place: &CellIndex| passes.is_none_or(|passes| measure.value(lattice, *place) > measure.value(lattice, passes));
        let untold = |place: &CellIndex| matches!(known.state(*place), SearchCellState::Open | SearchCellState::NoResult);
        let met = fitting(|seen| seen.evidence == GoalEvidence::Met && seen.passes.is_some());
        let least = |place: &CellIndex| met.is_none_or(|met| measure.value(lattice, *place) > measure.value(lattice, met));
        Self {
            measure,
            passes,
            met,
            not_excluded: best(&mut lattice.places().filter(|place| !known.is_excluded(*place) && least(place))).or(met),
            open: best(&mut lattice.places().filter(|place| untold(place) && better(place))),
        }
    }
}

impl SearchMeasure {
    /// What it says of a cell.
    #[must_use]
    pub fn value(self, lattice: &LoadLattice, place: CellIndex) -> f64 {
        let height = SearchScores::of(lattice, place);
        match self {
            Self::Product => height.product,
            Self::HarmonicMean => height.harmonic_mean,
            Self::Largest => lattice.load(place).0,
        }
    }

    fn order(self, lattice: &LoadLattice, one: CellIndex, other: CellIndex) -> std::cmp::Ordering {
        let product = |place: CellIndex| SearchMeasure::Product.value(lattice, place);
        let value = self.value(lattice, one).total_cmp(&self.value(lattice, other));
        value.then(product(one).total_cmp(&product(other))).then(one.0.cmp(&other.0))
    }
}
