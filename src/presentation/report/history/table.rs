//! What stands in the tables of a history, shared by all formats: a line a night, in texts. No escaping, no layout.

use crate::analysis::history::{CellSeries, ScorePoint, ScoreSeries, SweepHistory, ValuePoint, VariantHistory};
use crate::analysis::{CapacityShape, CellState, GoalVerdict, ScoreBound, show_axes};
use crate::report::number::{DisplayUnit, ValueFormat, significant};
use crate::report::words::bounded;

/// A table: what it is of, the heads of its columns, and a line a night.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryTable {
    pub title: String,
    pub heads: Vec<String>,
    pub lines: Vec<Vec<String>>,
}

const NONE: &str = "none";
const NOTHING: &str = "-";

/// All tables of a variant: a table a score, then the shown measure.
pub fn tables(history: &SweepHistory, variant: &VariantHistory) -> Vec<HistoryTable> {
    let scores = variant.scores.iter().map(|series| scores(history, variant, series));
    scores.chain(history.shown_of(variant).map(|series| values(history, variant, series))).collect()
}

fn scores(history: &SweepHistory, variant: &VariantHistory, series: &ScoreSeries) -> HistoryTable {
    let within = show_axes(&series.within);
    let at = if within.is_empty() { String::new() } else { format!(" at {within}") };
    let shapes = series.nights.iter().flatten().any(|point| point.shape.or(point.best_harmonic_mean).is_some());
    let mut heads = vec!["night".to_owned(), series.score.clone(), "certified".to_owned(), "not excluded".to_owned()];
    if shapes {
        heads.push("best 2CS/(C+S)".to_owned());
    }
    let line = |(night, point): (&String, &Option<ScorePoint>)| {
        let mut line = vec![night.clone()];
        match point {
            Some(point) => {
                line.extend([headline(point), number(point.certified), bounded(point.not_excluded, point.not_excluded_bound)]);
                line.extend(shapes.then(|| harmonic(point.best_harmonic_mean, point.harmonic_mean_bound)));
            }
            None => line.extend(vec![NOTHING.to_owned(); heads.len() - 1]),
        }
        line
    };
    let labels: Vec<String> = history.nights.iter().map(|night| night.label.clone()).collect();
    let lines = labels.iter().zip(&series.nights).map(line).collect();
    HistoryTable { title: format!("{}: {}{at}", variant.name, series.score), heads, lines }
}

fn values(history: &SweepHistory, variant: &VariantHistory, series: &CellSeries) -> HistoryTable {
    let points = history.variants.iter().filter_map(|variant| history.shown_of(variant)).flat_map(|series| &series.nights).flatten();
    let largest = points.filter_map(|point| point.value()?.finite()).max_by(f64::total_cmp);
    let scale = history.unit.display(history.limit, largest);
    let what = history.goal.as_ref().map_or_else(|| history.measure.to_string(), ToString::to_string);
    let cell = history.cell_words();
    let at = if cell.is_empty() { String::new() } else { format!(" at {cell}") };
    let heads = ["night", scale.unit, "95 % interval", "n", "verdict"].map(str::to_owned).to_vec();
    let line = |(night, point): (&String, &Option<ValuePoint>)| {
        let mut line = vec![night.clone()];
        line.extend(point.as_ref().map_or_else(|| vec![NOTHING.to_owned(); 4], |point| value(history, scale, point)));
        line
    };
    let labels: Vec<String> = history.nights.iter().map(|night| night.label.clone()).collect();
    HistoryTable {
        title: format!("{}: {what}{at}, in {}", variant.name, scale.unit),
        heads,
        lines: labels.iter().zip(&series.nights).map(line).collect(),
    }
}

/// Value, interval, n and verdict of a night.
fn value(history: &SweepHistory, scale: DisplayUnit, point: &ValuePoint) -> Vec<String> {
    let text = match (&point.state, point.value()) {
        (CellState::Failed(_), _) => "failed".to_owned(),
        (CellState::Invalid { .. }, _) => "invalid".to_owned(),
        (CellState::Missing, _) => "missing".to_owned(),
        (CellState::Untested { implied }, _) => implied.word().to_owned(),
        (CellState::Measured, None) => NOTHING.to_owned(),
        (CellState::Measured, Some(value)) => {
            point.estimate.as_ref().map_or_else(|| scale.show(value, history.limit), |estimate| scale.measured(estimate, history.limit))
        }
    };
    let estimate = point.estimate.as_ref().filter(|estimate| estimate.value.is_some());
    let interval = estimate.and_then(|estimate| scale.interval(estimate));
    let n = estimate.map_or_else(|| NOTHING.to_owned(), |estimate| estimate.n.to_string());
    let verdict = point.verdict.map_or(NOTHING, GoalVerdict::name);
    vec![text, interval.unwrap_or_else(|| NOTHING.to_owned()), n, verdict.to_owned()]
}

fn headline(point: &ScorePoint) -> String {
    match point.shape {
        Some(shape) => format!("{}{} (C={}, S={})", point.bound.prefix(), shape.product, shape.concurrent, shape.sequential),
        None => bounded(point.value, point.bound),
    }
}

fn harmonic(shape: Option<CapacityShape>, bound: ScoreBound) -> String {
    shape.map_or_else(
        || NONE.to_owned(),
        |shape| {
            let mean = significant(shape.harmonic_mean, 3);
            format!("{}{mean} (C={}, S={})", bound.prefix(), shape.concurrent, shape.sequential)
        },
    )
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

/// `capacity: 12 nights, 2026-01-01 to 2026-01-12, seed 7`.
pub fn heading(history: &SweepHistory) -> String {
    let count = history.nights.len();
    let nights = if count == 1 { "1 night".to_owned() } else { format!("{count} nights") };
    let dates = match history.nights.as_slice() {
        [] => String::new(),
        [only] => format!(", {}", only.label),
        [first, .., last] => format!(", {} to {}", first.label, last.label),
    };
    format!("{}: {nights}{dates} (UTC), {}", history.name, history.seed_words())
}

/// What stands above all numbers that were not measured here.
pub fn origins(history: &SweepHistory) -> Vec<String> {
    let simulated = history.simulated.then(|| crate::report::words::SIMULATED.to_owned());
    let imported = history.imported.as_ref().map(|program| format!("IMPORTED: every number here comes from files of {program}"));
    simulated.into_iter().chain(imported).collect()
}
