//! What somebody wants to see of a sweep, and why that cannot be shown.

use super::figure::PlotFigure;
use crate::analysis::AnalysisError;
use crate::vocabulary::spec::plot::PlotSpec;

/// How somebody wants to see what is shown. Axes that are missing are chosen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlotOptions {
    /// The axis along the page, by name or dotted path; of a pareto its measure.
    pub x: Option<String>,
    /// The axis up the page, for a heatmap; of a pareto its measure.
    pub y: Option<String>,
    /// The axis each of whose values gets a panel of one picture, by name or dotted path.
    pub facet: Option<String>,
    pub title: Option<String>,
    /// Only this variant.
    pub variant: Option<String>,
    /// Intervals are left out.
    pub without_bands: bool,
    /// The limit to draw, in the measure's base unit, instead of the one of the goal that speaks of the same measure.
    pub limit: Option<f64>,
}

impl From<&PlotSpec> for PlotOptions {
    fn from(spec: &PlotSpec) -> Self {
        Self {
            x: spec.x.clone(),
            y: spec.y.clone(),
            facet: spec.facet.clone(),
            title: spec.title.clone(),
            without_bands: !spec.bands,
            ..Self::default()
        }
    }
}

/// One of the pictures that a view gives.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledFigure {
    pub figure: PlotFigure,
    /// The variant that it is about; `None` where it shows all, or where the scenario names none.
    pub variant: Option<String>,
    /// `kv_memory=64GB` for each axis that the picture holds at one value, where there are others.
    pub facet: Vec<String>,
}

impl LabelledFigure {
    /// The only picture of its view.
    #[must_use]
    pub fn whole(figure: PlotFigure, variant: Option<String>) -> Self {
        Self { figure, variant, facet: Vec::new() }
    }
}

/// Why saved results cannot be shown as was asked.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error("the sweep has no axis to plot over: its matrix is a single cell")]
    NoAxis,
    #[error("`{name}` is no axis of this sweep; use one of {known}")]
    UnknownAxis { name: String, known: String },
    #[error("`{name}` is the end of several axes; write one of {paths}")]
    AmbiguousAxis { name: String, paths: String },
    #[error("x and y are both `{name}`; choose another axis for one of them")]
    SameAxis { name: String },
    #[error("only heatmaps, bars and curves can be panels of one picture, for they share a scale; leave out the facet")]
    NoPanels,
    #[error("`{name}` is drawn already and cannot be the facet too; choose another axis")]
    DrawnFacet { name: String },
    #[error("a curve has no y axis; leave out `{name}`, or ask for a heatmap")]
    CurveWithY { name: String },
    #[error("a curve needs an axis of numbers, and `{name}` has {values}; ask for a heatmap, or for another axis")]
    NotNumeric { name: String, values: String },
    #[error("a pareto of measures has both x and y; `{name}` stands alone")]
    OneMeasure { name: String },
    #[error("`{name}` is no variant of this sweep; use one of {known}")]
    UnknownVariant { name: String, known: String },
    #[error("`{text}` cannot be shown: {reason}")]
    Measure { text: String, reason: String },
    #[error("a saved plot cannot be read: {reason}")]
    SavedPlot { reason: String },
}
