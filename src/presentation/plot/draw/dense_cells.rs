//! The cells of a heatmap that are too small for a word, and the lines between them: one path a colour, not one element a cell, so that a
//! picture of thousands weighs little.
//!
//! It looks as `cells` draws it, but for two things that nobody sees at this size: colours come in [`STEPS`] steps, and a cell that is
//! undecided has its sign in the corner and no hatching.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::canvas::{self, PixelRect, Point, SvgCanvas};
use super::cells::{self, HeatmapTextSizes};
use super::colour::{self, RgbColour};
use super::grid::PlotGrid;
use super::legend::{HATCH_SPACING, hatch_of_untested};
use super::step_line::{self, Edge, LimitContours};
use crate::plot::figure::{FigureCell, FigureCellContent, FigureVerdict, Heatmap};
use crate::plot::theme;

/// Colours of a scale, which few can tell apart.
const STEPS: f64 = 127.0;
/// The least width and height that a word may need.
const LEAST_FOR_WORDS: (i32, i32) = (34, 15);

/// Whether no cell of the picture has room for a text.
pub fn are_dense(grid: &PlotGrid, sizes: HeatmapTextSizes) -> bool {
    sizes.value.is_none() && (grid.cell.0 < LEAST_FOR_WORDS.0 || grid.cell.1 < LEAST_FOR_WORDS.1)
}

/// Draws all cells and the lines between them, below everything else.
pub fn draw(canvas: &mut SvgCanvas<'_>, heatmap: &Heatmap, grid: &PlotGrid, frontiers: &LimitContours) {
    let (mut grounds, mut hatches, mut signs) = (StrokeBatch::default(), StrokeBatch::default(), StrokeBatch::default());
    for (row, cells) in heatmap.cells.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let at = cells::ground(grid.cell_at(column, row));
            let colour = ground_colour(heatmap, cell);
            grounds.fill(at, colour);
            hatch(&mut hatches, cell, at);
            if cell.verdict == Some(FigureVerdict::Undecided) && cell.finite().is_some() {
                signs.fill(cells::corner(at), colour.ink());
            }
        }
    }
    let mut text = String::from("<g fill=\"none\">\n");
    for strokes in [grounds, hatches, signs] {
        strokes.write(&mut text, "");
    }
    write_lines(&mut text, grid, frontiers);
    text.push_str("</g>\n");
    canvas.lay_under(&text);
}

fn ground_colour(heatmap: &Heatmap, cell: &FigureCell) -> RgbColour {
    match cell.shown {
        FigureCellContent::Value(value) if value.is_finite() => colour::at((heatmap.scale.position(value) * STEPS).round() / STEPS),
        FigureCellContent::Predicted { value, .. } if value.is_finite() => {
            cells::predicted_ground((heatmap.scale.position(value) * STEPS).round() / STEPS)
        }
        _ => theme::EMPTY,
    }
}

fn hatch(hatches: &mut StrokeBatch, cell: &FigureCell, at: PixelRect) {
    let (rising, falling, colour, spacing) = match &cell.shown {
        FigureCellContent::Value(value) if value.is_finite() => return,
        FigureCellContent::Predicted { .. } => (false, true, theme::HATCH, HATCH_SPACING),
        FigureCellContent::Untested(side) => {
            let (rising, falling) = hatch_of_untested(*side);
            (rising, falling, super::legend::untested_ink(), 2 * HATCH_SPACING)
        }
        FigureCellContent::Invalid(_) => (true, true, theme::HATCH, HATCH_SPACING),
        _ => (true, false, theme::HATCH, HATCH_SPACING),
    };
    for (from, to) in canvas::rising(at, spacing).filter(|_| rising).chain(canvas::falling(at, spacing).filter(|_| falling)) {
        hatches.line((from, to), colour, 1);
    }
}

fn write_lines(text: &mut String, grid: &PlotGrid, frontiers: &LimitContours) {
    let placed = |edges: &[Edge]| edges.iter().map(|(from, to)| (grid.corner(*from), grid.corner(*to))).collect::<Vec<Edge>>();
    let mut write = |edges: &[Edge], colour, width, dash| {
        let mut strokes = StrokeBatch::default();
        for edge in edges {
            strokes.line(*edge, colour, width);
        }
        strokes.write(text, dash);
    };
    for (edges, dash) in [(placed(&frontiers.met), ""), (placed(&frontiers.not_excluded), step_line::DASH)] {
        write(&edges, theme::PAPER, step_line::THIN + 2, "");
        write(&edges, theme::INK, step_line::THIN, dash);
    }
    let limit = placed(&frontiers.limit);
    for (colour, width) in [(theme::PAPER, theme::CASING_WIDTH), (theme::LIMIT, theme::LIMIT_WIDTH)] {
        write(&step_line::lengthened(&limit, width, grid.area), colour, width, "");
    }
}

/// Lines by colour and width, each such set a path.
#[derive(Default)]
struct StrokeBatch(BTreeMap<(RgbColour, u32), StrokePath>);

/// The data of a path whose steps are relative, which are short.
#[derive(Default)]
struct StrokePath {
    data: String,
    /// Where the last line ended, in half pixels.
    end: (i32, i32),
}

impl StrokeBatch {
    /// A rectangle, as a line as wide as it is high.
    fn fill(&mut self, at: PixelRect, colour: RgbColour) {
        let path = self.0.entry((colour, at.height.unsigned_abs())).or_default();
        path.move_to((2 * at.left, 2 * at.top + at.height));
        let _ = write!(path.data, "h{}", at.width);
        path.end.0 += 2 * at.width;
    }

    fn line(&mut self, (from, to): (Point, Point), colour: RgbColour, width: u32) {
        let path = self.0.entry((colour, width)).or_default();
        path.move_to((2 * from.0, 2 * from.1));
        let _ = match (to.0 - from.0, to.1 - from.1) {
            (right, 0) => write!(path.data, "h{right}"),
            (0, down) => write!(path.data, "v{down}"),
            (right, down) => write!(path.data, "l{right} {down}"),
        };
        path.end = (2 * to.0, 2 * to.1);
    }

    fn write(self, text: &mut String, dash: &str) {
        let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        for ((RgbColour(red, green, blue), width), path) in self.0 {
            let data = path.data;
            let _ = writeln!(text, "<path stroke=\"#{red:02X}{green:02X}{blue:02X}\" stroke-width=\"{width}\"{dash} d=\"{data}\"/>");
        }
    }
}

impl StrokePath {
    fn move_to(&mut self, at: (i32, i32)) {
        let step = (at.0 - self.end.0, at.1 - self.end.1);
        if self.data.is_empty() || step != (0, 0) {
            let _ = write!(self.data, "m{} {}", f64::from(step.0) / 2.0, f64::from(step.1) / 2.0);
        }
        self.end = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::draw;
    use crate::plot::figure::{Heatmap, PlotFigure};

    #[test]
    fn a_rectangle_is_a_line_as_wide_as_it_is_high_and_steps_are_relative() {
        let mut strokes = StrokeBatch::default();
        let at = |left, top| PixelRect { left, top, width: 8, height: 11 };
        for rect in [at(66, 613), at(74, 613), at(90, 602)] {
            strokes.fill(rect, RgbColour(1, 2, 3));
        }
        let mut text = String::new();
        strokes.write(&mut text, "");
        // 613 + 11 / 2; the second begins where the first ends; the third is 8 to the right and 11 up.
        assert_eq!(text, "<path stroke=\"#010203\" stroke-width=\"11\" d=\"m66 618.5h8h8m8 -11h8\"/>\n");
    }

    #[test]
    fn thousands_of_cells_weigh_a_few_bytes_each_and_a_few_keep_their_elements() {
        let (few, many) = (Heatmap::sample(10, 10), Heatmap::sample(100, 50));
        let few = draw(&PlotFigure::Heatmap(few)).unwrap().text;
        let many = draw(&PlotFigure::Heatmap(many)).unwrap().text;
        assert!(few.matches("<rect").count() > 100);
        assert!(many.matches('<').count() < 600, "{} tags", many.matches('<').count());
        assert!(many.len() < 5000 * 60, "{} bytes", many.len());
    }
}
