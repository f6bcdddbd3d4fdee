//! The Grafana dashboard under `templates/` against the text that it is drawn from: every metric and every label that its queries name is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::stage::{Stage, stdout};

const SCENARIO: &str = r#"
name = "small"
[workload]
kind = "document_qa"
documents = { synthetic_tokens = 512 }
rounds = 2
answer_tokens = 8
[target]
kind = "sim"
[engine]
preset = "tiny"
[matrix]
concurrent = [1, 2]
sequential = [1, 2]
[[goals]]
require = "p50(ttft) <= 10s"
"#;

/// The label names of each metric of a page.
fn metrics(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once('{').unwrap();
        let labels = rest.rsplit_once('}').unwrap().0;
        let names = labels.split("\",").map(|pair| pair.split_once("=\"").unwrap().0.to_owned());
        found.entry(name.to_owned()).or_default().extend(names);
    }
    found
}

/// Words of a query, each with what stands behind it.
fn words(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = query.char_indices().filter(move |(at, c)| is_part(*c) && !query[..*at].ends_with(is_part));
    starts.map(move |(at, _)| query[at..].split_at(query[at..].find(|c| !is_part(c)).unwrap_or(query.len() - at)))
}

/// The names within `by (...)` and within braces that stand before `=`.
fn labels(query: &str) -> BTreeSet<String> {
    let matched = words(query)
        .filter(|(_, rest)| rest.starts_with("=~") || rest.starts_with("=\"") || rest.starts_with("!=\""))
        .map(|(word, _)| word.to_owned());
    let grouped =
        query.split("by (").skip(1).flat_map(|rest| rest.split(')').next().unwrap().split(',')).map(|word| word.trim().to_owned());
    matched.chain(grouped).collect()
}

#[test]
fn every_query_of_the_dashboard_names_metrics_and_labels_that_a_report_has() {
    let stage = Stage::with("small.toml", SCENARIO);
    let swept = stage.run(&["sweep", "small.toml", "-o", "out", "-q"]);
    assert_eq!(swept.status.code(), Some(0), "{}", crate::stage::said(&swept));
    let page = stdout(&stage.run(&["report", "out", "--format", "openmetrics"]));
    let metrics = metrics(&page);
    let dashboard: Value = serde_json::from_str(&fs_err::read_to_string("templates/grafana-dashboard.json").unwrap()).unwrap();
    let mut queries: Vec<(String, String)> = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            queries.push((target["expr"].as_str().unwrap().to_owned(), target["legendFormat"].as_str().unwrap().to_owned()));
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap().iter().filter(|variable| variable["type"] == "query") {
        let definition = variable["definition"].as_str().unwrap();
        let (metric, label) = definition.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap().rsplit_once(", ").unwrap();
        queries.push((metric.to_owned(), format!("{{{{{label}}}}}")));
    }
    assert!(queries.len() >= 12, "{queries:?}");
    for (query, legend) in &queries {
        let named: Vec<&str> = words(query).map(|(word, _)| word).filter(|word| word.starts_with("bench_")).collect();
        assert!(!named.is_empty(), "{query}");
        let mut known = BTreeSet::new();
        for name in named {
            known.extend(metrics.get(name).unwrap_or_else(|| panic!("`{name}` of `{query}` is no metric of a report")).iter().cloned());
        }
        let shown = legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().to_owned());
        for label in labels(query).into_iter().chain(shown) {
            assert!(known.contains(&label), "`{label}` of `{query}`, shown as `{legend}`, is no label: {known:?}");
        }
    }
}
