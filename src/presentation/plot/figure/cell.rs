//! One measured point of a picture: a value with how surely it is known, or a word for why there is none.

use super::heatmap::LimitSide;

/// A point of the matrix, as a picture shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureCell {
    pub shown: FigureCellContent,
    /// How many samples are behind it, failed ones included.
    pub n: u64,
    /// Ends of the interval; one that is missing is one that so few samples do not give. The upper one may be infinite.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Where a goal speaks of the value.
    pub verdict: Option<FigureVerdict>,
    /// What stands before the value where it is only a bound: `≥ `.
    pub sign: &'static str,
}

/// What is to be seen of a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureCellContent {
    /// Infinite where so many requests failed that the percentile is one of them.
    Value(f64),
    /// A fitted engine says so; nothing was measured. `is_beyond`: nor was anything on its far side.
    Predicted { value: f64, is_beyond: bool },
    /// The cell could not be run; a word or two for why.
    Failed(String),
    /// The cell was not run, or its runs are not there.
    Missing,
    /// The cell was not to be run: on which side of the limit others imply that it is, if any.
    Untested(Option<LimitSide>),
    /// The cell was run, and what came of it is no result; a word or two for why.
    Invalid(String),
    /// The cell was run, and none of its requests speaks of what is shown.
    Nothing,
}

/// Whether a goal holds, as far as the samples can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureVerdict {
    Met,
    Missed,
    Undecided,
}

impl FigureCell {
    /// A value without interval and verdict.
    pub fn value(value: f64, n: u64) -> Self {
        Self { shown: FigureCellContent::Value(value), n, low: None, high: None, verdict: None, sign: "" }
    }

    /// A cell that has no value.
    pub fn without_value(shown: FigureCellContent, n: u64) -> Self {
        Self { shown, n, low: None, high: None, verdict: None, sign: "" }
    }

    pub fn is_infinite(&self) -> bool {
        matches!(self.shown, FigureCellContent::Value(value) if value.is_infinite())
    }

    pub fn is_predicted(&self) -> bool {
        matches!(self.shown, FigureCellContent::Predicted { .. })
    }

    pub fn is_beyond_the_fit(&self) -> bool {
        matches!(self.shown, FigureCellContent::Predicted { is_beyond: true, .. })
    }

    /// The measured value where it is finite.
    pub fn finite(&self) -> Option<f64> {
        match self.shown {
            FigureCellContent::Value(value) if value.is_finite() => Some(value),
            _ => None,
        }
    }
}
