//! Variants and axes put into the document, and every cell of it typed.
//!
//! Each axis value is typed once, where it stands in the matrix; so a wrong one is told once and there, and not once for every cell.

use std::collections::BTreeMap;

use super::cell::CellSpec;
use super::diagnostic::{ScenarioDiagnostic, ScenarioError};
use super::document::{ScenarioNode, ScenarioValue};
use super::matrix::{AxisNode, Matrix};
use super::meant::MatrixCell;
use super::points::{AxisValue, Point, TypedAxis};
use super::secret::EnvironmentSecret;
use super::sections::{CellSections, SectionName};

/// A variant: its name, and the sections of the document with its patch over them.
#[derive(Debug, Clone)]
pub struct ScenarioVariant {
    pub name: String,
    pub document: ScenarioNode,
}

/// Types each variant with the first value of every axis, then every value of every axis: all that can be wrong with types. What is
/// wrong is taken out of the variants and left out of the axes, so that the rest can be looked over, too.
pub fn typed_axes(matrix: &Matrix, variants: &mut [ScenarioVariant], faults: &mut ScenarioError) -> Vec<TypedAxis> {
    let mut first = None;
    for variant in &mut *variants {
        let draft = drafted(variant, matrix);
        let reading = CellSections::read(&draft, faults);
        let of_axis = |path: &Vec<String>| matrix.axes.iter().any(|axis| path.starts_with(&axis.path) || axis.path.starts_with(path));
        let (by_axes, own): (Vec<_>, Vec<_>) = reading.troubles.into_iter().partition(of_axis);
        for path in own.iter().filter(|path| path.len() > 1) {
            variant.document.remove(path);
        }
        if first.is_none() {
            first = reading.sections.map(|sections| (sections, by_axes.is_empty()));
        }
    }
    let Some((sections, sound)) = first else { return Vec::new() };
    // Beside a first value that is wrong, every value of another axis would look wrong: then each stands alone.
    let document = if sound { drafted(&variants[0], matrix) } else { variants[0].document.clone() };
    let mut draft = ScenarioDraft { document, sections, sound };
    matrix.axes.iter().map(|axis| typed_axis(axis, &mut draft, faults)).collect()
}

/// A variant's document with the first value of every axis in it.
fn drafted(variant: &ScenarioVariant, matrix: &Matrix) -> ScenarioNode {
    let mut draft = variant.document.clone();
    for axis in &matrix.axes {
        if let Some(first) = axis.values.first() {
            draft.set(&axis.path, first.clone());
        }
    }
    draft
}

fn typed_axis(axis: &AxisNode, draft: &mut ScenarioDraft, faults: &mut ScenarioError) -> TypedAxis {
    let mut typed = TypedAxis::new(axis.path.clone());
    typed.rungs.clone_from(&axis.rungs);
    let before = draft.document.find(&axis.path).cloned();
    for node in &axis.values {
        let Some(json) = draft.meaning(&axis.path, node, faults) else { continue };
        if let Err(first) = typed.add(AxisValue { node: node.clone(), json }) {
            let first = typed.values[first].node.place;
            let fault = ScenarioDiagnostic::at(node.place, format!("`{}` has `{}` already", axis.dotted(), node.shown()));
            faults.push(if first == node.place { fault } else { fault.beside(first, "first here") });
        }
    }
    // The next axis is typed beside what was there.
    match before {
        Some(node) => draft.document.set(&axis.path, node),
        None => draft.document.remove(&axis.path),
    }
    if let Some(section) = SectionName::of(&axis.path) {
        let _ = draft.sections.update(section, &draft.document, &mut ScenarioError::default());
    }
    typed
}

/// A document in which values are tried out.
#[derive(Debug)]
pub struct ScenarioDraft {
    document: ScenarioNode,
    sections: CellSections,
    /// Nothing else in it is wrong.
    sound: bool,
}

impl ScenarioDraft {
    /// A variant's document with the first value of every axis in it.
    pub fn of(variant: &ScenarioVariant, axes: &[TypedAxis]) -> Option<Self> {
        let mut document = variant.document.clone();
        for axis in axes {
            if let Some(first) = axis.values.first() {
                document.set(&axis.path, first.node.clone());
            }
        }
        let sections = CellSections::read(&document, &mut ScenarioError::default()).sections?;
        Some(Self { document, sections, sound: true })
    }

    /// What a value means to the field at `path`: in the base unit where that has one.
    pub fn meaning(&mut self, path: &[String], node: &ScenarioNode, faults: &mut ScenarioError) -> Option<serde_json::Value> {
        let section = SectionName::of(path)?;
        self.document.set(path, node.clone());
        let mut found = ScenarioError::default();
        let known = self.sections.update(section, &self.document, &mut found);
        if known.is_none() {
            // A table that lacks what another axis gives it is not this value's fault.
            let own: Vec<ScenarioDiagnostic> = found.into_iter().filter(|fault| self.sound || fault.place == Some(node.place)).collect();
            let is_wrong = !own.is_empty();
            // The values of a range have one place: what is wrong with one is wrong with all of them.
            for fault in own {
                faults.push_first(fault);
            }
            return (!is_wrong).then(|| node.json());
        }
        // Numbers are in the base unit as they stand, and what came from the environment is only ever shown as written.
        let as_it_stands = match &node.value {
            ScenarioValue::Text(text) => text.secret.is_some() || path.starts_with(&["target".to_owned(), "headers".to_owned()]),
            ScenarioValue::List(_) | ScenarioValue::Table(_) => false,
            _ => true,
        };
        let pointer: String = path[1..].iter().flat_map(|key| ["/".to_owned(), key.replace('~', "~0").replace('/', "~1")]).collect();
        let resolved = if as_it_stands { None } else { self.sections.json(section).pointer(&pointer).cloned() };
        Some(resolved.unwrap_or_else(|| node.json()))
    }
}

/// Makes the cells of one variant, in the order of the points, their answers to be compared or not, and hands each to `look` before it is kept.
pub fn of_variant(
    number: usize,
    variant: &ScenarioVariant,
    axes: &[TypedAxis],
    points: &[Point],
    compare_answers: bool,
    faults: &mut ScenarioError,
    mut look: impl FnMut(&ScenarioNode, &CellSpec, &mut ScenarioError),
) -> Vec<MatrixCell> {
    let mut draft = variant.document.clone();
    let mut sections: Option<CellSections> = None;
    let mut touched: Vec<SectionName> = axes.iter().filter_map(|axis| SectionName::of(&axis.path)).collect();
    touched.dedup();
    let mut placed = Vec::with_capacity(points.len());
    for point in points {
        for (axis, value) in axes.iter().zip(point) {
            if let Some(value) = axis.values.get(*value) {
                draft.set(&axis.path, value.node.clone());
            }
        }
        let typed = match &mut sections {
            None => CellSections::read(&draft, faults).sections.map(|read| sections = Some(read)),
            Some(sections) => touched.iter().try_for_each(|section| sections.update(*section, &draft, faults)),
        };
        let (Some(()), Some(sections)) = (typed, &sections) else { continue };
        let CellSections { workload, target, engine, server } = sections.clone();
        let cell = CellSpec::new(workload, target, engine, server).with_secrets(secrets(&draft)).with_answer_hashes(compare_answers);
        look(&draft, &cell, faults);
        let values = axes.iter().zip(point).filter_map(|(axis, value)| Some(axis.values.get(*value)?.json.clone())).collect();
        placed.push(MatrixCell { variant: number, values, cell });
    }
    placed
}

/// All texts that hold something from the environment, by path.
fn secrets(document: &ScenarioNode) -> BTreeMap<Vec<String>, EnvironmentSecret> {
    let mut found = BTreeMap::new();
    document.texts(&mut Vec::new(), &mut |path, text| {
        if let Some(secret) = &text.secret {
            found.insert(path.to_vec(), secret.clone());
        }
    });
    found
}
