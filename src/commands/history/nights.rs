//! The saved sweeps below a folder: directly in it, or one level deeper. What cannot be read is named and left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use fs_err as fs;

use crate::analysis::SummaryOptions;
use crate::analysis::history::NightSweep;
use crate::records::store::{SweepPaths, read_sweep};

/// What was found.
pub(super) struct NightScan {
    pub nights: Vec<NightSweep>,
    /// On what was found and not used.
    pub notes: Vec<String>,
}

/// Reads every sweep of that scenario, or of all where none is named.
pub(super) fn read(folder: &Path, name: Option<&str>, question: &SummaryOptions) -> anyhow::Result<NightScan> {
    let mut found = NightScan { nights: Vec::new(), notes: Vec::new() };
    let mut names = BTreeSet::new();
    let mut known = BTreeSet::new();
    for dir in sweeps(folder)? {
        let called = dir.strip_prefix(folder).ok().filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(&dir).to_owned();
        // A link such as `latest` leads to a night that is there already.
        if !known.insert(fs::canonicalize(&dir)?) {
            continue;
        }
        let sweep = match read_sweep(&dir) {
            Ok(sweep) => sweep,
            Err(error) => {
                found.notes.push(format!("`{}` is left out: {error}", called.display()));
                continue;
            }
        };
        names.insert(sweep.manifest.name.clone());
        if name.is_some_and(|name| name != sweep.manifest.name) {
            continue;
        }
        if sweep.runs.is_empty() {
            found.notes.push(format!("`{}` is left out: none of its runs is whole", called.display()));
            continue;
        }
        match NightSweep::new(called.clone(), sweep, question) {
            Ok(night) => found.nights.push(night),
            Err(error) => found.notes.push(format!("`{}` is left out: {error}", called.display())),
        }
    }
    if found.nights.is_empty() {
        bail!("{}", nothing(folder, name, &names, &found.notes));
    }
    if names.len() > 1 && name.is_none() {
        found.notes.push(format!("{} scenarios: {}; choose one with `--name`", names.len(), quoted(&names)));
    }
    Ok(found)
}

fn nothing(folder: &Path, name: Option<&str>, names: &BTreeSet<String>, notes: &[String]) -> String {
    let why = match name {
        Some(name) if !names.is_empty() => format!("no sweep of `{name}` in `{}`; there are {}", folder.display(), quoted(names)),
        _ => format!("no saved sweep in `{}` or one level below; name the folder that holds the nights' folders", folder.display()),
    };
    notes.iter().fold(why, |why, note| format!("{why}\n  {note}"))
}

fn quoted(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The folders with a manifest: the folder itself, those in it, those in these. By name, so that the order is always the same.
fn sweeps(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_sweep = |dir: &Path| SweepPaths::new(dir).manifest().is_file();
    if is_sweep(folder) {
        return Ok(vec![folder.to_owned()]);
    }
    let mut found = Vec::new();
    for dir in folders(folder).with_context(|| format!("`{}` cannot be read", folder.display()))? {
        if is_sweep(&dir) {
            found.push(dir);
        } else {
            // A folder that may not be opened holds no night of ours.
            found.extend(folders(&dir).unwrap_or_default().into_iter().filter(|dir| is_sweep(dir)));
        }
    }
    Ok(found)
}

fn folders(of: &Path) -> std::io::Result<Vec<PathBuf>> {
    // Real folders before links to them, so that a night goes by its own name. What is neither is passed by as it comes: there may be a
    // million of them.
    let mut found: Vec<(bool, PathBuf)> = Vec::new();
    for entry in fs::read_dir(of)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() || kind.is_symlink() && entry.path().is_dir() {
            found.push((kind.is_symlink(), entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::sweeps::{cell, save, uniform};

    fn cells() -> Vec<crate::fixtures::sweeps::Cell> {
        vec![cell("vllm", 1, 1, uniform(1, 1, 0.5))]
    }

    #[test]
    fn nights_are_found_directly_and_one_level_deeper_and_broken_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for night in ["2026-01-01", "older/2025-12-31", "deep/deeper/2025-12-30", "broken"] {
            save(&root.join(night), &["p95(ttft) <= 2s"], &cells());
        }
        fs::write(root.join("broken/manifest.json"), "{").unwrap();
        fs::create_dir_all(root.join("notes")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.join("2026-01-01"), root.join("latest")).unwrap();
        let found = read(root, None, &SummaryOptions::default()).unwrap();
        let names: Vec<String> = found.nights.iter().map(|night| night.folder.display().to_string()).collect();
        assert_eq!(names, ["2026-01-01", "older/2025-12-31"]);
        assert_eq!(found.notes.len(), 1);
        assert!(found.notes[0].starts_with("`broken` is left out: "), "{:?}", found.notes);
    }

    #[test]
    fn a_name_that_is_not_there_is_refused_with_those_that_are() {
        let folder = tempfile::tempdir().unwrap();
        save(&folder.path().join("a"), &[], &cells());
        let error = read(folder.path(), Some("chat"), &SummaryOptions::default()).err().unwrap().to_string();
        assert!(error.contains("no sweep of `chat`") && error.contains("there are `capacity`"), "{error}");
        let empty = tempfile::tempdir().unwrap();
        let error = read(empty.path(), None, &SummaryOptions::default()).err().unwrap().to_string();
        assert!(error.contains("no saved sweep in"), "{error}");
    }
}
