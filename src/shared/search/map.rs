//! What is known of every cell as a few lines of text: a letter a cell, the first axis to the right, the second one up.

use super::cell_states::SearchCellState;
use super::lattice::{CellIndex, LoadLattice};
use super::search_status::SearchStatus;

/// What the letters mean.
pub const LEGEND: &str = "P passes, F fails; p, f: implied, as more load is not easier; . untested";

/// The widest map: more values than that are not drawn.
const MOST: usize = 24;

impl SearchStatus {
    /// The lines of the map, without the rows and columns of values between the steps of an axis without an end that nobody went to. `None`
    /// where that is too much for a terminal.
    #[must_use]
    pub fn map(&self, lattice: &LoadLattice) -> Option<Vec<String>> {
        let (first, second) = lattice.size();
        let is_tested = |place: CellIndex| {
            matches!(self.known.state(place), SearchCellState::Passes | SearchCellState::Fails | SearchCellState::NoResult)
        };
        let keep = |axis: usize, place: usize, others: usize| {
            let cell = |other: usize| if axis == 0 { CellIndex(place, other) } else { CellIndex(other, place) };
            !lattice.axes().get(axis).is_some_and(super::LatticeAxis::is_climbed) || (0..others).any(|other| is_tested(cell(other)))
        };
        let columns: Vec<usize> = (0..first).filter(|place| keep(0, *place, second)).collect();
        let rows: Vec<usize> = (0..second).rev().filter(|place| keep(1, *place, first)).collect();
        if columns.is_empty() || columns.len() > MOST || rows.len() > MOST {
            return None;
        }
        let value = |place: CellIndex, axis: usize| {
            let (one, other) = lattice.load(place);
            if axis == 0 { one.to_string() } else { other.to_string() }
        };
        let names: Vec<String> = columns.iter().map(|column| value(CellIndex(*column, 0), 0)).collect();
        let width = names.iter().map(String::len).max().unwrap_or(1);
        let margin = rows.iter().map(|row| value(CellIndex(0, *row), 1).len()).max().unwrap_or(1);
        let line = |head: &str, cells: Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:>width$}")).collect();
            format!("{head:>margin$} | {}", cells.join(" "))
        };
        let letters = |row: usize| columns.iter().map(|column| letter(self.known.state(CellIndex(*column, row))).to_owned()).collect();
        let one_row = lattice.axes().len() == 1;
        let mut lines: Vec<String> =
            rows.iter().map(|row| line(&if one_row { String::new() } else { value(CellIndex(0, *row), 1) }, letters(*row))).collect();
        lines.push(line("", names));
        Some(lines)
    }
}

fn letter(state: SearchCellState) -> &'static str {
    match state {
        SearchCellState::Passes => "P",
        SearchCellState::Fails => "F",
        SearchCellState::NoResult => "!",
        SearchCellState::ImpliedToPass => "p",
        SearchCellState::ImpliedToFail => "f",
        SearchCellState::Open => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FrontierSearch, LatticeAxis, SearchLimits, SearchObjective, TestedCell};
    use super::*;

    #[test]
    fn a_letter_stands_for_each_cell() {
        let axis = |size: u32| LatticeAxis::listed((1..=size).map(f64::from).collect()).unwrap();
        let mut walk =
            FrontierSearch::new(LoadLattice::new(vec![axis(3), axis(2)]).unwrap(), SearchObjective::Capacity, SearchLimits::default());
        walk.saw(CellIndex(1, 0), TestedCell::surely(true));
        walk.saw(CellIndex(1, 1), TestedCell::surely(false));
        assert_eq!(walk.status().map(walk.lattice()).unwrap(), ["2 | . F f", "1 | p P .", "  | 1 2 3"]);
    }

    #[test]
    fn values_between_steps_that_nobody_went_to_are_left_out() {
        let axis = LatticeAxis::climbed((1..=256).map(f64::from).collect(), vec![0, 15, 255]).unwrap();
        let mut walk = FrontierSearch::new(LoadLattice::new(vec![axis]).unwrap(), SearchObjective::Boundary, SearchLimits::default());
        walk.saw(CellIndex(0, 0), TestedCell::surely(true));
        walk.saw(CellIndex(15, 0), TestedCell::surely(false));
        assert_eq!(walk.status().map(walk.lattice()).unwrap(), ["  |  P  F", "  |  1 16"]);
    }
}
