//! The series: per variant the scores of every night with their range, and the shown measure of every cell with its interval.
//!
//! Summaries in, plain numbers out, one point a night and `None` where a night has none. Judges nothing.

use serde::Serialize;
use serde_json::Value;

use super::night::NightSweep;
use crate::analysis::summary::{CapacityShape, Estimate, GoalVerdict, Score, ScoreBound};
use crate::analysis::{
    Axes, CellState, CellSummary, ExtendedReal, SweepSummary, VariantSummary, axis_label, is_same_place, show_axes, show_value,
};
use crate::vocabulary::goal::{Goal, Measure};
use crate::vocabulary::metric::{MeasureUnit, MetricDirection};

/// Nights of the same scenario and the same work, the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepHistory {
    /// The scenario's name.
    pub name: String,
    /// Any night was made from the simulated engine.
    pub simulated: bool,
    /// The program whose files were read, where a night was not measured by this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<String>,
    /// Confidence of intervals and verdicts.
    pub confidence: f64,
    /// As in a goal: `p95(ttft where turn >= 1)`.
    pub measure: Measure,
    pub unit: MeasureUnit,
    pub lower_is_better: bool,
    /// The goal that speaks of the measure, and its limit in the unit.
    pub goal: Option<Goal>,
    pub limit: Option<f64>,
    pub nights: Vec<NightHeader>,
    /// The cell that tables and pictures show.
    pub shown_cell: Option<Axes>,
    pub variants: Vec<VariantHistory>,
    /// Remarks on nights and on what was left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A night, without its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NightHeader {
    pub folder: String,
    /// As RFC 3339.
    pub created_at: String,
    /// The date in UTC, with the time of day where two nights share it.
    pub label: String,
    pub seed: u64,
    pub runs: u64,
    pub planned_runs: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantHistory {
    pub name: String,
    pub scores: Vec<ScoreSeries>,
    /// Every cell of every night, in the order of first appearance.
    pub cells: Vec<CellSeries>,
}

/// One score, night by night.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreSeries {
    /// `max C×S`, `largest qps`.
    pub score: String,
    pub within: Axes,
    /// One a night; `None` where the night has no such score.
    pub nights: Vec<Option<ScorePoint>>,
}

/// A score with the range that the truth is in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScorePoint {
    /// Of the largest cell that passes all goals by its values; `None` where no cell does.
    pub value: Option<f64>,
    /// Whether it is the number itself or a lower bound.
    pub bound: ScoreBound,
    /// Its shape, where it is a C×S.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<CapacityShape>,
    /// The largest that met all goals at 95 %.
    pub certified: Option<f64>,
    /// The largest of which no goal was missed at 95 %.
    pub not_excluded: Option<f64>,
    pub not_excluded_bound: ScoreBound,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_harmonic_mean: Option<CapacityShape>,
    pub harmonic_mean_bound: ScoreBound,
}

/// The shown measure of one cell, night by night.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellSeries {
    pub axes: Axes,
    /// One a night; `None` where the night did not plan the cell.
    pub nights: Vec<Option<ValuePoint>>,
}

/// A value of a night.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValuePoint {
    pub state: CellState,
    /// With interval and n; `None` where the cell has no result.
    #[serde(flatten)]
    pub estimate: Option<Estimate>,
    /// Of the goal that speaks of the measure.
    pub verdict: Option<GoalVerdict>,
}

/// The series of nights that did the same work, oldest first. `None` where there is no night, or where the wanted cell is in none.
#[must_use]
pub fn history(nights: &[NightSweep], wanted: Option<&[(String, String)]>) -> Option<SweepHistory> {
    let first = &nights.first()?.summary;
    let goal = goals(nights).find(|goal| goal.measure == first.shown);
    let variants: Vec<VariantHistory> = names(nights).into_iter().map(|name| variant(nights, &name)).collect();
    let shown_cell = match wanted {
        Some(wanted) => Some(chosen(&variants, wanted)?),
        None => leading(first, &variants),
    };
    Some(SweepHistory {
        name: first.name.clone(),
        simulated: nights.iter().any(|night| night.summary.simulated),
        imported: nights.iter().find_map(|night| night.summary.imported.as_ref()).map(|imported| imported.program.clone()),
        confidence: first.confidence,
        measure: first.shown.clone(),
        unit: first.shown_unit,
        lower_is_better: first.shown.better() == MetricDirection::Lower,
        limit: goal.map(|goal| goal.limit),
        goal: goal.cloned(),
        nights: heads(nights),
        shown_cell,
        variants,
        notes: notes(nights),
    })
}

/// The goals of the newest night first: what is asked today is what old nights are shown against.
fn goals(nights: &[NightSweep]) -> impl Iterator<Item = &Goal> {
    nights.iter().rev().flat_map(|night| &night.summary.goals)
}

fn names(nights: &[NightSweep]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for variant in nights.iter().flat_map(|night| &night.summary.variants) {
        if !names.contains(&variant.name) {
            names.push(variant.name.clone());
        }
    }
    names
}

fn of_night<'a>(night: &'a NightSweep, name: &str) -> Option<&'a VariantSummary> {
    night.summary.variants.iter().find(|variant| variant.name == name)
}

fn variant(nights: &[NightSweep], name: &str) -> VariantHistory {
    let mut cells: Vec<Axes> = Vec::new();
    let mut scores: Vec<(String, Axes)> = Vec::new();
    for variant in nights.iter().filter_map(|night| of_night(night, name)) {
        for cell in variant.cells.iter().filter(|cell| !cells.contains(&cell.axes)).collect::<Vec<_>>() {
            cells.push(cell.axes.clone());
        }
        for score in &variant.scores {
            let key = (score.name(), score.within().clone());
            if !scores.contains(&key) {
                scores.push(key);
            }
        }
    }
    let score_at = |night: &NightSweep, key: &(String, Axes)| {
        let scores = &of_night(night, name)?.scores;
        scores.iter().find(|score| score.name() == key.0 && *score.within() == key.1).map(score_point)
    };
    let value_at = |night: &NightSweep, axes: &Axes| {
        let cell = of_night(night, name)?.cells.iter().find(|cell| is_same_place(&cell.axes, axes))?;
        Some(value_point(cell, &night.summary.shown))
    };
    VariantHistory {
        name: name.to_owned(),
        scores: scores
            .into_iter()
            .map(|key| ScoreSeries { nights: nights.iter().map(|night| score_at(night, &key)).collect(), score: key.0, within: key.1 })
            .collect(),
        cells: cells
            .into_iter()
            .map(|axes| CellSeries { nights: nights.iter().map(|night| value_at(night, &axes)).collect(), axes })
            .collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
fn score_point(score: &Score) -> ScorePoint {
    let product = |shape: Option<CapacityShape>| shape.map(|shape| shape.product as f64);
    match score {
        Score::Capacity(score) => ScorePoint {
            value: product(score.max_product),
            bound: score.max_product_bound,
            shape: score.max_product,
            certified: product(score.largest_met),
            not_excluded: product(score.largest_not_excluded),
            not_excluded_bound: score.not_excluded_bound,
            best_harmonic_mean: score.best_harmonic_mean,
            harmonic_mean_bound: score.harmonic_mean_bound,
        },
        Score::Largest(score) => ScorePoint {
            value: score.passes,
            bound: score.bound,
            shape: None,
            certified: score.met,
            not_excluded: score.not_excluded,
            not_excluded_bound: score.not_excluded_bound,
            best_harmonic_mean: None,
            harmonic_mean_bound: ScoreBound::Exact,
        },
    }
}

fn value_point(cell: &CellSummary, shown: &Measure) -> ValuePoint {
    let judgement = cell.goals.iter().find(|judgement| judgement.estimate.measure == *shown);
    ValuePoint { state: cell.state.clone(), estimate: cell.shown.clone(), verdict: judgement.map(|judgement| judgement.verdict) }
}

/// The cell with these values, by an axis' label, last part or whole path.
fn chosen(variants: &[VariantHistory], wanted: &[(String, String)]) -> Option<Axes> {
    let named = |axis: &str, name: &str| axis == name || axis_label(axis) == name || crate::analysis::short(axis) == name;
    let fits = |axes: &Axes| {
        let has = |(name, value): &(String, String)| {
            let found = axes.iter().find(|(axis, _)| named(axis, name));
            found.is_some_and(|(_, known)| same_value(known, value))
        };
        wanted.iter().all(has)
    };
    all_cells(variants).find(|axes| fits(axes)).cloned()
}

/// `2` and `2.0` are the same number; texts are compared as they are shown.
fn same_value(known: &Value, wanted: &str) -> bool {
    match (known.as_f64(), wanted.trim().parse::<f64>()) {
        (Some(known), Ok(wanted)) => known.total_cmp(&wanted).is_eq(),
        _ => show_value(known) == wanted.trim(),
    }
}

fn all_cells(variants: &[VariantHistory]) -> impl Iterator<Item = &Axes> {
    variants.iter().flat_map(|variant| &variant.cells).map(|cell| &cell.axes)
}

/// The cell that carries the first night's score, where every night measured it for every variant; else the largest such cell; else the
/// one that most nights measured.
fn leading(first: &SweepSummary, variants: &[VariantHistory]) -> Option<Axes> {
    let measured = |axes: &Axes| -> usize {
        let points = variants.iter().filter_map(|variant| variant.cells.iter().find(|cell| is_same_place(&cell.axes, axes)));
        points.flat_map(|cell| &cell.nights).flatten().filter(|point| point.value().is_some()).count()
    };
    let all = variants.iter().filter_map(|variant| variant.cells.first()).map(|cell| cell.nights.len()).sum::<usize>();
    let carrying = first.variants.first().and_then(carrying_cell);
    if let Some(axes) = carrying.filter(|axes| measured(axes) == all) {
        return Some(axes);
    }
    let key = |axes: &&Axes| (measured(axes), load(axes));
    all_cells(variants)
        .max_by(|left, right| {
            let ((left_nights, left_load), (right_nights, right_load)) = (key(left), key(right));
            left_nights.cmp(&right_nights).then(left_load.total_cmp(&right_load))
        })
        .cloned()
}

/// The cell of the first score's headline.
fn carrying_cell(variant: &VariantSummary) -> Option<Axes> {
    let score = variant.scores.first()?;
    let at = |cell: &&CellSummary, wanted: &[(&str, f64)]| {
        let of =
            |name: &str| cell.axes.iter().find(|(axis, _)| axis_label(axis) == name || *axis == name).and_then(|(_, value)| value.as_f64());
        let same = score.within().iter().all(|(name, value)| cell.axes.get(name) == Some(value));
        same && wanted.iter().all(|(name, value)| of(name).is_none_or(|known| known.total_cmp(value).is_eq()))
    };
    #[expect(clippy::cast_precision_loss, reason = "session counts are far below 2^53")]
    let wanted = match score {
        Score::Capacity(score) => {
            let shape = score.max_product?;
            vec![("C", shape.concurrent as f64), ("S", shape.sequential as f64)]
        }
        Score::Largest(score) => vec![(score.axis.as_str(), score.passes?)],
    };
    variant.cells.iter().find(|cell| at(cell, &wanted)).map(|cell| cell.axes.clone())
}

/// How much load a cell carries, to order cells by: the product of its numbers.
fn load(axes: &Axes) -> f64 {
    axes.values().filter_map(Value::as_f64).product()
}

fn heads(nights: &[NightSweep]) -> Vec<NightHeader> {
    let head = |(night, label): (&NightSweep, String)| NightHeader {
        folder: night.folder.display().to_string(),
        created_at: night.created_at().to_string(),
        label,
        seed: night.sweep.manifest.seed,
        runs: night.summary.runs.whole,
        planned_runs: night.summary.runs.planned,
    };
    nights.iter().zip(labels(nights)).map(head).collect()
}

/// Dates in UTC, with as much of the time of day as tells all nights apart.
pub(super) fn labels(nights: &[NightSweep]) -> Vec<String> {
    let by = |format: &str| nights.iter().map(|night| night.created_at().strftime(format).to_string()).collect::<Vec<_>>();
    let differ = |labels: &Vec<String>| labels.windows(2).all(|pair| pair[0] != pair[1]);
    let formats = ["%Y-%m-%d", "%Y-%m-%d %H:%M"];
    formats.into_iter().map(by).find(differ).unwrap_or_else(|| by("%Y-%m-%d %H:%M:%S"))
}

fn notes(nights: &[NightSweep]) -> Vec<String> {
    let cut = nights.iter().filter(|night| night.summary.runs.whole < night.summary.runs.planned);
    let mut notes: Vec<String> = cut
        .map(|night| {
            let runs = night.summary.runs;
            format!("`{}` has {} of {} runs; its scores are of those alone", night.folder.display(), runs.whole, runs.planned)
        })
        .collect();
    let goals = |night: &NightSweep| night.summary.goals.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    for pair in nights.windows(2).filter(|pair| goals(&pair[0]) != goals(&pair[1])) {
        notes.push(format!(
            "the goals changed with `{}`: {} before, {} since; judge all nights alike with `--goal`",
            pair[1].folder.display(),
            goals(&pair[0]),
            goals(&pair[1])
        ));
    }
    notes
}

impl ValuePoint {
    /// The value, infinite where it is a failed request.
    #[must_use]
    pub fn value(&self) -> Option<ExtendedReal> {
        self.estimate.as_ref().and_then(|estimate| estimate.value)
    }
}

impl SweepHistory {
    /// The words for the shown cell: `C=2, S=2`; empty where a night is a single cell.
    #[must_use]
    pub fn cell_words(&self) -> String {
        self.shown_cell.as_ref().map(show_axes).unwrap_or_default()
    }

    /// `seed 7`, or `3 seeds` where nights of several were put together.
    #[must_use]
    pub fn seed_words(&self) -> String {
        let seeds: std::collections::BTreeSet<u64> = self.nights.iter().map(|night| night.seed).collect();
        match (seeds.len(), seeds.first()) {
            (1, Some(seed)) => format!("seed {seed}"),
            (count, _) => format!("{count} seeds"),
        }
    }

    /// The shown measure of a variant in the shown cell.
    #[must_use]
    pub fn shown_of<'a>(&self, variant: &'a VariantHistory) -> Option<&'a CellSeries> {
        variant.cells.iter().find(|cell| Some(&cell.axes) == self.shown_cell.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{cells, night, nights, of_cells};
    use super::*;

    #[test]
    fn scores_and_values_stand_night_by_night_with_their_ranges() {
        let history = history(&nights(&[0.5, 0.5, 8.0]), None).unwrap();
        assert_eq!(history.nights.iter().map(|night| night.label.as_str()).collect::<Vec<_>>(), ["2026-01-01", "2026-01-02", "2026-01-03"]);
        let scores: Vec<_> = history.variants[0].scores[0].nights.iter().map(|point| point.unwrap()).collect();
        // The largest cell passes, passes, fails. Four sessions certify no p95, however many turns each has.
        assert_eq!(scores.iter().map(|point| point.value).collect::<Vec<_>>(), [Some(4.0), Some(4.0), Some(2.0)]);
        assert_eq!(scores.iter().map(|point| point.certified).collect::<Vec<_>>(), [None, None, None]);
        assert_eq!(scores[2].shape.map(|shape| (shape.concurrent, shape.sequential)), Some((2, 1)));
        // The cell that carried the first night's score is the one shown, also when it fails.
        assert_eq!(history.cell_words(), "C=2, S=2");
        let values = history.shown_of(&history.variants[0]).unwrap();
        let verdicts: Vec<_> = values.nights.iter().map(|point| point.as_ref().unwrap().verdict.unwrap()).collect();
        assert_eq!(verdicts, [GoalVerdict::Undecided, GoalVerdict::Undecided, GoalVerdict::Missed]);
        assert_eq!(values.nights[0].as_ref().unwrap().estimate.as_ref().unwrap().n, 120);
        assert_eq!((history.limit, history.lower_is_better), (Some(2.0), true));
    }

    #[test]
    fn a_cell_can_be_chosen_by_its_labels_and_one_that_is_nowhere_is_none() {
        let nights = nights(&[0.5, 0.5]);
        let wanted =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        assert_eq!(history(&nights, Some(&wanted(&[("C", "1"), ("S", "2")]))).unwrap().cell_words(), "C=1, S=2");
        assert_eq!(
            history(&nights, Some(&wanted(&[("workload.concurrent", "2.0"), ("sequential", "1")]))).unwrap().cell_words(),
            "C=2, S=1"
        );
        assert_eq!(history(&nights, Some(&wanted(&[("C", "9")]))), None);
        assert_eq!(history(&[], None), None);
    }

    #[test]
    fn the_largest_cell_that_all_nights_measured_stands_in_for_one_that_some_night_lacks() {
        let mut short = cells("vllm", 0.5);
        short.pop();
        let nights = [night(1, of_cells(1, &cells("vllm", 0.5))), night(2, of_cells(2, &short))];
        assert_eq!(history(&nights, None).unwrap().cell_words(), "C=2, S=1", "of equal products the one with the larger C");
    }

    #[test]
    fn nights_of_one_date_are_told_apart_by_the_time_of_day() {
        let mut nights = nights(&[0.5, 0.5]);
        nights[1].sweep.manifest.created_at = "2026-01-01T15:30:00Z".parse().unwrap();
        assert_eq!(history(&nights, None).unwrap().nights[1].label, "2026-01-01 15:30");
        nights[1].sweep.manifest.created_at = "2026-01-01T03:00:07Z".parse().unwrap();
        assert_eq!(labels(&nights), ["2026-01-01 03:00:00", "2026-01-01 03:00:07"]);
    }
}
