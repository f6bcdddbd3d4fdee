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

pub use cdf::{Cdf, Steps};
pub use cell::{Cell, Shown, Verdict};
pub use curve::{Curve, Line, NumericAxis, Point};
pub use difference::{Change, Difference, Outcome, Size};
pub use heatmap::{Heatmap, LabelAxis, Mark, MarkShape, Side};
pub use history::{History, NightLabel, NightLine, Samples, Strip};
pub use panels::Panels;
pub use pareto::{Dot, Operating, Pareto};
pub use scale::{Mapping, Scale};
pub use timeline::{Bar, Lane, Panel, Timeline, Track};

use crate::goal::Comparison;

/// One picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    Heatmap(Heatmap),
    Curve(Curve),
    Pareto(Pareto),
    Cdf(Cdf),
    Timeline(Timeline),
    /// A heatmap's cells as bars in space.
    Bars3d(Heatmap),
    Difference(Difference),
    Panels(Panels),
    History(History),
}

impl Figure {
    pub fn caption(&self) -> &Caption {
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
pub struct Caption {
    pub title: String,
    pub subtitle: String,
    /// Made from the simulated engine; the subtitle says so.
    pub simulated: bool,
}

/// What the values of a picture are.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// As in a goal: `p95(ttft where turn >= 1)`.
    pub name: String,
    /// The unit that is shown; empty for a plain number.
    pub unit: String,
    /// What a value in the base unit is multiplied by to be in the shown one: 1000 for seconds shown as `ms`, 100 for a share as `%`.
    pub factor: f64,
}

/// Where a goal draws its line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// What a value must be: less than the limit, at least the limit, ...
    pub comparison: Comparison,
    /// In the base unit.
    pub value: f64,
}

impl Limit {
    /// Whether a value is on the good side.
    pub fn holds(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::Less => value < self.value,
            Comparison::LessOrEqual => value <= self.value,
            Comparison::Greater => value > self.value,
            Comparison::GreaterOrEqual => value >= self.value,
            #[expect(clippy::float_cmp, reason = "the goal asks for equality")]
            Comparison::Equal => value == self.value,
            #[expect(clippy::float_cmp, reason = "the goal asks for inequality")]
            Comparison::NotEqual => value != self.value,
        }
    }
}
