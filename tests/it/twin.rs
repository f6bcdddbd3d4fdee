//! A fitted engine: what it finds of an engine whose figures are known, what it says of cells that it has not seen, and what it refuses.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bench::analysis::{FittedServer, HeldCoverage, TwinQuestion};

use crate::stage::{Stage, stderr, stdout, succeeded};

/// An engine whose steps take twice the preset's time, and whose prompts are cheap.
const SCENARIO: &str = r#"
name = "small"
seed = 7
repeats = 2

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 400 }
rounds = 3
answer_tokens = 4

[target]
kind = "sim"

[engine]
preset = "tiny"
kv_memory = "2500kB"
costs = { step = "2ms", prefill_token = "5us", request = "3ms" }

[matrix]
concurrent = [1, 2, 3]
sequential = [1, 2]

[[goals]]
require = "p95(ttft where turn >= 1) <= 8ms"
"#;

fn measured() -> Stage {
    let stage = Stage::with("small.toml", SCENARIO);
    succeeded(&stage.run(&["sweep", "small.toml", "-q", "-o", "out", "--exit-zero"]));
    stage
}

/// A folder with the scenario and its twin, which is fitted once for all.
fn fitted() -> Stage {
    static TWIN: OnceLock<String> = OnceLock::new();
    let twin = TWIN.get_or_init(|| {
        let stage = measured();
        succeeded(&stage.run(&FIT));
        fs_err::read_to_string(stage.path("twin.toml")).unwrap()
    });
    let stage = Stage::with("small.toml", SCENARIO);
    stage.write("twin.toml", twin);
    stage
}

const FIT: [&str; 7] = ["fit", "out", "-q", "--only", "concurrent=1,3", "-o", "twin.toml"];

#[test]
fn cells_that_were_not_fitted_lie_in_their_intervals_and_so_does_the_largest_load() {
    let stage = measured();
    let fit = stage.run(&FIT);
    succeeded(&fit);
    assert!(stdout(&fit).contains("fitted to 4 cells of default (8 runs)") && !stdout(&fit).contains("DOES NOT FIT"), "{}", stdout(&fit));
    let read = |stage: &Stage| fs_err::read(stage.path("twin.toml")).unwrap();
    assert!(read(&stage) == read(&fitted()), "the same sweep gives the same bytes");

    let predicted = stage.run(&["predict", "small.toml", "--twin", "twin.toml", "--json"]);
    succeeded(&predicted);
    let predicted: serde_json::Value = serde_json::from_str(&stdout(&predicted)).unwrap();
    let summary = stage.json("out/report/summary.json");
    let mut truths = BTreeMap::new();
    for cell in summary["variants"][0]["cells"].as_array().unwrap() {
        truths.insert(cell["axes"].to_string(), cell["goals"][0]["value"].as_f64().unwrap());
    }
    let cells = predicted["cells"].as_array().unwrap();
    assert_eq!((cells.len(), truths.len()), (6, 6));
    for cell in cells {
        let axes: serde_json::Map<String, serde_json::Value> =
            cell["axes"].as_array().unwrap().iter().map(|axis| (axis[0].as_str().unwrap().to_owned(), axis[1].clone())).collect();
        let truth = truths[&serde_json::Value::Object(axes).to_string()];
        let goal = &cell["goals"][0];
        let (low, high) = (goal["low"].as_f64().unwrap(), goal["high"].as_f64().unwrap());
        assert!(low <= truth * 1.001 && truth <= high * 1.001 && high < 1.6 * low, "{cell} {truth}");
    }
    let largest = &predicted["largest_loads"][0];
    let truth = summary["variants"][0]["scores"][0]["max_product"]["product"].as_f64().unwrap();
    assert!(largest["low"].as_f64().unwrap() <= truth && truth <= largest["high"].as_f64().unwrap(), "{largest} {truth}");
}

#[test]
fn what_intervals_are_said_to_have_held_is_what_the_tables_of_the_documents_say() {
    let document = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/twin.md")).unwrap();
    let tried = [
        ("all", FittedServer::Simulated, TwinQuestion::OtherCells),
        ("all", FittedServer::Real, TwinQuestion::OtherCells),
        ("another KV pool", FittedServer::Real, TwinQuestion::OtherPool),
        ("a tier added", FittedServer::Real, TwinQuestion::OtherTier),
    ];
    for (name, server, question) in tried {
        let HeldCoverage { held, cells, .. } = HeldCoverage::of(server, question).unwrap();
        let share = format!("{:.1} %", 100.0 * f64::from(held) / f64::from(cells));
        let row = format!("| {name} | {cells} | {share} |");
        assert!(document.replace("**", "").contains(&row), "`{row}` is not in docs/twin.md");
    }
    let stage = fitted();
    let said = |more: &[&str]| {
        let words = ["predict", "small.toml", "--twin", "twin.toml", "--only", "concurrent=1", "--only", "sequential=1"];
        stdout(&stage.run(&[&words[..], more].concat()))
    };
    let (cells, pool) = (said(&[]), said(&["--set", "engine.kv_memory=5MB"]));
    assert!(cells.contains("such intervals held 94 % of 720 cells of simulated engines that were not fitted"), "{cells}");
    assert!(pool.contains("such intervals were not tried on a server that was changed like this"), "{pool}");
}

#[test]
fn what_if_changes_the_fitted_engine_and_says_so() {
    let stage = fitted();
    let chance = |more: &[&str]| {
        let output = stage.run(&[&["predict", "small.toml", "--twin", "twin.toml", "--only", "concurrent=3"][..], more].concat());
        succeeded(&output);
        stdout(&output)
    };
    let (as_it_is, slower) = (chance(&[]), chance(&["--set", "engine.slowdown=3"]));
    let slower_step = chance(&["--set", "engine.costs.step=6ms"]);
    assert!(slower_step.contains("with costs.step=6ms") && slower_step.contains(" 0 % "), "what was fitted can be changed: {slower_step}");
    assert!(as_it_is.contains("PREDICTED, not measured") && !as_it_is.contains("slowdown"), "{as_it_is}");
    assert!(slower.contains("with slowdown=3") && slower.contains(" 0 % "), "{slower}");
}

#[test]
fn an_axis_of_the_engine_is_a_what_if_for_each_value() {
    let stage = fitted();
    stage.write("what-if.toml", &SCENARIO.replace("[matrix]\n", "[matrix]\n\"engine.slowdown\" = [1, 3]\n"));
    let output =
        stage.run(&["predict", "what-if.toml", "--twin", "twin.toml", "--only", "concurrent=3", "--only", "sequential=2", "--json"]);
    succeeded(&output);
    let predicted: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let values: Vec<f64> = predicted["cells"].as_array().unwrap().iter().map(|cell| cell["goals"][0]["value"].as_f64().unwrap()).collect();
    assert!(predicted["predicted"].as_bool().unwrap() && values.len() == 2 && values[1] > 2.0 * values[0], "{predicted}");
}

#[test]
fn only_the_fitted_variant_is_predicted_and_another_has_to_be_named() {
    let stage = fitted();
    let two = |first: &str| {
        format!("{SCENARIO}[variants.{first}]\n[variants.tiered.engine]\nhost_tier = {{ capacity = \"1MB\", bandwidth = \"1MB/s\" }}\n")
    };
    let predicted = |text: String| {
        stage.write("two.toml", &text);
        stage.run(&["predict", "two.toml", "--twin", "twin.toml", "--only", "concurrent=1", "--json"])
    };
    let refused = predicted(two("plain"));
    assert!(
        stderr(&refused).contains("the twin is that of `default`, and the scenario has the variants plain, tiered"),
        "{}",
        stderr(&refused)
    );
    let output = predicted(two("default"));
    succeeded(&output);
    let cells: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(cells["cells"].as_array().unwrap().iter().all(|cell| cell["variant"] == "default"), "{cells}");
}

#[test]
fn a_search_that_a_twin_guides_finds_the_same_in_no_more_cells() {
    let stage = fitted();
    let searched = |folder: &str, more: &[&str]| {
        let sweep = stage.run(&[&["sweep", "small.toml", "--search", "frontier", "--exit-zero", "-o", folder][..], more].concat());
        succeeded(&sweep);
        let summary = stage.json(&format!("{folder}/report/summary.json"));
        let cells = summary["variants"][0]["cells"].as_array().unwrap().len();
        (summary["variants"][0]["score"]["value"].clone(), cells, stderr(&sweep))
    };
    let (alone, cells_alone, _) = searched("alone", &[]);
    let (guided, cells_guided, said) = searched("guided", &["--twin", "twin.toml"]);
    assert!(said.contains("small: a twin of default says where to look first; every verdict is measured"), "{said}");
    assert_eq!(guided, alone);
    assert!(cells_guided <= cells_alone, "{cells_guided} instead of {cells_alone}");
}

#[test]
fn cells_that_a_search_left_out_are_predicted_where_a_report_is_asked_to_and_enter_no_score() {
    let stage = fitted();
    succeeded(&stage.run(&["sweep", "small.toml", "--search", "frontier", "--exit-zero", "-q", "-o", "out"]));
    let scores = || stage.json("out/report/summary.json")["variants"][0]["scores"].clone();
    let measured = scores();
    let report = stage.run(&["report", "out", "--twin", "twin.toml"]);
    let said = stdout(&report).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("predicted ") && said.contains("an engine says so that was fitted to default"), "{said}");
    assert_eq!(scores(), measured);
    let read = |file: &str| fs_err::read_to_string(stage.path(&format!("out/report/{file}"))).unwrap();
    assert!(read("report.html").contains("<td class=\"predicted\">predicted "), "the page names them too");
    assert!(read("report.md").contains("predicted ") && read("cells.csv").contains(",predicted_low,"));
    succeeded(&stage.run(&["report", "out"]));
    assert!(!read("report.md").contains("predicted"), "nothing is predicted where nobody asks");
}

#[test]
fn predictions_are_pictures_that_say_so_and_what_ifs_have_one_of_the_largest_load() {
    let stage = fitted();
    stage.write("what-if.toml", &SCENARIO.replace("[matrix]\n", "[matrix]\n\"engine.kv_memory\" = [\"900kB\", \"2500kB\"]\n"));
    let predicted = stage.run(&["predict", "what-if.toml", "--twin", "twin.toml", "-o", "pictures/p.svg"]);
    succeeded(&predicted);
    let said = stdout(&predicted);
    assert!(said.contains("max C×S at kv_memory=900000: ") && said.contains("pictures/p-largest.svg"), "{said}");
    for file in ["pictures/p-largest.svg", "pictures/p-kv_memory=900kB.svg"] {
        let picture = fs_err::read_to_string(stage.path(file)).unwrap_or_else(|_| panic!("{file} of {said}"));
        assert!(picture.contains("\nPREDICTED\n") && picture.contains("an engine fitted to default"), "{file}");
    }
    let refused = stage.run(&["predict", "small.toml", "--twin", "twin.toml", "-o", "p.pdf"]);
    assert!(stderr(&refused).contains("`p.pdf` ends in neither"), "{}", stderr(&refused));
}

#[test]
fn the_fitted_engine_runs_in_place_of_the_scenarios_where_it_is_simulated() {
    let stage = fitted();
    stage.write(
        "another.toml",
        &SCENARIO.replace("kv_memory = \"2500kB\"\ncosts = { step = \"2ms\", prefill_token = \"5us\", request = \"3ms\" }\n", ""),
    );
    let p95 = |scenario: &str, folder: &str, more: &[&str]| {
        let words = [&["sweep", scenario, "--only", "concurrent=2", "--only", "sequential=1", "-q", "--exit-zero", "-o", folder][..], more];
        succeeded(&stage.run(&words.concat()));
        stage.json(&format!("{folder}/report/summary.json"))["variants"][0]["cells"][0]["goals"][0]["value"].as_f64().unwrap()
    };
    let (truth, preset) = (p95("small.toml", "truth", &[]), p95("another.toml", "preset", &[]));
    let fitted = p95("another.toml", "fitted", &["--simulate", "--twin", "twin.toml"]);
    assert!((fitted / truth - 1.0).abs() < 0.05 && (preset / truth - 1.0).abs() > 0.2, "{truth} {fitted} {preset}");
    stage.write("slowed.toml", &SCENARIO.replace("[engine]", "[engine]\nslowdown = 2"));
    let refused = stage.run(&["sweep", "slowed.toml", "--simulate", "--twin", "twin.toml", "-o", "slowed"]);
    assert!(stderr(&refused).contains("small: its `[engine]` says more than the twin's has"), "{}", stderr(&refused));
}

#[test]
fn a_twin_of_a_sweep_of_every_cell_has_nothing_to_guide() {
    let stage = fitted();
    let refused = stage.run(&["sweep", "small.toml", "--twin", "twin.toml", "-o", "grid"]);
    assert!(stderr(&refused).contains("every cell of small is run\nhint: add `--search frontier`"), "{}", stderr(&refused));
    assert!(!stage.path("grid").exists());
}

#[test]
fn an_engine_with_faults_does_not_fit_and_the_cells_are_named() {
    let stage =
        Stage::with("faulty.toml", &SCENARIO.replace("[engine]", "[engine]\nfaults = [{ kind = \"status\", every = 9, status = 503 }]"));
    succeeded(&stage.run(&["sweep", "faulty.toml", "-q", "-o", "out", "--exit-zero"]));
    // Faults are no figure of an engine that could be fitted.
    let fit = stage.run(&[&FIT[..], &["--set", "engine.faults=[]"]].concat());
    succeeded(&fit);
    let said = stdout(&fit);
    assert!(said.contains("DOES NOT FIT: ") && said.contains("failed requests"), "{said}");
    let misfits = said.lines().find(|line| line.starts_with("DOES NOT FIT")).unwrap();
    assert!(misfits.contains("C=3") || misfits.contains("concurrent=3"), "{misfits}");
}

#[test]
fn a_twin_that_was_changed_by_hand_or_is_of_another_version_says_so() {
    let stage = fitted();
    let text = fs_err::read_to_string(stage.path("twin.toml")).unwrap();
    let refused = |text: &str| {
        stage.write("other.toml", text);
        let output = stage.run(&["predict", "small.toml", "--twin", "other.toml"]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(refused(&text.replace("noise = ", "noise = 1")).contains("was changed since it was fitted"));
    assert!(refused(&text.replace("version = 3", "version = 9")).contains("a twin of version 9, and this program reads version 3"));
    assert!(refused("[engine]\npreset = \"tiny\"\n").contains("is no twin: "));
}

#[test]
fn sweeps_that_lack_what_a_fit_needs_are_refused_by_name() {
    let stage = measured();
    let refused = |words: &[&str]| {
        let output = stage.run(&[&["fit", "out", "-q"], words].concat());
        assert_ne!(output.status.code(), Some(0));
        assert!(!stage.path("twin.toml").exists());
        stderr(&output)
    };
    let one = refused(&["--only", "concurrent=1", "--only", "sequential=1"]);
    assert!(one.contains("it has 1 of the cells of `default`, and a fit takes 2 at least"), "{one}");
    assert!(
        refused(&["--variant", "vllm"])
            .contains("there is no variant `vllm`\nhint: say which server is to be fitted by `--variant`: default")
    );
}
