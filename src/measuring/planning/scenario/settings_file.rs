//! A TOML file beside scenarios, read as strictly as they are.
//!
//! In: its path or text, and the types of its sections. Out: the sections as far as they could be read, and all faults at once, each at its
//! place. It must not know what the sections mean.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::diagnostic::{ScenarioDiagnostic, ScenarioError, closest, listed};
use super::document::{ScenarioNode, ScenarioTable, ScenarioValue};
use super::explain::SectionContext;
use super::read::{self, ScenarioFormat};
use super::{sections, typed};
use crate::foundation::named_file::NamedFile;

/// A file whose sections are asked for one by one.
#[derive(Debug)]
pub struct SettingsFile {
    document: ScenarioNode,
    faults: ScenarioError,
}

impl SettingsFile {
    /// Reads a file that has these sections and no others.
    pub fn read(path: &Path, sections: &[&str]) -> Result<Self, ScenarioError> {
        let text = NamedFile::Scenario.read_text(path).map_err(|error| ScenarioDiagnostic::nowhere(error.to_string()))?;
        Self::of_text(&path.display().to_string(), &text, sections)
    }

    /// The same for a text that has been read already, shown under this name.
    pub fn of_text(name: &str, text: &str, sections: &[&str]) -> Result<Self, ScenarioError> {
        let mut faults = ScenarioError::default();
        let whole = faults.sources.add(name, text);
        let Some(document) = read::document(ScenarioFormat::Toml, whole, &mut faults) else { return Err(faults) };
        let mut file = Self { document, faults };
        file.refuse_other_sections(sections);
        Ok(file)
    }

    /// A section as its type; empty where it is not written, and missing where too little of it could be read.
    pub fn section<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let empty = ScenarioNode { value: ScenarioValue::Table(ScenarioTable::default()), place: self.document.place };
        let node = self.document.find(&[name]).unwrap_or(&empty);
        sections::told(typed::read(node, None), node, SectionContext { section: name, kind: None }, &mut self.faults, &mut Vec::new())
    }

    /// Notes what is wrong with a field, at its place or the nearest table above it.
    pub fn fault(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        let place = self.document.nearest(path).place;
        self.faults.push_first(ScenarioDiagnostic::at(place, message).hint(hint));
    }

    /// All faults, or none.
    pub fn finish(self) -> Result<(), ScenarioError> {
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults) }
    }

    fn refuse_other_sections(&mut self, sections: &[&str]) {
        for entry in self.document.as_table().map(|table| &table.entries).into_iter().flatten() {
            if !sections.contains(&entry.key.as_str()) {
                let fault = ScenarioDiagnostic::at(entry.key_place, format!("there is no section `{}` here", entry.key));
                let close = closest(&entry.key, sections.iter().copied()).map(|name| format!("did you mean `{name}`?"));
                self.faults
                    .push(fault.hint(close.unwrap_or_else(|| format!("the sections are {}", listed(sections).replace(" or ", " and ")))));
            }
        }
    }
}
