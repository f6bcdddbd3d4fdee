//! Holds the code to the documents for who works on it: which room may use which (docs/architecture.md), and the files that are named there and in
//! CONTRIBUTING.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What wires the rooms together and may use everything.
const WIRING: [&str; 4] = ["commands", "cli", "main", "lib"];
/// What the tests of a crate take from those of another.
const FIXTURES: &str = "fixtures";
/// The folders that are crates of several wings.
const CRATES: [&str; 3] = ["shared", "measuring", "judging"];
/// The wings that are a single room.
const SINGLE_ROOMS: [&str; 3] = ["search", "analysis", "prediction"];

/// A line of the architecture's table.
struct RoomRow {
    /// Its folder: `foundation`, or `analysis` where a wing is a single room.
    wing: String,
    room: String,
    uses: BTreeSet<String>,
}

/// The table of the architecture, in its order.
fn table() -> Vec<RoomRow> {
    let architecture = std::fs::read_to_string("docs/architecture.md").unwrap();
    let table = architecture.split_once("```rooms\n").unwrap().1.split_once("```").unwrap().0;
    let row = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let place = words.next().unwrap();
        let (wing, room) = place.split_once('/').unwrap_or((&place, &place));
        RoomRow { wing: wing.to_owned(), room: room.to_owned(), uses: words.collect() }
    };
    table.lines().map(row).collect()
}

#[test]
fn every_room_uses_only_what_the_architecture_allows() {
    let rows = table();
    let wings: BTreeSet<&str> = rows.iter().map(|row| row.wing.as_str()).collect();
    let allowed: BTreeMap<&str, &BTreeSet<String>> = rows.iter().map(|row| (row.room.as_str(), &row.uses)).collect();
    let mut breaches = Vec::new();
    for file in source_files(Path::new("src")) {
        let Some(room) = room_of(&file, &wings).filter(|room| !WIRING.contains(&room.as_str())) else { continue };
        let Some(uses) = allowed.get(room.as_str()) else {
            breaches.push(format!("{}: `{room}` is not in the table", file.display()));
            continue;
        };
        let text = std::fs::read_to_string(&file).unwrap();
        let strangers = used_rooms(&text, &wings).into_iter().filter(|other| *other != room && other != FIXTURES && !uses.contains(other));
        breaches.extend(strangers.map(|other| format!("{}: `{room}` may not use `{other}`", file.display())));
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_room_is_in_the_table_once_and_uses_only_rooms_above_it_and_wings_follow_one_another() {
    let rows = table();
    let wings: BTreeSet<&str> = rows.iter().map(|row| row.wing.as_str()).collect();
    let mut above: Vec<&str> = Vec::new();
    for row in &rows {
        let below: Vec<&String> = row.uses.iter().filter(|used| !above.contains(&used.as_str())).collect();
        assert!(below.is_empty() && !above.contains(&row.room.as_str()), "`{}` stands above {below:?}, or twice", row.room);
        above.push(&row.room);
    }
    let mut order: Vec<&str> = rows.iter().map(|row| row.wing.as_str()).collect();
    order.dedup();
    assert_eq!(order.len(), wings.len(), "the rooms of a wing stand together: {order:?}");
    let found: BTreeSet<String> = source_files(Path::new("src")).iter().filter_map(|file| room_of(file, &wings)).collect();
    assert_eq!(found, above.into_iter().chain(WIRING).map(str::to_owned).collect());
}

#[test]
fn pictures_are_drawn_without_polars() {
    let files = source_files(Path::new("src/presentation/plot"));
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("polars"), "{} sees polars", file.display());
    }
}

/// `[profile.dev.package]` leaves them out there, so that one would hold in no test.
#[test]
fn debug_assertions_stand_only_in_crates_that_are_compiled_with_them() {
    let without = CRATES.into_iter().chain(["presentation"]);
    let files: Vec<PathBuf> = without.flat_map(|name| source_files(&Path::new("src").join(name))).collect();
    let holds_some = |file: &&PathBuf| std::fs::read_to_string(file).unwrap().contains("debug_assert");
    assert!(!files.is_empty());
    assert_eq!(files.iter().find(holds_some), None, "an `assert!` holds everywhere");
}

#[test]
fn the_data_of_a_figure_and_its_drawing_know_nothing_of_what_was_analysed() {
    let folders = ["src/presentation/plot/figure", "src/presentation/plot/draw"];
    let files: Vec<PathBuf> = folders.iter().flat_map(|folder| source_files(Path::new(folder))).collect();
    let is_way = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("from_"));
    let (ways, plain): (Vec<_>, Vec<_>) = files.into_iter().filter(|file| !is_list(file)).partition(is_way);
    assert!(!ways.is_empty() && !plain.is_empty());
    for file in plain {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("crate::analysis"), "{} sees what was analysed", file.display());
    }
}

#[test]
fn the_summary_is_types_alone_and_uses_nothing_that_computes() {
    let files = source_files(Path::new("src/judging/analysis/summary"));
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let is_leaf = |line: &&str| ["amount::", "axes::", "extended_real::"].iter().any(|leaf| line.contains(leaf));
        let from_analysis =
            |line: &&str| line.contains("super::super::") || line.contains("crate::analysis") || is_list(&file) && line.contains("super::");
        let uses: Vec<&str> =
            text.lines().filter(|line| line.starts_with("use ")).filter(from_analysis).filter(|line| !is_leaf(line)).collect();
        assert!(uses.is_empty(), "{}: {uses:?}", file.display());
    }
}

#[test]
fn every_file_that_the_documents_name_is_there() {
    for document in ["CONTRIBUTING.md", "docs/architecture.md", "docs/metrics.md"] {
        let text = std::fs::read_to_string(document).unwrap();
        let named = text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("src/") && !code.contains('<'));
        let missing: Vec<&str> = named.filter(|path| !Path::new(path).exists()).collect();
        assert!(missing.is_empty(), "{document} names what is not there: {missing:?}");
    }
}

#[test]
fn rooms_are_found_in_every_form_they_are_written_in() {
    let wings = BTreeSet::from(["records", "vocabulary", "analysis"]);
    let text = "use crate::records::record::{Run, Phase};\nuse crate::records::{store, import::Origin};\nlet a = crate::analysis::cells();\n\
                use crate::{vocabulary::goal, records::record};\n// crate::records::exposition is only mentioned";
    assert_eq!(used_rooms(text, &wings), ["record", "store", "import", "analysis", "goal", "record"]);
}

/// Whether a file is its folder's own.
fn is_list(file: &Path) -> bool {
    file.ends_with("mod.rs")
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

/// The room that a file belongs to; none for the list of a wing's rooms.
fn room_of(file: &Path, wings: &BTreeSet<&str>) -> Option<String> {
    let parts = file.components().skip(1).map(|part| part.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned());
    let mut parts = parts.skip_while(|part| CRATES.contains(&part.as_str()));
    let first = parts.next()?;
    if !wings.contains(first.as_str()) || SINGLE_ROOMS.contains(&first.as_str()) {
        return Some(first);
    }
    parts.next().filter(|room| room != "mod")
}

/// The rooms named after `crate::`, comments left out.
fn used_rooms(text: &str, wings: &BTreeSet<&str>) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let paths = code.match_indices("crate::").flat_map(|(at, found)| grouped(&code[at + found.len()..]));
    paths.flat_map(|path| rooms_named(path, wings)).collect()
}

/// The paths of a group in braces, or the one that stands there.
fn grouped(text: &str) -> Vec<&str> {
    let Some(list) = text.strip_prefix('{') else { return vec![text] };
    let (mut depth, mut begun, mut paths) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                paths.push(list[begun..at].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                paths.push(list[begun..at].trim());
                begun = at + 1;
            }
            _ => {}
        }
    }
    paths.retain(|path| !path.is_empty());
    paths
}

/// `records::{store, record::Run}` names two rooms, `analysis::cells` one.
fn rooms_named(path: &str, wings: &BTreeSet<&str>) -> Vec<String> {
    let name = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    let first = name(path);
    match path[first.len()..].strip_prefix("::") {
        Some(rest) if wings.contains(first.as_str()) && !SINGLE_ROOMS.contains(&first.as_str()) => {
            grouped(rest).into_iter().map(name).collect()
        }
        _ => vec![first],
    }
}
