//! The fuzz targets over what has been found with them, over their seeds, and over damaged seeds: no panic, and within the bounds.
//!
//! Each target runs in a process of its own, since a bound on memory is one on a process, and an overflow of the stack ends it.

use std::path::{Path, PathBuf};
use std::process::Command;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use targets::{ALL, Target};

/// Names the target to the process that is to read.
const TARGET: &str = "BENCH_FUZZ_TARGET";
/// How many times the fuzzer's bound on time an input may take: what comes to an end does so within it on any machine.
const TIMES: &str = "100";

/// Inputs of a target: files that found something, or from which the fuzzer starts.
fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz").join(target);
    let mut files: Vec<PathBuf> = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "`{target}` has no input");
    files
}

fn replayed(target: &str) {
    let test = "fuzz::a_target_reads_its_inputs_in_a_process_of_its_own";
    let mut reader = Command::new(std::env::current_exe().unwrap());
    reader.args(["--exact", test, "--ignored", "--nocapture"]).env(TARGET, target).env("BENCH_FUZZ_TIMES", TIMES);
    let run = reader.output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    let last: Vec<&str> = said.lines().rev().take(12).collect();
    assert!(run.status.success(), "`{target}` ends with {}:\n{}", run.status, last.into_iter().rev().collect::<Vec<_>>().join("\n"));
    assert!(said.contains("read all of it"), "nothing was read: {said}");
}

#[test]
#[ignore = "the other tests start it, one process a target"]
fn a_target_reads_its_inputs_in_a_process_of_its_own() {
    let name = std::env::var(TARGET).unwrap();
    let target = ALL.iter().find(|target| target.name == name).unwrap();
    for file in inputs(&name) {
        eprintln!("reads `{}`", file.display());
        let bytes = fs_err::read(&file).unwrap();
        (target.run)(&bytes);
        damaged(target, &bytes);
    }
    eprintln!("read all of it");
}

/// Cut short, and with bytes changed.
fn damaged(target: &Target, bytes: &[u8]) {
    let mut random = Pcg64::seed_from_u64(bytes.len() as u64);
    for _ in 0..2 {
        (target.run)(&bytes[..random.random_range(0..=bytes.len())]);
    }
    for _ in 0..2 {
        let mut changed = bytes.to_vec();
        for _ in 0..random.random_range(1..=4) {
            if let Some(at) = (1..changed.len()).next_back() {
                let at = random.random_range(0..=at);
                changed[at] = random.random();
            }
        }
        (target.run)(&changed);
    }
}

#[test]
fn every_target_has_a_program_and_every_program_a_target() {
    let manifest = fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let mut programs: Vec<&str> = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap()).collect();
    programs.sort_unstable();
    assert_eq!(programs, ALL.map(|target| target.name));
    let profile: toml::Table = include_str!("../../Cargo.toml").parse().unwrap();
    assert_eq!(manifest["profile"]["release"], profile["profile"]["release"], "the two share what a release build has built");
}

macro_rules! replays {
    ($($test:ident: $target:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            replayed($target);
        })*

        #[test]
        fn no_target_is_left_out() {
            assert_eq!([$($target),*], ALL.map(|target| target.name));
        }
    };
}

replays! {
    documents_conversations_and_traces_of_any_bytes_are_read_or_refused: "corpora",
    files_of_other_programs_of_any_bytes_are_imported_or_refused: "imports",
    pages_of_metrics_of_any_bytes_are_read_over: "metrics",
    saved_texts_of_any_bytes_are_read_or_refused: "saved_runs",
    scenarios_in_toml_of_any_bytes_are_planned_or_refused: "scenario_toml",
    scenarios_in_yaml_of_any_bytes_are_planned_or_refused: "scenario_yaml",
    streams_of_any_bytes_mean_the_same_however_they_are_cut: "streams",
    saved_tables_of_any_bytes_are_read_or_refused: "tables",
    tokenizers_of_any_bytes_are_loaded_or_refused: "tokenizers",
    what_is_typed_is_understood_or_refused: "values",
}
