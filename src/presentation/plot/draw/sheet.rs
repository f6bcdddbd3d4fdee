//! What all pictures share: the words above, the body, a colour bar beside it, the legend below. A body in; a page of its own out, or a panel
//! of a page that says once what its panels have in common.
//!
//! Knows no kind of figure.

use super::canvas::{self, Point, SvgCanvas};
use super::colour::RgbColour;
use super::colour_bar::ColourBar;
use super::head::{FigureHeading, PanelHeading};
use super::legend::{Legend, LegendEntry};
use crate::plot::figure::FigureCaption;
use crate::plot::theme::{LEAST_PAGE_WIDTH, MARGIN};
use crate::plot::{PlotError, SvgDocument};

/// Between the body and the colour bar.
pub const BAR_GAP: i32 = 28;
/// Panels have room for the words below them.
const LEAST_PANEL_WIDTH: i32 = 340;
/// Between the body's foot and the words below it, in a panel.
const BELOW: i32 = 2;

/// A body with all that belongs around it.
pub struct FigureSheet<'a> {
    pub caption: FigureCaption,
    /// For those who do not see it.
    pub description: String,
    /// Width and height of the body in pixels, within the page's margins.
    pub size: (i32, i32),
    /// Where the legend begins, from the body's left edge.
    pub inset: i32,
    pub entries: Vec<LegendEntry>,
    /// The colour bar, with the colours of its positions.
    pub bar: Option<(ColourBar, Palette)>,
    pub paint: Paint<'a>,
}

/// The colour of a position between 0 and 1.
pub type Palette = fn(f64) -> RgbColour;

/// Draws the body, its upper left corner at the point.
pub type Paint<'a> = Box<dyn Fn(&mut SvgCanvas<'_>, Point) + 'a>;

impl FigureSheet<'_> {
    /// The page of one figure.
    pub fn draw(self) -> Result<SvgDocument, PlotError> {
        let bar_width = self.bar.as_ref().map_or(0, |(bar, _)| BAR_GAP + bar.width());
        let content = self.size.0 + bar_width;
        let width = (content + 2 * MARGIN).max(LEAST_PAGE_WIDTH);
        let left = (width - content) / 2;
        let head = FigureHeading::new(&self.caption, width);
        let top = head.bottom();
        let legend = Legend::new(self.entries, left + self.inset, width);
        let legend_top = top + self.size.1;
        let height = legend_top + legend.height() + MARGIN / 2;
        canvas::page(width, height, &self.caption.title, &self.description, |canvas| {
            head.draw(canvas);
            (self.paint)(canvas, (left, top));
            if let Some((bar, palette)) = &self.bar {
                bar.draw(canvas, left + self.size.0 + BAR_GAP, top, palette);
            }
            legend.draw(canvas, legend_top);
        })
    }

    pub fn panel_width(&self) -> i32 {
        (self.size.0 + 2 * MARGIN).max(LEAST_PANEL_WIDTH)
    }

    /// A panel: its title, the body at `top`, and of the legend only what holds for this panel alone.
    pub fn draw_as_panel(&self, title: &PanelHeading, top: i32) -> Result<SvgDocument, PlotError> {
        let (width, left) = (self.panel_width(), MARGIN);
        let own = self.entries.iter().filter(|entry| entry.is_of_one_figure()).cloned().collect();
        let legend = Legend::new(own, left + self.inset, width);
        let legend_top = top + self.size.1 + BELOW;
        let height = legend_top + legend.height() + MARGIN / 2;
        canvas::page(width, height, &self.caption.title, &self.description, |canvas| {
            title.draw(canvas);
            (self.paint)(canvas, (left, top));
            legend.draw(canvas, legend_top);
        })
    }
}

/// What the legends of several sheets say of all of them, each once, in the order in which it comes first.
pub fn shared_entries(sheets: &[FigureSheet<'_>]) -> Vec<LegendEntry> {
    let mut shared: Vec<LegendEntry> = Vec::new();
    for entry in sheets.iter().flat_map(|sheet| &sheet.entries).filter(|entry| !entry.is_of_one_figure()) {
        if !shared.contains(entry) {
            shared.push(entry.clone());
        }
    }
    shared
}
