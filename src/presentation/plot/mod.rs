//! From summaries to pictures: [`PlotFigure`] is plain data, [`draw()`] makes an SVG of it, [`to_png`] a PNG of that.
//!
//! The same figure always gives the same bytes. Nothing here computes a statistic: numbers, intervals and verdicts come in ready-made. A new kind of
//! picture is two files in `figure/`, its data and the way to it, and one in `draw/`; the `mod.rs` of both folders list it.

mod axes;
mod draw;
pub mod figure;
#[cfg(test)]
mod gallery;
mod marks;
mod number;
mod origin;
mod panels;
mod pictures;
mod plot_facet;
mod plot_options;
mod png;
mod quantity;
mod svg;
mod theme;

pub use draw::draw;
pub use figure::{DistributionFigure, FigureSource, PlotFigure, of_comparison, of_history, of_runs, two_measures};
pub use pictures::{NamedFigure, measures_of_plots, of_sweep, slug};
pub use plot_options::{FigureError, LabelledFigure, PlotOptions};
pub use png::to_png;
pub use svg::SvgDocument;

/// Why a picture could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlotError {
    #[error("`{title}` has no cells to draw")]
    Empty { title: String },
    #[error("`{title}` has a row of {found} cells where its axis has {expected} values")]
    Ragged { title: String, expected: usize, found: usize },
    #[error("`{title}` has {found} {what} and a picture holds at most {most}; choose another axis, or one variant")]
    TooMany { title: String, what: &'static str, found: usize, most: usize },
    #[error("`{title}` shares no scale with others and cannot be a panel; only heatmaps, bars and curves can")]
    NoPanel { title: String },
    #[error("the picture could not be drawn: {reason}")]
    Drawing { reason: String },
    #[error("the picture could not be turned into a PNG: {reason}")]
    Png { reason: String },
}
