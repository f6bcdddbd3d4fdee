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

#[cfg(test)]
mod sample {
    use super::{CdfFigure, CdfLine};
    use crate::plot::figure::{CurveFigure, FigureCaption, PlotQuantity};
    use crate::plot::gallery::two_seconds;
    use crate::vocabulary::metric::MetricDirection;

    impl CdfFigure {
        /// Two lines, one of which ends below 1.
        pub(crate) fn sample() -> Self {
            let line = |label: &str, n: u32, failed: u32, scale: f64| {
                let reached = |rank: u32| (scale * 1.06_f64.powi(rank.cast_signed()), f64::from(rank) / f64::from(n));
                let margin = Some((40_f64.ln() / 2.0 / f64::from(n)).sqrt());
                let steps = (1..=n - failed).map(reached).collect();
                CdfLine { label: label.into(), n: u64::from(n), failed: u64::from(failed), steps, margin, without: None }
            };
            let quantity = PlotQuantity { name: "ttft where turn >= 1".into(), unit: "s".into(), factor: 1.0 };
            Self {
                caption: FigureCaption {
                    title: "distribution of time to first token, turn ≥ 1, C=2, S=3".into(),
                    ..CurveFigure::sample().caption
                },
                quantity,
                lines: vec![
                    line("vllm", 80, 0, 0.1),
                    line("lmcache", 40, 4, 0.3),
                    CdfLine { label: "other".into(), n: 0, failed: 0, steps: Vec::new(), margin: None, without: Some("failed".into()) },
                ],
                limit: Some(two_seconds()),
                share: Some(0.95),
                better: MetricDirection::Lower,
                confidence: 0.95,
            }
        }
    }
}
