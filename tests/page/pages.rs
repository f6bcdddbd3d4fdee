//! The pages that are looked at: the shipped sweep's as the program writes it, and one of ten thousand cells.

use std::path::{Path, PathBuf};
use std::process::Command;

use bench::analysis::{AxisSummary, CellSummary, Question, SweepSummary, summarize};
use bench::plot::{draw, of_sweep};
use bench::record::Imported;
use bench::report::{PageFigure, PageParts, html};
use bench::store::read_sweep;
use serde_json::{Value, json};

const SWEEP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/lab");

pub fn of_the_shipped_sweep(folder: &Path) -> PathBuf {
    let output = folder.join("lab");
    let status = Command::new(env!("CARGO_BIN_EXE_bench")).args(["--quiet", "report", SWEEP, "-o"]).arg(&output).output().unwrap();
    assert!(status.status.code().is_some_and(|code| code <= 1), "{}", String::from_utf8_lossy(&status.stderr));
    output.join("report.html")
}

/// A hundred groups by fifty sessions by two variants, made of the shipped sweep's cells in turn, with pictures and a comparison.
pub fn of_ten_thousand_cells(folder: &Path) -> PathBuf {
    let mut summary: SweepSummary = summarize(&read_sweep(Path::new(SWEEP)).unwrap(), &Question::default()).unwrap();
    summary.imported = Some(Imported { program: "another program".into(), lacks: vec!["its files tell no cache hits".into()] });
    summary.variants.truncate(2);
    for variant in &mut summary.variants {
        let known = variant.cells.clone();
        let places = (1..=100).flat_map(|concurrent| (1..=50).map(move |sequential| [concurrent, sequential]));
        let cell = |(place, from): ([u32; 2], &CellSummary)| {
            let mut cell = from.clone();
            cell.axes = summary.axes.iter().map(|axis| axis.name.clone()).zip(place.map(Value::from)).collect();
            cell
        };
        variant.cells = places.zip(known.iter().cycle()).map(cell).collect();
    }
    let values = |most: u32| (1..=most).map(Value::from).collect();
    summary.axes =
        summary.axes.iter().zip([100, 50]).map(|(axis, most)| AxisSummary { name: axis.name.clone(), values: values(most) }).collect();
    let named =
        of_sweep(&[], &summary, |_| unreachable!("no other measure is shown"), |_| unreachable!("no distribution is shown")).unwrap();
    let figure = |named: bench::plot::Named| PageFigure { variant: named.variant, svg: draw(&named.figure).unwrap().text };
    let figures: Vec<PageFigure> = named.into_iter().map(figure).collect();
    let comparisons = [serde_json::from_value(comparison()).unwrap()];
    let parts = PageParts { figures: &figures, comparisons: Some(&comparisons), scenario: Some("name = \"large\"\n"), environment: &[] };
    let file = folder.join("large.html");
    std::fs::write(&file, html(&summary, &parts).unwrap()).unwrap();
    file
}

fn comparison() -> Value {
    let side =
        |name: &str| json!({"name": name, "sweep": "lab", "variant": name, "simulated": false, "created_at": "2026-11-22T03:27:23Z"});
    let ranged = |value: f64| json!({"value": value, "low": value * 0.9, "high": value * 1.1});
    let effect = |measure: &str, call: &str| {
        json!({
            "measure": measure, "unit": "s", "lower_is_better": true, "pairs": 24, "n_base": 120, "n_new": 120, "base": 0.5, "new": 0.55,
            "ratio": ranged(1.1), "difference": ranged(0.05), "call": call
        })
    };
    let calls = ["regressed", "same", "improved", "not_enough_data"];
    let effects: Vec<Value> =
        calls.iter().zip(["p50(ttft)", "p95(ttft)", "p99(ttft)", "mean(tpot)"]).map(|(call, measure)| effect(measure, call)).collect();
    json!({
        "base": side("vllm"), "new": side("lmcache"), "confidence": 0.95, "margin": 0.05, "family": "Holm's step-down over all intervals",
        "differences": [], "overall": effects, "call": "regressed",
        "cells": [{"axes": {"workload.concurrent": 1, "workload.sequential": 2}, "effects": effects, "call": "same"}],
        "scores": [{"score": "max C×S", "within": {}, "base": 12.0, "base_range": [12.0, 16.0], "new": 16.0, "new_range": [null, 16.0], "ratio": 1.33, "call": "improved"}]
    })
}
