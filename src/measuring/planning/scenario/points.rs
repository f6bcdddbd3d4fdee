//! Which combinations of axis values are cells: the product of the groups, with `exclude` taken out and `include` added.
//!
//! Works on values by number; equal values are recognised by what they mean to their field, so that `"8k"` is `8192`.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::diagnostic::{ScenarioDiagnostic, ScenarioError};
use super::document::ScenarioNode;
use super::matrix::{AxisSelection, Matrix};

/// A value of an axis: as written, and as its field understands it.
#[derive(Debug, Clone)]
pub struct AxisValue {
    pub node: ScenarioNode,
    pub json: Json,
}

/// An axis with its values, each once.
#[derive(Debug, Clone)]
pub struct TypedAxis {
    pub path: Vec<String>,
    pub values: Vec<AxisValue>,
    /// Of an axis without an end: the numbers of the values at which it is climbed.
    pub rungs: Option<Vec<usize>>,
    by_meaning: HashMap<String, usize>,
}

/// One value's number on each axis.
pub type Point = Vec<usize>;

impl TypedAxis {
    pub fn new(path: Vec<String>) -> Self {
        Self { path, values: Vec::new(), rungs: None, by_meaning: HashMap::new() }
    }

    pub fn dotted(&self) -> String {
        self.path.join(".")
    }

    /// The number of the value that means the same, if there is one.
    pub fn find(&self, json: &Json) -> Option<usize> {
        self.by_meaning.get(&meaning(json)).copied()
    }

    /// Adds a value; where one means the same, its number comes back instead.
    pub fn add(&mut self, value: AxisValue) -> Result<usize, usize> {
        match self.by_meaning.entry(meaning(&value.json)) {
            std::collections::hash_map::Entry::Occupied(known) => Err(*known.get()),
            std::collections::hash_map::Entry::Vacant(place) => {
                let number = self.values.len();
                place.insert(number);
                self.values.push(value);
                Ok(number)
            }
        }
    }
}

/// Equal for values that mean the same: `1` and `1.0` do.
fn meaning(json: &Json) -> String {
    match json.as_f64() {
        Some(number) => format!("{number:?}"),
        None => json.to_string(),
    }
}

/// Lists the points. `typed` gives the number of a value of an axis, adding it where it is new; `None` where it has no meaning.
pub fn list(
    matrix: &Matrix,
    axes: &mut [TypedAxis],
    mut typed: impl FnMut(usize, &ScenarioNode, &mut [TypedAxis], &mut ScenarioError) -> Option<usize>,
    faults: &mut ScenarioError,
) -> Vec<Point> {
    let listed: Vec<usize> = axes.iter().map(|axis| axis.values.len()).collect();
    // An axis whose values are all wrong is left as it is, so that the rest can be looked over.
    let lengths: Vec<usize> = listed.iter().map(|length| (*length).max(1)).collect();
    let mut points = product(&matrix.groups, &lengths);
    for exclude in &matrix.exclude {
        let Some(numbers) = numbers(exclude, axes, &mut typed, faults) else { continue };
        if let Some((axis, node)) = first_unknown(exclude, &numbers, &listed) {
            let message = format!("`exclude` names `{}`, which `{}` does not take", node.shown(), axes[axis].dotted());
            faults.push(ScenarioDiagnostic::at(node.place, message).hint("it would leave out nothing"));
            continue;
        }
        let before = points.len();
        points.retain(|point| !numbers.iter().all(|(axis, values)| values.contains(&point[*axis])));
        if points.len() == before {
            faults.push(ScenarioDiagnostic::at(exclude.place, "this leaves out no cell that is not left out already"));
        }
    }
    let mut known: HashSet<Point> = points.iter().cloned().collect();
    for include in &matrix.include {
        let Some(mut numbers) = numbers(include, axes, &mut typed, faults) else { continue };
        numbers.sort_by_key(|(axis, _)| *axis);
        let groups: Vec<Vec<usize>> = (0..numbers.len()).map(|axis| vec![axis]).collect();
        let lengths: Vec<usize> = numbers.iter().map(|(_, values)| values.len()).collect();
        for picked in product(&groups, &lengths) {
            let point: Point = numbers.iter().zip(picked).map(|((_, values), index)| values[index]).collect();
            if known.insert(point.clone()) {
                points.push(point);
            } else {
                faults.push(ScenarioDiagnostic::at(include.place, "this adds a cell that is there already"));
            }
        }
    }
    points
}

/// The first value that no listed value of its axis means.
fn first_unknown<'a>(selection: &'a AxisSelection, numbers: &[(usize, Vec<usize>)], listed: &[usize]) -> Option<(usize, &'a ScenarioNode)> {
    for ((axis, nodes), (_, numbers)) in selection.values.iter().zip(numbers) {
        for (node, number) in nodes.iter().zip(numbers) {
            if *number >= listed[*axis] {
                return Some((*axis, node));
            }
        }
    }
    None
}

/// A selection's values by their numbers.
fn numbers(
    selection: &AxisSelection,
    axes: &mut [TypedAxis],
    typed: &mut impl FnMut(usize, &ScenarioNode, &mut [TypedAxis], &mut ScenarioError) -> Option<usize>,
    faults: &mut ScenarioError,
) -> Option<Vec<(usize, Vec<usize>)>> {
    let mut all = Vec::new();
    for (axis, nodes) in &selection.values {
        let mut numbers = Vec::new();
        for node in nodes {
            numbers.push(typed(*axis, node, axes, faults)?);
        }
        all.push((*axis, numbers));
    }
    Some(all)
}

/// All combinations, the last group changing fastest; axes of one group go together.
fn product(groups: &[Vec<usize>], lengths: &[usize]) -> Vec<Point> {
    let mut points = vec![vec![0; lengths.len()]];
    for group in groups {
        let Some(length) = group.first().map(|axis| lengths[*axis]) else { continue };
        let mut next = Vec::with_capacity(points.len() * length);
        for point in &points {
            for value in 0..length {
                let mut point = point.clone();
                for axis in group {
                    point[*axis] = value;
                }
                next.push(point);
            }
        }
        points = next;
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_changes_fastest_and_zipped_axes_go_together() {
        assert_eq!(product(&[vec![0], vec![1]], &[2, 2]), [[0, 0], [0, 1], [1, 0], [1, 1]]);
        assert_eq!(product(&[vec![0, 2], vec![1]], &[2, 2, 2]), [[0, 0, 0], [0, 1, 0], [1, 0, 1], [1, 1, 1]]);
        assert_eq!(product(&[], &[]), [Point::new()]);
    }

    #[test]
    fn values_that_mean_the_same_are_one() {
        assert_eq!(meaning(&Json::from(1)), meaning(&Json::from(1.0)));
        assert_ne!(meaning(&Json::from("1")), meaning(&Json::from(1)));
    }
}
