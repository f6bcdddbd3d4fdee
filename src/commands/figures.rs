//! The pictures of a report: drawn from the summary, written beside it as SVG and PNG, and handed on to its page.

use std::path::Path;

use crate::analysis::{CellSelector, SummaryOptions, SweepSummary, distributions, summarize};
use crate::presentation::plot::{FigureError, draw, of_sweep, to_png};
use crate::presentation::report::PageFigure;
use crate::records::store::{SavedSweep, write_derived};
use crate::vocabulary::goal::MetricPopulation;

/// Writes every picture of the sweep into the folder. What cannot be shown is said, and the rest is written: a report must not be lost
/// for a picture.
pub(super) fn write(
    sweep: &SavedSweep,
    summary: &SweepSummary,
    question: &SummaryOptions,
    folder: &Path,
) -> anyhow::Result<Vec<PageFigure>> {
    let showing = |measure| summarize(sweep, &SummaryOptions { shown: Some(measure), ..question.clone() });
    let spread = |population: &MetricPopulation| {
        // Of a sweep without any result there is nothing to be spread.
        let cells = CellSelector::default().cells(sweep).unwrap_or_default();
        distributions(sweep, &cells, population, &question.goals)
    };
    let named = match of_sweep(&sweep.manifest.plots, summary, showing, spread) {
        Ok(named) => named,
        Err(FigureError::Analysis(error)) => return Err(error.into()),
        Err(fault) => {
            eprintln!("warning: no pictures: {fault}");
            return Ok(Vec::new());
        }
    };
    let mut on_page = Vec::new();
    for picture in named {
        let svg = match draw(&picture.figure) {
            Ok(svg) => svg,
            Err(fault) => {
                eprintln!("warning: no picture `{}`: {fault}", picture.stem);
                continue;
            }
        };
        let file = format!("{}.svg", picture.stem);
        write_derived(&folder.join(&file), &svg.text)?;
        write_derived(&folder.join(format!("{}.png", picture.stem)), to_png(&svg)?)?;
        on_page.push(PageFigure { variant: picture.variant, file, svg: svg.text });
    }
    Ok(on_page)
}
