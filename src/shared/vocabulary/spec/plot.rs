//! What a scenario may say about its pictures: the `[[plots]]` entries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlotSpec {
    /// What it shows: a value over two axes, or over one; two values against each other; or a distribution.
    #[serde(default)]
    pub kind: PlotKind,
    /// The matrix axis along the page, by name or dotted path, of a heatmap or a curve; of a pareto a measure, as in a goal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The matrix axis up the page, by name or dotted path, of a heatmap; of a pareto a measure, as in a goal.
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
    /// Whether intervals are drawn, as bands or whiskers; of a curve, a pareto or a cdf.
    #[serde(default = "drawn", skip_serializing_if = "is_drawn")]
    pub bands: bool,
}

fn drawn() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_drawn(bands: &bool) -> bool {
    *bands
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
    /// Two measures against each other, a point a cell: output tokens per second of a user and of the server where none are named.
    Pareto,
    /// How a metric is distributed over the requests of the matrix' last cell that has a result, one line a variant.
    Cdf,
    /// The same as a heatmap, as bars in space.
    Bars3d,
}

/// Kinds of pictures of one run alone, which no scenario asks for: its runs are known only once they are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPlotKind {
    /// Its requests over time.
    Timeline,
}

/// Every kind of picture that can be asked for by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureKind {
    /// A scenario may ask for it, too.
    OfSweep(PlotKind),
    OfRun(RunPlotKind),
}

/// What a kind of picture is laid out over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotLayout {
    /// A place a cell, over two axes of the matrix.
    TwoAxes,
    /// A value up the page, over one axis of the matrix.
    OneAxis,
    /// A measure along the page and another up the page, a point a cell.
    TwoMeasures,
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
    /// What it shows, as the command line's help says it.
    pub help: &'static str,
}

impl PlotKind {
    #[must_use]
    pub fn form(self) -> PlotForm {
        use PlotLayout::{NoAxis, OneAxis, TwoAxes, TwoMeasures};
        use PlotSubject::{Fixed, Measure, Population};
        let (name, layout, subject, help) = match self {
            Self::Heatmap => ("heatmap", TwoAxes, Measure, "A measure over two axes, a cell each, one figure a variant"),
            Self::Curve => ("curve", OneAxis, Measure, "A measure over one axis, one line a variant"),
            Self::Pareto => ("pareto", TwoMeasures, Fixed, "Two measures against each other, a point a cell, with each variant's frontier"),
            Self::Cdf => ("cdf", NoAxis, Population, "How a metric is distributed over the requests of a cell, one line a variant"),
            Self::Bars3d => ("bars3d", TwoAxes, Measure, "The same as a heatmap, as bars in space"),
        };
        PlotForm { name, layout, subject, help }
    }
}

impl RunPlotKind {
    fn form(self) -> PlotForm {
        let (name, help) = match self {
            Self::Timeline => ("timeline", "The requests of one run as swim lanes, over what its server told"),
        };
        PlotForm { name, layout: PlotLayout::NoAxis, subject: PlotSubject::Fixed, help }
    }
}

impl FigureKind {
    /// In the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::OfSweep(PlotKind::Heatmap),
        Self::OfSweep(PlotKind::Curve),
        Self::OfSweep(PlotKind::Pareto),
        Self::OfSweep(PlotKind::Cdf),
        Self::OfRun(RunPlotKind::Timeline),
        Self::OfSweep(PlotKind::Bars3d),
    ];

    #[must_use]
    pub fn form(self) -> PlotForm {
        match self {
            Self::OfSweep(kind) => kind.form(),
            Self::OfRun(kind) => kind.form(),
        }
    }
}

impl PlotForm {
    /// Whether it draws intervals that can be left out.
    #[must_use]
    pub fn has_bands(&self) -> bool {
        ["curve", "pareto", "cdf"].contains(&self.name)
    }

    /// Whether an axis of the matrix can be its facet: panels share a scale.
    #[must_use]
    pub fn has_panels(&self) -> bool {
        matches!(self.layout, PlotLayout::OneAxis | PlotLayout::TwoAxes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_in_the_list_once_under_the_name_that_it_is_written_with() {
        let mut of_sweep = 0;
        for (place, kind) in FigureKind::ALL.into_iter().enumerate() {
            assert!(!FigureKind::ALL[..place].iter().any(|before| before.form().name == kind.form().name), "{kind:?} is there twice");
            if let FigureKind::OfSweep(kind) = kind {
                assert_eq!(serde_json::to_value(kind).unwrap(), kind.form().name);
                of_sweep += 1;
            }
        }
        let schema = schemars::schema_for!(PlotKind).to_value();
        assert_eq!(schema["oneOf"].as_array().map(Vec::len), Some(of_sweep), "every kind is in the list: {schema}");
    }
}
