//! Which cells of a heatmap over C and S stand out: those that give the two scores.

use super::axes::PlotAxis;
use super::figure::{CellMark, MarkShape};
use super::number;
use super::plot_facet::PlotFacet;
use crate::analysis::{CapacityScore, CapacityShape, Score, VariantSummary, short};
use crate::vocabulary::goal::Measure;

/// The marks of one variant's heatmap, where it is over C and S and shows what a goal speaks of.
pub fn marks(variant: &VariantSummary, shown: &Measure, facet: &PlotFacet, x: &PlotAxis, y: &PlotAxis) -> Vec<CellMark> {
    let of_a_goal = variant.cells.iter().flat_map(|cell| &cell.goals).any(|judgement| judgement.estimate.measure == *shown);
    let [score] = variant.scores.iter().filter_map(|score| capacity_of(score, facet)).collect::<Vec<_>>()[..] else { return Vec::new() };
    if !of_a_goal {
        return Vec::new();
    }
    let place = |shape: CapacityShape, axis: &PlotAxis| match short(&axis.path) {
        "concurrent" => axis.values.iter().position(|value| value.as_u64() == Some(shape.concurrent)),
        "sequential" => axis.values.iter().position(|value| value.as_u64() == Some(shape.sequential)),
        _ => None,
    };
    let mark = |shape: Option<CapacityShape>, sign: MarkShape, label: &dyn Fn(CapacityShape) -> String| {
        let shape = shape?;
        Some(CellMark { column: place(shape, x)?, row: place(shape, y)?, shape: sign, label: label(shape) })
    };
    let known = |shape: Option<CapacityShape>| shape.map_or_else(|| "none".to_owned(), |shape| shape.product.to_string());
    let largest = mark(score.max_product, MarkShape::Star, &|shape| {
        let (bound, open) = (score.max_product_bound.prefix(), score.not_excluded_bound.prefix());
        let (met, not_excluded) = (known(score.largest_met), known(score.largest_not_excluded));
        format!("max C×S: {bound}{} (met: {met}, not excluded: {open}{not_excluded})", shape.product)
    });
    let best = mark(score.best_harmonic_mean, MarkShape::Diamond, &|shape| {
        format!("best harmonic mean 2CS/(C+S): {}{}", score.harmonic_mean_bound.prefix(), number::three_digits(shape.harmonic_mean))
    });
    [largest, best].into_iter().flatten().collect()
}

/// The score of the cells that the picture shows.
fn capacity_of<'a>(score: &'a Score, facet: &PlotFacet) -> Option<&'a CapacityScore> {
    let Score::Capacity(score) = score else { return None };
    facet.held.iter().all(|(axis, value)| score.within.get(&axis.path) == Some(value)).then_some(score)
}
