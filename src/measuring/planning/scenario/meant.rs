//! A scenario as it is meant: every fault found, every default applied, every cell typed. What a plan is made of.

use std::path::PathBuf;

use serde_json::Value;

use super::cell::CellSpec;
use super::spread::SpreadKey;
use crate::vocabulary::goal::Goal;
use crate::vocabulary::spec::failure_policy::FailurePolicy;
use crate::vocabulary::spec::plot::PlotSpec;
use crate::vocabulary::spec::scenario::RunOrder;
use crate::vocabulary::spec::search::SearchSpec;

/// A checked scenario. Its cells stand in matrix order: variant by variant, the last axis changing fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    pub name: String,
    pub seed: u64,
    pub repeats: u32,
    /// All repeats have the same prompts, and rows keep hashes of prompts and answers.
    pub compare_answers: bool,
    pub order: RunOrder,
    /// What tells one block of runs from another, where the sweep is done in blocks.
    pub spread: Vec<SpreadKey>,
    /// With axes as dotted paths.
    pub search: SearchSpec,
    /// The axis that the score goes by, as a dotted path, where one is named.
    pub score: Option<String>,
    /// How failures are taken.
    pub policy: FailurePolicy,
    /// The variants' names, in the order of the file; `default` where it has none.
    pub variants: Vec<String>,
    pub axes: Vec<MatrixAxis>,
    pub goals: Vec<ScenarioGoal>,
    /// With axes as dotted paths.
    pub plots: Vec<PlotSpec>,
    pub cells: Vec<MatrixCell>,
    pub origin: ScenarioOrigin,
}

/// A field that takes several values.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixAxis {
    /// Dotted, from the document's root: `workload.concurrent`.
    pub path: String,
    /// In the scenario's order; in the base unit where the field has a unit.
    pub values: Vec<Value>,
    /// Of an axis without an end: the places of the values at which it is climbed.
    pub rungs: Option<Vec<usize>>,
}

/// A cell and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixCell {
    /// Its variant, by its place in [`Scenario::variants`].
    pub variant: usize,
    /// Its value on every axis, in the order of [`Scenario::axes`].
    pub values: Vec<Value>,
    pub cell: CellSpec,
}

/// A goal and its text as written.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioGoal {
    pub text: String,
    pub goal: Goal,
}

/// What a scenario was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioOrigin {
    pub path: PathBuf,
    /// The file's text, verbatim.
    pub text: String,
    /// What was said on the command line to change it, as flags.
    pub changes: Vec<String>,
}
