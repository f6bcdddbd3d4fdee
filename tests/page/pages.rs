//! The pages that are looked at: the shipped sweep's as the program writes it, and one of ten thousand cells.

use std::path::{Path, PathBuf};
use std::process::Command;

use bench::analysis::{AxisSummary, CellSummary, ExtendedReal, GoalVerdict, SummaryOptions, SweepSummary, VariantSummary, summarize};
use bench::presentation::plot::{draw, of_sweep};
use bench::presentation::report::{PageFigure, PageParts, html};
use bench::records::record::ImportOrigin;
use bench::records::store::read_sweep;
use serde_json::{Value, json};

const SWEEP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/lab");

pub fn of_the_shipped_sweep(folder: &Path) -> PathBuf {
    let output = folder.join("lab");
    let status = Command::new(env!("CARGO_BIN_EXE_bench")).args(["--quiet", "report", SWEEP, "-o"]).arg(&output).output().unwrap();
    assert!(status.status.code().is_some_and(|code| code <= 1), "{}", String::from_utf8_lossy(&status.stderr));
    output.join("report.html")
}

/// A hundred groups by fifty sessions by two variants, made of the shipped sweep's cells in turn, but each with a value and a count of its
/// own, with pictures and a comparison.
pub fn of_ten_thousand_cells(folder: &Path) -> PathBuf {
    let file = folder.join("large.html");
    std::fs::write(&file, made_of(2, [100, 50])).unwrap();
    file
}

/// A page of so many variants with so many groups and sessions each.
pub fn made_of(variants: usize, [groups, sessions]: [u32; 2]) -> String {
    let mut summary: SweepSummary = summarize(&read_sweep(Path::new(SWEEP)).unwrap(), &SummaryOptions::default()).unwrap();
    summary.imported = Some(ImportOrigin { program: "another program".into(), lacks: vec!["its files tell no cache hits".into()] });
    let known: Vec<VariantSummary> = summary.variants.drain(..2).collect();
    summary.variants = known.iter().cycle().take(variants).cloned().collect();
    for (variant, number) in summary.variants.iter_mut().zip(1..) {
        if number > known.len() {
            variant.name = format!("{}-{number}", variant.name);
        }
        let known = variant.cells.clone();
        let places = (1..=groups).flat_map(|concurrent| (1..=sessions).map(move |sequential| [concurrent, sequential]));
        let cell = |(place, from): ([u32; 2], &CellSummary)| {
            let mut cell = from.clone();
            cell.axes = summary.axes.iter().map(|axis| axis.name.clone()).zip(place.map(Value::from)).collect();
            measure_anew(&mut cell, place);
            cell
        };
        variant.cells = places.zip(known.iter().cycle()).map(cell).collect();
    }
    let values = |most: u32| (1..=most).map(Value::from).collect();
    summary.axes = summary
        .axes
        .iter()
        .zip([groups, sessions])
        .map(|(axis, most)| AxisSummary { name: axis.name.clone(), values: values(most) })
        .collect();
    let named =
        of_sweep(&[], &summary, |_| unreachable!("no other measure is shown"), |_| unreachable!("no distribution is shown")).unwrap();
    let figure = |named: bench::presentation::plot::NamedFigure| PageFigure {
        variant: named.variant,
        file: format!("{}.svg", named.stem),
        svg: draw(&named.figure).unwrap().text,
    };
    let figures: Vec<PageFigure> = named.into_iter().map(figure).collect();
    let comparisons: Vec<_> = (1..variants).map(|_| serde_json::from_value(comparison()).unwrap()).collect();
    let parts = PageParts {
        figures: &figures,
        comparisons: Some(&comparisons),
        scenario: Some("name = \"large\"\n"),
        environment: &[],
        reload: None,
    };
    html(&summary, &parts).unwrap()
}

/// More sessions take longer, and no two cells the same: up to a tenth more or less, by the bits of the place. The limit is 1 s.
fn measure_anew(cell: &mut CellSummary, [concurrent, sequential]: [u32; 2]) {
    let sessions = f64::from(concurrent * sequential);
    let share = f64::from((concurrent * 7919 + sequential * 104_729) % 1000) / 1000.0;
    let value = 0.004 * sessions.powf(0.9) * (0.9 + share / 5.0);
    cell.n = u64::from(3 * concurrent * sequential);
    cell.rates.output_tokens_per_s = Some(50.0 * sessions.sqrt() * (0.9 + share / 5.0));
    for estimate in cell.shown.iter_mut().chain(cell.goals.iter_mut().map(|judgement| &mut judgement.estimate)) {
        estimate.n = cell.n;
        (estimate.value, estimate.low, estimate.high) =
            (ExtendedReal::new(value), ExtendedReal::new(value * 0.9), ExtendedReal::new(value * (1.1 + share / 10.0)));
    }
    let verdict = match value {
        sure if sure * 1.2 <= 1.0 => GoalVerdict::Met,
        sure if sure * 0.9 > 1.0 => GoalVerdict::Missed,
        _ => GoalVerdict::Undecided,
    };
    cell.verdict = Some(verdict);
    cell.goals.iter_mut().for_each(|judgement| (judgement.verdict, judgement.passes) = (verdict, value <= 1.0));
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
