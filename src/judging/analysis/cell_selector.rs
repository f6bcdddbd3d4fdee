//! Some cells of a sweep, as people name them: a variant, and `C=2,S=3`. Names and values in, the cells' runs out.
//!
//! Where no cell is named, the last one of the matrix that has a result is taken: of axes that rise, the one under most load.

use serde_json::Value;

use super::axes::{Axes, axis_label, short, show_axes, show_value};
use super::cells::{CellRuns, cells};
use super::summary::CellState;
use crate::records::store::SavedSweep;

/// Which cells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellSelector {
    /// Only this variant.
    pub variant: Option<String>,
    /// Names of cells, each of axes with the values that they must have: those of any are chosen, the last measured cell where there are none.
    pub any_of: Vec<Vec<(String, String)>>,
}

/// Why no cell is chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellSelectorError {
    #[error("`{text}` names no cell; write `AXIS=VALUE`, several with commas between: `C=2,S=3`")]
    Unreadable { text: String },
    #[error("`{name}` is no axis of this sweep; use one of {known}")]
    UnknownAxis { name: String, known: String },
    #[error("`{axis}` has no value `{value}` in this sweep; use one of {known}")]
    UnknownValue { axis: String, value: String, known: String },
    #[error("`{name}` is no variant of this sweep; use one of {known}")]
    UnknownVariant { name: String, known: String },
    #[error("no run of this sweep has a result")]
    NothingMeasured,
    #[error("`{name}` is no whole run of this sweep; its runs are the folders in `runs/`")]
    UnknownRun { name: String },
}

/// Reads `C=2,S=3`.
pub fn parse_cell(text: &str) -> Result<Vec<(String, String)>, CellSelectorError> {
    let unreadable = || CellSelectorError::Unreadable { text: text.to_owned() };
    let part = |part: &str| {
        let (name, value) = part.split_once('=').ok_or_else(unreadable)?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || value.is_empty() { Err(unreadable()) } else { Ok((name.to_owned(), value.to_owned())) }
    };
    text.split(',').map(part).collect()
}

impl CellSelector {
    /// The chosen cells of the chosen variants, in the sweep's order; at least one.
    pub fn cells<'a>(&self, sweep: &'a SavedSweep) -> Result<Vec<CellRuns<'a>>, CellSelectorError> {
        self.check(sweep)?;
        let of_variant = |cell: &CellRuns<'_>| self.variant.as_ref().is_none_or(|name| name == cell.variant);
        let mut all: Vec<CellRuns<'a>> = cells(sweep).into_iter().filter(of_variant).collect();
        if self.any_of.is_empty() {
            let measured = all.iter().filter(|cell| cell.state() == CellState::Measured);
            let last =
                measured.map(|cell| cell.axes.clone()).max_by_key(|axes| place(sweep, axes)).ok_or(CellSelectorError::NothingMeasured)?;
            all.retain(|cell| cell.axes == last);
        } else {
            let is_named = |axes: &Axes, named: &[(String, String)]| named.iter().all(|(name, value)| holds(axes, name, value));
            all.retain(|cell| self.any_of.iter().any(|named| is_named(&cell.axes, named)));
        }
        if all.is_empty() { Err(CellSelectorError::NothingMeasured) } else { Ok(all) }
    }

    fn check(&self, sweep: &SavedSweep) -> Result<(), CellSelectorError> {
        let manifest = &sweep.manifest;
        let listed = |names: &mut dyn Iterator<Item = String>| names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        if let Some(name) = self.variant.as_ref().filter(|name| !manifest.variants.contains(name)) {
            let known = listed(&mut manifest.variants.iter().cloned());
            return Err(CellSelectorError::UnknownVariant { name: name.clone(), known });
        }
        for (name, value) in self.any_of.iter().flatten() {
            let Some((axis, values)) = manifest.axes.iter().find(|(axis, _)| is_named(axis, name)) else {
                let known = listed(&mut manifest.axes.iter().map(|(axis, _)| axis_label(axis)));
                return Err(CellSelectorError::UnknownAxis { name: name.clone(), known });
            };
            if !values.iter().any(|known| is_value(known, value)) {
                let known = listed(&mut values.iter().map(show_value));
                return Err(CellSelectorError::UnknownValue { axis: axis_label(axis), value: value.clone(), known });
            }
        }
        Ok(())
    }
}

/// The places of a cell's values on its axes.
fn place(sweep: &SavedSweep, axes: &Axes) -> (Vec<Option<usize>>, String) {
    let along = |(name, values): &(String, Vec<Value>)| values.iter().position(|value| axes.get(name) == Some(value));
    (sweep.manifest.axes.iter().map(along).collect(), show_axes(axes))
}

fn holds(axes: &Axes, name: &str, value: &str) -> bool {
    axes.iter().any(|(axis, known)| is_named(axis, name) && is_value(known, value))
}

fn is_named(axis: &str, name: &str) -> bool {
    axis == name || short(axis) == name || axis_label(axis) == name
}

fn is_value(known: &Value, text: &str) -> bool {
    show_value(known) == text || known.as_f64().is_some_and(|number| text.parse() == Ok(number))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{published, sweep};
    use super::*;

    fn both() -> SavedSweep {
        let mut cells = published("vllm");
        cells.extend(published("lmcache"));
        sweep(&[], &cells)
    }

    fn chosen(variant: Option<&str>, cell: &str) -> Result<Vec<String>, CellSelectorError> {
        let any_of = cell.split('/').filter(|cell| !cell.is_empty()).map(parse_cell).collect::<Result<_, _>>()?;
        let sweep = both();
        let cells = CellSelector { variant: variant.map(str::to_owned), any_of }.cells(&sweep)?;
        Ok(cells.iter().map(|cell| format!("{} {}", cell.variant, show_axes(&cell.axes))).collect())
    }

    #[test]
    fn a_cell_is_named_by_its_axes_and_stands_for_every_variant() {
        assert_eq!(chosen(None, "C=2,S=3").unwrap(), ["vllm C=2, S=3", "lmcache C=2, S=3"]);
        assert_eq!(chosen(Some("lmcache"), "workload.concurrent = 2, sequential=3.0").unwrap(), ["lmcache C=2, S=3"]);
        assert_eq!(chosen(Some("vllm"), "C=2").unwrap().len(), 4);
        assert_eq!(chosen(Some("vllm"), "C=1,S=4/C=4,S=1").unwrap(), ["vllm C=1, S=4", "vllm C=4, S=1"]);
    }

    #[test]
    fn the_cell_under_most_load_is_taken_where_none_is_named() {
        assert_eq!(chosen(None, "").unwrap(), ["vllm C=4, S=4", "lmcache C=4, S=4"]);
    }

    #[test]
    fn what_is_not_there_says_what_is() {
        let said = |variant, cell| chosen(variant, cell).unwrap_err().to_string();
        assert_eq!(said(None, "users=2"), "`users` is no axis of this sweep; use one of `C`, `S`");
        assert_eq!(said(None, "C=9"), "`C` has no value `9` in this sweep; use one of `1`, `2`, `3`, `4`");
        assert_eq!(said(Some("sglang"), "C=1"), "`sglang` is no variant of this sweep; use one of `vllm`, `lmcache`");
        assert!(said(None, "C").contains("`C=2,S=3`"));
    }
}
