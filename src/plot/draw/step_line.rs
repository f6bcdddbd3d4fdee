//! The limit as a step line: along every edge between a cell that keeps it and a neighbour that does not.

use super::canvas::{Canvas, Pen, Point, Rect};
use crate::plot::figure::{Heatmap, Side};
use crate::plot::theme;

/// Edges in units of cells, the origin at the grid's lower left.
pub fn edges(heatmap: &Heatmap) -> Vec<(Point, Point)> {
    let side = |column: usize, row: usize| heatmap.cells.get(row)?.get(column).and_then(|cell| heatmap.side(cell));
    let differ = |a: Option<Side>, b: Option<Side>| matches!((a, b), (Some(a), Some(b)) if a != b);
    let mut edges = Vec::new();
    for row in 0..heatmap.cells.len() {
        for column in 0..heatmap.x.values.len() {
            let (x, y) = (i32::try_from(column).unwrap_or(0), i32::try_from(row).unwrap_or(0));
            let here = side(column, row);
            if differ(here, side(column + 1, row)) {
                edges.push(((x + 1, y), (x + 1, y + 1)));
            }
            if differ(here, side(column, row + 1)) {
                edges.push(((x, y + 1), (x + 1, y + 1)));
            }
        }
    }
    edges
}

/// Draws edges of a grid, given in pixels; a white casing keeps the line apart from dark cells.
pub fn draw(canvas: &mut Canvas<'_>, edges: &[(Point, Point)], grid: Rect) {
    let inside = |at: Point| (at.0.clamp(grid.left, grid.right()), at.1.clamp(grid.top, grid.bottom()));
    for pen in [Pen::new(theme::PAPER, theme::CASING_WIDTH), Pen::new(theme::LIMIT, theme::LIMIT_WIDTH)] {
        let reach = i32::try_from(pen.width / 2).unwrap_or(0);
        for &(from, to) in edges {
            // Longer by half its width, so that corners are closed.
            let (along_x, along_y) = if from.1 == to.1 { (reach, 0) } else { (0, reach) };
            let (low, high) = ((from.0.min(to.0), from.1.min(to.1)), (from.0.max(to.0), from.1.max(to.1)));
            canvas.line(inside((low.0 - along_x, low.1 - along_y)), inside((high.0 + along_x, high.1 + along_y)), pen);
        }
    }
}
