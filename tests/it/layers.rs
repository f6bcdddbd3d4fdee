//! Holds the table of `docs/architecture.md`: who may import whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each part with the parts it may use. `spec` stands for every `spec.rs`: what a scenario may say, without the running halves.
const MAY_USE: &[(&str, &[&str])] = &[
    ("units", &["sentence"]),
    ("clock", &[]),
    ("sentence", &[]),
    ("named_file", &[]),
    ("process_group", &[]),
    ("metric", &[]),
    ("goal", &["sentence", "metric", "units"]),
    ("session", &[]),
    ("spec", &["units"]),
    ("template", &["spec"]),
    ("trace", &["named_file", "sentence", "units"]),
    ("record", &["clock", "metric", "goal"]),
    ("exposition", &["record"]),
    ("wire", &["clock"]),
    ("endpoint", &["named_file", "process_group", "spec", "clock", "record", "units"]),
    ("engine", &["spec", "clock", "units", "session"]),
    ("tokens", &["named_file", "sentence", "spec", "record", "engine", "endpoint"]),
    ("workload", &["named_file", "sentence", "spec", "session", "tokens", "trace", "units"]),
    ("prepare", &["named_file", "sentence", "endpoint", "tokens", "trace", "units"]),
    ("arrival", &["spec", "clock", "trace"]),
    ("client", &["spec", "endpoint", "wire", "session", "record", "clock", "engine", "units"]),
    ("server", &["process_group", "exposition", "spec", "template", "endpoint", "client", "session", "record", "clock", "units"]),
    ("serve", &["spec", "clock", "engine", "units", "session"]),
    ("search", &["spec", "units"]),
    ("scenario", &["named_file", "sentence", "spec", "template", "goal", "units", "metric"]),
    ("plan", &["named_file", "scenario", "search", "template", "tokens", "spec", "goal", "record", "units", "workload", "engine", "trace"]),
    ("event", &["record", "clock"]),
    ("store", &["named_file", "sentence", "record", "clock"]),
    ("import", &["sentence", "record", "exposition", "store", "clock", "goal", "metric"]),
    ("executor", &["plan", "engine", "workload", "arrival", "client", "server", "tokens", "event", "record", "session", "clock", "spec"]),
    ("reporter", &["event", "record", "store", "clock", "goal", "metric", "spec", "units"]),
    ("selftest", &["client", "spec", "session", "clock", "units", "scenario", "plan", "executor", "event", "record"]),
    ("analysis", &["sentence", "units", "record", "store", "search", "metric", "goal", "clock"]),
    ("stopping", &["analysis", "plan", "arrival", "workload", "record", "clock", "goal", "metric", "spec"]),
    ("plot", &["analysis", "spec", "goal", "metric", "units"]),
    ("report", &["analysis", "store", "plot", "spec", "goal", "metric", "record"]),
];

/// What only the command line's wiring may use: everything.
const WIRING: [&str; 4] = ["commands", "cli", "main", "lib"];

#[test]
fn every_part_imports_only_what_the_architecture_allows() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = MAY_USE.iter().map(|(part, uses)| (*part, uses.iter().copied().collect())).collect();
    let mut breaches = Vec::new();
    for file in source_files(Path::new("src")) {
        let part = part_of(&file);
        if WIRING.contains(&part.as_str()) {
            continue;
        }
        let Some(uses) = allowed.get(part.as_str()) else {
            breaches.push(format!("{}: `{part}` is not in the table", file.display()));
            continue;
        };
        let text = std::fs::read_to_string(&file).unwrap();
        for used in imports(&text) {
            if used != part && !uses.contains(used.as_str()) && !is_own_spec(&file, &used) {
                breaches.push(format!("{}: `{part}` may not use `{used}`", file.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn pictures_are_drawn_without_polars() {
    for file in source_files(Path::new("src/plot")) {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("polars"), "{} sees polars", file.display());
    }
}

#[test]
fn imports_are_found_in_every_form_they_are_written_in() {
    let text = "use crate::record::{Run, Phase};\nuse crate::{clock, units::Seconds};\nlet a = crate::plan::Plan;\nuse crate::engine::spec::EngineSpec;\n// crate::report is only mentioned";
    assert_eq!(imports(text), ["record", "clock", "units", "plan", "spec"]);
}

fn is_own_spec(file: &Path, used: &str) -> bool {
    used == "spec" && file.parent().is_some_and(|folder| folder.join("spec.rs").exists())
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The part that a file belongs to: its folder under `src/`, or its own name.
fn part_of(file: &Path) -> String {
    if file.file_name().is_some_and(|name| name == "spec.rs") {
        return "spec".to_owned();
    }
    let first = file.components().nth(1).unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The parts named after `crate::`, comments left out.
fn imports(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let list = &list[..list.find("};").unwrap_or(list.len())];
            found.extend(top_level(list).into_iter().map(part_named));
        } else {
            found.push(part_named(rest));
        }
    }
    found
}

/// Splits a use list at its top-level commas.
fn top_level(list: &str) -> Vec<&str> {
    let mut depth = 0;
    list.split(move |c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|item| !item.is_empty())
    .collect()
}

fn part_named(path: &str) -> String {
    let mut names = path.split("::").map(|name| name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
    let first = names.next().unwrap_or_default();
    if names.next() == Some("spec") { "spec".to_owned() } else { first.to_owned() }
}
