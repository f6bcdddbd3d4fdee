//! Two values against each other, such as what each user gets and what the server gives in all: a point a cell, a colour and marker a variant.

use super::{FigureCaption, PlotQuantity};
use crate::vocabulary::metric::MetricDirection;

#[derive(Debug, Clone, PartialEq)]
pub struct ParetoFigure {
    pub caption: FigureCaption,
    pub x: PlotQuantity,
    pub y: PlotQuantity,
    /// Which direction is better along the page, and which up the page.
    pub better: (MetricDirection, MetricDirection),
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
    /// Ends of the interval of x; none where it has no interval.
    pub along: Option<(Option<f64>, Option<f64>)>,
    /// The same of y.
    pub up: Option<(Option<f64>, Option<f64>)>,
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
    use crate::plot::figure::{CurveFigure, FigureCaption, PlotQuantity};
    use crate::vocabulary::metric::MetricDirection;

    impl ParetoFigure {
        /// Two variants, one of which misses its goals where it gives most.
        pub(crate) fn sample() -> Self {
            let line = |label: &str, strength: f64, most: u32| {
                let points: Vec<ParetoPoint> = (1..=4_u32)
                    .map(|c| {
                        let x = 90.0 / (1.0 + f64::from(c) / strength);
                        let (y, along) = (x * f64::from(c) * 0.8, Some((Some(x * 0.9), (c < 4).then_some(x * 1.15))));
                        ParetoPoint { x, y, along, up: None, n: u64::from(c * 30), label: format!("C={c}, S=2"), passes: c <= most }
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
                better: (MetricDirection::Higher, MetricDirection::Higher),
                lines: vec![line("vllm", 2.0, 2), line("lmcache", 5.0, 4)],
                goals: vec!["p95(ttft where turn >= 1) <= 2s".into()],
                confidence: 0.95,
            }
        }

        /// A latency against a throughput, each with its interval.
        pub(crate) fn latency_sample() -> Self {
            let mut figure = Self::sample();
            figure.caption.title = "p95 of time to first token against output tokens per second".into();
            figure.x = PlotQuantity { name: "throughput(output_tokens)".into(), unit: "tokens/s".into(), factor: 1.0 };
            figure.y = PlotQuantity { name: "p95(ttft)".into(), unit: "s".into(), factor: 1.0 };
            figure.better = (MetricDirection::Higher, MetricDirection::Lower);
            for line in &mut figure.lines {
                for point in &mut line.points {
                    (point.x, point.y) = (point.y, 20.0 / point.x);
                    (point.along, point.up) =
                        (Some((Some(point.x * 0.95), Some(point.x * 1.05))), Some((Some(point.y * 0.9), Some(point.y * 1.2))));
                }
                line.frontier = line.points.iter().filter(|dot| dot.passes).map(|dot| (dot.x, dot.y)).collect();
            }
            figure
        }
    }
}
