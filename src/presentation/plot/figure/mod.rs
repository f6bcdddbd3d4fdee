//! What a picture shows, as plain data: captions, axes, cells, limits, scales. Comes from summaries, goes to `draw`.
//!
//! Values are in their metric's base unit (seconds, tokens/s, a share from 0 to 1). Knows no colours, no sizes, no tables.

mod cdf;
mod cell;
mod curve;
mod difference;
mod heatmap;
mod history;
mod panels;
mod pareto;
mod scale;
mod timeline;

pub use cdf::{CdfFigure, CdfLine};
pub use cell::{FigureCell, FigureCellContent, FigureVerdict};
pub use curve::{CurveFigure, CurveLine, CurvePoint, NumericAxis};
pub use difference::{ChangeOutcome, DifferenceCell, DifferenceFigure, DifferenceSize};
pub use heatmap::{CellMark, Heatmap, LabelAxis, LimitSide, MarkShape};
pub use history::{HistoryFigure, HistoryStrip, NightLabel, NightLine, SampleCountRow};
pub use panels::FacetFigure;
pub use pareto::{ParetoFigure, ParetoLine, ParetoPoint};
pub use scale::{PlotScale, ScaleMapping};
pub use timeline::{PanelTrack, RequestBar, SwimLane, TimelineFigure, TimelinePanel};

use crate::vocabulary::goal::ComparisonOperator;

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
    /// Made from the simulated engine; the subtitle says so.
    pub simulated: bool,
}

/// What the values of a picture are.
#[derive(Debug, Clone, PartialEq)]
pub struct PlotQuantity {
    /// As in a goal: `p95(ttft where turn >= 1)`.
    pub name: String,
    /// The unit that is shown; empty for a plain number.
    pub unit: String,
    /// What a value in the base unit is multiplied by to be in the shown one: 1000 for seconds shown as `ms`, 100 for a share as `%`.
    pub factor: f64,
}

/// Where a goal draws its line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlotLimit {
    /// What a value must be: less than the limit, at least the limit, ...
    pub comparison: ComparisonOperator,
    /// In the base unit.
    pub value: f64,
}

impl PlotLimit {
    /// Whether a value is on the good side.
    pub fn holds(&self, value: f64) -> bool {
        match self.comparison {
            ComparisonOperator::Less => value < self.value,
            ComparisonOperator::LessOrEqual => value <= self.value,
            ComparisonOperator::Greater => value > self.value,
            ComparisonOperator::GreaterOrEqual => value >= self.value,
            #[expect(clippy::float_cmp, reason = "the goal asks for equality")]
            ComparisonOperator::Equal => value == self.value,
            #[expect(clippy::float_cmp, reason = "the goal asks for inequality")]
            ComparisonOperator::NotEqual => value != self.value,
        }
    }
}
