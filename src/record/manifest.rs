//! One sweep: `manifest.json`, written before the first run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::version::FormatVersion;

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
    /// Goal expressions, as written.
    pub goals: Vec<String>,
    /// `[[plots]]` entries, as resolved.
    pub plots: Vec<Value>,
    pub variants: Vec<String>,
    /// The matrix axes by dotted path, each with all its values in the scenario's order.
    pub axes: Vec<(String, Vec<Value>)>,
    pub repeats: u32,
    /// Every run, in run order.
    pub runs: Vec<PlannedRun>,
    pub client: Client,
    /// That it was not measured by this program, where it was made from the files of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

/// Where an imported sweep comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
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
    pub axes: Vec<(String, Value)>,
    pub repeat: u32,
}

/// The machine and the program that measured. Missing where it does not matter: in virtual time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Client {
    pub bench_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processors: Option<u32>,
}
