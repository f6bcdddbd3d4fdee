//! Comparisons as Markdown, for the summary of a CI run: the call first. What comes from outside is escaped.

use std::fmt::Write as _;

use super::words;
use crate::analysis::compare::{MeasureEffect, VariantComparison};
use crate::analysis::named_cell;
use crate::report::markdown::escaped;

/// All comparisons as Markdown.
#[must_use]
pub fn markdown(comparisons: &[VariantComparison]) -> String {
    comparisons.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn one(comparison: &VariantComparison) -> String {
    let mut out = format!("# {}\n\n", escaped(&words::headline(comparison)));
    for label in words::labels(comparison) {
        let _ = writeln!(out, "**{}**\n", escaped(&label));
    }
    for line in words::grounds(comparison).into_iter().chain(comparison.scores.iter().map(words::score)) {
        let _ = writeln!(out, "- {}", escaped(&line));
    }
    out.push('\n');
    let _ = writeln!(out, "| cell | measure | base | new | change | call |\n|---|---|---:|---:|---:|---|");
    for effect in &comparison.overall {
        row(&mut out, "all", effect);
    }
    for cell in &comparison.cells {
        for effect in cell.effects.iter().filter(|effect| comparison.primary.contains(&effect.measure)) {
            row(&mut out, &named_cell(&cell.axes), effect);
        }
    }
    out.push('\n');
    for line in [words::legend(comparison)].into_iter().chain(words::remarks(comparison)) {
        let _ = writeln!(out, "- {}", escaped(&line));
    }
    out
}

fn row(out: &mut String, place: &str, effect: &MeasureEffect) {
    let texts = [
        place.to_owned(),
        effect.measure.to_string(),
        words::value(effect, effect.base),
        words::value(effect, effect.new),
        words::change(effect),
        effect.call.name().to_owned(),
    ];
    let _ = writeln!(out, "| {} |", texts.map(|text| escaped(&text)).join(" | "));
}
