//! What one number says of a whole variant: the most sessions that passed, and how surely.
//!
//! Two scores for C×S, the capacity benchmark: the largest product, and the best harmonic mean, which punishes lopsided shapes. For
//! other sweeps the largest value of one axis that passed. Each comes with its range: what is met, what is not excluded, and the cells
//! that stand between. In: judged cells. Out: scores, one set for each combination of the remaining axes, since only cells that agree in
//! everything else may be compared.

use serde_json::Value;

use super::axes::{Axes, short};
use super::score_bound::bound;
use super::summary::{
    CapacityScore, CapacityShape, CellState, CellSummary, GoalVerdict, ImpliedOutcome, LargestScore, RaisedScoreKind, Score, ScoreBound,
    UndecidedCell,
};
use crate::records::record::{RunWork, RunWorkKind};

impl CapacityShape {
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
    pub fn new(concurrent: u64, sequential: u64) -> Self {
        let product = concurrent.saturating_mul(sequential);
        let harmonic_mean = 2.0 * product as f64 / (concurrent.saturating_add(sequential)).max(1) as f64;
        Self { concurrent, sequential, product, harmonic_mean }
    }
}

impl Score {
    pub fn within(&self) -> &Axes {
        match self {
            Self::Capacity(score) => &score.within,
            Self::Largest(score) => &score.within,
        }
    }

    /// What the headline number counts.
    pub fn name(&self) -> String {
        match self {
            Self::Capacity(_) => "max C×S".to_owned(),
            Self::Largest(score) => format!("largest {}", short(&score.axis)),
        }
    }

    /// Whether the headline number is a lower bound.
    pub fn bound(&self) -> ScoreBound {
        match self {
            Self::Capacity(score) => score.max_product_bound,
            Self::Largest(score) => score.bound,
        }
    }

    /// The headline number.
    #[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
    pub fn headline(&self) -> Option<f64> {
        match self {
            Self::Capacity(score) => score.max_product.map(|shape| shape.product as f64),
            Self::Largest(score) => score.passes,
        }
    }
}

/// What scores go by where nothing was said: C and S, else the leading axis.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScoreAxes<'a> {
    /// The axis that the scenario names as `score`.
    pub chosen: Option<&'a str>,
    /// Those of a search.
    pub searched: &'a [String],
    /// The work of some cell: it says C and S where they are no axes.
    pub work: Option<&'a RunWork>,
}

/// What is counted.
enum ScoreKind {
    /// C×S.
    Sessions,
    /// The values of one axis.
    Axis(String),
}

impl ScoreAxes<'_> {
    fn scored(self, cells: &[CellSummary]) -> Option<ScoreKind> {
        if let Some(axis) = self.chosen {
            return Some(ScoreKind::Axis(axis.to_owned()));
        }
        let brings_documents = self.work.is_some_and(|work| work.kind == Some(RunWorkKind::DocumentQa));
        let has = |name: &str| cells.iter().all(|cell| axis_named(&cell.axes, name).is_some());
        let counts_sessions = brings_documents || has("concurrent") && has("sequential");
        if counts_sessions && (self.searched.is_empty() || self.searched.iter().any(|name| is_shape(name))) {
            return Some(ScoreKind::Sessions);
        }
        let names: Vec<&String> =
            if self.searched.is_empty() { cells.first()?.axes.keys().collect() } else { self.searched.iter().collect() };
        leading(&names, cells, !self.searched.is_empty()).map(ScoreKind::Axis)
    }

    /// The axes along which load grows: the one that the score goes by where one is named, else those of a search over other axes than C and S,
    /// else C and S, else the leading one.
    pub(super) fn load(self, cells: &[CellSummary]) -> Vec<String> {
        if let Some(axis) = self.chosen {
            return vec![axis.to_owned()];
        }
        let names: Vec<&String> = cells.first().into_iter().flat_map(|cell| cell.axes.keys()).collect();
        let shapes: Vec<String> = names.iter().filter(|name| is_shape(name)).map(|name| (*name).clone()).collect();
        if !self.searched.is_empty() && !self.searched.iter().any(|name| is_shape(name)) {
            self.searched.to_vec()
        } else if shapes.is_empty() {
            leading(&names, cells, false).into_iter().collect()
        } else {
            shapes
        }
    }
}

fn is_shape(axis: &str) -> bool {
    matches!(short(axis), "concurrent" | "sequential")
}

/// Scores of one variant's cells.
pub fn scores(cells: &[CellSummary], goes_by: ScoreAxes<'_>) -> Vec<Score> {
    if cells.iter().all(|cell| cell.goals.is_empty()) {
        return Vec::new();
    }
    match goes_by.scored(cells) {
        Some(ScoreKind::Sessions) => capacity_scores(cells, goes_by.work),
        Some(ScoreKind::Axis(axis)) => {
            let facets = by_facet(cells, |name| name == axis);
            facets.into_iter().map(|(within, cells)| Score::Largest(largest(&axis, within, &cells))).collect()
        }
        None => Vec::new(),
    }
}

fn axis_named<'a>(axes: &'a Axes, name: &str) -> Option<&'a Value> {
    axes.iter().find(|(axis, _)| short(axis) == name).map(|(_, value)| value)
}

fn capacity_scores(cells: &[CellSummary], work: Option<&RunWork>) -> Vec<Score> {
    let shape = |cell: &CellSummary| {
        let one = |name: &str, fixed: Option<u64>| axis_named(&cell.axes, name).map_or(fixed, Value::as_u64);
        let (concurrent, sequential) = work.map_or((None, None), |work| (work.concurrent, work.sequential));
        Some(CapacityShape::new(one("concurrent", concurrent)?, one("sequential", sequential)?))
    };
    let facets = by_facet(cells, is_shape);
    let score = |(within, cells): (Axes, Vec<&CellSummary>)| {
        let shapes: Vec<(CapacityShape, &CellSummary)> = cells.into_iter().filter_map(|cell| Some((shape(cell)?, cell))).collect();
        Score::Capacity(capacity(within, &shapes))
    };
    facets.into_iter().map(score).collect()
}

fn capacity(within: Axes, cells: &[(CapacityShape, &CellSummary)]) -> CapacityScore {
    let fitting = |fits: fn(&CellSummary) -> bool| cells.iter().filter(move |(_, cell)| fits(cell));
    let largest = |fits: fn(&CellSummary) -> bool| {
        let largest = fitting(fits).max_by_key(|(shape, cell)| (shape.product, cell.runs > 0, shape.concurrent));
        largest.map(|(shape, _)| *shape)
    };
    let best = |fits: fn(&CellSummary) -> bool| fitting(fits).map(|(shape, _)| *shape).max_by(by_harmonic_mean);
    let (max_product, best_harmonic_mean) = (largest(passes), best(passes));
    let has_load_of =
        |cell: CapacityShape, other: CapacityShape| cell.concurrent >= other.concurrent && cell.sequential >= other.sequential;
    let by_product = |best: CapacityShape| bound(cells, |shape| shape.product > best.product, has_load_of);
    let by_mean = |best: CapacityShape| bound(cells, |shape| shape.harmonic_mean > best.harmonic_mean, has_load_of);
    let is_largest = |most: CapacityShape| ScoreBound::of(cells.iter().all(|(shape, _)| shape.product <= most.product));
    let is_best = |most: CapacityShape| ScoreBound::of(cells.iter().all(|(shape, _)| shape.harmonic_mean <= most.harmonic_mean));
    let (largest_met, harmonic_mean_met) = (largest(is_met), best(is_met));
    // Of a search, what was not run may be as large in another shape, and says no more.
    let largest_not_excluded = largest(is_not_excluded);
    let is_no_more = largest_not_excluded.zip(largest_met).is_some_and(|(most, met)| most.product == met.product);
    let mean_not_excluded = best(is_not_excluded);
    let is_no_better = mean_not_excluded.zip(harmonic_mean_met).is_some_and(|(most, met)| most.harmonic_mean <= met.harmonic_mean);
    let raised = |shape: &CapacityShape| {
        let product = largest_met.is_none_or(|met| shape.product > met.product).then_some(RaisedScoreKind::Product);
        let mean = harmonic_mean_met.is_none_or(|met| shape.harmonic_mean > met.harmonic_mean).then_some(RaisedScoreKind::HarmonicMean);
        product.into_iter().chain(mean).collect::<Vec<_>>()
    };
    let mut open: Vec<&(CapacityShape, &CellSummary)> =
        cells.iter().filter(|(shape, cell)| is_open(cell) && !raised(shape).is_empty()).collect();
    open.sort_by_key(|(shape, _)| std::cmp::Reverse((shape.product, shape.concurrent)));
    CapacityScore {
        within,
        max_product,
        max_product_bound: max_product.map(by_product).unwrap_or_default(),
        is_implied: max_product.is_some_and(|best| cells.iter().any(|(shape, cell)| *shape == best && cell.runs == 0)),
        best_harmonic_mean,
        harmonic_mean_bound: best_harmonic_mean.map(by_mean).unwrap_or_default(),
        largest_met,
        not_excluded_bound: largest_not_excluded.map(is_largest).unwrap_or_default(),
        largest_not_excluded: if is_no_more { largest_met } else { largest_not_excluded },
        harmonic_mean_met,
        harmonic_mean_not_excluded_bound: mean_not_excluded.map(is_best).unwrap_or_default(),
        harmonic_mean_not_excluded: if is_no_better { harmonic_mean_met } else { mean_not_excluded },
        between: open.into_iter().filter_map(|(shape, cell)| UndecidedCell::of(cell, Some(*shape), raised(shape))).collect(),
    }
}

/// The better harmonic mean is the greater; of equal ones the larger product, then the larger C.
fn by_harmonic_mean(left: &CapacityShape, right: &CapacityShape) -> std::cmp::Ordering {
    let order = left.harmonic_mean.total_cmp(&right.harmonic_mean);
    order.then(left.product.cmp(&right.product)).then(left.concurrent.cmp(&right.concurrent))
}

fn largest(axis: &str, within: Axes, cells: &[&CellSummary]) -> LargestScore {
    let cells: Vec<(f64, &CellSummary)> = cells.iter().filter_map(|cell| Some((cell.axes.get(axis)?.as_f64()?, *cell))).collect();
    let largest =
        |fits: fn(&CellSummary) -> bool| cells.iter().filter(|(_, cell)| fits(cell)).map(|(value, _)| *value).max_by(f64::total_cmp);
    let (passing, met, not_excluded) = (largest(passes), largest(is_met), largest(is_not_excluded));
    let above = |value: f64, cell: &CellSummary| is_open(cell) && met.is_none_or(|met| value > met);
    let mut open: Vec<&(f64, &CellSummary)> = cells.iter().filter(|(value, cell)| above(*value, cell)).collect();
    open.sort_by(|left, right| right.0.total_cmp(&left.0));
    LargestScore {
        axis: axis.to_owned(),
        within,
        passes: passing,
        bound: passing.map(|best| bound(&cells, |value| value > best, |value, failing| value >= failing)).unwrap_or_default(),
        is_implied: passing.is_some_and(|best| cells.iter().any(|(value, cell)| value.total_cmp(&best).is_eq() && cell.runs == 0)),
        met,
        not_excluded,
        not_excluded_bound: not_excluded.map(|most| ScoreBound::of(cells.iter().all(|(value, _)| *value <= most))).unwrap_or_default(),
        between: open.into_iter().filter_map(|(_, cell)| UndecidedCell::of(cell, None, vec![RaisedScoreKind::Largest])).collect(),
    }
}

/// By its values, or by those of a cell with more load where a search left it out.
fn passes(cell: &CellSummary) -> bool {
    cell.passes == Some(true) || cell.state == CellState::Untested { implied: ImpliedOutcome::ToPass }
}

fn is_open(cell: &CellSummary) -> bool {
    cell.state == CellState::Measured && is_not_excluded(cell) && !is_met(cell)
}

fn is_met(cell: &CellSummary) -> bool {
    cell.verdict == Some(GoalVerdict::Met)
}

fn is_not_excluded(cell: &CellSummary) -> bool {
    match cell.state {
        CellState::Measured => matches!(cell.verdict, Some(GoalVerdict::Met | GoalVerdict::Undecided)),
        // More load is taken not to be easier, and nothing else is known of it.
        CellState::Untested { implied } => implied != ImpliedOutcome::ToFailForCertain,
        CellState::Invalid { .. } | CellState::Failed(_) | CellState::Missing => false,
    }
}

/// Of these axes the one that says how much load there is: the rate, else the users or how many of them ask at once, else the only numeric one, or the first of a search.
fn leading(names: &[&String], cells: &[CellSummary], takes_first: bool) -> Option<String> {
    let is_numeric = |name: &&&String| cells.iter().all(|cell| cell.axes.get(name.as_str()).is_some_and(Value::is_number));
    let numeric: Vec<&String> = names.iter().filter(is_numeric).copied().collect();
    let preferred = ["qps", "users", "concurrency"].iter().find_map(|wanted| numeric.iter().find(|name| short(name) == *wanted));
    match (preferred, numeric.as_slice()) {
        (Some(name), _) => Some((*name).clone()),
        (None, [only]) => Some((*only).clone()),
        (None, [first, ..]) if takes_first => Some((*first).clone()),
        (None, _) => None,
    }
}

/// Cells by the axes that are not scored, in the order of first appearance.
pub(super) fn by_facet(cells: &[CellSummary], scored: impl Fn(&str) -> bool) -> Vec<(Axes, Vec<&CellSummary>)> {
    let mut facets: Vec<(Axes, Vec<&CellSummary>)> = Vec::new();
    for cell in cells {
        let within: Axes = cell.axes.iter().filter(|(name, _)| !scored(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
        match facets.iter_mut().find(|(known, _)| *known == within) {
            Some((_, members)) => members.push(cell),
            None => facets.push((within, vec![cell])),
        }
    }
    facets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{cell, sweep, uniform};
    use crate::analysis::{SummaryOptions, summarize};

    #[test]
    fn the_load_is_the_rate_or_the_users_whatever_other_axes_have_numbers() {
        for load in ["workload.qps", "workload.users", "workload.concurrency"] {
            let at = |value: u64, tokens: u64, ttft| {
                let mut cell = cell("vllm", 1, 1, uniform(24, 1, ttft));
                cell.axes = vec![("workload.prompt_tokens".into(), tokens.into()), (load.into(), value.into())];
                cell
            };
            let saved = sweep(&["p95(ttft where turn >= 1) <= 2s"], &[at(4, 100, 0.5), at(8, 100, 9.0), at(4, 900, 9.0), at(8, 900, 9.0)]);
            let summary = summarize(&saved, &SummaryOptions::default()).unwrap();
            let largest = |score: &Score| {
                let Score::Largest(score) = score else { return None };
                Some((score.axis.clone(), score.passes))
            };
            let scored: Vec<(String, Option<f64>)> = summary.variants[0].scores.iter().filter_map(largest).collect();
            assert_eq!(scored, [(load.to_owned(), Some(4.0)), (load.to_owned(), None)]);
        }
    }
}
