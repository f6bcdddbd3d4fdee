//! What a picture shows, as plain data: captions, axes, cells, limits, scales. Comes from what was analysed by one of the `from_*` files, goes to
//! `draw`. Here is the list of all figures: the data of each, the way to it of each kind that somebody can ask for, samples of it.
//!
//! Values are in their metric's base unit (seconds, tokens/s, a share from 0 to 1). Knows no colours, no sizes, no tables; only `from_*` know what was
//! analysed.

mod cdf;
mod cell;
mod curve;
mod difference;
mod from_comparison;
mod from_distributions;
mod from_forecast;
mod from_history;
mod from_pareto;
mod from_summary;
mod from_timeline;
mod heatmap;
mod history;
mod panels;
mod pareto;
mod plot_quantity;
mod scale;
mod timeline;

pub use cdf::{CdfFigure, CdfLine};
pub use cell::{FigureCell, FigureCellContent, FigureVerdict};
pub use curve::{CurveFigure, CurveLine, CurvePoint, NumericAxis};
pub use difference::{ChangeOutcome, DifferenceCell, DifferenceFigure, DifferenceSize};
pub use from_comparison::of_comparison;
pub use from_forecast::largest_loads;
pub use from_history::of_history;
pub use from_pareto::two_measures;
pub use from_summary::{bars, curves, heatmaps};
pub use heatmap::{CellMark, Heatmap, LabelAxis, LimitSide, MarkShape};
pub use history::{HistoryFigure, HistoryStrip, NightLabel, NightLine, SampleCountRow};
pub use panels::FacetFigure;
pub use pareto::{ParetoFigure, ParetoLine, ParetoPoint};
pub use plot_quantity::{PlotLimit, PlotQuantity};
pub use scale::{PlotScale, ScaleMapping};
pub use timeline::{PanelTrack, RequestBar, SwimLane, TimelineFigure, TimelinePanel};

use super::plot_options::{FigureError, LabelledFigure, PlotOptions};
use crate::analysis::{CellState, PopulationDistributions, RunTimeline, SweepSummary};
#[cfg(test)]
use crate::vocabulary::spec::plot::FigureKind;
use crate::vocabulary::spec::plot::{PlotKind, RunPlotKind};

/// One picture.
#[derive(Debug, Clone, PartialEq)]
pub enum PlotFigure {
    Heatmap(Heatmap),
    Curve(CurveFigure),
    Pareto(ParetoFigure),
    Cdf(CdfFigure),
    Timeline(TimelineFigure),
    /// A heatmap's cells as bars in space.
    Bars3d(Heatmap),
    Difference(DifferenceFigure),
    Panels(FacetFigure),
    History(HistoryFigure),
}

impl PlotFigure {
    pub fn caption(&self) -> &FigureCaption {
        match self {
            Self::Heatmap(heatmap) => &heatmap.caption,
            Self::Curve(curve) => &curve.caption,
            Self::Pareto(pareto) => &pareto.caption,
            Self::Cdf(cdf) => &cdf.caption,
            Self::Timeline(timeline) => &timeline.caption,
            Self::Bars3d(bars) => &bars.caption,
            Self::Difference(difference) => &difference.caption,
            Self::Panels(panels) => &panels.caption,
            Self::History(history) => &history.caption,
        }
    }
}

/// The words above a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FigureCaption {
    pub title: String,
    pub subtitle: String,
    /// The subtitle says so, where nothing of it was measured.
    pub basis: FigureBasis,
}

/// What the values of a picture come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FigureBasis {
    #[default]
    Measured,
    /// The simulated engine.
    Simulated,
    /// An engine that was fitted to other cells: not one of these was measured.
    Predicted,
}

impl FigureBasis {
    pub fn of(simulated: bool) -> Self {
        if simulated { Self::Simulated } else { Self::Measured }
    }

    pub fn of_summary(summary: &SweepSummary) -> Self {
        let mut cells = summary.variants.iter().flat_map(|variant| &variant.cells);
        let is_forecast = cells.clone().any(|cell| cell.predicted.is_some())
            && cells.all(|cell| matches!(cell.state, CellState::Missing | CellState::Untested { .. }));
        if is_forecast { Self::Predicted } else { Self::of(summary.simulated) }
    }

    /// The word before a subtitle.
    pub fn badge(self) -> Option<&'static str> {
        match self {
            Self::Measured => None,
            Self::Simulated => Some("SIMULATED"),
            Self::Predicted => Some("PREDICTED"),
        }
    }
}

/// All pictures of what a summary shows, as somebody wants to see it.
pub type SummaryFigures = fn(&SweepSummary, &PlotOptions) -> Result<Vec<LabelledFigure>, FigureError>;

/// The picture of how a metric is distributed over requests.
pub type DistributionFigure = fn(&PopulationDistributions, &PlotOptions) -> PlotFigure;

/// What a kind of picture of a sweep is made of, and the way from there to it.
#[derive(Debug, Clone, Copy)]
pub enum FigureSource {
    Summary(SummaryFigures),
    Distributions(DistributionFigure),
}

impl FigureSource {
    #[must_use]
    pub fn of(kind: PlotKind) -> Self {
        match kind {
            PlotKind::Heatmap => Self::Summary(heatmaps),
            PlotKind::Curve => Self::Summary(curves),
            PlotKind::Pareto => Self::Summary(|summary, view| {
                let figure = PlotFigure::Pareto(from_pareto::pareto(summary, view)?);
                Ok(vec![LabelledFigure::whole(figure, view.variant.clone())])
            }),
            PlotKind::Cdf => Self::Distributions(|spread, view| PlotFigure::Cdf(from_distributions::cdf(spread, view))),
            PlotKind::Bars3d => Self::Summary(bars),
        }
    }
}

/// The picture of one run or of several, of that kind; `None` of none.
#[must_use]
pub fn of_runs(kind: RunPlotKind, runs: &[RunTimeline], title: Option<&str>) -> Option<PlotFigure> {
    match kind {
        RunPlotKind::Timeline => from_timeline::timeline(runs, title).map(PlotFigure::Timeline),
    }
}

/// Pictures of a kind with a name for each, for the tests and for the eye.
#[cfg(test)]
pub fn samples(kind: FigureKind) -> Vec<(&'static str, PlotFigure)> {
    match kind {
        FigureKind::OfSweep(PlotKind::Heatmap) => Heatmap::samples(),
        FigureKind::OfSweep(PlotKind::Curve) => CurveFigure::samples(),
        FigureKind::OfSweep(PlotKind::Pareto) => vec![
            ("pareto", PlotFigure::Pareto(ParetoFigure::sample())),
            ("pareto-latency", PlotFigure::Pareto(ParetoFigure::latency_sample())),
        ],
        FigureKind::OfSweep(PlotKind::Cdf) => vec![("cdf", PlotFigure::Cdf(CdfFigure::sample()))],
        FigureKind::OfSweep(PlotKind::Bars3d) => Heatmap::samples_in_space(),
        FigureKind::OfRun(RunPlotKind::Timeline) => vec![("timeline", PlotFigure::Timeline(TimelineFigure::sample()))],
    }
}

/// Those of figures that belong to a command of their own, or that others are put together to.
#[cfg(test)]
pub fn further_samples() -> Vec<(&'static str, PlotFigure)> {
    let mut samples = HistoryFigure::samples();
    samples.extend([("difference", from_comparison::difference_of_all()), ("panels", PlotFigure::Panels(FacetFigure::sample()))]);
    samples
}
