//! What became of a measure from one side of a comparison to the other, over two axes.

use super::{FigureCaption, LabelAxis};

#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceFigure {
    pub caption: FigureCaption,
    /// Along the page.
    pub x: LabelAxis,
    /// Up the page: its first value is at the bottom.
    pub y: LabelAxis,
    /// What is compared, as in a goal: `p95(ttft where turn >= 1)`.
    pub measure: String,
    /// What the ratios are of: `lmcache / vllm`.
    pub ratio_of: String,
    pub lower_is_better: bool,
    /// `cells[row][column]`: a row a value of `y`, a column a value of `x`; `None` where a side has no result.
    pub cells: Vec<Vec<Option<DifferenceCell>>>,
    /// The ratio at the strong end of the colours, above 1; its reciprocal is at the other end.
    pub reach: f64,
    /// The largest change that counts as none: `5 %`, `5 points`.
    pub margin: String,
    /// Of all intervals together, from 0 to 1.
    pub confidence: f64,
}

/// One cell's change.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceCell {
    pub size: DifferenceSize,
    /// Ends of the ratio's interval; one that is missing is one that so few sessions do not give.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Requests behind either side's value.
    pub n_base: u64,
    pub n_new: u64,
    pub outcome: ChangeOutcome,
}

/// How large a change is.
#[derive(Debug, Clone, PartialEq)]
pub enum DifferenceSize {
    /// New over base.
    Ratio(f64),
    /// There is no ratio, for one of them is 0, infinite or missing; both values in words.
    Without { base: String, new: String },
}

/// What a change comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOutcome {
    Improved,
    /// Within the margin, surely.
    Same,
    Regressed,
    Unknown,
}

impl ChangeOutcome {
    pub const ALL: [Self; 4] = [Self::Regressed, Self::Improved, Self::Same, Self::Unknown];

    /// A sign that is told from the others without colour.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Regressed => "−",
            Self::Improved => "+",
            Self::Same => "=",
            Self::Unknown => "?",
        }
    }
    pub fn word(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Same => "same",
            Self::Regressed => "regressed",
            Self::Unknown => "not enough data",
        }
    }
}

impl DifferenceFigure {
    /// Where a ratio stands between much better (0) and much worse (1); 0.5 is no change. Equal factors are equally far apart.
    pub fn badness(&self, ratio: f64) -> f64 {
        let up = if self.lower_is_better { 1.0 } else { -1.0 };
        let share = up * ratio.ln() / self.reach.ln();
        if share.is_nan() { 0.5 } else { 0.5 + share.clamp(-1.0, 1.0) / 2.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lower_is_better: bool) -> DifferenceFigure {
        let axis = LabelAxis { name: String::new(), unit: String::new(), values: Vec::new() };
        DifferenceFigure {
            caption: FigureCaption::default(),
            x: axis.clone(),
            y: axis,
            measure: String::new(),
            ratio_of: String::new(),
            lower_is_better,
            cells: Vec::new(),
            reach: 2.0,
            margin: "5 %".into(),
            confidence: 0.95,
        }
    }

    #[test]
    fn twice_as_much_and_half_as_much_are_equally_far_from_no_change() {
        let times = of(true);
        assert!((times.badness(1.0) - 0.5).abs() < 1e-12);
        assert!((times.badness(2.0) - 1.0).abs() < 1e-12 && times.badness(0.5).abs() < 1e-12);
        assert!((times.badness(2_f64.sqrt()) - 0.75).abs() < 1e-12);
        assert!((times.badness(f64::INFINITY) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn more_is_worse_of_a_time_and_better_of_a_throughput() {
        assert!(of(true).badness(1.5) > 0.5);
        assert!(of(false).badness(1.5) < 0.5);
    }
}
