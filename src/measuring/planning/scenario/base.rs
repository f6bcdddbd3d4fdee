//! A file with the files that it extends: `extends = "base.toml"`, relative to the file that says it, in either notation.

use std::path::{Path, PathBuf};

use super::diagnostic::{ScenarioDiagnostic, ScenarioError};
use super::document::{ScenarioNode, ScenarioValue};
use super::read::{self, ScenarioFormat};
use super::source::SourceSpan;
use crate::foundation::named_file::NamedFile;

/// How many files may extend each other, one after the other.
const MOST_BASES: usize = 32;

/// Reads a scenario's file and lays it over what it extends. The text that comes back is the file's own.
pub fn read_file(path: &Path, faults: &mut ScenarioError) -> Option<(ScenarioNode, String)> {
    let text = read_text(path, None, faults)?;
    let node = read_source(path, &text, faults)?;
    Some((node, text))
}

/// The same for a text that has been read already; `path` gives its name, its notation and where `extends` starts.
pub fn read_source(path: &Path, text: &str, faults: &mut ScenarioError) -> Option<ScenarioNode> {
    merged(path, text, &mut vec![identity(path)], faults)
}

fn merged(path: &Path, text: &str, above: &mut Vec<PathBuf>, faults: &mut ScenarioError) -> Option<ScenarioNode> {
    let whole = faults.sources.add(path.display().to_string(), text);
    let Some(notation) = ScenarioFormat::of(path) else {
        let fault = ScenarioDiagnostic::at(whole.at(0, 0), "a scenario's file ends in `.toml`, `.yaml` or `.yml`");
        faults.push(fault.hint("the extension decides how it is read"));
        return None;
    };
    let mut node = read::document(notation, whole, faults)?;
    let found = node.kind();
    let ScenarioValue::Table(table) = &mut node.value else {
        faults.push(ScenarioDiagnostic::at(whole.at(0, 0), format!("a scenario is a table of sections, not {found}")));
        return None;
    };
    let Some(extends) = table.remove("extends") else { return Some(node) };
    let place = extends.node.place;
    let Some(base) = extends.node.as_text() else {
        faults.push(ScenarioDiagnostic::at(place, format!("`extends` is the path of another scenario, not {}", extends.node.kind())));
        return None;
    };
    let base = path.parent().unwrap_or(Path::new("")).join(&base.value);
    let identity = identity(&base);
    if above.contains(&identity) {
        let fault = ScenarioDiagnostic::at(place, format!("`{}` extends itself, by way of this file", base.display()));
        faults.push(fault.hint("a base must not extend what extends it"));
        return None;
    }
    if above.len() == MOST_BASES {
        let fault = ScenarioDiagnostic::at(place, format!("`{}` would be base number {} of this file", base.display(), MOST_BASES + 1));
        faults.push(fault.hint("write what they say into fewer files"));
        return None;
    }
    above.push(identity);
    let text = read_text(&base, Some(place), faults)?;
    let mut below = merged(&base, &text, above, faults)?;
    if let (ScenarioValue::Table(below), ScenarioValue::Table(mine)) = (&mut below.value, node.value) {
        below.merge(mine);
    }
    // Faults of the whole document are faults of the file that was asked for.
    below.place = node.place;
    Some(below)
}

/// One file is one file, by whichever path it is reached.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn read_text(path: &Path, place: Option<SourceSpan>, faults: &mut ScenarioError) -> Option<String> {
    match NamedFile::Scenario.read_text(path) {
        Ok(text) => Some(text),
        Err(error) => {
            faults.push(ScenarioDiagnostic { place, ..ScenarioDiagnostic::nowhere(error.to_string()) });
            None
        }
    }
}
