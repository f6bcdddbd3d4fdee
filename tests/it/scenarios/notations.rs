//! TOML and YAML mean exactly the same.

use std::path::Path;

use bench::planning::plan::Plan;
use bench::planning::scenario::{Scenario, ScenarioOverrides, load_file, load_text};

fn load(file: &str, text: &str) -> Scenario {
    load_text(Path::new(file), text, &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Everything but where it was read from.
fn same(toml: &Scenario, yaml: &Scenario) {
    let yaml = Scenario { origin: toml.origin.clone(), ..yaml.clone() };
    assert_eq!(*toml, yaml);
    let ids = |scenario| Plan::new(scenario).unwrap().runs.into_iter().map(|run| run.id).collect::<Vec<_>>();
    assert_eq!(ids(toml), ids(&yaml));
}

#[test]
fn the_shipped_chat_scenario_is_the_same_in_both() {
    let load = |path| load_file(Path::new(path), &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}"));
    same(&load("scenarios/chat.toml"), &load("scenarios/chat.yaml"));
}

#[test]
fn every_kind_of_value_is_read_alike() {
    let toml = r#"
name = "no"
seed = 0x10
repeats = 2
order = "listed"

[workload]
kind = "document_qa"
documents.synthetic_tokens = 1_000
rounds = 3
answers = "scripted"

[target]
model = "yes"
url = "http://127.0.0.1:8000/v1"
idle_timeout = 1.5
headers = { x-tenant = "on", "x-date" = "2026-11-21" }

[target.body]
temperature = 0
top_p = 0.5
stop = ["a", "b"]
nested = { deep = true, number = -1e3 }

[engine]
preset = "tiny"
host_tier = { capacity = "1GB", bandwidth = "10GB/s" }
faults = [{ kind = "status", every = 5, status = 503 }]

[matrix]
concurrent = [1, 2]
sequential = "1..=2"
zip = [["concurrent", "sequential"]]
[[matrix.include]]
concurrent = 4
sequential = 1

[[goals]]
require = "p95(ttft where turn >= 1) <= 2s"

[variants.off.server]
reset = ["/reset_prefix_cache"]
[variants.on.target]
kind = "sim"

[[plots]]
x = "concurrent"
y = "workload.sequential"
z = "p95(ttft)"
title = "a: b"
"#;
    let yaml = r#"
name: no
seed: 0x10
repeats: 2
order: listed
workload:
  kind: document_qa
  documents: {synthetic_tokens: 1_000}
  rounds: 3
  answers: scripted
target:
  model: yes
  url: http://127.0.0.1:8000/v1
  idle_timeout: 1.5
  headers:
    x-tenant: on
    x-date: 2026-11-21
  body:
    temperature: 0
    top_p: 0.5
    stop: [a, b]
    nested: {deep: true, number: -1e3}
engine:
  preset: tiny
  host_tier: {capacity: 1GB, bandwidth: 10GB/s}
  faults:
    - {kind: status, every: 5, status: 503}
matrix:
  concurrent: [1, 2]
  sequential: 1..=2
  zip: [[concurrent, sequential]]
  include:
    - concurrent: 4
      sequential: 1
goals:
  - require: p95(ttft where turn >= 1) <= 2s
variants:
  off:
    server:
      reset: [/reset_prefix_cache]
  on:
    target:
      kind: sim
plots:
  - x: concurrent
    y: workload.sequential
    z: p95(ttft)
    title: "a: b"
"#;
    same(&load("test.toml", toml), &load("test.yaml", yaml));
}

#[test]
fn anchors_and_merge_keys_are_resolved() {
    let yaml = "
workload: {kind: chat}
variants:
  plain:
    engine: &engine {preset: tiny, noise: 0.1}
  tiered:
    engine:
      <<: *engine
      noise: 0.2
      host_tier: {capacity: 1GB, bandwidth: 1GB/s}
";
    let scenario = load("test.yaml", yaml);
    let engine = |cell: usize| &scenario.cells[cell].cell.engine;
    assert_eq!((engine(0).preset, engine(0).noise, engine(1).noise), (engine(1).preset, Some(0.1), Some(0.2)));
}

#[test]
fn a_document_that_grows_without_bound_is_refused_quickly() {
    let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = format!("*a{}", level - 1);
        yaml = format!("{yaml}a{level}: &a{level} [{}]\n", vec![below; 10].join(", "));
    }
    assert!(load_text(Path::new("test.yaml"), &yaml, &ScenarioOverrides::default()).is_err());
    assert!(load_text(Path::new("test.yaml"), &"[".repeat(100_000), &ScenarioOverrides::default()).is_err());
    assert!(load_text(Path::new("test.toml"), &format!("a = {}", "[".repeat(100_000)), &ScenarioOverrides::default()).is_err());
}
