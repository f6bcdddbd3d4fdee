//! How surely scores stand, in sentences: which cells lie between what is met and what is not excluded, and where a table contradicts
//! itself. Shared by all formats. Summaries in, plain texts out.

use super::number::ValueFormat;
use super::words::Line;
use crate::analysis::{
    Axes, CellSummary, LoadComparison, LoadReversal, Score, UndecidedCell, VariantSummary, axis_label, is_same_place, show_axes, show_value,
};

/// Items of a list that are shown before the rest is counted only.
const SHOWN: usize = 24;
const SHOWN_REVERSALS: usize = 6;

/// The cells between met and not excluded, with the repeats that would settle each; nothing where there are none.
#[must_use]
pub fn between_line(score: &Score, suffix: &str) -> Option<Line> {
    let (cells, name) = match score {
        Score::Capacity(score) => (&score.between, "C×S".to_owned()),
        Score::Largest(score) => (&score.between, axis_label(&score.axis)),
    };
    let first = cells.first()?;
    let axis = if let Score::Largest(score) = score { Some(score.axis.as_str()) } else { None };
    let list: Vec<String> = cells.iter().take(SHOWN).map(|cell| format!("{}\u{a0}{}", place(cell, axis), settling(cell))).collect();
    let more = cells.len().saturating_sub(SHOWN);
    let rest = if more == 0 { String::new() } else { format!(", and {more} more") };
    let count = if cells.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", cells.len()) };
    let each = if first.extra_repeats.is_some() || cells.len() > 1 { " (+ repeats that would settle it)" } else { "" };
    Some((format!("between, by {name}{suffix}"), format!("{count}{each}: {}{rest}", list.join(", "))))
}

/// `4×3`, or the value of the axis.
fn place(cell: &UndecidedCell, axis: Option<&str>) -> String {
    match (cell.shape, axis.and_then(|axis| cell.axes.get(axis))) {
        (Some(shape), _) => format!("{}×{}", shape.concurrent, shape.sequential),
        (None, Some(value)) => show_value(value),
        (None, None) => show_axes(&cell.axes),
    }
}

/// `+2`, or why there is no number.
fn settling(cell: &UndecidedCell) -> String {
    match (cell.extra_repeats, cell.unsettled) {
        (Some(extra), _) => format!("+{extra}"),
        (None, Some(why)) => format!("({})", why.words()),
        (None, None) => "(not known)".to_owned(),
    }
}

/// Where a variant's table is not monotone, a sentence a cell, the last one for those that are only counted.
#[must_use]
pub fn reversal_sentences(variant: &VariantSummary) -> Vec<String> {
    let more = variant.reversals.len().saturating_sub(SHOWN_REVERSALS);
    let rest = (more > 0).then(|| format!("not monotone: {more} more cells fail although one with as much load passes"));
    variant.reversals.iter().take(SHOWN_REVERSALS).map(|reversal| sentence(variant, reversal)).chain(rest).collect()
}

fn sentence(variant: &VariantSummary, reversal: &LoadReversal) -> String {
    let load = match reversal.load {
        LoadComparison::SameProduct => "the same C×S",
        LoadComparison::More => "more load",
    };
    let (fails, passes) = (cell_at(variant, &reversal.fails), cell_at(variant, &reversal.passes));
    let goal = fails.and_then(|cell| cell.goals.iter().position(|goal| !goal.passes)).unwrap_or(0);
    let (left, right) = (value(fails, goal), value(passes, goal));
    let (fails, passes) = (show_axes(&reversal.fails), show_axes(&reversal.passes));
    let sure = if reversal.certain { ", both at 95 %" } else { "" };
    let why = if reversal.reasons.is_empty() {
        "nothing in the data says why".to_owned()
    } else {
        let reasons: Vec<String> = reversal.reasons.iter().map(ToString::to_string).collect();
        format!("likely: {}", reasons.join("; "))
    };
    format!("not monotone: {fails} fails{left} although {passes} passes{right} with {load}{sure}; {why}")
}

fn cell_at<'a>(variant: &'a VariantSummary, axes: &Axes) -> Option<&'a CellSummary> {
    variant.cells.iter().find(|cell| is_same_place(&cell.axes, axes))
}

/// ` (42.5 s)`
fn value(cell: Option<&CellSummary>, goal: usize) -> String {
    let text = cell.and_then(|cell| cell.goals.get(goal)).and_then(|goal| {
        let scale = goal.estimate.unit.display(Some(goal.limit), None);
        let value = goal.estimate.value?;
        let unit = if value.finite().is_some() { format!(" {}", scale.unit) } else { String::new() };
        Some(format!(" ({}{unit})", scale.measured(&goal.estimate, Some(goal.limit))))
    });
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{answered, cell, published, sweep, uniform};

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    #[test]
    fn the_same_sessions_with_opposite_verdicts_are_told_with_both_values_and_a_reason() {
        let summary = summarize(&sweep(&[GOAL], &published("vllm")), &SummaryOptions::default()).unwrap();
        let sentences = reversal_sentences(&summary.variants[0]);
        let expected = "not monotone: C=3, S=4 fails (42.5 s) although C=4, S=3 passes (0.794 s) with the same C×S; likely: few rows: C=4, S=3 is \
                        undecided with n=36";
        assert!(sentences.len() == 1 && sentences[0].starts_with(expected), "{sentences:?}");
    }

    #[test]
    fn a_long_list_of_open_cells_ends_with_a_count() {
        let cells: Vec<_> = (1..=30).map(|s| cell("vllm", 1, s, uniform(1, 1, 0.5))).collect();
        let summary = summarize(&sweep(&[GOAL], &cells), &SummaryOptions::default()).unwrap();
        let (name, text) = between_line(&summary.variants[0].scores[0], "").unwrap();
        assert_eq!(name, "between, by C×S");
        assert!(text.starts_with("30 cells (+ repeats that would settle it): 1×30\u{a0}+19, 1×29\u{a0}+19"), "{text}");
        assert!(text.ends_with("1×7\u{a0}+19, and 6 more"), "{text}");
    }

    #[test]
    fn a_cell_at_the_limit_says_so_in_place_of_a_number() {
        let rows = (0..40).map(|session| answered(session, 1, if session < 2 { 3.0 } else { 0.5 })).collect();
        let summary = summarize(&sweep(&[GOAL], &[cell("vllm", 4, 4, rows)]), &SummaryOptions::default()).unwrap();
        let (_, text) = between_line(&summary.variants[0].scores[0], "").unwrap();
        assert_eq!(text, "1 cell: 4×4\u{a0}(at the limit)");
    }
}
