//! Empirical distribution functions, a line a variant or cell.

use super::{FigureCaption, PlotLimit, PlotQuantity};
use crate::vocabulary::metric::MetricDirection;

#[derive(Debug, Clone, PartialEq)]
pub struct CdfFigure {
    pub caption: FigureCaption,
    pub quantity: PlotQuantity,
    pub lines: Vec<CdfLine>,
    /// Where a goal draws its line, and the share of requests that must be on its good side, from 0 to 1, if it speaks of one.
    pub limit: Option<PlotLimit>,
    pub share: Option<f64>,
    pub better: MetricDirection,
    /// How sure the bands are, from 0 to 1.
    pub confidence: f64,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct CdfLine {
    pub label: String,
    /// Requests, failed ones included.
    pub n: u64,
    pub failed: u64,
    /// A value, and the share of requests that are at most as large; ascending.
    pub steps: Vec<(f64, f64)>,
    /// Half the height of the band.
    pub margin: Option<f64>,
    /// Why there are no steps; a word or two.
    pub without: Option<String>,
}
