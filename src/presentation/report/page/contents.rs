//! Everything on the page, in its order: the summary and what belongs beside it in, one value for the template out. No markup here.

use serde::Serialize;

use super::cards::{ScoreCard, cards};
use super::cells::{CellTable, cell_table};
use super::comparisons::{ComparisonView, comparison_view};
use super::parts::{EnvironmentSection, PageFigure, PageParts};
use super::sections::{FailureTable, VariantSection, failures, figures_of, section};
use crate::analysis::{ScoreRatio, SweepSummary};
use crate::report::reconcile;
use crate::report::words;
use crate::vocabulary::goal::Goal;

/// Bytes that the pictures and the table of all cells may take together, and what is left to the pictures in any case.
const MOST_BYTES: usize = 1_650_000;
const LEAST_FOR_PICTURES: usize = 550_000;

#[derive(Debug, Serialize)]
pub struct ReportPage<'a> {
    name: &'a str,
    /// Seconds after which the page reloads itself.
    reload_s: Option<u64>,
    simulated: Option<&'a str>,
    imported: Option<String>,
    /// What imported files do not tell.
    lacks: Vec<String>,
    runs: String,
    letters: Option<&'static str>,
    goals: &'a [Goal],
    cards: Vec<ScoreCard>,
    more_cards: usize,
    exposed: Vec<String>,
    ratios: Vec<RatioLine>,
    variants: Vec<VariantSection<'a>>,
    /// Pictures that show several variants.
    figures: Vec<&'a str>,
    /// Files of pictures for which there is no room.
    files: Vec<&'a str>,
    comparisons: Vec<ComparisonView>,
    failures: Option<FailureTable>,
    cells: CellTable,
    scenario: Option<&'a str>,
    environment: &'a [EnvironmentSection],
    /// Heads of the tables of a cell as other tools define it.
    published_heads: [&'static str; 6],
    legend: String,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RatioLine {
    sentence: String,
    remarks: Vec<String>,
}

#[must_use]
pub fn page<'a>(summary: &'a SweepSummary, parts: &PageParts<'a>) -> ReportPage<'a> {
    let (cards, more_cards) = cards(summary);
    let cells = cell_table(summary);
    let (figures, files) = fitting(parts.figures, MOST_BYTES.saturating_sub(cells.weight()).max(LEAST_FOR_PICTURES));
    let comparisons = parts.comparisons.unwrap_or_default();
    let ratio_line = |ratio: &ScoreRatio| RatioLine {
        sentence: words::ratio_sentence(summary, ratio),
        remarks: ratio.remarks.0.iter().map(ToString::to_string).collect(),
    };
    ReportPage {
        name: &summary.name,
        reload_s: parts.reload.map(|period| period.as_secs()),
        simulated: summary.simulated.then_some(words::SIMULATED),
        imported: words::imported(summary),
        lacks: words::lacks(summary),
        runs: words::runs(summary),
        letters: words::letters(summary),
        goals: &summary.goals,
        cards,
        more_cards,
        exposed: summary.variants.iter().filter_map(words::exposed).collect(),
        ratios: summary.ratios.iter().map(ratio_line).collect(),
        variants: summary.variants.iter().map(|variant| section(summary, variant, &figures)).collect(),
        figures: figures_of(&figures, None),
        files,
        comparisons: comparisons.iter().map(|comparison| comparison_view(comparison, comparisons.len())).collect(),
        failures: failures(summary),
        cells,
        scenario: parts.scenario,
        environment: parts.environment,
        published_heads: reconcile::HEADS,
        legend: words::legend(),
        notes: summary.notes.words().collect(),
    }
}

/// The first pictures that take no more bytes than that together, and the files of the others.
fn fitting(figures: &[PageFigure], mut room: usize) -> (Vec<&PageFigure>, Vec<&str>) {
    let fits = |figure: &&PageFigure| match room.checked_sub(figure.svg.len()) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    };
    let (shown, left_out): (Vec<_>, Vec<_>) = figures.iter().partition(fits);
    (shown, left_out.into_iter().map(|figure| figure.file.as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_without_room_are_named_by_their_files() {
        let figure = |file: &str, bytes| PageFigure { variant: None, file: file.into(), svg: "x".repeat(bytes) };
        let figures = [figure("a.svg", 60), figure("b.svg", 50), figure("c.svg", 40)];
        let (shown, files) = fitting(&figures, 100);
        assert_eq!((shown, files), (vec![&figures[0], &figures[2]], vec!["b.svg"]));
    }
}
