//! From summaries to pictures: [`PlotFigure`] is plain data, [`draw()`] makes an SVG of it, [`to_png`] a PNG of that.
//!
//! The same figure always gives the same bytes. Nothing here computes a statistic: numbers, intervals and verdicts come in ready-made. A new kind of
//! picture is a file in `figure/`, one in `draw/` and a variant of [`PlotFigure`].

mod axes;
mod draw;
pub mod figure;
mod from_comparison;
mod from_distributions;
mod from_history;
mod from_pareto;
mod from_summary;
mod from_timeline;
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
pub use figure::{CdfFigure, CurveFigure, Heatmap, ParetoFigure, PlotFigure, PlotLimit, TimelineFigure};
pub use figure::{DifferenceFigure, FacetFigure};
pub use from_comparison::of_comparison;
pub use from_distributions::cdf;
pub use from_history::of_history;
pub use from_pareto::pareto;
pub use from_summary::pictures;
pub use from_timeline::timeline;
pub use pictures::{NamedFigure, of_sweep, slug};
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
