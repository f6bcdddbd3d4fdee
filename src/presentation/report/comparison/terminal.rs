//! Comparisons for a terminal of 80 columns: the call first with its grounds and the scores, the effects over all cells, then the cells
//! that changed.

use std::fmt::Write as _;

use super::words;
use crate::analysis::compare::{ComparisonVerdict, MeasureEffect, VariantComparison};
use crate::analysis::{named_cell, plain};
use crate::report::terminal::paragraph;

/// The widest name of a measure that stands in its row.
const NAME: usize = 25;

/// All comparisons as text.
#[must_use]
pub fn terminal(comparisons: &[VariantComparison]) -> String {
    comparisons.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn one(comparison: &VariantComparison) -> String {
    let mut out = String::new();
    for label in words::labels(comparison) {
        paragraph(&mut out, &label);
    }
    paragraph(&mut out, &words::headline(comparison));
    for ground in words::grounds(comparison) {
        paragraph(&mut out, &ground);
    }
    for score in &comparison.scores {
        paragraph(&mut out, &words::score(score));
    }
    let cells = match comparison.cells.len() {
        1 => "the cell that both sides have".to_owned(),
        cells => format!("all {cells} cells that both sides have"),
    };
    let _ = writeln!(out, "\n{cells}");
    rows(&mut out, comparison.overall.iter());
    for cell in comparison.cells.iter().filter(|cell| cell.effects.iter().any(is_changed)) {
        out.push('\n');
        let beside = cell.beside.filter(|call| matches!(call, ComparisonVerdict::Regressed | ComparisonVerdict::Improved));
        let beside = beside.map(|call| format!("; beside, {}", call.name())).unwrap_or_default();
        paragraph(&mut out, &format!("{}: {}{beside}", named_cell(&cell.axes), cell.call.name()));
        rows(&mut out, cell.effects.iter().filter(|effect| is_changed(effect)));
    }
    out.push('\n');
    let count = |call: ComparisonVerdict| comparison.cells.iter().filter(|cell| cell.call == call).count();
    let counted = [ComparisonVerdict::Regressed, ComparisonVerdict::Improved, ComparisonVerdict::Same, ComparisonVerdict::NotEnoughData]
        .map(|call| format!("{} {}", count(call), call.name()));
    paragraph(&mut out, &format!("cells: {}", counted.join(", ")));
    paragraph(&mut out, &words::legend(comparison));
    for remark in words::remarks(comparison) {
        paragraph(&mut out, &format!("note: {remark}"));
    }
    out
}

fn is_changed(effect: &MeasureEffect) -> bool {
    matches!(effect.call, ComparisonVerdict::Regressed | ComparisonVerdict::Improved)
}

fn rows<'a>(out: &mut String, effects: impl Iterator<Item = &'a MeasureEffect>) {
    let _ = writeln!(out, "{:<NAME$} {:>8} {:>8} {:<20} call", "measure", "base", "new", "change");
    for effect in effects {
        let name = plain(&effect.measure.to_string());
        let name = if name.chars().count() > NAME {
            paragraph(out, &name);
            String::new()
        } else {
            name
        };
        let (base, new) = (words::value(effect, effect.base), words::value(effect, effect.new));
        let _ = writeln!(out, "{name:<NAME$} {base:>8} {new:>8} {:<20} {}", words::change(effect), effect.call.name());
    }
}
