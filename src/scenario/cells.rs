//! Variants and axes put into the document, and every cell of it typed.
//!
//! Each axis value is typed once, where it stands in the matrix; so a wrong one is told once and there, and not once for every cell.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::document::{Node, Value};
use super::fault::{Fault, Faults};
use super::matrix::Matrix;
use super::meant::Placed;
use super::points::{AxisValue, Point, TypedAxis};
use super::sections::{Section, Sections};

/// A variant: its name, and the sections of the document with its patch over them.
#[derive(Debug, Clone)]
pub struct Variant {
    pub name: String,
    pub document: Node,
}

/// Types each variant with the first value of every axis, then every other value of every axis: all that can be wrong with types.
pub fn typed_axes(matrix: &Matrix, variants: &[Variant], faults: &mut Faults) -> Option<Vec<TypedAxis>> {
    let before = faults.len();
    let mut drafts = Vec::new();
    for variant in variants {
        let mut draft = variant.document.clone();
        for axis in &matrix.axes {
            if let Some(first) = axis.values.first() {
                draft.set(&axis.path, first.clone());
            }
        }
        drafts.push((Sections::read(&draft, faults), draft));
    }
    let (sections, mut draft) = drafts.into_iter().next()?;
    let mut sections = sections?;
    let mut axes = Vec::new();
    for axis in &matrix.axes {
        let mut typed = TypedAxis::new(axis.path.clone());
        for node in &axis.values {
            let Some(json) = meaning(&axis.path, node, &mut draft, &mut sections, faults) else { continue };
            if let Err(first) = typed.add(AxisValue { node: node.clone(), json }) {
                let first = typed.values[first].node.place;
                let fault = Fault::at(node.place, format!("`{}` has `{}` already", axis.dotted(), node.shown()));
                faults.push(if first == node.place { fault } else { fault.beside(first, "first here") });
            }
        }
        // The next axis is typed beside a value that is known to be right.
        if let Some(first) = typed.values.first() {
            draft.set(&axis.path, first.node.clone());
            sections.update(Section::of(&axis.path)?, &draft, faults)?;
        }
        axes.push(typed);
    }
    (faults.len() == before).then_some(axes)
}

/// What a value means to the field at `path`: in the base unit where that has one.
pub fn meaning(path: &[String], node: &Node, draft: &mut Node, sections: &mut Sections, faults: &mut Faults) -> Option<serde_json::Value> {
    let section = Section::of(path)?;
    draft.set(path, node.clone());
    sections.update(section, draft, faults)?;
    // Numbers are in the base unit as they stand, and what came from the environment is only ever shown as written.
    let as_it_stands = match &node.value {
        Value::Text(text) => text.written.is_some() || path.starts_with(&["target".to_owned(), "headers".to_owned()]),
        Value::List(_) | Value::Table(_) => false,
        _ => true,
    };
    let pointer: String = path[1..].iter().flat_map(|key| ["/".to_owned(), key.replace('~', "~0").replace('/', "~1")]).collect();
    let resolved = if as_it_stands { None } else { sections.json(section).pointer(&pointer).cloned() };
    Some(resolved.unwrap_or_else(|| node.json()))
}

/// Makes the cells of one variant, in the order of the points, and hands each to `look` before it is kept.
pub fn of_variant(
    number: usize,
    variant: &Variant,
    axes: &[TypedAxis],
    points: &[Point],
    faults: &mut Faults,
    mut look: impl FnMut(&Node, &Cell, &mut Faults),
) -> Vec<Placed> {
    let mut draft = variant.document.clone();
    let mut sections: Option<Sections> = None;
    let mut touched: Vec<Section> = axes.iter().filter_map(|axis| Section::of(&axis.path)).collect();
    touched.dedup();
    let mut placed = Vec::with_capacity(points.len());
    for point in points {
        for (axis, value) in axes.iter().zip(point) {
            draft.set(&axis.path, axis.values[*value].node.clone());
        }
        let typed = match &mut sections {
            None => Sections::read(&draft, faults).map(|read| sections = Some(read)),
            Some(sections) => touched.iter().try_for_each(|section| sections.update(*section, &draft, faults)),
        };
        let (Some(()), Some(sections)) = (typed, &sections) else { continue };
        let Sections { workload, target, engine, server } = sections.clone();
        let cell = Cell::new(workload, target, engine, server).with_secrets(secrets(&draft));
        look(&draft, &cell, faults);
        let values = axes.iter().zip(point).map(|(axis, value)| axis.values[*value].json.clone()).collect();
        placed.push(Placed { variant: number, values, cell });
    }
    placed
}

/// All texts that hold something from the environment, by path.
fn secrets(document: &Node) -> BTreeMap<Vec<String>, String> {
    let mut found = BTreeMap::new();
    document.texts(&mut Vec::new(), &mut |path, text| {
        if let Some(written) = &text.written {
            found.insert(path.to_vec(), written.clone());
        }
    });
    found
}
