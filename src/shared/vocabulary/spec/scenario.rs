//! A scenario as it is written: the document's own fields, and the schema of all of it. What its sections hold is read elsewhere, after
//! variants and axes have been put in.

use std::marker::PhantomData;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::vocabulary::spec::engine::EngineSpec;
use crate::vocabulary::spec::failure_policy::OnCellFailure;
use crate::vocabulary::spec::plot::PlotSpec;
use crate::vocabulary::spec::search::SearchSpec;
use crate::vocabulary::spec::server::ServerSpec;
use crate::vocabulary::spec::spread::SpreadSpec;
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::spec::workload::WorkloadSpec;

/// What to measure: a workload, a target, a matrix of values, variants to compare, and the goals that must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "bench scenario")]
pub struct ScenarioSpec {
    /// Another scenario that this one starts from, relative to this file. Tables are merged, everything else is replaced.
    #[serde(default)]
    pub extends: Option<PathBuf>,
    /// The scenario's name, also in the names of result folders; the file's name without extension where missing.
    #[serde(default)]
    pub name: Option<String>,
    /// Seed of everything that is made up: documents, questions, schedules, the order of cells.
    #[serde(default)]
    pub seed: u64,
    /// How often every cell is run. Repeats are interleaved: every cell once, then every cell again.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub repeats: u32,
    /// Lets `bench compare` tell whether answers stay the same: rows keep hashes of their prompts and answers, and every repeat gets the same prompts. Needs greedy decoding.
    #[serde(default)]
    pub compare_answers: bool,
    /// In which order the cells of a variant are run.
    #[serde(default)]
    pub order: RunOrder,
    /// What may be measured on different nodes of a cluster, where the sweep is done in blocks: `"cells"` that need other servers, `"repeats"`, `"variants"`, axes by name, or a list; all else stays on one node.
    #[serde(default)]
    pub spread: SpreadSpec,
    /// Which cells are run, and how long each of them: `"grid"`, `"frontier"`, or a table.
    #[serde(default)]
    pub search: SearchSpec,
    /// The axis of numbers whose largest value that passes is the score, by name or dotted path; where missing C×S, the axis of the frontier, or `qps`, `users` or `concurrency`.
    #[serde(default)]
    pub score: Option<String>,
    /// The share of a cell's measured requests that may fail, from 0 to 1; a cell of which more fail has failed. Without it no share is too much.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_error_rate: Option<f64>,
    /// Whether the sweep goes on after a cell that failed or is invalid.
    #[serde(default)]
    pub on_cell_failure: OnCellFailure,
    /// What is sent.
    #[serde(default)]
    pub workload: SchemaPlaceholder<WorkloadSpec>,
    /// To whom it is sent.
    #[serde(default)]
    pub target: SchemaPlaceholder<TargetSpec>,
    /// The simulated engine, where that is the target.
    #[serde(default)]
    pub engine: SchemaPlaceholder<EngineSpec>,
    /// What is done with the server before each cell.
    #[serde(default)]
    pub server: SchemaPlaceholder<ServerSpec>,
    /// Fields that take several values; every combination is a cell.
    #[serde(default)]
    pub matrix: SchemaPlaceholder<MatrixSpec>,
    /// What must hold.
    #[serde(default)]
    pub goals: Vec<GoalSpec>,
    /// What is compared: named patches over the sections above. Without any there is one variant, `default`.
    #[serde(default)]
    pub variants: SchemaPlaceholder<VariantsSpec>,
    /// Pictures that are made at the end.
    #[serde(default)]
    pub plots: Vec<PlotSpec>,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GoalSpec")]
pub struct GoalSpec {
    /// An expression over requests: `p95(ttft where turn >= 1) <= 2s`, `error_rate <= 1%`.
    pub require: String,
}

fn one() -> u32 {
    1
}

/// A part of the document that has the schema of `T` and is read elsewhere.
#[derive(Debug)]
pub struct SchemaPlaceholder<T>(PhantomData<T>);

impl<T> Default for SchemaPlaceholder<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T> Deserialize<'de> for SchemaPlaceholder<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self::default())
    }
}

impl<T: JsonSchema> JsonSchema for SchemaPlaceholder<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Named patches over the sections that make a cell.
#[derive(Debug)]
pub struct VariantsSpec;

impl JsonSchema for VariantsSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Variants".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let section = |name: &str| serde_json::json!({ "type": "object", "description": format!("Fields of `{name}` that differ.") });
        json_schema!({
            "description": "Named patches over `workload`, `target`, `engine` and `server`.",
            "type": "object",
            "additionalProperties": {
                "description": "What differs in this variant.",
                "type": "object",
                "properties": {
                    "workload": section("workload"),
                    "target": section("target"),
                    "engine": section("engine"),
                    "server": section("server"),
                },
                "additionalProperties": false,
            },
        })
    }
}

/// The matrix: axes by field name or dotted path, and how they are combined.
#[derive(Debug)]
pub struct MatrixSpec;

impl JsonSchema for MatrixSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Matrix".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let points = |description: &str| serde_json::json!({ "description": description, "type": "array", "default": [], "items": { "type": "object" } });
        json_schema!({
            "description": "Axes by field name or dotted path: a list, one value, or a range such as `1..=4`, `256..=4096 +256` or `1..=64 x2`.",
            "type": "object",
            "properties": {
                "zip": {
                    "description": "Groups of axes of equal length that go together, value by value, instead of in every combination.",
                    "type": "array",
                    "default": [],
                    "items": { "type": "array", "items": { "type": "string" } },
                },
                "include": points("Cells beside the combinations: each names every axis, with a value, a list or a range."),
                "exclude": points("Cells to leave out: those that fit every axis named, by a value, a list or a range."),
            },
            "additionalProperties": { "type": ["string", "number", "boolean", "array", "object"] },
        })
    }
}

/// In which order the cells of a variant are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunOrder {
    /// By the seed, another one for each repeat, the same for each variant.
    #[default]
    Shuffled,
    /// As the matrix lists them, the last axis changing fastest.
    Listed,
    /// The cells as in `shuffled`; the variants take turns instead of coming in blocks, forwards in one repeat and backwards in the next
    /// (A B, B A, ...), so that what drifts with time falls on all of them alike.
    Abba,
}
