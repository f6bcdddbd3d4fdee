//! How far a score can be taken: whether it is where the servers end, or only where the cells that were run do.
//!
//! In: the cells of one score in the order of its number, and the best that passes. Out: a bound, and what two bounds leave of a ratio.

use super::summary::{CellState, CellSummary, RatioBound, ScoreBound};

impl ScoreBound {
    /// `at least ` before the number, or nothing.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::AtLeast => "at least ",
        }
    }

    /// For programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::AtLeast => "at_least",
        }
    }

    pub(super) fn of(is_lower: bool) -> Self {
        if is_lower { Self::AtLeast } else { Self::Exact }
    }
}

impl RatioBound {
    /// Of `other` over `base`.
    #[must_use]
    pub fn of(base: ScoreBound, other: ScoreBound) -> Self {
        match (base, other) {
            (ScoreBound::Exact, ScoreBound::Exact) => Self::Exact,
            (ScoreBound::Exact, ScoreBound::AtLeast) => Self::AtLeast,
            (ScoreBound::AtLeast, ScoreBound::Exact) => Self::AtMost,
            (ScoreBound::AtLeast, ScoreBound::AtLeast) => Self::Unknown,
        }
    }

    /// `ratio 1.33`, `ratio at least 1.33`, or why there is none.
    #[must_use]
    pub fn words(self, ratio: Option<&str>) -> String {
        match (self, ratio) {
            (Self::Unknown, _) => "no ratio, since both are lower bounds".to_owned(),
            (_, None) => "no ratio".to_owned(),
            (Self::Exact, Some(ratio)) => format!("ratio {ratio}"),
            (Self::AtLeast, Some(ratio)) => format!("ratio at least {ratio}"),
            (Self::AtMost, Some(ratio)) => format!("ratio at most {ratio}"),
        }
    }
}

/// The bound of a score whose best cell passes: exact where cells have a larger number and each of them fails, or has at least the load of
/// one that does. `has_load_of` says whether the first has at least the load of the second along every axis.
pub(super) fn bound<K: Copy>(cells: &[(K, &CellSummary)], is_larger: impl Fn(K) -> bool, has_load_of: impl Fn(K, K) -> bool) -> ScoreBound {
    let failing: Vec<K> = cells.iter().filter(|(_, cell)| fails(cell)).map(|(key, _)| *key).collect();
    let mut larger = cells.iter().filter(|(key, _)| is_larger(*key)).peekable();
    let is_edge = larger.peek().is_none();
    ScoreBound::of(is_edge || larger.any(|(key, _)| !failing.iter().any(|failing| has_load_of(*key, *failing))))
}

fn fails(cell: &CellSummary) -> bool {
    match cell.state {
        CellState::Measured => cell.passes == Some(false),
        CellState::Untested { implied } => implied.fails(),
        CellState::Invalid { .. } | CellState::Failed(_) | CellState::Missing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, cell, sweep, uniform};
    use super::super::{Score, SummaryOptions, SweepSummary, summarize};
    use super::*;
    use crate::records::record::{RunFailure, RunFailureCause, RunOutcome};

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn summary(cells: &[Cell]) -> SweepSummary {
        summarize(&sweep(&[GOAL], cells), &SummaryOptions::default()).unwrap()
    }

    /// A matrix of C = 1..=2 and S = 1..=2 in which these shapes take 5 s.
    fn square(variant: &'static str, slow: &[(u64, u64)]) -> Vec<Cell> {
        let time = |shape| if slow.contains(&shape) { 5.0 } else { 0.5 };
        let shapes = [(1, 1), (1, 2), (2, 1), (2, 2)];
        shapes.into_iter().map(|(c, s)| cell(variant, c, s, uniform(c, s, time((c, s))))).collect()
    }

    fn bounds(cells: &[Cell]) -> (u64, ScoreBound, ScoreBound) {
        match &summary(cells).variants[0].scores[0] {
            Score::Capacity(score) => (score.max_product.unwrap().product, score.max_product_bound, score.harmonic_mean_bound),
            Score::Largest(_) => unreachable!(),
        }
    }

    #[test]
    fn what_passes_at_the_edge_of_the_matrix_is_a_lower_bound_and_what_fails_beyond_makes_it_a_number() {
        assert_eq!(bounds(&square("vllm", &[])), (4, ScoreBound::AtLeast, ScoreBound::AtLeast));
        assert_eq!(bounds(&square("vllm", &[(2, 2)])), (2, ScoreBound::Exact, ScoreBound::Exact));
    }

    #[test]
    fn a_larger_cell_without_a_result_bounds_nothing_unless_one_with_less_load_fails() {
        let mut cells = square("vllm", &[]);
        cells[3].outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "the server died".into()));
        assert_eq!(bounds(&cells), (2, ScoreBound::AtLeast, ScoreBound::AtLeast));
        let mut cells = square("vllm", &[(2, 1)]);
        cells[3].outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "the server died".into()));
        assert_eq!(bounds(&cells), (2, ScoreBound::Exact, ScoreBound::Exact));
    }

    #[test]
    fn a_ratio_takes_its_bound_from_both_scores() {
        use RatioBound::{AtLeast, AtMost, Exact, Unknown};
        let of = |base: &[(u64, u64)], other: &[(u64, u64)]| {
            let cells: Vec<Cell> = [square("vllm", base), square("lmcache", other)].into_iter().flatten().collect();
            let ratio = summary(&cells).ratios.remove(0);
            (ratio.bound, ratio.ratio)
        };
        let (corner, row) = ([(2, 2)], [(2, 2), (1, 2), (2, 1)]);
        assert_eq!(of(&corner, &[]), (AtLeast, Some(2.0)));
        assert_eq!(of(&[], &corner), (AtMost, Some(0.5)));
        assert_eq!(of(&corner, &row), (Exact, Some(0.5)));
        assert_eq!(of(&[], &[]), (Unknown, None), "both end with the matrix");
        let said = [Exact, AtLeast, AtMost, Unknown].map(|bound| bound.words(Some("1.33")));
        assert_eq!(said, ["ratio 1.33", "ratio at least 1.33", "ratio at most 1.33", "no ratio, since both are lower bounds"]);
    }
}
