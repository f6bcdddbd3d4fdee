//! One sweep: `manifest.json`, written before the first run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::axis_object;
use super::block::MergedBlock;
use super::version::FormatVersion;
use crate::vocabulary::goal::SavedGoal;

/// What a sweep was going to be. Results are judged by it even where runs are missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: FormatVersion,
    /// The scenario's name.
    pub name: String,
    pub seed: u64,
    pub created_at: Timestamp,
    pub simulated: bool,
    /// Hash of the resolved scenario: a folder is gone on with only by the same one.
    pub scenario_hash: String,
    /// The scenario's file name in this folder (`scenario.toml` or `scenario.yaml`): its text, verbatim.
    pub scenario_file: String,
    /// What was said on the command line to change it: `--set`, `--only`, `--simulate`, `--url`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Goals, in the one form that reads back to the same.
    pub goals: Vec<SavedGoal>,
    /// `[[plots]]` entries, as resolved.
    pub plots: Vec<Value>,
    pub variants: Vec<String>,
    /// The matrix axes by dotted path, each with all its values in the scenario's order.
    #[serde(with = "axis_object")]
    pub axes: Vec<(String, Vec<Value>)>,
    pub repeats: u32,
    /// Every run, in run order.
    pub runs: Vec<PlannedRun>,
    pub client: ClientEnvironment,
    /// That prompts and answers are kept, in `texts.jsonl` of each run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_texts: bool,
    /// That it was not measured by this program, where it was made from the files of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportOrigin>,
    /// That not every cell was to be run, but those along a frontier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<FrontierSweep>,
    /// The axis that the score goes by, dotted, where the scenario names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
    /// The block whose runs these are, where a part of the sweep was measured by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
    /// The blocks that this sweep was merged of, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<MergedBlock>,
}

/// A sweep along the frontier between the cells that pass and those that fail: what was not run is untested by design, not missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontierSweep {
    /// The axes of the frontier, dotted, one or two: along each of them more is taken not to be easier.
    pub axes: Vec<String>,
    /// Those of them without an end: of these only the values that were reached are axis values, and runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub climbed: Vec<String>,
}

impl Manifest {
    /// The same with only those values of axes without an end that runs have which are kept.
    #[must_use]
    pub fn reached(&self, keeps: impl Fn(&PlannedRun) -> bool) -> Self {
        let climbed = self.search.as_ref().map_or(&[][..], |search| &search.climbed);
        if climbed.is_empty() {
            return self.clone();
        }
        let kept: Vec<&PlannedRun> = self.runs.iter().filter(|run| keeps(run)).collect();
        let has = |run: &PlannedRun, name: &str, value: &Value| run.axes.iter().any(|(axis, of)| axis == name && of == value);
        let is_reached =
            |name: &str, value: &Value| !climbed.iter().any(|axis| axis == name) || kept.iter().any(|run| has(run, name, value));
        let mut reached = self.clone();
        for (name, values) in &mut reached.axes {
            values.retain(|value| is_reached(name, value));
        }
        let values: BTreeMap<&str, &Vec<Value>> = reached.axes.iter().map(|(name, values)| (name.as_str(), values)).collect();
        let within =
            |run: &PlannedRun| run.axes.iter().all(|(name, value)| values.get(name.as_str()).is_none_or(|all| all.contains(value)));
        let runs = self.runs.iter().filter(|run| within(run)).cloned().collect();
        Self { runs, ..reached }
    }
}

/// Where an imported sweep comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOrigin {
    /// The program whose files were read, in words.
    pub program: String,
    /// What its files do not tell, and every run therefore lacks: a sentence each.
    pub lacks: Vec<String>,
}

/// A run as planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedRun {
    pub id: String,
    pub variant: String,
    #[serde(with = "axis_object")]
    pub axes: Vec<(String, Value)>,
    pub repeat: u32,
}

/// The machine and the program that measured. Missing where it does not matter: in virtual time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClientEnvironment {
    pub bench_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processors: Option<u32>,
    /// What a core of it carries, where `bench selftest` was run on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceilings: Option<ClientCapacity>,
}

/// How much load one core of the client's machine carries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClientCapacity {
    /// Streamed events, each read by itself.
    pub events_per_s: f64,
    /// Requests of a single event each, that event included.
    pub requests_per_s: f64,
}
