//! A sweep along the frontier by the real program, on the simulated engine: the grid's answer in fewer cells, resumed and taken over.

use std::fs;
use std::process::Output;

use super::stage::{Stage, said};

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

fn bench() -> Stage {
    Stage::with("small.toml", SCENARIO)
}

fn swept(bench: &Stage, words: &[&str]) -> Output {
    bench.run(&[&["sweep", "small.toml", "--simulate"], words].concat())
}

/// The first variant's first score: the best product and the best harmonic mean that pass.
fn score(bench: &Stage, folder: &str) -> [String; 2] {
    let summary = bench.json(&format!("{folder}/report/summary.json"));
    let score = &summary["variants"][0]["scores"][0];
    [&score["max_product"]["product"], &score["best_harmonic_mean"]["harmonic_mean"]].map(|value| value.as_f64().unwrap().to_string())
}

#[test]
fn the_frontier_gives_the_grids_answer_in_fewer_cells_and_goes_on_where_it_stopped() {
    let bench = bench();
    let grid = swept(&bench, &["-q", "-o", "grid"]);
    assert_eq!(grid.status.code(), Some(0), "{}", said(&grid));
    let frontier = swept(&bench, &["--search", "frontier", "-o", "frontier"]);
    assert_eq!(frontier.status.code(), Some(0), "{}", said(&frontier));
    assert_eq!(score(&bench, "frontier"), score(&bench, "grid"));
    assert_eq!(bench.runs("grid").len(), 16);
    let runs = bench.runs("frontier").len();
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
    let again = swept(&bench, &["-q", "--search", "frontier", "-o", "frontier"]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert_eq!((bench.runs("frontier").len(), lost.exists()), (runs, true));

    // Beside the grid, what was left out is not taken for lost.
    let compared = bench.run(&["compare", "grid", "frontier"]);
    assert_eq!(compared.status.code(), Some(0), "{}", said(&compared));
    assert!(!said(&compared).contains("no result to compare"), "{}", said(&compared));

    let other = swept(&bench, &["-q", "-o", "frontier"]);
    assert_ne!(other.status.code(), Some(0));
    assert!(said(&other).contains("holds a sweep of the cells along a frontier"), "{}", said(&other));
}

#[test]
fn sealed_cells_of_an_earlier_sweep_are_taken_over_and_not_run_again() {
    let bench = bench();
    assert_eq!(swept(&bench, &["-q", "-o", "grid"]).status.code(), Some(0));
    let taken = swept(&bench, &["--search", "frontier", "--from", "grid", "-o", "new"]);
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
    let bench = bench();
    let open = SCENARIO.replace("concurrent = \"1..=4\"", "concurrent = \"1.. x2\"").replace("sequential = \"1..=4\"", "sequential = 1");
    fs::write(bench.path("small.toml"), format!("search = \"frontier\"\n{open}")).unwrap();
    let sweep = swept(&bench, &["-o", "open", "--set", "search.axes=[\"concurrent\"]"]);
    assert_eq!(sweep.status.code(), Some(0), "{}", said(&sweep));
    let manifest = bench.json("open/manifest.json");
    let values = manifest["axes"]["workload.concurrent"].as_array().unwrap();
    assert!(values.len() < 10 && values.len() == bench.runs("open").len(), "{values:?}");
    assert_eq!(manifest["search"]["climbed"][0], "workload.concurrent");
    // The same folder is gone on with, and nothing is left to do.
    let again = swept(&bench, &["-o", "open", "--set", "search.axes=[\"concurrent\"]"]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert_eq!(bench.json("open/manifest.json"), manifest);
}

#[test]
fn a_limit_of_cells_ends_it_with_the_best_bracket_so_far() {
    let bench = bench();
    let sweep = swept(&bench, &["--search", "frontier", "--set", "search.max_cells=2", "-o", "short"]);
    assert!(said(&sweep).contains("`max_cells` reached after 2 of 16 cells"), "{}", said(&sweep));
    assert_eq!(bench.runs("short").len(), 2);
}

#[test]
fn a_limit_of_time_counts_the_engines_own_time() {
    let bench = bench();
    let sweep = swept(&bench, &["--search", "frontier", "--set", "search.max_time=0.01", "-o", "short"]);
    assert!(said(&sweep).contains("`max_time` reached after 1 of 16 cells"), "{}", said(&sweep));
    assert_eq!(bench.runs("short").len(), 1);
}

#[test]
fn variants_take_turns_where_the_order_says_so_and_else_come_one_after_the_other() {
    let bench = bench();
    let text = format!("{SCENARIO}[variants.a]\n[variants.b.engine]\nkv_memory = \"4MB\"\n");
    fs::write(bench.path("small.toml"), text).unwrap();
    let begun = |order: &str| -> String {
        let sweep = swept(&bench, &["--search", "frontier", "--set", &format!("order={order}"), "-o", order]);
        let said = said(&sweep);
        said.lines().filter_map(|line| line.split_once("] ")).filter_map(|(_, cell)| cell.chars().next()).take(4).collect()
    };
    assert_eq!(begun("listed"), "aaaa");
    assert_eq!(begun("abba"), "abba");
}
