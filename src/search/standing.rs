//! What a search can say at any moment: the best cell that passes, what is certain, what is not excluded, and how it is known.

use std::collections::BTreeMap;

use super::aim::{Aim, Height};
use super::known::{Known, State, Violation};
use super::lattice::{Lattice, Place};
use super::seen::{Evidence, Seen};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Of two axes: one value times the other, of equal ones the larger first value.
    Product,
    /// Of two axes: 2ab/(a+b), of equal ones the larger product, then the larger first value.
    HarmonicMean,
    /// Of one axis: its value.
    Largest,
}

/// How far a measure is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    pub measure: Measure,
    /// The best measured cell that passes by its plain values.
    pub passes: Option<Place>,
    /// The best measured cell that is met.
    pub met: Option<Place>,
    /// The best cell that is not shown to fail for certain, measured or not.
    pub not_excluded: Option<Place>,
    /// The best cell that is not measured and not implied to fail, where it is better than the one that passes: the answer may still rise.
    pub open: Option<Place>,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Of two axes their product and harmonic mean, of one its value; none for all of a boundary of two axes, where [`Standing::frontier`]
    /// is the answer.
    pub brackets: Vec<Bracket>,
    /// The measured cells that pass and are easier than no other of them.
    pub frontier: Vec<Place>,
    pub violations: Vec<Violation>,
    /// Cells that were measured.
    pub tested: usize,
    /// Their runs.
    pub runs: u32,
    /// State of each cell.
    pub known: Known,
}

impl Standing {
    pub(super) fn of(lattice: &Lattice, aim: Aim, seen: &BTreeMap<Place, Seen>) -> Self {
        let known = Known::of(lattice, seen);
        let measures: &[Measure] = match (aim, lattice.axes().len()) {
            (_, 1) => &[Measure::Largest],
            (Aim::Capacity, _) => &[Measure::Product, Measure::HarmonicMean],
            (Aim::Boundary, _) => &[],
        };
        let passing: Vec<Place> = seen.iter().filter(|(_, seen)| seen.passes == Some(true)).map(|(place, _)| *place).collect();
        let harder = |place: Place| passing.iter().any(|other| *other != place && place.is_no_harder_than(*other));
        Self {
            brackets: measures.iter().map(|measure| Bracket::of(*measure, lattice, seen, &known)).collect(),
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
    pub fn is_certain(&self, lattice: &Lattice) -> bool {
        // Cells of equal value in other shapes change nothing.
        let value = |bracket: &Bracket, place: Option<Place>| place.map(|place| bracket.measure.value(lattice, place));
        let settled = |bracket: &Bracket| value(bracket, bracket.met) == value(bracket, bracket.not_excluded);
        let whole = || lattice.places().all(|place| self.known.is_excluded(place) != self.known.state(place).is_passing());
        self.violations.is_empty() && if self.brackets.is_empty() { whole() } else { self.brackets.iter().all(settled) }
    }
}

impl State {
    fn is_passing(self) -> bool {
        matches!(self, Self::Passes | Self::ImpliedToPass)
    }
}

impl Bracket {
    fn of(measure: Measure, lattice: &Lattice, seen: &BTreeMap<Place, Seen>, known: &Known) -> Self {
        let best = |places: &mut dyn Iterator<Item = Place>| places.max_by(|one, other| measure.order(lattice, *one, *other));
        let fitting = |fits: fn(&Seen) -> bool| best(&mut seen.iter().filter(|(_, seen)| fits(seen)).map(|(place, _)| *place));
        let passes = fitting(|seen| seen.passes == Some(true));
        let better = |place: &Place| passes.is_none_or(|passes| measure.value(lattice, *place) > measure.value(lattice, passes));
        let untold = |place: &Place| matches!(known.state(*place), State::Open | State::NoResult);
        let met = fitting(|seen| seen.evidence == Evidence::Met && seen.passes.is_some());
        let least = |place: &Place| met.is_none_or(|met| measure.value(lattice, *place) > measure.value(lattice, met));
        Self {
            measure,
            passes,
            met,
            not_excluded: best(&mut lattice.places().filter(|place| !known.is_excluded(*place) && least(place))).or(met),
            open: best(&mut lattice.places().filter(|place| untold(place) && better(place))),
        }
    }
}

impl Measure {
    /// What it says of a cell.
    #[must_use]
    pub fn value(self, lattice: &Lattice, place: Place) -> f64 {
        let height = Height::of(lattice, place);
        match self {
            Self::Product => height.product,
            Self::HarmonicMean => height.harmonic_mean,
            Self::Largest => lattice.load(place).0,
        }
    }

    fn order(self, lattice: &Lattice, one: Place, other: Place) -> std::cmp::Ordering {
        let product = |place: Place| Measure::Product.value(lattice, place);
        let value = self.value(lattice, one).total_cmp(&self.value(lattice, other));
        value.then(product(one).total_cmp(&product(other))).then(one.0.cmp(&other.0))
    }
}
