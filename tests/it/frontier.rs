//! A sweep along the frontier by the real program, on the simulated engine: the grid's answer in fewer cells, resumed and taken over.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Sixteen cells that take well under a second each: two sessions of 1,000 tokens fit the small card, three do not.
const SCENARIO: &str = r#"
name = "small"
seed = 7

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 1000 }
rounds = 5
answer_tokens = 8

[engine]
preset = "tiny"
kv_memory = "3MB"

[matrix]
concurrent = "1..=4"
sequential = "1..=4"

[[goals]]
require = "p95(ttft where turn >= 1) <= 10ms"
"#;

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("small.toml"), SCENARIO).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sweep(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.args(["sweep", "small.toml", "--simulate"]).args(words);
        command.current_dir(self.folder.path()).env("NO_COLOR", "1").output().unwrap()
    }

    fn runs(&self, folder: &str) -> usize {
        fs::read_dir(self.path(folder).join("runs")).unwrap().count()
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(file)).unwrap()).unwrap()
    }

    /// The first variant's first score: the best product and the best harmonic mean that pass.
    fn score(&self, folder: &str) -> [Value; 2] {
        let summary = self.json(&format!("{folder}/report/summary.json"));
        let score = &summary[0]["variants"][0]["scores"][0];
        [score["max_product"]["product"].clone(), score["best_harmonic_mean"]["harmonic_mean"].clone()]
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_frontier_gives_the_grids_answer_in_fewer_cells_and_goes_on_where_it_stopped() {
    let bench = Bench::new();
    let grid = bench.sweep(&["-q", "-o", "grid"]);
    assert_eq!(grid.status.code(), Some(0), "{}", said(&grid));
    let frontier = bench.sweep(&["--search", "frontier", "-o", "frontier"]);
    assert_eq!(frontier.status.code(), Some(0), "{}", said(&frontier));
    assert_eq!(bench.score("frontier"), bench.score("grid"));
    assert_eq!(bench.runs("grid"), 16);
    let runs = bench.runs("frontier");
    assert!(runs <= 9, "{runs} of 16 cells were run\n{}", said(&frontier));
    assert!(said(&frontier).contains("settled"), "{}", said(&frontier));
    let report = said(&frontier);
    assert!(report.contains("implied ✓") && report.contains("implied ✗") && !report.contains("missing"), "{report}");
    assert!(report.lines().filter(|line| line.starts_with("default: ")).all(|line| line.chars().count() <= 80), "{report}");
    let csv = fs::read_to_string(bench.path("frontier/report/cells.csv")).unwrap();
    let is_told = |line: &&str| {
        ["measured", "stopped_early", "implied_to_pass", "implied_to_fail", "untested"]
            .iter()
            .any(|state| line.contains(&format!(",{state},")))
    };
    assert_eq!(csv.lines().filter(is_told).count(), 16, "{csv}");

    // One sealed cell is lost: it alone is run again.
    let lost = fs::read_dir(bench.path("frontier/runs")).unwrap().next().unwrap().unwrap().path();
    fs::remove_dir_all(&lost).unwrap();
    let again = bench.sweep(&["-q", "--search", "frontier", "-o", "frontier"]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert_eq!((bench.runs("frontier"), lost.exists()), (runs, true));

    // Beside the grid, what was left out is not taken for lost.
    let mut compare = Command::new(env!("CARGO_BIN_EXE_bench"));
    let compared = compare.args(["compare", "grid", "frontier"]).current_dir(bench.folder.path()).output().unwrap();
    assert_eq!(compared.status.code(), Some(0), "{}", said(&compared));
    assert!(!said(&compared).contains("no result to compare"), "{}", said(&compared));

    let other = bench.sweep(&["-q", "-o", "frontier"]);
    assert_ne!(other.status.code(), Some(0));
    assert!(said(&other).contains("holds a sweep of the cells along a frontier"), "{}", said(&other));
}

#[test]
fn sealed_cells_of_an_earlier_sweep_are_taken_over_and_not_run_again() {
    let bench = Bench::new();
    assert_eq!(bench.sweep(&["-q", "-o", "grid"]).status.code(), Some(0));
    let taken = bench.sweep(&["--search", "frontier", "--from", "grid", "-o", "new"]);
    assert_eq!(taken.status.code(), Some(0), "{}", said(&taken));
    assert!(said(&taken).contains("16 sealed runs taken from `grid`"), "{}", said(&taken));
    assert!(!said(&taken).contains("[1/"), "nothing is run: {}", said(&taken));
    for entry in fs::read_dir(bench.path("grid/runs")).unwrap() {
        let run = entry.unwrap().file_name();
        for file in ["run.json", "requests.parquet"] {
            let of = |folder: &str| fs::read(bench.path(folder).join("runs").join(&run).join(file)).unwrap();
            assert!(of("grid") == of("new"), "{run:?}/{file}");
        }
    }
}

#[test]
fn an_axis_without_an_end_is_climbed_and_only_what_was_reached_is_in_the_manifest() {
    let bench = Bench::new();
    let open = SCENARIO.replace("concurrent = \"1..=4\"", "concurrent = \"1.. x2\"").replace("sequential = \"1..=4\"", "sequential = 1");
    fs::write(bench.path("small.toml"), format!("search = \"frontier\"\n{open}")).unwrap();
    let sweep = bench.sweep(&["-o", "open", "--set", "search.axes=[\"concurrent\"]"]);
    assert_eq!(sweep.status.code(), Some(0), "{}", said(&sweep));
    let manifest = bench.json("open/manifest.json");
    let values = manifest["axes"][0][1].as_array().unwrap();
    assert!(values.len() < 10 && values.len() == bench.runs("open"), "{values:?}");
    assert_eq!(manifest["search"]["climbed"][0], "workload.concurrent");
    // The same folder is gone on with, and nothing is left to do.
    let again = bench.sweep(&["-o", "open", "--set", "search.axes=[\"concurrent\"]"]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert_eq!(bench.json("open/manifest.json"), manifest);
}

#[test]
fn a_limit_of_cells_ends_it_with_the_best_bracket_so_far() {
    let bench = Bench::new();
    let sweep = bench.sweep(&["--search", "frontier", "--set", "search.max_cells=2", "-o", "short"]);
    assert!(said(&sweep).contains("`max_cells` reached after 2 of 16 cells"), "{}", said(&sweep));
    assert_eq!(bench.runs("short"), 2);
}

#[test]
fn a_limit_of_time_counts_the_engines_own_time() {
    let bench = Bench::new();
    let sweep = bench.sweep(&["--search", "frontier", "--set", "search.max_time=0.01", "-o", "short"]);
    assert!(said(&sweep).contains("`max_time` reached after 1 of 16 cells"), "{}", said(&sweep));
    assert_eq!(bench.runs("short"), 1);
}

#[test]
fn variants_take_turns_where_the_order_says_so_and_else_come_one_after_the_other() {
    let bench = Bench::new();
    let text = format!("{SCENARIO}[variants.a]\n[variants.b.engine]\nkv_memory = \"4MB\"\n");
    fs::write(bench.path("small.toml"), text).unwrap();
    let begun = |order: &str| -> String {
        let sweep = bench.sweep(&["--search", "frontier", "--set", &format!("order={order}"), "-o", order]);
        let said = said(&sweep);
        said.lines().filter_map(|line| line.split_once("] ")).filter_map(|(_, cell)| cell.chars().next()).take(4).collect()
    };
    assert_eq!(begun("listed"), "aaaa");
    assert_eq!(begun("abba"), "abba");
}
