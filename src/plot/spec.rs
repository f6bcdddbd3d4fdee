//! What a scenario may say about its pictures: the `[[plots]]` entries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlotSpec {
    /// A value over two axes, or over one.
    #[serde(default)]
    pub kind: PlotKind,
    /// The matrix axis along the page, by name or dotted path.
    pub x: String,
    /// The matrix axis up the page, by name or dotted path; only a heatmap has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// What is shown, as in a goal: `p95(ttft where turn >= 1)`.
    pub z: String,
    /// The picture's title; made from `z` where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
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
}
