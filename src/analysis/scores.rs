//! What one number says of a whole variant: the most sessions that passed, and how surely.
//!
//! Two scores for C×S, the capacity benchmark: the largest product, and the best harmonic mean, which punishes lopsided shapes. For
//! other sweeps the largest value of one axis that passed. Each comes with its range: what is met, what is not excluded, and the cells
//! that stand between. In: judged cells. Out: scores, one set for each combination of the remaining axes, since only cells that agree in
//! everything else may be compared.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::axes::{Axes, short};
use super::between::{Between, Raises};
use super::summary::{CellState, CellSummary};
use super::untested::Implied;
use super::verdict::Verdict;

/// A shape of C groups with S sessions each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// C: groups in parallel.
    pub concurrent: u64,
    /// S: sessions of each group.
    pub sequential: u64,
    /// C×S: sessions alive at once.
    pub product: u64,
    /// 2CS/(C+S).
    pub harmonic_mean: f64,
}

impl Shape {
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
    pub fn new(concurrent: u64, sequential: u64) -> Self {
        let product = concurrent.saturating_mul(sequential);
        let harmonic_mean = 2.0 * product as f64 / (concurrent.saturating_add(sequential)).max(1) as f64;
        Self { concurrent, sequential, product, harmonic_mean }
    }
}

/// One score of a variant, for the cells that agree in all `within`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Score {
    Capacity(CapacityScore),
    Largest(LargestScore),
}

/// How many sessions hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapacityScore {
    /// The axes other than C and S.
    pub within: Axes,
    /// The largest C×S whose values pass all goals; of equal products the one with the larger C.
    pub max_product: Option<Shape>,
    /// The best 2CS/(C+S) among those that pass; of equal ones the larger product, then the larger C.
    pub best_harmonic_mean: Option<Shape>,
    /// The largest C×S that met all goals at 95 %.
    pub largest_met: Option<Shape>,
    /// The largest C×S of which no goal was missed at 95 %; of a search also what it left out, unless that is implied to be missed.
    pub largest_not_excluded: Option<Shape>,
    /// The best 2CS/(C+S) that met all goals at 95 %.
    #[serde(default)]
    pub harmonic_mean_met: Option<Shape>,
    /// The best 2CS/(C+S) of which no goal was missed at 95 %, likewise.
    #[serde(default)]
    pub harmonic_mean_not_excluded: Option<Shape>,
    /// The undecided cells above what is met, in either number: the largest product first.
    #[serde(default)]
    pub between: Vec<Between>,
}

/// How far one axis goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LargestScore {
    pub axis: String,
    /// The other axes.
    pub within: Axes,
    /// The largest value whose cell passes all goals.
    pub passes: Option<f64>,
    pub met: Option<f64>,
    pub not_excluded: Option<f64>,
    /// The undecided cells above what is met, the largest value first.
    #[serde(default)]
    pub between: Vec<Between>,
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

    /// The headline number.
    #[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
    pub fn headline(&self) -> Option<f64> {
        match self {
            Self::Capacity(score) => score.max_product.map(|shape| shape.product as f64),
            Self::Largest(score) => score.passes,
        }
    }
}

/// Scores of one variant's cells. `workload` is the resolved workload of some cell: it says C and S where they are no axes.
pub fn scores(cells: &[CellSummary], workload: Option<&Value>) -> Vec<Score> {
    if cells.iter().all(|cell| cell.goals.is_empty()) {
        return Vec::new();
    }
    let kind = workload.and_then(|workload| workload.get("kind")).and_then(Value::as_str);
    let has = |name: &str| cells.iter().all(|cell| axis_named(&cell.axes, name).is_some());
    if kind == Some("document_qa") || has("concurrent") && has("sequential") {
        return capacity_scores(cells, workload);
    }
    let Some(axis) = leading_axis(cells) else { return Vec::new() };
    let facets = by_facet(cells, |name| name == axis);
    facets.into_iter().map(|(within, cells)| Score::Largest(largest(&axis, within, &cells))).collect()
}

fn axis_named<'a>(axes: &'a Axes, name: &str) -> Option<&'a Value> {
    axes.iter().find(|(axis, _)| short(axis) == name).map(|(_, value)| value)
}

fn capacity_scores(cells: &[CellSummary], workload: Option<&Value>) -> Vec<Score> {
    let shape = |cell: &CellSummary| {
        let one = |name: &str| axis_named(&cell.axes, name).or_else(|| workload?.get(name)).and_then(Value::as_u64);
        Some(Shape::new(one("concurrent")?, one("sequential")?))
    };
    let facets = by_facet(cells, |name| matches!(short(name), "concurrent" | "sequential"));
    let score = |(within, cells): (Axes, Vec<&CellSummary>)| {
        let shapes: Vec<(Shape, &CellSummary)> = cells.into_iter().filter_map(|cell| Some((shape(cell)?, cell))).collect();
        Score::Capacity(capacity(within, &shapes))
    };
    facets.into_iter().map(score).collect()
}

fn capacity(within: Axes, cells: &[(Shape, &CellSummary)]) -> CapacityScore {
    let fitting = |fits: fn(&CellSummary) -> bool| cells.iter().filter(move |(_, cell)| fits(cell)).map(|(shape, _)| *shape);
    let largest = |fits: fn(&CellSummary) -> bool| fitting(fits).max_by_key(|shape| (shape.product, shape.concurrent));
    let best = |fits: fn(&CellSummary) -> bool| fitting(fits).max_by(by_harmonic_mean);
    let (largest_met, harmonic_mean_met) = (largest(is_met), best(is_met));
    // Of a search, what was not run may be as large in another shape, and says no more.
    let largest_not_excluded = largest(is_not_excluded);
    let is_no_more = largest_not_excluded.zip(largest_met).is_some_and(|(most, met)| most.product == met.product);
    let mean_not_excluded = best(is_not_excluded);
    let is_no_better = mean_not_excluded.zip(harmonic_mean_met).is_some_and(|(most, met)| most.harmonic_mean <= met.harmonic_mean);
    let raised = |shape: &Shape| {
        let product = largest_met.is_none_or(|met| shape.product > met.product).then_some(Raises::Product);
        let mean = harmonic_mean_met.is_none_or(|met| shape.harmonic_mean > met.harmonic_mean).then_some(Raises::HarmonicMean);
        product.into_iter().chain(mean).collect::<Vec<_>>()
    };
    let mut open: Vec<&(Shape, &CellSummary)> = cells.iter().filter(|(shape, cell)| is_open(cell) && !raised(shape).is_empty()).collect();
    open.sort_by_key(|(shape, _)| std::cmp::Reverse((shape.product, shape.concurrent)));
    CapacityScore {
        within,
        max_product: largest(passes),
        best_harmonic_mean: best(passes),
        largest_met,
        largest_not_excluded: if is_no_more { largest_met } else { largest_not_excluded },
        harmonic_mean_met,
        harmonic_mean_not_excluded: if is_no_better { harmonic_mean_met } else { mean_not_excluded },
        between: open.into_iter().filter_map(|(shape, cell)| Between::of(cell, Some(*shape), raised(shape))).collect(),
    }
}

/// The better harmonic mean is the greater; of equal ones the larger product, then the larger C.
fn by_harmonic_mean(left: &Shape, right: &Shape) -> std::cmp::Ordering {
    let order = left.harmonic_mean.total_cmp(&right.harmonic_mean);
    order.then(left.product.cmp(&right.product)).then(left.concurrent.cmp(&right.concurrent))
}

fn largest(axis: &str, within: Axes, cells: &[&CellSummary]) -> LargestScore {
    let value = |cell: &CellSummary| cell.axes.get(axis)?.as_f64();
    let largest =
        |fits: fn(&CellSummary) -> bool| cells.iter().filter(|cell| fits(cell)).filter_map(|cell| value(cell)).max_by(f64::total_cmp);
    let met = largest(is_met);
    let above = |cell: &&CellSummary| value(cell).filter(|value| is_open(cell) && met.is_none_or(|met| *value > met));
    let mut open: Vec<(f64, &CellSummary)> = cells.iter().filter_map(|cell| Some((above(cell)?, *cell))).collect();
    open.sort_by(|left, right| right.0.total_cmp(&left.0));
    LargestScore {
        axis: axis.to_owned(),
        within,
        passes: largest(passes),
        met,
        not_excluded: largest(is_not_excluded),
        between: open.into_iter().filter_map(|(_, cell)| Between::of(cell, None, vec![Raises::Largest])).collect(),
    }
}

fn passes(cell: &CellSummary) -> bool {
    cell.passes == Some(true)
}

fn is_open(cell: &CellSummary) -> bool {
    cell.state == CellState::Measured && is_not_excluded(cell) && !is_met(cell)
}

fn is_met(cell: &CellSummary) -> bool {
    cell.verdict == Some(Verdict::Met)
}

fn is_not_excluded(cell: &CellSummary) -> bool {
    match cell.state {
        CellState::Measured => matches!(cell.verdict, Some(Verdict::Met | Verdict::Undecided)),
        // More load is taken not to be easier, and nothing else is known of it.
        CellState::Untested { implied } => implied != Implied::ToFailForCertain,
        CellState::Invalid { .. } | CellState::Failed { .. } | CellState::Missing => false,
    }
}

/// The axis that says how much load there is: the rate, else the users, else the only numeric one.
pub(super) fn leading_axis(cells: &[CellSummary]) -> Option<String> {
    let names: Vec<&String> = cells.first()?.axes.keys().collect();
    let numeric: Vec<&String> =
        names.into_iter().filter(|name| cells.iter().all(|cell| cell.axes.get(*name).is_some_and(Value::is_number))).collect();
    let preferred = ["qps", "users"].iter().find_map(|wanted| numeric.iter().find(|name| short(name) == *wanted));
    match (preferred, numeric.as_slice()) {
        (Some(name), _) => Some((*name).clone()),
        (None, [only]) => Some((*only).clone()),
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
