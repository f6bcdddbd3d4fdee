//! A value over one numeric axis, one line a variant.

use super::{FigureCaption, FigureCell, PlotLimit, PlotQuantity};

#[derive(Debug, Clone, PartialEq)]
pub struct CurveFigure {
    pub caption: FigureCaption,
    pub x: NumericAxis,
    pub quantity: PlotQuantity,
    pub lines: Vec<CurveLine>,
    pub limit: Option<PlotLimit>,
    /// Whether intervals are drawn.
    pub bands: bool,
    /// How sure intervals and verdicts are, from 0 to 1.
    pub confidence: f64,
}

/// An axis on which values have their distance.
#[derive(Debug, Clone, PartialEq)]
pub struct NumericAxis {
    pub name: String,
    /// What is counted; empty where the labels carry their unit or there is none.
    pub unit: String,
    /// Every value that some line has, with its label, ascending.
    pub values: Vec<(f64, String)>,
}

/// One variant's points, in ascending order of `x`.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveLine {
    pub label: String,
    pub points: Vec<CurvePoint>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CurvePoint {
    pub x: f64,
    pub cell: FigureCell,
}

impl NumericAxis {
    /// The label of one of the axis' values.
    #[expect(clippy::float_cmp, reason = "points carry the axis' own values")]
    pub fn label(&self, x: f64) -> &str {
        self.values.iter().find(|(value, _)| *value == x).map_or("", |(_, label)| label)
    }
}

#[cfg(test)]
mod sample {
    use super::{CurveFigure, CurveLine, CurvePoint, NumericAxis};
    use crate::plot::figure::{FigureBasis, FigureCaption, FigureCell, FigureCellContent, FigureVerdict, PlotFigure};
    use crate::plot::gallery::{ttft, two_seconds};

    impl CurveFigure {
        /// Two variants, each with a point that has no value.
        pub(crate) fn sample() -> Self {
            let xs = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
            let line = |label: &str, values: [f64; 6], broken: &[(usize, FigureCellContent)]| {
                let mut points: Vec<CurvePoint> = xs
                    .iter()
                    .zip(values)
                    .zip(1..)
                    .map(|((x, value), n)| {
                        let mut cell = FigureCell::value(value, n * 60);
                        (cell.low, cell.high) = (Some(value * 0.85), Some(value * 1.25));
                        cell.verdict = Some(if (1.5..2.5).contains(&value) { FigureVerdict::Undecided } else { FigureVerdict::Met });
                        CurvePoint { x: *x, cell }
                    })
                    .collect();
                for (n, shown) in broken {
                    points[*n].cell = FigureCell::without_value(shown.clone(), 60);
                }
                CurveLine { label: label.into(), points }
            };
            Self {
                caption: FigureCaption {
                    title: "p95 of time to first token over concurrent sessions".into(),
                    subtitle: "document_qa, 8k-token documents".into(),
                    basis: FigureBasis::Simulated,
                },
                x: NumericAxis {
                    name: "concurrent".into(),
                    unit: "groups".into(),
                    values: xs.iter().map(|x| (*x, x.to_string())).collect(),
                },
                quantity: ttft(),
                lines: vec![
                    line("vllm", [0.31, 0.34, 0.6, 1.8, 9.1, 33.0], &[(5, FigureCellContent::Value(f64::INFINITY))]),
                    line("lmcache", [0.42, 0.44, 0.5, 0.7, 1.1, 1.9], &[(2, FigureCellContent::Failed("reset".into()))]),
                ],
                limit: Some(two_seconds()),
                bands: true,
                confidence: 0.95,
            }
        }

        /// For the gallery.
        pub(crate) fn samples() -> Vec<(&'static str, PlotFigure)> {
            let mut single = Self::sample();
            single.lines.truncate(1);
            single.lines[0].points.truncate(1);
            single.x.values.truncate(1);
            let mut many = Self::sample();
            let lines = (0..8).map(|n| {
                let mut line = many.lines[n % 2].clone();
                line.label = format!("variant number {n}");
                for point in &mut line.points {
                    if let FigureCellContent::Value(value) = &mut point.cell.shown {
                        *value *= 1.0 + f64::from(u32::try_from(n).unwrap()) * 0.3;
                    }
                    (point.cell.low, point.cell.high) = (None, None);
                }
                line
            });
            many.lines = lines.collect();
            let bare = Self { bands: false, ..Self::sample() };
            let figures = [("curve", Self::sample()), ("curve-one-point", single), ("curve-many", many), ("curve-without-bands", bare)];
            figures.map(|(name, figure)| (name, PlotFigure::Curve(figure))).into()
        }
    }
}
