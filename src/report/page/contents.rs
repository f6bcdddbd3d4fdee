//! Everything on the page, in its order: the summary and what belongs beside it in, one value for the template out. No markup here.

use serde::Serialize;

use super::cards::{Card, cards};
use super::cells::{CellTable, cell_table};
use super::comparisons::{ComparisonView, comparison_view};
use super::parts::{Facts, PageParts};
use super::sections::{Failures, Section, failures, figures_of, section};
use crate::analysis::{Ratio, SweepSummary};
use crate::report::reconcile;
use crate::report::words;

#[derive(Debug, Serialize)]
pub struct Page<'a> {
    name: &'a str,
    simulated: Option<&'a str>,
    imported: Option<String>,
    /// What imported files do not tell.
    lacks: Vec<String>,
    runs: String,
    goals: &'a [String],
    cards: Vec<Card>,
    more_cards: usize,
    exposed: Vec<String>,
    ratios: Vec<RatioLine<'a>>,
    variants: Vec<Section<'a>>,
    /// Pictures that show several variants.
    figures: Vec<&'a str>,
    comparisons: Vec<ComparisonView>,
    failures: Option<Failures>,
    cells: CellTable,
    scenario: Option<&'a str>,
    environment: &'a [Facts],
    /// Heads of the tables of a cell as other tools define it.
    published_heads: [&'static str; 6],
    legend: String,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct RatioLine<'a> {
    sentence: String,
    remarks: &'a [String],
}

#[must_use]
pub fn page<'a>(summary: &'a SweepSummary, parts: &PageParts<'a>) -> Page<'a> {
    let (cards, more_cards) = cards(summary);
    let ratio_line = |ratio: &'a Ratio| RatioLine { sentence: words::ratio_sentence(summary, ratio), remarks: &ratio.remarks };
    Page {
        name: &summary.name,
        simulated: summary.simulated.then_some(words::SIMULATED),
        imported: words::imported(summary),
        lacks: words::lacks(summary),
        runs: words::runs(summary),
        goals: &summary.goals,
        cards,
        more_cards,
        exposed: summary.variants.iter().filter_map(words::exposed).collect(),
        ratios: summary.ratios.iter().map(ratio_line).collect(),
        variants: summary.variants.iter().map(|variant| section(summary, variant, parts.figures)).collect(),
        figures: figures_of(parts.figures, None),
        comparisons: parts.comparisons.unwrap_or_default().iter().map(comparison_view).collect(),
        failures: failures(summary),
        cells: cell_table(summary),
        scenario: parts.scenario,
        environment: parts.environment,
        published_heads: reconcile::HEADS,
        legend: words::legend(),
        notes: &summary.notes,
    }
}
