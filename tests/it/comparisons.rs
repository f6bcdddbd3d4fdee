//! What a comparison says of engines whose truth is known: one that was slowed down by a tenth, and one that only has other noise.

use bench::analysis::compare::{Call, Chosen, CompareOptions, Comparison, compare};
use bench::record::{Client, FormatVersion, Manifest, PlannedRun};
use bench::store::{SavedRun, SavedSamples, SavedSweep, to_table};
use serde_json::json;

use crate::load::simulate;

/// A small sweep of two cells, made with that noise and that factor on the engine's times.
fn sweep(noise_seed: u64, slowdown: f64) -> SavedSweep {
    let run = |sequential: u64| {
        let workload = json!({
            "kind": "document_qa", "documents": {"synthetic_tokens": 200}, "rounds": 3, "answer_tokens": 16, "concurrent": 2, "sequential": sequential,
        });
        let engine = json!({"preset": "tiny", "noise": 0.1, "noise_seed": noise_seed * 10 + sequential, "slowdown": slowdown});
        let mut done = simulate(workload, engine);
        done.record.header.axes = vec![("workload.sequential".to_owned(), json!(sequential))];
        done.record.header.id = format!("s{sequential}");
        SavedRun { requests: to_table(&done.rows).unwrap(), record: done.record, samples: SavedSamples::default() }
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
        goals: Vec::new(),
        plots: Vec::new(),
        variants: vec!["default".into()],
        axes: vec![("workload.sequential".into(), vec![json!(4), json!(5)])],
        repeats: 1,
        runs: runs.iter().map(planned).collect(),
        client: Client::default(),
        imported: None,
    };
    SavedSweep { dir: format!("trial-{noise_seed}").into(), manifest, runs, missing: Vec::new(), notes: Vec::new() }
}

fn compared(base: &SavedSweep, new: &SavedSweep) -> Comparison {
    let chosen = |sweep| Chosen { sweep, variant: "default" };
    compare(&chosen(base), &chosen(new), &CompareOptions::default()).unwrap()
}

#[test]
fn a_tenth_slower_is_found_and_mere_noise_is_not() {
    let (mut found, mut false_alarms) = (0, 0);
    for trial in 0..100 {
        let base = sweep(3 * trial, 1.0);
        found += u32::from(compared(&base, &sweep(3 * trial + 1, 1.1)).call == Call::Regressed);
        false_alarms += u32::from(compared(&base, &sweep(3 * trial + 2, 1.0)).call == Call::Regressed);
    }
    assert!(found >= 95 && false_alarms <= 5, "found {found} of 100, false alarms {false_alarms} of 100");
}
