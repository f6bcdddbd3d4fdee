//! From patterns, as they are typed, to the files of scenarios that they mean.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::diagnostic::{ScenarioDiagnostic, ScenarioError};

/// The most files of scenarios that a pattern may mean: beyond it stands a folder of other things.
const MOST_FILES: usize = 1_000;

/// The files that the patterns mean, in the order of the patterns and by name within one.
pub fn files(patterns: &[String]) -> Result<Vec<PathBuf>, ScenarioError> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut faults = ScenarioError::default();
    for pattern in patterns {
        let path = PathBuf::from(pattern);
        if path.exists() || !pattern.contains(['*', '?', '[']) {
            found.push(path);
            continue;
        }
        let before = found.len();
        match glob::glob(pattern) {
            Ok(paths) => found.extend(paths.filter_map(Result::ok).filter(|path| path.is_file()).take(MOST_FILES + 1)),
            Err(error) => faults.push(ScenarioDiagnostic::nowhere(format!("`{pattern}` is no pattern of files: {error}"))),
        }
        if found.len() == before && faults.is_empty() {
            faults.push(ScenarioDiagnostic::nowhere(format!("no file fits `{pattern}`")));
        }
        if found.len() - before > MOST_FILES {
            let fault = ScenarioDiagnostic::nowhere(format!("more than {MOST_FILES} files fit `{pattern}`"));
            faults.push(fault.hint("name the scenarios by a narrower pattern"));
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|path| seen.insert(path.clone()));
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}
