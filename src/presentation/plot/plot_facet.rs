//! Which cells of a sweep go into one picture. Summaries in; cells, and what those of a picture have in common, out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::axes::{self, PlotAxis};
use crate::analysis::{CellSummary, SweepSummary, VariantSummary};

/// A cell with the variant that it is of.
#[derive(Clone)]
pub(super) struct VariantCell<'a> {
    pub variant: Value,
    pub cell: &'a CellSummary,
}

/// The cells of one picture, and what they have in common.
pub struct PlotFacet {
    /// The variant's name, where the picture is of one.
    pub variant: Option<String>,
    /// Axes held at one value, with that value.
    pub held: Vec<(PlotAxis, Value)>,
}

impl PlotFacet {
    /// The summary of the variant that the picture is of.
    pub(super) fn variant_of<'a>(&self, summary: &'a SweepSummary) -> Option<&'a VariantSummary> {
        match (&self.variant, summary.variants.as_slice()) {
            (Some(name), variants) => variants.iter().find(|variant| variant.name == *name),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

/// Cells by variant (where a picture is of one) and by every axis that is not drawn and that tells cells apart which else would fall on
/// the same place.
pub(super) fn facets<'a>(
    summary: &SweepSummary,
    cells: &[VariantCell<'a>],
    x: &PlotAxis,
    y: Option<&PlotAxis>,
    by_variant: bool,
) -> Vec<(PlotFacet, Vec<VariantCell<'a>>)> {
    let drawn = |axis: &PlotAxis| axis.path == x.path || y.is_some_and(|y| y.path == axis.path);
    let further: Vec<PlotAxis> = axes::of_matrix(summary).into_iter().filter(|axis| !drawn(axis)).collect();
    let key = |placed: &VariantCell<'_>, axes: &[&PlotAxis]| -> String {
        let values = axes.iter().map(|axis| axis.value_of(&placed.variant, placed.cell).cloned().unwrap_or_default());
        [placed.variant.clone()].into_iter().chain(values).collect::<Value>().to_string()
    };
    let telling_apart = |axis: &&PlotAxis| {
        let mut seen: BTreeMap<String, Option<&Value>> = BTreeMap::new();
        let place: Vec<&PlotAxis> = [Some(x), y].into_iter().flatten().collect();
        cells.iter().any(|placed| {
            let value = axis.value_of(&placed.variant, placed.cell);
            *seen.entry(key(placed, &place)).or_insert(value) != value
        })
    };
    let held: Vec<&PlotAxis> = further.iter().filter(telling_apart).collect();

    let mut facets: BTreeMap<(usize, Vec<usize>), (PlotFacet, Vec<VariantCell<'a>>)> = BTreeMap::new();
    for placed in cells {
        let values: Vec<(&PlotAxis, Value)> =
            held.iter().filter_map(|axis| Some((*axis, axis.value_of(&placed.variant, placed.cell)?.clone()))).collect();
        let place: Vec<usize> = values.iter().map(|(axis, value)| axis.place(value).unwrap_or(usize::MAX)).collect();
        let variant = if by_variant { summary.variants.iter().position(|variant| placed.variant == variant.name.as_str()) } else { None };
        let (_, members) = facets.entry((variant.unwrap_or(0), place)).or_insert_with(|| {
            let named = |index: usize| {
                Some(summary.variants.get(index)?.name.clone()).filter(|name| name != "default" || summary.variants.len() > 1)
            };
            let held = values.into_iter().map(|(axis, value)| (axis.clone(), value)).collect();
            (PlotFacet { variant: variant.and_then(named), held }, Vec::new())
        });
        members.push(placed.clone());
    }
    facets.into_values().collect()
}
