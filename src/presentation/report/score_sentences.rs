//! How many sessions a variant holds and how surely, a sentence a score: judged cells in, plain texts out.

use super::run_length::{run_length, run_lengths};
use super::scored_cell::scored_cell;
use super::words::at;
use crate::analysis::{
    Axes, CapacityScore, CellState, CellSummary, GoalVerdict, LargestScore, Score, VariantSummary, VoidReason, axis_label, is_within,
};

/// What can be said of a variant, a sentence a score.
#[must_use]
pub fn verdict_sentences(variant: &VariantSummary) -> Vec<String> {
    let sentence = |score: &Score| match score {
        Score::Capacity(found) => capacity_sentence(variant, found, || scored_cell(variant, score)),
        Score::Largest(found) => largest_sentence(variant, found, || scored_cell(variant, score)),
    };
    variant.scores.iter().map(sentence).collect()
}

fn capacity_sentence<'a>(variant: &VariantSummary, score: &CapacityScore, cell: impl Fn() -> Option<&'a CellSummary>) -> String {
    let Some(best) = score.max_product else { return nothing_passes(variant, &score.within) };
    let (prefix, sessions, at) = (score.max_product_bound.prefix(), counted(best.product, "session"), at(&score.within));
    let holds = format!("{} holds {prefix}{sessions} (C={}, S={}){at}", variant.name, best.concurrent, best.sequential);
    if score.is_implied {
        return implied(&holds);
    }
    sureness(&holds, score.largest_met == Some(best), cell)
}

/// Of a score whose cell was not run.
fn implied(holds: &str) -> String {
    format!("{holds}: {IMPLIED}")
}

const IMPLIED: &str = "that cell was not run, but one with more load passes, and more load is taken not to be easier";

/// `1 session`, `12 sessions`.
fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn largest_sentence<'a>(variant: &VariantSummary, score: &LargestScore, cell: impl Fn() -> Option<&'a CellSummary>) -> String {
    let Some(best) = score.passes else { return nothing_passes(variant, &score.within) };
    let (bound, axis) = (score.bound.prefix(), axis_label(&score.axis));
    let holds = format!("{} holds {bound}{axis}={best}{}", variant.name, at(&score.within));
    if score.is_implied {
        return implied(&holds);
    }
    sureness(&holds, score.met == Some(best), cell)
}

fn nothing_passes(variant: &VariantSummary, within: &Axes) -> String {
    let cells = || variant.cells.iter().filter(|cell| is_within(&cell.axes, within));
    let without = cells().filter(|cell| !matches!(cell.state, CellState::Measured | CellState::Untested { .. })).count();
    let aside = if without == 0 { String::new() } else { format!(" ({without} of {} cells have no result)", cells().count()) };
    format!("{} fulfils the goals in no cell{}{aside}", variant.name, at(within))
}

fn sureness<'a>(holds: &str, certified: bool, cell: impl Fn() -> Option<&'a CellSummary>) -> String {
    if certified {
        return format!("{holds}, certified at 95 %");
    }
    format!("{holds} by its measured values; {}", uncertainty(cell()))
}

/// Why what was measured in a cell is not certain.
fn uncertainty(cell: Option<&CellSummary>) -> String {
    let void = cell.and_then(|cell| cell.goals.iter().find_map(|goal| goal.void));
    match cell.and_then(|cell| Some((cell, open_goal(cell)?))) {
        _ if void.is_some() => format!("nothing is certain: {}", void.map_or("", VoidReason::words)),
        Some((cell, (n, Some(needed)))) => {
            let length = run_lengths(run_length(cell, needed).into_iter());
            format!("{n} requests are too few to be 95 % sure, {needed} like these would do{length}")
        }
        _ => "the sample does not make it sure at 95 %".to_owned(),
    }
}

/// Why the scores of a variant are not certain, one each; none of what is certified.
#[must_use]
pub fn doubts(variant: &VariantSummary) -> Vec<Option<String>> {
    let doubt = |score: &Score| match score {
        Score::Capacity(found) => match found.max_product {
            None => Some(nothing_passes(variant, &found.within)),
            Some(_) if found.is_implied => Some(IMPLIED.to_owned()),
            Some(best) if found.largest_met == Some(best) => None,
            Some(_) => Some(uncertainty(scored_cell(variant, score))),
        },
        Score::Largest(found) => match found.passes {
            None => Some(nothing_passes(variant, &found.within)),
            Some(_) if found.is_implied => Some(IMPLIED.to_owned()),
            Some(best) if found.met == Some(best) => None,
            Some(_) => Some(uncertainty(scored_cell(variant, score))),
        },
    };
    variant.scores.iter().map(doubt).collect()
}

/// Of the undecided goal that asks for most requests: how many there are, and how many would settle it.
pub(super) fn open_goal(cell: &CellSummary) -> Option<(u64, Option<u64>)> {
    let open = cell.goals.iter().filter(|goal| goal.verdict == GoalVerdict::Undecided);
    open.map(|goal| (goal.estimate.n, goal.rows_needed)).max_by_key(|(_, needed)| needed.unwrap_or(u64::MAX))
}
