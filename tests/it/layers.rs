//! Holds the code to the table of `docs/architecture.md`: which room may use which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What only the command line's wiring may use: everything.
const WIRING: [&str; 4] = ["commands", "cli", "main", "lib"];

#[test]
fn every_part_imports_only_what_the_architecture_allows() {
    let architecture = std::fs::read_to_string("docs/architecture.md").unwrap();
    let allowed = may_use(&architecture);
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
            if used != part && !uses.contains(used.as_str()) {
                breaches.push(format!("{}: `{part}` may not use `{used}`", file.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_room_is_in_the_table_once_and_uses_only_what_stands_above_it() {
    let architecture = std::fs::read_to_string("docs/architecture.md").unwrap();
    let table = architecture.split_once("```rooms\n").unwrap().1.split_once("```").unwrap().0;
    let mut above: Vec<&str> = Vec::new();
    for line in table.lines() {
        let mut words = line.split_whitespace();
        let room = words.next().unwrap();
        let below: Vec<&str> = words.filter(|used| !above.contains(used)).collect();
        assert!(!above.contains(&room) && below.is_empty(), "`{room}` stands above {below:?}, or twice");
        above.push(room);
    }
    let rooms: BTreeSet<String> = source_files(Path::new("src")).iter().map(|file| part_of(file)).collect();
    let listed = above.iter().map(|room| (*room).to_owned()).chain(WIRING.map(str::to_owned)).collect();
    assert_eq!(rooms, listed);
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
    let text = "use crate::record::{Run, Phase};\nuse crate::{clock, units::Seconds};\nlet a = crate::plan::Plan;\nuse crate::spec::engine::EngineSpec;\n// crate::report is only mentioned";
    assert_eq!(imports(text), ["record", "clock", "units", "plan", "spec"]);
}

/// The table of the architecture: each room with the rooms that it may use.
fn may_use(architecture: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let table = architecture.split_once("```rooms\n").unwrap().1.split_once("```").unwrap().0;
    table
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap(), words.collect())
        })
        .collect()
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
    path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned()
}
