//! The words above a picture that is made of saved rows: what it shows, and which sweep that comes from.

use super::figure::{FigureBasis, FigureCaption};
use crate::analysis::{CellState, SweepOrigin, SweepSummary};

/// How many repeats are behind a value, where there are several; `all` says that no cell has fewer.
pub fn pooled(repeats: u32, all: bool) -> Option<String> {
    let up_to = if all { "" } else { "up to " };
    (repeats > 1).then(|| format!("{up_to}{repeats} repeats pooled"))
}

/// The same for a whole summary.
pub fn pooled_of(summary: &SweepSummary) -> Option<String> {
    let measured = summary.variants.iter().flat_map(|variant| &variant.cells).filter(|cell| cell.state == CellState::Measured);
    pooled(summary.repeats, measured.into_iter().all(|cell| cell.runs == u64::from(summary.repeats)))
}

/// A caption; the variant's name leads the title where the picture is of one.
pub fn caption(origin: &SweepOrigin, variant: Option<&str>, title: &str) -> FigureCaption {
    let imported = origin.imported.as_ref().map(|program| format!("imported from {program}"));
    let repeats = pooled(origin.repeats, !origin.searched);
    let seed = imported.is_none().then(|| format!("seed {}", origin.seed));
    let subtitle = [Some(origin.name.clone()), imported, repeats, seed];
    FigureCaption {
        title: variant.map_or_else(|| title.to_owned(), |variant| format!("{variant}: {title}")),
        subtitle: subtitle.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        basis: FigureBasis::of(origin.simulated),
    }
}
