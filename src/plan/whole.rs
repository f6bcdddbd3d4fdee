//! The plan: all runs of a scenario, in run order.

use jiff::Timestamp;
use serde_json::Value;

use super::run::Run;
use crate::goal::Goal;
use crate::plot::spec::PlotSpec;
use crate::record::{Client, FormatVersion, Manifest};
use crate::scenario::Scenario;

/// Everything that is to be done, decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub name: String,
    pub seed: u64,
    pub repeats: u32,
    /// Some of it is simulated, so all that is made from it says so.
    pub simulated: bool,
    pub variants: Vec<String>,
    /// The matrix axes by dotted path, each with all its values in the scenario's order.
    pub axes: Vec<(String, Vec<Value>)>,
    pub goals: Vec<Goal>,
    /// The goals as written.
    pub goal_texts: Vec<String>,
    pub plots: Vec<PlotSpec>,
    /// In run order.
    pub runs: Vec<Run>,
    /// The file's name in the results folder: `scenario.toml` or `scenario.yaml`.
    pub scenario_file: String,
    /// The scenario's text, verbatim.
    pub scenario_text: String,
    /// Of all run ids: equal where the same work is planned, whatever the goals.
    pub scenario_hash: String,
    /// What was said on the command line to change the scenario.
    pub changes: Vec<String>,
}

/// Why a checked scenario cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A document folder or another file of the corpus could not be read.
    #[error("cannot read `{path}`: {source}")]
    Corpus { path: String, source: std::io::Error },
}

impl Plan {
    /// Plans a scenario.
    pub fn new(_scenario: &Scenario) -> Result<Self, PlanError> {
        unimplemented!("being written")
    }

    /// The manifest of the sweep that does this plan.
    #[must_use]
    pub fn manifest(&self, created_at: Timestamp, client: Client) -> Manifest {
        Manifest {
            format: FormatVersion::CURRENT,
            name: self.name.clone(),
            seed: self.seed,
            created_at,
            simulated: self.simulated,
            scenario_hash: self.scenario_hash.clone(),
            scenario_file: self.scenario_file.clone(),
            changes: self.changes.clone(),
            goals: self.goal_texts.clone(),
            plots: self.plots.iter().filter_map(|plot| serde_json::to_value(plot).ok()).collect(),
            variants: self.variants.clone(),
            axes: self.axes.clone(),
            repeats: self.repeats,
            runs: self.runs.iter().map(Run::planned).collect(),
            client,
        }
    }
}
