//! The pictures of a report: drawn from the summary, written beside it as SVG and PNG, and handed on to its page.

use std::path::Path;

use fs_err as fs;

use crate::analysis::{Question, SweepSummary, summarize};
use crate::plot::{FigureError, draw, of_sweep, to_png};
use crate::report::PageFigure;
use crate::store::SavedSweep;

/// Writes every picture of the sweep into the folder. What cannot be shown is said, and the rest is written: a report must not be lost
/// for a picture.
pub(super) fn write(sweep: &SavedSweep, summary: &SweepSummary, question: &Question, folder: &Path) -> anyhow::Result<Vec<PageFigure>> {
    let showing = |measure| summarize(sweep, &Question { shown: Some(measure), ..question.clone() });
    let named = match of_sweep(&sweep.manifest.plots, summary, showing) {
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
        fs::write(folder.join(format!("{}.svg", picture.stem)), &svg.text)?;
        fs::write(folder.join(format!("{}.png", picture.stem)), to_png(&svg)?)?;
        on_page.push(PageFigure { variant: picture.variant, svg: svg.text });
    }
    Ok(on_page)
}
