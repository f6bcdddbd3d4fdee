//! What a scenario may say about its pictures: the `[[plots]]` entries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlotSpec {
    /// What it shows: a value over two axes, or over one; what users and the server get; or a distribution.
    #[serde(default)]
    pub kind: PlotKind,
    /// The matrix axis along the page, by name or dotted path; only a heatmap and a curve have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The matrix axis up the page, by name or dotted path; only a heatmap has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// What is shown, as in a goal: `p95(ttft where turn >= 1)`; of a distribution also `ttft where turn >= 1`; a `"pareto"` has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<String>,
    /// A matrix axis each of whose values gets a panel of one picture, by name or dotted path; of a heatmap, bars3d or curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facet: Option<String>,
    /// The picture's title; made from `z` where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl PlotSpec {
    /// What is shown; empty where nothing is chosen.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.z.as_deref().unwrap_or_default()
    }
}

/// Kinds of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlotKind {
    /// A value over two axes, one picture a variant.
    #[default]
    Heatmap,
    /// A value over one axis, one line a variant.
    Curve,
    /// Output tokens per second of a user against those of the server, a point a cell.
    Pareto,
    /// How a metric is distributed over the requests of the matrix' last cell that has a result, one line a variant.
    Cdf,
    /// The same as a heatmap, as bars in space.
    Bars3d,
}
