//! A value over one numeric axis, one line a variant.

use super::{FigureCaption, FigureCell, PlotLimit, PlotQuantity};

#[derive(Debug, Clone, PartialEq)]
pub struct CurveFigure {
    pub caption: FigureCaption,
    pub x: NumericAxis,
    pub quantity: PlotQuantity,
    pub lines: Vec<CurveLine>,
    pub limit: Option<PlotLimit>,
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
