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

#[cfg(test)]
mod sample {
    use super::{ParetoFigure, ParetoLine, ParetoPoint};
    use crate::presentation::plot::figure::{CurveFigure, FigureCaption, PlotQuantity};

    impl ParetoFigure {
        /// Two variants, one of which misses its goals where it gives most.
        pub(crate) fn sample() -> Self {
            let line = |label: &str, strength: f64, most: u32| {
                let points: Vec<ParetoPoint> = (1..=4_u32)
                    .map(|c| {
                        let x = 90.0 / (1.0 + f64::from(c) / strength);
                        let (y, low, high) = (x * f64::from(c) * 0.8, Some(x * 0.9), (c < 4).then_some(x * 1.15));
                        ParetoPoint { x, y, low, high, n: u64::from(c * 30), label: format!("C={c}, S=2"), passes: c <= most }
                    })
                    .collect();
                let frontier = points.iter().rev().filter(|dot| dot.passes).map(|dot| (dot.x, dot.y)).collect();
                ParetoLine { label: label.into(), points, frontier, without: u64::from(most == 2) }
            };
            let quantity = |name: &str| PlotQuantity { name: name.into(), unit: "tokens/s".into(), factor: 1.0 };
            Self {
                caption: FigureCaption { title: "what a user gets against what the server gives".into(), ..CurveFigure::sample().caption },
                x: quantity("output per user, 1 / p50(tpot)"),
                y: quantity("output of the server"),
                lines: vec![line("vllm", 2.0, 2), line("lmcache", 5.0, 4)],
                goals: vec!["p95(ttft where turn >= 1) <= 2s".into()],
                confidence: 0.95,
            }
        }
    }
}
