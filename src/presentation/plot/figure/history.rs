//! Night after night: a measure and a score of each variant, in strips over the same nights. A night has its place whatever the day.

use super::difference::ChangeOutcome;
use super::{FigureCaption, FigureCell, PlotLimit, PlotQuantity};

#[derive(Debug, Clone, PartialEq)]
pub struct HistoryFigure {
    pub caption: FigureCaption,
    /// The oldest first.
    pub nights: Vec<NightLabel>,
    /// From top to bottom; all have a line for each variant, in the same order.
    pub strips: Vec<HistoryStrip>,
    /// What each night is called against those before it, by variant; empty where nobody asked.
    pub calls: Vec<Vec<Option<ChangeOutcome>>>,
}

/// A night in two lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightLabel {
    /// What tells it from its neighbours: `11-21`, or `15:30`.
    pub short: String,
    /// What many nights share: the year, or the date.
    pub around: String,
}

/// One quantity over the nights.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryStrip {
    /// What stands above it: `p95 of time to first token, C=4, S=3`.
    pub heading: String,
    /// What its bars reach from and to: `95 % interval`.
    pub bars: String,
    pub quantity: PlotQuantity,
    pub limit: Option<PlotLimit>,
    pub lines: Vec<NightLine>,
    /// Whether the number of samples behind each point is worth a row.
    pub samples: SampleCountRow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleCountRow {
    Shown,
    /// The points are not made of requests.
    None,
}

/// One variant's nights.
#[derive(Debug, Clone, PartialEq)]
pub struct NightLine {
    pub label: String,
    /// One a night; `None` where the night did not plan it.
    pub cells: Vec<Option<FigureCell>>,
}
