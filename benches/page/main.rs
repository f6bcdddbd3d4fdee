//! The report's page of 10,000 cells in a real Chromium: how large it is, how much of it is laid out, and how long that takes.
//!
//! `cargo bench --bench page` opens it nine times, each time in a new browser, and prints the medians with the least and the largest;
//! `-- --rounds 3` does so less often. `BENCH_CHROMIUM` names another browser than the first on the path. The pages stay in
//! `target/page/`, with pictures of their sections as PNG, to be looked at.

#[expect(dead_code, reason = "the tests also press keys and point at things")]
#[path = "../../tests/page/browser.rs"]
mod browser;
#[path = "../../tests/page/pages.rs"]
mod pages;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use browser::{Browser, Tab};
use serde_json::json;

/// What one load of a page took.
struct PageLoad {
    bytes_kb: f64,
    nodes: f64,
    objects: f64,
    busy_ms: f64,
    loaded_ms: f64,
    painted_ms: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let rounds =
        arguments.iter().position(|word| word == "--rounds").map_or(9, |at| arguments[at + 1].parse().expect("a number of rounds"));
    let Some(program) = browser::find() else {
        println!("there is no Chromium on the path: install it, or name it in BENCH_CHROMIUM");
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/page");
    std::fs::create_dir_all(&folder).unwrap();
    let pages = [("lab", pages::of_the_shipped_sweep(&folder)), ("10,000 cells", pages::of_ten_thousand_cells(&folder))];
    println!(
        "| median (least to largest) of {rounds} | kB | DOM nodes | laid out | busy | loaded | painted |\n|---|---|---|---|---|---|---|"
    );
    for (name, file) in &pages {
        let loads: Vec<PageLoad> = (0..rounds).map(|_| load(&program, file)).collect();
        let of = |figure: fn(&PageLoad) -> f64, unit| median_and_range(loads.iter().map(figure).collect(), unit);
        let cells = [
            of(|load| load.bytes_kb, ""),
            of(|load| load.nodes, ""),
            of(|load| load.objects, ""),
            of(|load| load.busy_ms, " ms"),
            of(|load| load.loaded_ms, " ms"),
            of(|load| load.painted_ms, " ms"),
        ];
        println!("| {name} | {} |", cells.join(" | "));
        look(&program, file);
    }
}

/// Leaves pictures of the page's sections beside it.
fn look(program: &Path, file: &Path) {
    let mut browser = Browser::start(program);
    let mut tab = browser.open(file);
    for section in ["verdict", "pictures", "cells"] {
        let clip = tab.value(&format!(
            "(() => {{ const b = document.getElementById('{section}').getBoundingClientRect(); \
             return {{x: b.left + scrollX, y: b.top + scrollY, width: b.width, height: Math.min(b.height, 1600), scale: 1}}; }})()"
        ));
        let taken = tab.call("Page.captureScreenshot", json!({"format": "png", "clip": clip, "captureBeyondViewport": true}));
        let bytes = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        std::fs::write(file.with_extension(format!("{section}.png")), bytes).unwrap();
    }
}

#[expect(clippy::cast_precision_loss, reason = "a page has fewer bytes than that")]
fn load(program: &Path, file: &Path) -> PageLoad {
    let mut browser = Browser::start(program);
    let mut tab = browser.open(file);
    let frame = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))";
    tab.call("Page.bringToFront", json!({}));
    let painted_ms = tab.value(frame).as_f64().unwrap();
    PageLoad {
        bytes_kb: std::fs::metadata(file).unwrap().len() as f64 / 1000.0,
        nodes: metric(&mut tab, "Nodes"),
        objects: metric(&mut tab, "LayoutObjects"),
        busy_ms: metric(&mut tab, "TaskDuration") * 1000.0,
        loaded_ms: tab.value("performance.getEntriesByType('navigation')[0].loadEventEnd").as_f64().unwrap(),
        painted_ms,
    }
}

/// A figure of the browser's own. Times are those of a processor, of the page's thread.
fn metric(tab: &mut Tab<'_>, name: &str) -> f64 {
    let answer = tab.call("Performance.getMetrics", json!({}));
    let metrics = answer["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).and_then(|metric| metric["value"].as_f64()).unwrap()
}

fn median_and_range(mut values: Vec<f64>, unit: &str) -> String {
    values.sort_by(f64::total_cmp);
    let [median, least, largest] = [values.len() / 2, 0, values.len() - 1].map(|at| format!("{:.0}", values[at]));
    if least == largest { format!("{median}{unit}") } else { format!("{median} ({least} to {largest}){unit}") }
}
