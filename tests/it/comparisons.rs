//! What a comparison says of engines whose truth is known: one that was slowed down by a tenth, and one that only has other noise.

use std::process::Command;

use bench::analysis::compare::{CompareOptions, ComparisonVerdict, SavedVariant, VariantComparison, compare};
use bench::records::record::{ClientEnvironment, FormatVersion, Manifest, PlannedRun};
use bench::records::store::{SavedRequests, SavedRun, SavedSamples, SavedSweep, to_table};
use serde_json::json;

use crate::load::simulate;
use crate::stage::program;
use bench::vocabulary::goal::SavedGoal;

/// A small sweep of two cells with goals, made with that noise (5 % of each step) and that factor on the engine's times.
fn sweep(noise_seed: u64, slowdown: f64) -> SavedSweep {
    let run = |sequential: u64| {
        let workload = json!({
            "kind": "document_qa", "documents": {"synthetic_tokens": 200}, "rounds": 3, "answer_tokens": 16, "concurrent": 2, "sequential": sequential,
        });
        let engine = json!({"preset": "tiny", "noise": 0.05, "noise_seed": noise_seed * 10 + sequential, "slowdown": slowdown});
        let mut done = simulate(workload, engine);
        done.record.header.axes = vec![("workload.sequential".to_owned(), json!(sequential))];
        done.record.header.id = format!("s{sequential}");
        SavedRun { requests: SavedRequests::held(to_table(&done.rows).unwrap()), record: done.record, samples: SavedSamples::default() }
    };
    let runs = vec![run(4), run(5)];
    let planned = |run: &SavedRun| PlannedRun {
        id: run.record.header.id.clone(),
        variant: run.record.header.variant.clone(),
        axes: run.record.header.axes.clone(),
        repeat: 0,
    };
    let manifest = Manifest {
        format: FormatVersion::CURRENT,
        name: "trial".into(),
        seed: 7,
        created_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        simulated: true,
        scenario_hash: String::new(),
        scenario_file: "scenario.toml".into(),
        changes: Vec::new(),
        goals: ["p95(ttft where turn >= 1) <= 1s", "error_rate <= 1%"].map(|goal| SavedGoal::Read(goal.parse().unwrap())).to_vec(),
        plots: Vec::new(),
        variants: vec!["default".into()],
        axes: vec![("workload.sequential".into(), vec![json!(4), json!(5)])],
        repeats: 1,
        runs: runs.iter().map(planned).collect(),
        client: ClientEnvironment::default(),
        keeps_texts: false,
        imported: None,
        search: None,
        score: None,
        block: None,
        blocks: Vec::new(),
    };
    SavedSweep { dir: format!("trial-{noise_seed}").into(), manifest, runs, missing: Vec::new(), notes: Vec::new() }
}

fn compared(base: &SavedSweep, new: &SavedSweep) -> VariantComparison {
    let chosen = |sweep| SavedVariant { sweep, variant: "default" };
    compare(&chosen(base), &chosen(new), &CompareOptions::default()).unwrap()
}

#[test]
fn a_tenth_slower_is_found_and_mere_noise_is_not() {
    let (mut found, mut false_alarms) = (0, 0);
    for trial in 0..100 {
        let base = sweep(3 * trial, 1.0);
        found += u32::from(compared(&base, &sweep(3 * trial + 1, 1.1)).call == ComparisonVerdict::Regressed);
        false_alarms += u32::from(compared(&base, &sweep(3 * trial + 2, 1.0)).call == ComparisonVerdict::Regressed);
    }
    assert!(found >= 95 && false_alarms <= 5, "found {found} of 100, false alarms {false_alarms} of 100");
}

/// Runs the program where the scenarios are.
fn bench(words: &[&str]) -> (Option<i32>, String, String) {
    let done = Command::new(program()).args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}

#[test]
fn a_noisy_sweep_under_another_seed_is_the_same_and_a_slowed_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str, set: &[&str]| {
        let dir = folder.path().join(name).display().to_string();
        let small = ["engine.noise=0.05", "workload.answer_tokens=16", "workload.documents.synthetic_tokens=8192"];
        let mut words = vec!["--quiet", "sweep", "scenarios/lmcache.toml", "--simulate", "-o", &dir, "--only", "variant=vllm"];
        words.extend(["--only", "concurrent=2", "--only", "sequential=2,3,4"]);
        words.extend(small.iter().chain(set).flat_map(|field| ["--set", field]));
        let (code, _, told) = bench(&words);
        assert_eq!(code, Some(0), "{told}");
        dir
    };
    let (one, two) = (made("one", &["seed=1"]), made("two", &["seed=2"]));
    let (code, _, told) = bench(&["compare", &one, &two]);
    assert!(code == Some(2) && told.contains("`seed`: 1 and 2") && told.contains("--accept seed"), "{told}");
    let (code, text, _) = bench(&["compare", &one, &two, "--accept", "seed"]);
    assert!(code == Some(0) && text.contains("one -> two: same\n") && text.contains("none of 1134"), "{text}");

    let slow = made("slow", &["seed=2", "engine.slowdown=1.1"]);
    let picture = folder.path().join("change.svg").display().to_string();
    let (code, text, told) = bench(&["compare", &one, &slow, "--accept", "seed", "--plot", &picture]);
    assert!(
        code == Some(1) && text.contains("one -> slow: regressed\nthe goals decide: regressed p95(ttft where turn >= 1)"),
        "{text}{told}"
    );
    assert!(std::fs::read_to_string(picture).unwrap().contains("slow against one"));
}
