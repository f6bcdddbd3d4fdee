//! Names of lines at the right of a plot, each at the height of its line's end, pushed apart where they would touch.

use super::canvas::{FontWeight, LabelStyle, PixelRect, SvgCanvas};
use super::line::{LineStyle, MarkerFill};
use super::words;
use crate::plot::theme::{self, LEGEND_SIZE};

pub const LEADING: i32 = 20;
const SAMPLE: i32 = 34;
/// Between the plot and a line's sample.
const GAP: i32 = 12;
const MOST_WIDTH: i32 = 220;

pub struct LineLabels {
    /// Line number, height, words.
    placed: Vec<(usize, i32, String)>,
}

impl LineLabels {
    /// From the names of lines, in their order, with the heights that they should have.
    pub fn new(ends: impl IntoIterator<Item = (i32, String)>, plot: PixelRect) -> Self {
        let named = ends.into_iter().enumerate().map(|(number, (at, name))| (number, at, shortened(&name)));
        let mut placed: Vec<(usize, i32, String)> = named.collect();
        placed.sort_by_key(|(number, at, _)| (*at, *number));
        let mut least = plot.top + LEADING / 2;
        for (_, at, _) in &mut placed {
            *at = (*at).max(least);
            least = *at + LEADING;
        }
        let mut most = plot.bottom() - LEADING / 2;
        for (_, at, _) in placed.iter_mut().rev() {
            *at = (*at).min(most);
            most = *at - LEADING;
        }
        Self { placed }
    }

    /// Pixels that such names take at the right of a plot.
    pub fn width<'a>(names: impl IntoIterator<Item = &'a str>) -> i32 {
        let widest = names.into_iter().map(|name| words::width(&shortened(name), LEGEND_SIZE, FontWeight::Regular)).max().unwrap_or(0);
        GAP + SAMPLE + 8 + widest
    }

    pub fn draw(&self, canvas: &mut SvgCanvas<'_>, plot: PixelRect) {
        let left = plot.right() + GAP;
        for (number, y, name) in &self.placed {
            let look = LineStyle::of(*number);
            look.draw_line(canvas, &[(left, *y), (left + SAMPLE, *y)]);
            look.draw_marker(canvas, (left + SAMPLE / 2, *y), MarkerFill::Full);
            canvas.text(name, (left + SAMPLE + 8, y + 4), LabelStyle::new(LEGEND_SIZE, theme::INK));
        }
    }
}

fn shortened(name: &str) -> String {
    words::squeeze(name, LEGEND_SIZE, FontWeight::Regular, MOST_WIDTH)
}
