//! Which cell gives a score its headline number: asked by whatever words the score, and by the columns of that cell.

use crate::analysis::{CapacityScore, CellSummary, LargestScore, Score, VariantSummary, axis_label, is_within};

/// The cell that gives the score; `None` where nothing passes.
pub(super) fn scored_cell<'a>(variant: &'a VariantSummary, score: &Score) -> Option<&'a CellSummary> {
    variant.cells.iter().find(|cell| is_given_by(score, cell))
}

/// The first score that this cell gives.
pub(super) fn score_given_by<'a>(variant: &'a VariantSummary, cell: &CellSummary) -> Option<&'a Score> {
    variant.scores.iter().find(|score| is_given_by(score, cell))
}

/// Whether the cell stands where the score is. A variant has no two cells on the same axes, and a score names all of them.
fn is_given_by(score: &Score, cell: &CellSummary) -> bool {
    match score {
        Score::Capacity(score) => is_within(&cell.axes, &score.within) && has_best_shape(score, cell),
        Score::Largest(score) => is_within(&cell.axes, &score.within) && has_largest_value(score, cell),
    }
}

/// An axis of the shape that is not among the cell's has one value in the whole sweep.
fn has_best_shape(score: &CapacityScore, cell: &CellSummary) -> bool {
    let Some(best) = score.max_product else { return false };
    cell.axes.iter().all(|(axis, value)| match axis_label(axis).as_str() {
        "C" => value.as_u64() == Some(best.concurrent),
        "S" => value.as_u64() == Some(best.sequential),
        _ => true,
    })
}

fn has_largest_value(score: &LargestScore, cell: &CellSummary) -> bool {
    score.passes.is_some() && cell.axes.get(&score.axis).and_then(serde_json::Value::as_f64) == score.passes
}
