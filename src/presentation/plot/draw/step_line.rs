//! The limit as a step line: along every edge between a cell that keeps it and a neighbour that does not. Thinner ones go around what is
//! surely on one side of it, where that is not the same.

use super::canvas::{PixelRect, Point, StrokeStyle, SvgCanvas};
use crate::plot::figure::{FigureCell, FigureVerdict, Heatmap, LimitSide};
use crate::plot::theme;

/// Ink and gap of the line around what is missed.
pub const DASH: &str = "5 4";
pub const THIN: u32 = 2;

/// An edge between two cells.
pub type Edge = (Point, Point);

/// The lines of a heatmap, in units of cells, the origin at the grid's lower left.
pub struct LimitContours {
    /// Between values that keep the limit and values that do not.
    pub limit: Vec<Edge>,
    /// Around cells that surely keep it, where the plain line does not run.
    pub met: Vec<Edge>,
    /// Around cells that surely do not keep it, where no other line runs.
    pub not_excluded: Vec<Edge>,
}

impl LimitContours {
    pub fn of(heatmap: &Heatmap) -> Self {
        let limit = edges(heatmap);
        let around = |verdict| edges_between(heatmap, &|cell| Some(cell.verdict? == verdict));
        let met: Vec<Edge> = around(FigureVerdict::Met).into_iter().filter(|edge| !limit.contains(edge)).collect();
        let other = |edge: &Edge| !limit.contains(edge) && !met.contains(edge);
        let not_excluded = around(FigureVerdict::Missed).into_iter().filter(other).collect();
        Self { limit, met, not_excluded }
    }
}

/// The edges between values that keep the limit and values that do not.
pub fn edges(heatmap: &Heatmap) -> Vec<Edge> {
    edges_between(heatmap, &|cell| Some(heatmap.side(cell)? == LimitSide::Passing))
}

/// The edges between neighbours of which `kind` says different things.
fn edges_between(heatmap: &Heatmap, kind: &dyn Fn(&FigureCell) -> Option<bool>) -> Vec<Edge> {
    let kind = |column: usize, row: usize| heatmap.cells.get(row)?.get(column).and_then(kind);
    let differ = |a: Option<bool>, b: Option<bool>| matches!((a, b), (Some(a), Some(b)) if a != b);
    let mut edges = Vec::new();
    for row in 0..heatmap.cells.len() {
        for column in 0..heatmap.x.values.len() {
            let (x, y) = (i32::try_from(column).unwrap_or(0), i32::try_from(row).unwrap_or(0));
            let here = kind(column, row);
            if differ(here, kind(column + 1, row)) {
                edges.push(((x + 1, y), (x + 1, y + 1)));
            }
            if differ(here, kind(column, row + 1)) {
                edges.push(((x, y + 1), (x + 1, y + 1)));
            }
        }
    }
    edges
}

/// Draws thin edges of a grid, given in pixels.
pub fn draw_thin(canvas: &mut SvgCanvas<'_>, edges: &[Edge], dash: &'static str) {
    for &(from, to) in edges {
        canvas.line(from, to, StrokeStyle::new(theme::PAPER, THIN + 2));
    }
    for &(from, to) in edges {
        canvas.path([from, to], StrokeStyle::new(theme::INK, THIN), dash);
    }
}

/// Draws edges of a grid, given in pixels; a white casing keeps the line apart from dark cells.
pub fn draw(canvas: &mut SvgCanvas<'_>, edges: &[Edge], grid: PixelRect) {
    for pen in [StrokeStyle::new(theme::PAPER, theme::CASING_WIDTH), StrokeStyle::new(theme::LIMIT, theme::LIMIT_WIDTH)] {
        for (from, to) in lengthened(edges, pen.width, grid) {
            canvas.line(from, to, pen);
        }
    }
}

/// Edges longer by half their width at both ends, so that corners are closed, but not beyond the grid.
pub fn lengthened(edges: &[Edge], width: u32, grid: PixelRect) -> Vec<Edge> {
    let inside = |at: Point| (at.0.clamp(grid.left, grid.right()), at.1.clamp(grid.top, grid.bottom()));
    let reach = i32::try_from(width / 2).unwrap_or(0);
    let longer = |&(from, to): &Edge| {
        let (along_x, along_y) = if from.1 == to.1 { (reach, 0) } else { (0, reach) };
        let (low, high) = ((from.0.min(to.0), from.1.min(to.1)), (from.0.max(to.0), from.1.max(to.1)));
        (inside((low.0 - along_x, low.1 - along_y)), inside((high.0 + along_x, high.1 + along_y)))
    };
    edges.iter().map(longer).collect()
}
