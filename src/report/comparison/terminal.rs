//! Comparisons for a terminal of 80 columns: the call first, the effects over all cells, then the cells that changed.

use std::fmt::Write as _;

use super::words;
use crate::analysis::compare::{Call, Comparison, Effect};
use crate::analysis::{plain, show_axes};
use crate::report::terminal::paragraph;
use crate::report::words::SIMULATED;

/// The widest name of a measure that stands in its row.
const NAME: usize = 25;

/// All comparisons as text.
#[must_use]
pub fn terminal(comparisons: &[Comparison]) -> String {
    comparisons.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn one(comparison: &Comparison) -> String {
    let mut out = String::new();
    if words::simulated(comparison) {
        paragraph(&mut out, SIMULATED);
    }
    paragraph(&mut out, &words::headline(comparison));
    let cells = comparison.cells.len();
    let _ = writeln!(out, "\nall {cells} cells that both sides have");
    rows(&mut out, comparison.overall.iter());
    for cell in comparison.cells.iter().filter(|cell| matches!(cell.call, Call::Regressed | Call::Improved)) {
        out.push('\n');
        paragraph(&mut out, &format!("{}: {}", show_axes(&cell.axes), cell.call.name()));
        rows(&mut out, cell.effects.iter().filter(|effect| matches!(effect.call, Call::Regressed | Call::Improved)));
    }
    out.push('\n');
    let count = |call: Call| comparison.cells.iter().filter(|cell| cell.call == call).count();
    let counted = [Call::Regressed, Call::Improved, Call::Same, Call::NotEnoughData].map(|call| format!("{} {}", count(call), call.name()));
    paragraph(&mut out, &format!("cells: {}", counted.join(", ")));
    for score in &comparison.scores {
        paragraph(&mut out, &words::score(score));
    }
    paragraph(&mut out, &words::legend(comparison));
    for remark in words::remarks(comparison) {
        paragraph(&mut out, &format!("note: {remark}"));
    }
    out
}

fn rows<'a>(out: &mut String, effects: impl Iterator<Item = &'a Effect>) {
    let _ = writeln!(out, "{:<NAME$} {:>8} {:>8} {:<20} call", "measure", "base", "new", "change");
    for effect in effects {
        let name = plain(&effect.measure);
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
