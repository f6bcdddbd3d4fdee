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

/// What a kind of picture is laid out over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotLayout {
    /// A place a cell, over two axes of the matrix.
    TwoAxes,
    /// A value up the page, over one axis of the matrix.
    OneAxis,
    /// Something else than the matrix.
    NoAxis,
}

/// What `z` names for a kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotSubject {
    /// A value of each cell: `p95(ttft)`.
    Measure,
    /// Values of single requests: `ttft where turn >= 1`.
    Population,
    /// Nothing is chosen.
    Fixed,
}

/// All that is asked of a kind of picture without caring which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlotForm {
    /// As `kind` names it; names of files begin with it.
    pub name: &'static str,
    pub layout: PlotLayout,
    pub subject: PlotSubject,
}

impl PlotKind {
    pub const ALL: [Self; 5] = [Self::Heatmap, Self::Curve, Self::Pareto, Self::Cdf, Self::Bars3d];

    #[must_use]
    pub fn form(self) -> PlotForm {
        let (name, layout, subject) = match self {
            Self::Heatmap => ("heatmap", PlotLayout::TwoAxes, PlotSubject::Measure),
            Self::Curve => ("curve", PlotLayout::OneAxis, PlotSubject::Measure),
            Self::Pareto => ("pareto", PlotLayout::NoAxis, PlotSubject::Fixed),
            Self::Cdf => ("cdf", PlotLayout::NoAxis, PlotSubject::Population),
            Self::Bars3d => ("bars3d", PlotLayout::TwoAxes, PlotSubject::Measure),
        };
        PlotForm { name, layout, subject }
    }
}

impl PlotForm {
    /// Whether an axis of the matrix can be its facet: panels share a scale.
    #[must_use]
    pub fn has_panels(&self) -> bool {
        self.layout != PlotLayout::NoAxis
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_named_as_its_kind_is_written() {
        for kind in PlotKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.form().name);
        }
        let schema = schemars::schema_for!(PlotKind).to_value();
        assert_eq!(schema["oneOf"].as_array().map(Vec::len), Some(PlotKind::ALL.len()), "every kind is in the list: {schema}");
    }
}
