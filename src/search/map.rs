//! What is known of every cell as a few lines of text: a letter a cell, the first axis to the right, the second one up.

use super::known::State;
use super::lattice::{Lattice, Place};
use super::standing::Standing;

/// What the letters mean.
pub const LEGEND: &str = "P passes, F fails; p, f: implied, as more load is not easier; . untested";

/// The widest map: more values than that are not drawn.
const MOST: usize = 24;

impl Standing {
    /// The lines of the map, without the rows and columns of values between the steps of an axis without an end that nobody went to. `None`
    /// where that is too much for a terminal.
    #[must_use]
    pub fn map(&self, lattice: &Lattice) -> Option<Vec<String>> {
        let (first, second) = lattice.size();
        let is_tested = |place: Place| matches!(self.known.state(place), State::Passes | State::Fails | State::NoResult);
        let keep = |axis: usize, place: usize, others: usize| {
            let cell = |other: usize| if axis == 0 { Place(place, other) } else { Place(other, place) };
            !lattice.axes().get(axis).is_some_and(super::Axis::is_climbed) || (0..others).any(|other| is_tested(cell(other)))
        };
        let columns: Vec<usize> = (0..first).filter(|place| keep(0, *place, second)).collect();
        let rows: Vec<usize> = (0..second).rev().filter(|place| keep(1, *place, first)).collect();
        if columns.is_empty() || columns.len() > MOST || rows.len() > MOST {
            return None;
        }
        let value = |place: Place, axis: usize| {
            let (one, other) = lattice.load(place);
            if axis == 0 { one.to_string() } else { other.to_string() }
        };
        let names: Vec<String> = columns.iter().map(|column| value(Place(*column, 0), 0)).collect();
        let width = names.iter().map(String::len).max().unwrap_or(1);
        let margin = rows.iter().map(|row| value(Place(0, *row), 1).len()).max().unwrap_or(1);
        let line = |head: &str, cells: Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:>width$}")).collect();
            format!("{head:>margin$} | {}", cells.join(" "))
        };
        let letters = |row: usize| columns.iter().map(|column| letter(self.known.state(Place(*column, row))).to_owned()).collect();
        let one_row = lattice.axes().len() == 1;
        let mut lines: Vec<String> =
            rows.iter().map(|row| line(&if one_row { String::new() } else { value(Place(0, *row), 1) }, letters(*row))).collect();
        lines.push(line("", names));
        Some(lines)
    }
}

fn letter(state: State) -> &'static str {
    match state {
        State::Passes => "P",
        State::Fails => "F",
        State::NoResult => "!",
        State::ImpliedToPass => "p",
        State::ImpliedToFail => "f",
        State::Open => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Aim, Axis, Limits, Seen, Walk};
    use super::*;

    #[test]
    fn a_letter_stands_for_each_cell() {
        let axis = |size: u32| Axis::listed((1..=size).map(f64::from).collect()).unwrap();
        let mut walk = Walk::new(Lattice::new(vec![axis(3), axis(2)]).unwrap(), Aim::Capacity, Limits::default());
        walk.saw(Place(1, 0), Seen::surely(true));
        walk.saw(Place(1, 1), Seen::surely(false));
        assert_eq!(walk.standing().map(walk.lattice()).unwrap(), ["2 | . F f", "1 | p P .", "  | 1 2 3"]);
    }

    #[test]
    fn values_between_steps_that_nobody_went_to_are_left_out() {
        let axis = Axis::climbed((1..=256).map(f64::from).collect(), vec![0, 15, 255]).unwrap();
        let mut walk = Walk::new(Lattice::new(vec![axis]).unwrap(), Aim::Boundary, Limits::default());
        walk.saw(Place(0, 0), Seen::surely(true));
        walk.saw(Place(15, 0), Seen::surely(false));
        assert_eq!(walk.standing().map(walk.lattice()).unwrap(), ["  |  P  F", "  |  1 16"]);
    }
}
