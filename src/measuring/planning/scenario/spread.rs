//! The `spread` field, checked: what of the sweep may be measured on different nodes.
//!
//! In: the field as it was read, and the matrix. Out: its keys with axes as dotted paths, or faults. Which runs a block holds is not known here.

use super::diagnostic::ScenarioDiagnostic;
use super::diagnostic::ScenarioError;
use super::document::ScenarioNode;
use super::goals::{self, ScenarioAxes};
use super::source::SourceSpan;
use crate::vocabulary::spec::search::{EarlyStopPolicy, SearchKind, SearchSpec};
use crate::vocabulary::spec::spread::SpreadSpec;

/// What tells one block of runs from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpreadKey {
    /// The servers that its cells need.
    Cells,
    /// The repeat.
    Repeats,
    /// The variant.
    Variants,
    /// The value on an axis, by its dotted path.
    Axis(String),
}

/// Reads the names; `search` has its axes as dotted paths.
pub fn checked(
    written: &SpreadSpec,
    document: &ScenarioNode,
    axes: &ScenarioAxes<'_>,
    search: &SearchSpec,
    faults: &mut ScenarioError,
) -> Vec<SpreadKey> {
    let mut keys = Vec::new();
    for (index, name) in written.0.iter().enumerate() {
        let place = document.nearest(&["spread", &index.to_string()]).place;
        let Some(key) = key(name, place, axes, search, faults) else { continue };
        if keys.contains(&key) {
            faults.push(ScenarioDiagnostic::at(place, format!("`{name}` is spread already")).hint("name it once"));
        } else {
            keys.push(key);
        }
    }
    if written.0.is_empty() {
        let fault = ScenarioDiagnostic::at(document.nearest(&["spread"]).place, "`spread` names nothing");
        faults.push(fault.hint("leave it out: cells that need other servers are then spread"));
    }
    keys
}

fn key(name: &str, place: SourceSpan, axes: &ScenarioAxes<'_>, search: &SearchSpec, faults: &mut ScenarioError) -> Option<SpreadKey> {
    let mut refuse = |message: String, hint: &str| {
        faults.push(ScenarioDiagnostic::at(place, message).hint(hint));
        None
    };
    match name {
        SpreadSpec::CELLS => Some(SpreadKey::Cells),
        SpreadSpec::VARIANTS => Some(SpreadKey::Variants),
        SpreadSpec::REPEATS if search.kind == SearchKind::Frontier => refuse(
            "a search decides on a cell by all of its repeats, so that they are measured one after the other".to_owned(),
            "leave `repeats` out of `spread`, or run every cell: `search = \"grid\"`",
        ),
        SpreadSpec::REPEATS if search.stop_rule() != EarlyStopPolicy::Never => refuse(
            "a cell is ended early by the rows of all of its repeats, so that they are measured one after the other".to_owned(),
            "leave `repeats` out of `spread`, or end no cell early: `search.stop = \"never\"`",
        ),
        SpreadSpec::REPEATS => Some(SpreadKey::Repeats),
        _ => {
            let path = goals::axis(name, place, axes, faults)?;
            if search.kind == SearchKind::Frontier && search.axes.contains(&path) {
                let message = format!("the frontier goes along `{name}`, one cell after the other");
                faults
                    .push(ScenarioDiagnostic::at(place, message).hint("spread another axis: each of its values gets a search of its own"));
                return None;
            }
            Some(SpreadKey::Axis(path))
        }
    }
}
