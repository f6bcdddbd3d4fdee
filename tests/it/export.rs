//! `bench export`: saved sweeps as one table, from any version that was ever saved, and nothing of what was said to a model.

use std::path::{Path, PathBuf};

use super::stage::{Stage, said, stderr, stdout};

fn saved(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats").join(version)
}

fn rows(stage: &Stage, file: &str) -> (csv::StringRecord, Vec<csv::StringRecord>) {
    let mut reader = csv::Reader::from_path(stage.path(file)).unwrap();
    let heads = reader.headers().unwrap().clone();
    (heads, reader.records().collect::<Result<_, _>>().unwrap())
}

#[test]
fn sweeps_of_any_version_are_one_table_of_requests_or_of_cells() {
    let stage = Stage::new();
    let (first, last) = (saved("1.0"), saved("1.5"));
    let words = ["export", first.to_str().unwrap(), last.to_str().unwrap(), "-o", "tables/all.csv"];
    let exported = stage.run(&words);
    assert_eq!((exported.status.code(), stdout(&exported).as_str()), (Some(0), "tables/all.csv\n"), "{}", said(&exported));
    let (heads, requests) = rows(&stage, "tables/all.csv");
    let count = |name: &str, value: &str| {
        let place = heads.iter().position(|head| head == name).unwrap();
        requests.iter().filter(|row| row[place] == *value).count()
    };
    assert_eq!((count("measured", "true"), count("successful", "false"), count("simulated", "true")), (24, 2, requests.len()));
    let cells = stage.run(&[&words[..3], &["--cells", "-o", "tables/cells.csv"]].concat());
    assert_eq!(cells.status.code(), Some(0), "{}", said(&cells));
    assert_eq!(rows(&stage, "tables/cells.csv").1.len(), 4);
}

#[test]
fn a_parquet_file_is_replaced_as_a_whole() {
    let stage = Stage::with("all.parquet", "what was there");
    let exported = stage.run(&["export", saved("1.5").to_str().unwrap(), "-o", "all.parquet", "--quiet"]);
    assert_eq!((exported.status.code(), stderr(&exported).as_str()), (Some(0), ""), "{}", said(&exported));
    assert!(fs_err::read(stage.path("all.parquet")).unwrap().starts_with(b"PAR1"));
    assert_eq!(fs_err::read_dir(stage.folder()).unwrap().count(), 1);
}

#[test]
fn another_ending_and_a_place_among_the_saved_runs_are_faults_and_nothing_is_written() {
    let stage = Stage::new();
    let from = saved("1.5");
    let other = stage.run(&["export", from.to_str().unwrap(), "-o", "all.xlsx"]);
    assert_eq!((other.status.code(), stderr(&other).as_str()), (Some(2), "error: `all.xlsx` ends in neither `.parquet` nor `.csv`\n"));
    let inside = from.join("runs/new/all.parquet");
    let inside = stage.run(&["export", from.to_str().unwrap(), "-o", inside.to_str().unwrap()]);
    assert_eq!(inside.status.code(), Some(2));
    assert!(stderr(&inside).contains("lies among the saved runs") && stderr(&inside).contains("`-o`"), "{}", said(&inside));
    let nowhere = stage.run(&["export", "nowhere", "-o", "all.csv"]);
    assert!(stderr(&nowhere).contains("`nowhere` holds no sweep"), "{}", said(&nowhere));
    assert_eq!(fs_err::read_dir(stage.folder()).unwrap().count(), 0);
}

#[test]
fn prompts_and_answers_never_go_out() {
    let stage = Stage::new();
    let words = ["run", "requests", "--simulate", "--requests", "3", "--prompt-tokens", "40", "--keep-text", "--results", "kept"];
    let kept = stage.run(&words);
    assert_eq!(kept.status.code(), Some(0), "{}", said(&kept));
    let texts = fs_err::read_to_string(stage.only_run("kept").join("texts.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(texts.lines().next().unwrap()).unwrap();
    let prompt = first["messages"][0]["text"].as_str().unwrap();
    let exported = stage.run(&["export", "kept", "-o", "all.csv"]);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    let table = fs_err::read_to_string(stage.path("all.csv")).unwrap();
    let words: Vec<&str> = prompt.split_whitespace().take(3).collect();
    assert!(words.len() == 3 && !table.contains(&words.join(" ")), "{prompt}");
    assert!(!table.lines().next().unwrap().contains("text"));
}
