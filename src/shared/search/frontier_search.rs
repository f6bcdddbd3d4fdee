//! Which cell is worth running next.
//!
//! In: how each cell came out that was run. Out: the next cell, until none could change the answer. A pure function of what was seen, so
//! cells of an earlier search count, and their order does not matter.
//!
//! Only cells that could still raise the answer are tested (branch and bound), and of these the one of which either outcome settles most:
//! the harmonic mean of how many a pass and a failure would settle. Along one axis that is bisection. As soon as as many cells were tested as
//! the axes have values, rows and columns are gone along (the staircase search of a sorted matrix), so that no table takes more than twice that.

use std::collections::BTreeMap;

use super::cell_states::{CellStateTable, SearchCellState};
use super::expected_cells::{ExpectedCells, OpenCells};
use super::lattice::{CellIndex, LoadLattice};
use super::objective::{SearchObjective, SearchScores};
use super::search_status::{SearchMeasure, SearchStatus};
use super::tested_cell::TestedCell;

/// How much may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchLimits {
    /// The most runs of a cell; at least 1.
    pub repeats: u32,
    /// The most cells, repeats not counted; `None` for as many as it takes.
    pub max_cells: Option<usize>,
}

impl Default for SearchLimits {
    fn default() -> Self {
        Self { repeats: 1, max_cells: None }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchStep {
    Run { place: CellIndex, reason: SearchStepReason },
    Done(SearchEndReason),
}

/// Why a cell is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchStepReason {
    /// It could change the answer.
    Boundary,
    /// It lies beside the boundary and is only implied to fail: is more load really not easier?
    Check,
    /// It is undecided, or contradicts another, and the answer hangs on it: once more.
    Again,
}

/// Why nothing more is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchEndReason {
    /// No further cell could change the answer.
    Settled,
    /// As many cells were run as were allowed, and others could still change it.
    MaxCells,
}

/// A search.
#[derive(Debug, Clone)]
pub struct FrontierSearch {
    lattice: LoadLattice,
    aim: SearchObjective,
    limits: SearchLimits,
    seen: BTreeMap<CellIndex, TestedCell>,
    expected: Option<ExpectedCells>,
}

/// The most cells that are weighed against each other; of more an even selection stands for all.
const MOST_WEIGHED: usize = 512;

/// How far beside the boundary the assumption is checked, in steps of an axis: two, and one where two steps are half of a small table.
fn checked_steps(lattice: &LoadLattice) -> usize {
    let (first, second) = lattice.size();
    if second > 1 && first.max(second) <= 4 { 1 } else { 2 }
}

impl FrontierSearch {
    #[must_use]
    pub fn new(lattice: LoadLattice, aim: SearchObjective, limits: SearchLimits) -> Self {
        Self { lattice, aim, limits, seen: BTreeMap::new(), expected: None }
    }

    /// Looks first where these cells are expected to decide.
    #[must_use]
    pub fn expecting(self, expected: ExpectedCells) -> Self {
        Self { expected: Some(expected), ..self }
    }

    #[must_use]
    pub fn lattice(&self) -> &LoadLattice {
        &self.lattice
    }

    /// How a cell came out, all its runs pooled: replaces what was seen of it before. Cells outside the lattice are nothing to it.
    pub fn saw(&mut self, place: CellIndex, seen: TestedCell) {
        if self.lattice.holds(place) {
            self.seen.insert(place, seen);
        }
    }

    /// What was seen of a cell.
    #[must_use]
    pub fn seen(&self, place: CellIndex) -> Option<&TestedCell> {
        self.seen.get(&place)
    }

    /// All that can be said by now.
    #[must_use]
    pub fn status(&self) -> SearchStatus {
        SearchStatus::of(&self.lattice, self.aim, &self.seen)
    }

    /// What comes next.
    #[must_use]
    pub fn next(&self) -> SearchStep {
        let known = CellStateTable::of(&self.lattice, &self.seen);
        if let Some(place) = self.contradicted(&known) {
            return SearchStep::Run { place, reason: SearchStepReason::Again };
        }
        let spent = self.limits.max_cells.is_some_and(|most| self.seen.len() >= most);
        let candidates = self.candidates(&known);
        let choice = if candidates.is_empty() {
            self.check(&known).map(|place| (place, SearchStepReason::Check))
        } else {
            Some((self.choose(&known, &candidates), SearchStepReason::Boundary))
        };
        match choice {
            Some((place, reason)) if !spent => SearchStep::Run { place, reason },
            _ => match self.undecided(&known) {
                Some(place) => SearchStep::Run { place, reason: SearchStepReason::Again },
                None if spent && !candidates.is_empty() => SearchStep::Done(SearchEndReason::MaxCells),
                None => SearchStep::Done(SearchEndReason::Settled),
            },
        }
    }

    /// The best product and the best harmonic mean that pass.
    fn best(&self) -> SearchScores {
        let passing = self.seen.iter().filter(|(_, seen)| seen.passes == Some(true));
        passing.fold(SearchScores::default(), |best, (place, _)| best.or(SearchScores::of(&self.lattice, *place)))
    }

    /// A cell that could be run once more.
    fn may_repeat(&self, place: CellIndex) -> bool {
        self.seen.get(&place).is_some_and(|seen| seen.passes.is_some() && seen.runs < self.limits.repeats)
    }

    /// Of the cells that contradict each other the one with fewest runs.
    fn contradicted(&self, known: &CellStateTable) -> Option<CellIndex> {
        let both = known.violations().iter().flat_map(|violation| [violation.fails, violation.passes]);
        both.filter(|place| self.may_repeat(*place)).min_by_key(|place| (self.seen[place].runs, *place))
    }

    /// The cells that could change the answer, of axes without an end as far as they were climbed.
    fn candidates(&self, known: &CellStateTable) -> Vec<CellIndex> {
        let best = self.best();
        let open = |place: &CellIndex| {
            known.state(*place) == SearchCellState::Open
                && self.aim.is_raised(SearchScores::of(&self.lattice, *place), best)
                && !self.is_beaten(*place)
        };
        let all: Vec<CellIndex> = self.lattice.places().filter(open).collect();
        if self.lattice.axes().iter().all(|axis| axis.rungs().is_none()) {
            return all;
        }
        let rungs: Vec<CellIndex> = all.iter().copied().filter(|place| self.lattice.is_rung(*place)).collect();
        // The lowest rungs that are open: no further than one step beyond what passes, as long as there are any.
        let reach = self.reach();
        let near: Vec<CellIndex> = rungs.iter().copied().filter(|place| place.is_no_harder_than(reach)).collect();
        match (near.is_empty(), rungs.is_empty()) {
            (false, _) => near,
            (true, false) => self.lowest(&rungs).into_iter().collect(),
            (true, true) => all,
        }
    }

    /// Whether a harder cell passes: contradicting cells leave such a one open, and it cannot raise the answer.
    fn is_beaten(&self, place: CellIndex) -> bool {
        self.aim == SearchObjective::Capacity
            && self.seen.iter().any(|(other, seen)| seen.passes == Some(true) && place.is_no_harder_than(*other))
    }

    /// Along each axis the rung after the last that passes, all of an axis that has an end.
    fn reach(&self) -> CellIndex {
        let passing: Vec<CellIndex> = self.seen.iter().filter(|(_, seen)| seen.passes == Some(true)).map(|(place, _)| *place).collect();
        let along = |axis: usize, of: fn(&CellIndex) -> usize| {
            let rungs = self.lattice.axes().get(axis).and_then(|axis| axis.rungs())?;
            let furthest = passing.iter().map(of).max();
            rungs.iter().copied().find(|rung| furthest.is_none_or(|furthest| *rung > furthest))
        };
        let (first, second) = self.lattice.size();
        CellIndex(along(0, |place| place.0).unwrap_or(first - 1), along(1, |place| place.1).unwrap_or(second - 1))
    }

    /// The cell with the least load, by product.
    fn lowest(&self, places: &[CellIndex]) -> Option<CellIndex> {
        let product = |place: &CellIndex| SearchScores::of(&self.lattice, *place).product;
        places.iter().copied().min_by(|one, other| product(one).total_cmp(&product(other)).then(one.cmp(other)))
    }

    /// Of cells that could change the answer the one to run; there is at least one.
    fn choose(&self, known: &CellStateTable, candidates: &[CellIndex]) -> CellIndex {
        let (first, second) = self.lattice.size();
        if self.seen.len() >= first + second {
            return staircase(candidates);
        }
        let best = self.best();
        if let Some(place) = self.expected_choice(known, candidates, best) {
            return place;
        }
        let weighed: Vec<(CellIndex, SearchScores)> =
            thinned(candidates).into_iter().map(|place| (place, SearchScores::of(&self.lattice, place))).collect();
        let mut chosen = (weighed[0].0, f64::NEG_INFINITY, f64::INFINITY);
        for (place, height) in &weighed {
            let raised = best.or(*height);
            let by_pass =
                weighed.iter().filter(|(other, others)| other.is_no_harder_than(*place) || !self.aim.is_raised(*others, raised)).count();
            let by_failure = weighed.iter().filter(|(other, _)| place.is_no_harder_than(*other)).count();
            let settled = harmonic(by_pass, by_failure);
            // Of equal ones the cheaper.
            if settled > chosen.1 || settled >= chosen.1 && height.product < chosen.2 {
                chosen = (*place, settled, height.product);
            }
        }
        chosen.0
    }

    /// The same by what is expected of cells; `None` where nothing is.
    fn expected_choice(&self, known: &CellStateTable, candidates: &[CellIndex], best: SearchScores) -> Option<CellIndex> {
        let expected = self.expected.as_ref()?;
        let open: Vec<CellIndex> = self.lattice.places().filter(|place| known.state(*place) == SearchCellState::Open).collect();
        let (open, raising) = (thinned(&open), thinned(candidates));
        expected.choose(&OpenCells { lattice: &self.lattice, aim: self.aim, best, open: &open, raising: &raising })
    }

    /// A cell beside the best ones that is only implied to fail.
    fn check(&self, known: &CellStateTable) -> Option<CellIndex> {
        let axes = 0..self.lattice.axes().len();
        let steps = checked_steps(&self.lattice);
        let beside = |best: CellIndex| {
            axes.clone().flat_map(move |axis| {
                std::iter::successors(self.lattice.beyond(best, axis), move |place| self.lattice.beyond(*place, axis)).take(steps)
            })
        };
        let status = self.status();
        let deciding: Vec<CellIndex> = status.brackets.iter().filter_map(|bracket| bracket.passes).collect();
        deciding.into_iter().flat_map(beside).find(|place| known.state(*place) == SearchCellState::ImpliedToFail)
    }

    /// An undecided cell on which the answer hangs: the best ones that pass, then those that fail and whose failure alone excludes better ones.
    fn undecided(&self, known: &CellStateTable) -> Option<CellIndex> {
        let status = self.status();
        let unsure = |place: &CellIndex| self.may_repeat(*place) && !self.seen[place].is_sure();
        let passing = status.brackets.iter().filter_map(|bracket| bracket.passes);
        let frontier = if status.brackets.is_empty() { status.frontier.clone() } else { Vec::new() };
        if let Some(place) = passing.chain(frontier).find(unsure) {
            return Some(place);
        }
        let best = self.best();
        let better: Vec<CellIndex> = self
            .lattice
            .places()
            .filter(|place| !known.is_excluded(*place) && self.aim.is_raised(SearchScores::of(&self.lattice, *place), best))
            .collect();
        let failing = self.seen.iter().filter(|(_, seen)| seen.passes == Some(false)).map(|(place, _)| *place).filter(unsure);
        let hanging = |place: &CellIndex| better.iter().filter(|other| place.is_no_harder_than(**other)).count();
        let matters = failing.map(|place| (hanging(&place), place)).filter(|(hanging, _)| *hanging > 0);
        matters.max_by_key(|(hanging, place)| (std::cmp::Reverse(self.seen[place].runs), *hanging, *place)).map(|(_, place)| place)
    }

    /// The number that a measure gives to a cell of this search.
    #[must_use]
    pub fn value(&self, measure: SearchMeasure, place: CellIndex) -> f64 {
        measure.value(&self.lattice, place)
    }
}

/// An even selection of cells, if they are too many to be weighed against each other.
fn thinned(places: &[CellIndex]) -> Vec<CellIndex> {
    places.iter().copied().step_by(places.len().div_ceil(MOST_WEIGHED).max(1)).collect()
}

/// The furthest cell of the first column that is open: if it passes, the column is settled, if it fails, its row is.
fn staircase(candidates: &[CellIndex]) -> CellIndex {
    let first = candidates.iter().map(|place| place.0).min().unwrap_or_default();
    candidates.iter().copied().filter(|place| place.0 == first).max().unwrap_or(candidates[0])
}

#[expect(clippy::cast_precision_loss, reason = "counts of at most 512")]
fn harmonic(one: usize, other: usize) -> f64 {
    let (one, other) = (one as f64, other as f64);
    one * other / (one + other)
}

#[cfg(test)]
mod tests;
