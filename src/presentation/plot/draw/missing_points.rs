//! The points of a curve that have no value: crosses above the plot, each with its line's name and a word for why.

use super::canvas::{FontWeight, LabelStyle, SvgCanvas, TextAnchor};
use super::legend;
use super::line::LineStyle;
use super::words;
use crate::plot::figure::{CurveFigure, FigureCell, FigureCellContent, LimitSide};
use crate::plot::theme;

const ROW: i32 = 18;
const SIZE: i32 = 11;
/// From a cross' middle to its words.
const ARM: i32 = 10;

pub struct MissingPointLayout {
    placed: Vec<MissingPointMark>,
    rows: i32,
}

struct MissingPointMark {
    x: i32,
    row: i32,
    line: usize,
    words: String,
    align: TextAnchor,
}

impl MissingPointLayout {
    /// Lays crosses into as few rows as their words allow. `x_at` gives the pixel of a value; words stay between `left` and `right`.
    pub fn new(curve: &CurveFigure, x_at: impl Fn(f64) -> i32, left: i32, right: i32) -> Self {
        let mut rows: Vec<Vec<(i32, i32)>> = Vec::new();
        let mut placed = Vec::new();
        for (number, line) in curve.lines.iter().enumerate() {
            for point in &line.points {
                let Some(reason) = word(&point.cell) else { continue };
                let x = x_at(point.x);
                let words = if curve.lines.len() > 1 {
                    format!("{}: {reason}", words::squeeze(&line.label, SIZE, FontWeight::Regular, 100))
                } else {
                    reason.to_owned()
                };
                let width = ARM + words::width(&words, SIZE, FontWeight::Regular);
                let align = if x + width <= right { TextAnchor::Start } else { TextAnchor::End };
                let extent = if align == TextAnchor::Start { (x - ARM, x + width + 6) } else { ((x - width - 6).max(left), x + ARM) };
                let row = row_with_room(&mut rows, extent);
                placed.push(MissingPointMark { x, row, line: number, words, align });
            }
        }
        Self { placed, rows: i32::try_from(rows.len()).unwrap_or(i32::MAX) }
    }

    pub fn height(&self) -> i32 {
        self.rows * ROW
    }

    /// Draws the rows, the first one lowest.
    pub fn draw(&self, canvas: &mut SvgCanvas<'_>, bottom: i32) {
        for cross in &self.placed {
            let y = bottom - cross.row * ROW - ROW / 2 - 2;
            legend::cross(canvas, (cross.x, y), LineStyle::of(cross.line).colour);
            let x = if cross.align == TextAnchor::Start { cross.x + ARM } else { cross.x - ARM };
            canvas.text(&cross.words, (x, y + 4), LabelStyle::new(SIZE, theme::INK).align(cross.align));
        }
    }
}

/// Why a point has no value; `None` where it has one.
pub fn word(cell: &FigureCell) -> Option<&'static str> {
    match &cell.shown {
        FigureCellContent::Value(value) if value.is_finite() => None,
        FigureCellContent::Value(_) => Some("∞"),
        FigureCellContent::Failed(_) => Some("failed"),
        FigureCellContent::Missing | FigureCellContent::Predicted { .. } => Some("not run"),
        FigureCellContent::Untested(Some(LimitSide::Passing)) => Some("implied ✓"),
        FigureCellContent::Untested(Some(LimitSide::Failing)) => Some("implied ✗"),
        FigureCellContent::Untested(None) => Some("untested"),
        FigureCellContent::Invalid(_) => Some("invalid"),
        FigureCellContent::Nothing => Some("no such requests"),
    }
}

/// The first row in which nothing stands where the new words would; a further one if need be.
fn row_with_room(rows: &mut Vec<Vec<(i32, i32)>>, extent: (i32, i32)) -> i32 {
    let free = |row: &Vec<(i32, i32)>| row.iter().all(|(from, to)| extent.1 < *from || *to < extent.0);
    let row = rows.iter().position(free).unwrap_or(rows.len());
    if row == rows.len() {
        rows.push(Vec::new());
    }
    rows[row].push(extent);
    i32::try_from(row).unwrap_or(i32::MAX)
}
