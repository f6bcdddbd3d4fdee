//! What each user gets against what the server gives in all: a point a cell, a colour and marker a variant, more is better both ways.

use super::{FigureCaption, PlotQuantity};

#[derive(Debug, Clone, PartialEq)]
pub struct ParetoFigure {
    pub caption: FigureCaption,
    pub x: PlotQuantity,
    pub y: PlotQuantity,
    pub lines: Vec<ParetoLine>,
    /// Goals by their texts; without any, every point counts.
    pub goals: Vec<String>,
    /// How sure the intervals are, from 0 to 1.
    pub confidence: f64,
}

/// One variant's points.
#[derive(Debug, Clone, PartialEq)]
pub struct ParetoLine {
    pub label: String,
    pub points: Vec<ParetoPoint>,
    /// Those of its points that pass and that none of these beats both ways, x ascending.
    pub frontier: Vec<(f64, f64)>,
    /// Cells that have no point.
    pub without: u64,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub struct ParetoPoint {
    pub x: f64,
    pub y: f64,
    /// Ends of the interval of x.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Requests behind it.
    pub n: u64,
    /// `C=2, S=3`.
    pub label: String,
    /// Whether all goals hold by their plain values; true without goals.
    pub passes: bool,
}
