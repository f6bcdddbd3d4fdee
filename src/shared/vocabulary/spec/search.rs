//! What a scenario may say about how its matrix is gone through: the `[search]` section, or `search = "frontier"` alone.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::foundation::units::Seconds;

/// Which cells of the matrix are run, and how long each of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SearchSpec {
    /// Whether every cell is run, or those along the boundary between the cells that pass and those that fail.
    #[serde(default)]
    pub kind: SearchKind,
    /// The axes of a frontier, one or two, by name or dotted path, along each of which more is not easier; `concurrent` and `sequential`
    /// where the matrix has both, else its only axis of numbers. Every other axis is swept outside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<String>,
    /// When a cell is ended before all its requests were sent; `"certain"` for a frontier and `"never"` for a grid where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<EarlyStopPolicy>,
    /// The chance that `stop = "sequential"` calls a cell wrongly, whenever it stops: a share between 0 and 0.5.
    #[serde(default = "one_in_twenty")]
    pub risk: f64,
    /// The most cells that a frontier runs, for each variant and each value of the other axes; repeats are not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cells: Option<u32>,
    /// How long a sweep along a frontier may go on before no further cell is begun; of the simulated engine, its own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_time: Option<Seconds>,
    /// How finely an axis without an end (`"1.. x2"`) is searched between the last value that passes and the first that fails, in the unit that
    /// it is written in; 1 for whole numbers without a unit, else the axis's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<f64>,
    /// How far an axis without an end goes at most; 256 times its start where missing, 64 times where two axes have no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest: Option<f64>,
}

/// Which cells are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchKind {
    /// Every cell.
    #[default]
    Grid,
    /// The cells along the boundary between those that pass all goals and those that do not.
    Frontier,
}

impl SearchKind {
    /// As a scenario says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Frontier => "frontier",
        }
    }
}

/// When a cell is ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EarlyStopPolicy {
    /// Not at all.
    #[default]
    Never,
    /// As soon as no outcome of the requests that are left could change what the goals say of the cell.
    Certain,
    /// Also as soon as a test that may be looked at any time says so at `risk`.
    Sequential,
}

impl SearchSpec {
    /// The rule that holds, whether it was chosen or not.
    #[must_use]
    pub fn stop_rule(&self) -> EarlyStopPolicy {
        self.stop.unwrap_or(match self.kind {
            SearchKind::Grid => EarlyStopPolicy::Never,
            SearchKind::Frontier => EarlyStopPolicy::Certain,
        })
    }
}

impl Default for SearchSpec {
    fn default() -> Self {
        Self {
            kind: SearchKind::default(),
            axes: Vec::new(),
            stop: None,
            risk: one_in_twenty(),
            max_cells: None,
            max_time: None,
            resolution: None,
            largest: None,
        }
    }
}

impl From<SearchKind> for SearchSpec {
    fn from(kind: SearchKind) -> Self {
        Self { kind, ..Self::default() }
    }
}

fn one_in_twenty() -> f64 {
    0.05
}

impl<'de> Deserialize<'de> for SearchSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            #[serde(default)]
            kind: SearchKind,
            #[serde(default)]
            axes: Vec<String>,
            stop: Option<EarlyStopPolicy>,
            #[serde(default = "one_in_twenty")]
            risk: f64,
            max_cells: Option<u32>,
            max_time: Option<Seconds>,
            resolution: Option<f64>,
            largest: Option<f64>,
        }
        struct SearchVisitor;
        impl<'de> Visitor<'de> for SearchVisitor {
            type Value = SearchSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`\"grid\"`, `\"frontier\"`, or a table such as `{ kind = \"frontier\", max_cells = 20 }`")
            }
            fn visit_str<E: de::Error>(self, kind: &str) -> Result<SearchSpec, E> {
                SearchKind::deserialize(StrDeserializer::new(kind)).map(SearchSpec::from)
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<SearchSpec, A::Error> {
                let Table { kind, axes, stop, risk, max_cells, max_time, resolution, largest } =
                    Table::deserialize(MapAccessDeserializer::new(entries))?;
                Ok(SearchSpec { kind, axes, stop, risk, max_cells, max_time, resolution, largest })
            }
        }
        deserializer.deserialize_any(SearchVisitor)
    }
}
