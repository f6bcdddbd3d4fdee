//! A comparison as the page shows it: the call first, then scores, measures over all cells, and cell by cell. Comparisons in, texts out.

use serde::Serialize;

use crate::analysis::compare::{CellComparison, ComparisonVerdict, ConfidenceInterval, MeasureEffect, ScoreEffect, VariantComparison};
use crate::analysis::{ExtendedReal, named_cell, show_axes};
use crate::report::comparison::words::{self, count};
use crate::report::number::{DisplayUnit, ValueFormat, or_dash, significant};

/// Rows of all tables cell by cell; the rest is in `bench compare --format json`.
const MOST_ROWS: usize = 500;

#[derive(Debug, Serialize)]
pub struct ComparisonView {
    base: String,
    new: String,
    call: ComparisonVerdictView,
    /// What it rests on: what decides, and what stands beside.
    grounds: Vec<String>,
    /// Margin, confidence and how false alarms are held down.
    terms: String,
    differences: Vec<String>,
    scores: Vec<ComparisonRow>,
    overall: Vec<ComparisonRow>,
    cells: Vec<ComparisonRow>,
    more_cells: usize,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ComparisonVerdictView {
    word: &'static str,
    class: &'static str,
}

/// A line of a table: texts, then the call.
#[derive(Debug, Serialize)]
struct ComparisonRow {
    texts: Vec<String>,
    call: ComparisonVerdictView,
}

#[must_use]
pub fn comparison_view(comparison: &VariantComparison, comparisons: usize) -> ComparisonView {
    let mut cells: Vec<ComparisonRow> = comparison.cells.iter().flat_map(rows_of_cell).collect();
    let most = MOST_ROWS / comparisons.max(1);
    let more_cells = cells.len().saturating_sub(most);
    cells.truncate(most);
    ComparisonView {
        base: comparison.base.name.clone(),
        new: comparison.new.name.clone(),
        call: call(comparison.call),
        grounds: words::grounds(comparison),
        terms: format!(
            "A change of up to {} % counts as none; {}.",
            significant(comparison.margin * 100.0, 3).trim_end_matches('0').trim_end_matches('.'),
            comparison.family
        ),
        differences: comparison.differences.iter().map(|found| format!("{}: {} and {}", found.what, found.base, found.new)).collect(),
        scores: comparison.scores.iter().map(score_row).collect(),
        overall: comparison.overall.iter().map(|effect| ComparisonRow { texts: effect_texts(effect), call: call(effect.call) }).collect(),
        cells,
        more_cells,
        notes: comparison.notes.words().collect(),
    }
}

fn call(call: ComparisonVerdict) -> ComparisonVerdictView {
    let class = match call {
        ComparisonVerdict::Improved => "met",
        ComparisonVerdict::Same => "same",
        ComparisonVerdict::Regressed => "missed",
        ComparisonVerdict::NotEnoughData => "undecided",
    };
    ComparisonVerdictView { word: call.name(), class }
}

fn rows_of_cell(cell: &CellComparison) -> Vec<ComparisonRow> {
    let place = named_cell(&cell.axes);
    let row = |effect: &MeasureEffect| {
        let mut texts = vec![place.clone()];
        texts.extend(effect_texts(effect));
        ComparisonRow { texts, call: call(effect.call) }
    };
    cell.effects.iter().map(row).collect()
}

/// Measure, base, new, ratio, difference, pairs.
fn effect_texts(effect: &MeasureEffect) -> Vec<String> {
    let scale = effect.unit.display(None, words::largest(effect));
    let value = |value: Option<ExtendedReal>| value.map_or_else(|| "-".to_owned(), |value| scale.show(value, None));
    let plain = DisplayUnit::BASE;
    vec![
        format!("{}, {}", effect.measure, scale.unit),
        value(effect.base),
        value(effect.new),
        ranged(effect.ratio.as_ref(), plain),
        ranged(effect.difference.as_ref(), scale),
        effect.pairs.to_string(),
    ]
}

/// `1.10 (1.05 to 1.16)`.
fn ranged(interval: Option<&ConfidenceInterval>, scale: DisplayUnit) -> String {
    let Some(interval) = interval else { return "-".to_owned() };
    let show = |value: ExtendedReal| scale.show(value, None);
    let ends = match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!(" ({} to {})", show(low), show(high)),
        (Some(low), None) => format!(" ({} or more)", show(low)),
        (None, Some(high)) => format!(" (up to {})", show(high)),
        (None, None) => String::new(),
    };
    format!("{}{ends}", show(interval.value))
}

/// Score, base with its range, new with its range, ratio.
fn score_row(effect: &ScoreEffect) -> ComparisonRow {
    let within = show_axes(&effect.within);
    let at = if within.is_empty() { String::new() } else { format!(" at {within}") };
    let side =
        |value: Option<f64>, (met, open): (Option<f64>, Option<f64>)| format!("{} ({} to {})", count(value), count(met), count(open));
    let texts = vec![
        format!("{}{at}", effect.score),
        side(effect.base, effect.base_range),
        side(effect.new, effect.new_range),
        or_dash(effect.ratio),
    ];
    ComparisonRow { texts, call: call(effect.call) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_shows_the_ends_it_has() {
        let scale = DisplayUnit { unit: "s", factor: 1.0 };
        let number = |value: f64| ExtendedReal::new(value);
        let interval = |low, high| ConfidenceInterval { value: number(1.1).unwrap(), low, high };
        assert_eq!(ranged(Some(&interval(number(1.05), number(1.16))), scale), "1.10 (1.05 to 1.16)");
        assert_eq!(ranged(Some(&interval(None, number(f64::INFINITY))), scale), "1.10 (up to fail)");
        assert_eq!(ranged(Some(&interval(None, None)), scale), "1.10");
        assert_eq!(ranged(None, scale), "-");
    }
}
