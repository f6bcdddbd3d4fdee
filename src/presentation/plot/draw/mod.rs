//! From figures to SVG, a file a kind of figure. Pixel space, whole pixels, the page's origin at its upper left.
//!
//! Sees figures only: no records, no tables, no summaries.

mod bar;
pub mod bars3d;
mod canvas;
pub mod cdf;
mod cells;
pub mod colour;
mod colour_bar;
pub mod curve;
mod dense_cells;
mod description;
pub mod difference;
mod frame;
mod grid;
mod head;
pub mod heatmap;
pub mod history;
mod interval;
mod label_placer;
mod labels;
mod legend;
mod line;
mod missing_points;
mod nights;
pub mod panels;
pub mod pareto;
mod sheet;
mod step_line;
mod ticks;
pub mod timeline;
mod tips;
mod words;

use super::PlotError;
use super::figure::PlotFigure;
use super::svg::SvgDocument;

/// Draws a figure.
pub fn draw(figure: &PlotFigure) -> Result<SvgDocument, PlotError> {
    match figure {
        PlotFigure::Heatmap(heatmap) => heatmap::draw(heatmap),
        PlotFigure::Curve(curve) => curve::draw(curve),
        PlotFigure::Pareto(pareto) => pareto::draw(pareto),
        PlotFigure::Cdf(cdf) => cdf::draw(cdf),
        PlotFigure::Timeline(timeline) => timeline::draw(timeline),
        PlotFigure::Bars3d(bars) => bars3d::draw(bars),
        PlotFigure::Difference(difference) => difference::draw(difference),
        PlotFigure::Panels(panels) => panels::draw(panels),
        PlotFigure::History(history) => history::draw(history),
    }
}
