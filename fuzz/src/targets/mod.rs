//! A target for each kind of input that comes from outside. Bytes go in; nothing comes out, or the promise was not kept: see [`contract`].
//!
//! Only what anybody may call is called. The fuzzer and the tests share this folder, so it must know neither of them.

mod contract;
mod corpora;
mod imports;
mod metrics;
mod saved;
mod scenario;
mod streams;
mod tokenizers;
mod values;

/// A name, and what is done with the bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

/// All of them, by name.
pub const ALL: [Target; 10] = [
    Target { name: "corpora", run: corpora },
    Target { name: "imports", run: imports },
    Target { name: "metrics", run: metrics },
    Target { name: "saved_runs", run: saved_runs },
    Target { name: "scenario_toml", run: scenario_toml },
    Target { name: "scenario_yaml", run: scenario_yaml },
    Target { name: "streams", run: streams },
    Target { name: "tables", run: tables },
    Target { name: "tokenizers", run: tokenizers },
    Target { name: "values", run: values },
];

/// Documents, conversations and traces: the first byte says what the rest is.
pub fn corpora(data: &[u8]) {
    contract::held(|| corpora::read(data));
}

/// Files of other programs, with a zero byte between two of them.
pub fn imports(data: &[u8]) {
    contract::held(|| imports::read(data));
}

/// A page of Prometheus text.
pub fn metrics(data: &[u8]) {
    contract::held(|| metrics::read(data));
}

/// A saved sweep: the first byte says which of its JSON files the rest stands in for.
pub fn saved_runs(data: &[u8]) {
    contract::held(|| saved::texts(data));
}

/// A scenario in TOML.
pub fn scenario_toml(data: &[u8]) {
    contract::held(|| scenario::file("fuzz.toml", data));
}

/// A scenario in YAML.
pub fn scenario_yaml(data: &[u8]) {
    contract::held(|| scenario::file("fuzz.yaml", data));
}

/// An answer's stream: two bytes say how it is cut, the rest is the stream.
pub fn streams(data: &[u8]) {
    contract::held(|| streams::read(data));
}

/// A saved sweep: the first byte says which of its Parquet tables the rest stands in for.
pub fn tables(data: &[u8]) {
    contract::held(|| saved::tables(data));
}

/// A `tokenizer.json`.
pub fn tokenizers(data: &[u8]) {
    contract::held(|| tokenizers::read(data));
}

/// Goals, ranges, quantities and what is typed: the first byte says which.
pub fn values(data: &[u8]) {
    contract::held(|| values::read(data));
}
