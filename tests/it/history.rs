//! `bench history --gate` as a nightly job meets it: the real binary on nights of the simulated engine, some of them slowed down.

use std::fs;
use std::process::Output;

use quick_junit::TestCaseStatus;

use super::stage::{Stage, stderr, stdout, succeeded};

/// Ten sessions in two repeats, twelve follow-ups each: noise within a night, none in what is asked.
const SCENARIO: &str = r#"
name = "night"
seed = 7
repeats = 2

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 200 }
rounds = 12
answer_tokens = 8
concurrent = 2

[engine]
preset = "tiny"
noise = 0.03

[matrix]
sequential = [5]

[[goals]]
require = "p95(ttft where turn >= 1) <= 1s"
"#;

fn told(output: &Output) -> (Option<i32>, String, String) {
    (output.status.code(), stdout(output), stderr(output))
}

/// A night of that number with noise of its own, on an engine that much slower.
fn night(stage: &Stage, number: u32, slowdown: &str) {
    let (dir, noise) = (format!("nights/{number}"), format!("engine.noise_seed={number}"));
    let slowdown = format!("engine.slowdown={slowdown}");
    succeeded(&stage.run(&["sweep", "night.toml", "--simulate", "-q", "-o", &dir, "--set", &noise, "--set", &slowdown]));
    let path = stage.path(&dir).join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["created_at"] = format!("2026-01-{number:02}T03:00:00Z").into();
    fs::write(&path, manifest.to_string()).unwrap();
}

fn nights(slowdowns: &[&str]) -> Stage {
    let stage = Stage::with("night.toml", SCENARIO);
    (1..).zip(slowdowns).for_each(|(number, slowdown)| night(&stage, number, slowdown));
    stage
}

#[test]
fn the_gate_passes_noise_and_fails_a_slower_engine() {
    let stage = nights(&["1", "1", "1", "1", "1"]);
    let gate = |more: &[&str]| told(&stage.run(&[&["history", "nights", "--gate"][..], more].concat()));
    let (code, said, warned) = gate(&[]);
    assert_eq!(code, Some(0), "{said}{warned}");
    assert!(said.contains("gate: not worse\n") && said.starts_with("SIMULATED"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");

    night(&stage, 6, "1.2");
    let (code, said, _) = gate(&[]);
    assert_eq!(code, Some(0), "one night of three is not two: {said}");
    night(&stage, 7, "1.2");
    let (code, said, _) = gate(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nights: WORSE: 2 of the last 3 nights regressed"), "{said}");
    let (code, xml, _) = gate(&["--format", "junit", "-o", "pictures/nights.svg"]);
    assert_eq!(code, Some(1));
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let case = report.test_suites[0].test_cases.iter().find(|case| case.name.as_str() == "nights").unwrap();
    let TestCaseStatus::NonSuccess { message: Some(message), .. } = &case.status else { panic!("{xml}") };
    assert!(message.starts_with("2 of the last 3 nights regressed"), "{xml}");
    assert!(fs::read_to_string(stage.path("pictures/nights.svg")).unwrap().contains("SIMULATED"));

    let (code, _, error) = gate(&["--regressed", "4"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("`--regressed 4` of `--nights 3` can never be"), "{error}");
}
