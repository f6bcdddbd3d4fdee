//! Where the cells of a matrix stand on the page: equally large ones, with ticks, labels and names of both axes. Axes in, pixels out.
//!
//! Knows nothing of what the cells hold.

use super::canvas::{FontWeight, LabelStyle, PixelRect, Point, StrokeStyle, SvgCanvas, TextAnchor};
use super::words;
use crate::plot::PlotError;
use crate::plot::figure::LabelAxis;
use crate::plot::theme::{self, AXIS_NAME_SIZE, MARGIN, TICK_SIZE};

/// Values on one axis; more make neither a picture nor a readable one.
pub const MOST_VALUES: usize = 256;
const NAME_LEADING: i32 = AXIS_NAME_SIZE + 5;

/// The cells' common place.
#[derive(Debug, Clone)]
pub struct PlotGrid {
    pub area: PixelRect,
    /// Width and height of one cell.
    pub cell: (i32, i32),
    y_name: Vec<String>,
    y_labels: i32,
}

/// Whether the rows and columns are those of the axes.
pub fn check<T>(title: &str, x: &LabelAxis, y: &LabelAxis, cells: &[Vec<T>], most: usize) -> Result<(), PlotError> {
    let title = || title.to_owned();
    let (columns, rows) = (x.values.len(), y.values.len());
    if columns == 0 || rows == 0 {
        return Err(PlotError::Empty { title: title() });
    }
    if let Some(found) = [columns, rows].into_iter().find(|count| *count > most) {
        return Err(PlotError::TooMany { title: title(), what: "values on one axis", found, most });
    }
    if cells.len() != rows {
        return Err(PlotError::Ragged { title: title(), expected: rows, found: cells.len() });
    }
    match cells.iter().find(|row| row.len() != columns) {
        Some(row) => Err(PlotError::Ragged { title: title(), expected: columns, found: row.len() }),
        None => Ok(()),
    }
}

impl PlotGrid {
    /// A grid at the page's origin; `at` puts it into its place.
    pub fn new(x: &LabelAxis, y: &LabelAxis) -> Self {
        let (columns, rows) = (count(x.values.len()), count(y.values.len()));
        let cell = (cell_width(columns), cell_height(rows));
        let area = PixelRect { left: 0, top: 0, width: columns * cell.0, height: rows * cell.1 };
        let y_name = words::wrap(&axis_name(y), AXIS_NAME_SIZE, FontWeight::Regular, area.height + 8, 0, 4);
        let y_labels = y.values.iter().map(|label| words::width(&tick_label(label), TICK_SIZE, FontWeight::Regular)).max().unwrap_or(0);
        Self { area, cell, y_name, y_labels }
    }

    /// What the vertical axis takes to the left of the cells.
    pub fn before(&self) -> i32 {
        count(self.y_name.len()) * NAME_LEADING + self.y_labels + 12
    }

    /// What the horizontal axis takes below the cells.
    pub fn below() -> i32 {
        TICK_SIZE + 12 + NAME_LEADING + 12
    }

    pub fn at(self, left: i32, top: i32) -> Self {
        Self { area: PixelRect { left, top, ..self.area }, ..self }
    }

    pub fn cell_at(&self, column: usize, row: usize) -> PixelRect {
        let (left, bottom) = self.corner((count(column), count(row)));
        PixelRect { left, top: bottom - self.cell.1, width: self.cell.0, height: self.cell.1 }
    }

    /// The pixel of a corner: columns count to the right, rows upward.
    pub fn corner(&self, at: Point) -> Point {
        (self.area.left + at.0 * self.cell.0, self.area.bottom() - at.1 * self.cell.1)
    }

    pub fn draw_axes(&self, canvas: &mut SvgCanvas<'_>, x: &LabelAxis, y: &LabelAxis, page_width: i32) {
        self.draw_ticks(canvas, x, y);
        let face = LabelStyle::new(AXIS_NAME_SIZE, theme::INK).align(TextAnchor::Middle);
        let (middle, centre) = self.area.centre();
        let room = 2 * (middle - MARGIN).min(page_width - MARGIN - middle);
        let name = words::shorten(&axis_name(x), AXIS_NAME_SIZE, FontWeight::Regular, room);
        canvas.text(&name, (middle, self.area.bottom() + TICK_SIZE + 12 + AXIS_NAME_SIZE), face);
        let mut baseline = self.area.left - self.y_labels - 12 - (count(self.y_name.len()) - 1) * NAME_LEADING - 4;
        for line in &self.y_name {
            canvas.text_upward(line, (baseline, centre), face);
            baseline += NAME_LEADING;
        }
    }

    fn draw_ticks(&self, canvas: &mut SvgCanvas<'_>, x: &LabelAxis, y: &LabelAxis) {
        let (area, cell) = (self.area, self.cell);
        let tick = LabelStyle::new(TICK_SIZE, theme::INK);
        let pen = StrokeStyle::new(theme::SOFT_INK, 1);
        let stride = stride(&x.values, cell.0);
        for (n, label) in x.values.iter().enumerate().step_by(stride) {
            let at = self.cell_at(n, 0).centre().0;
            canvas.line((at, area.bottom()), (at, area.bottom() + 4), pen);
            let most = (cell.0 * count(stride) - 4).max(24);
            let label = words::squeeze(label, TICK_SIZE, FontWeight::Regular, most);
            canvas.text(&label, (at, area.bottom() + 6 + TICK_SIZE), tick.align(TextAnchor::Middle));
        }
        let rows = usize::try_from((TICK_SIZE + 4) / cell.1 + 1).unwrap_or(1);
        for (n, label) in y.values.iter().enumerate().step_by(rows) {
            let at = self.cell_at(0, n).centre().1;
            canvas.line((area.left - 4, at), (area.left, at), pen);
            canvas.text(&tick_label(label), (area.left - 8, at + 4), tick.align(TextAnchor::End));
        }
    }
}

fn cell_width(columns: i32) -> i32 {
    (768 / columns).clamp(8, if columns <= 2 { 180 } else { 132 })
}

fn cell_height(rows: i32) -> i32 {
    let most = match rows {
        1 => 130,
        2 => 100,
        _ => 84,
    };
    (576 / rows).clamp(8, most)
}

pub fn count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// `sequential (S) [sessions per group]`.
pub fn axis_name(axis: &LabelAxis) -> String {
    if axis.unit.is_empty() { axis.name.clone() } else { format!("{} [{}]", axis.name, axis.unit) }
}

pub fn tick_label(label: &str) -> String {
    words::squeeze(label, TICK_SIZE, FontWeight::Regular, 160)
}

/// Every how-manieth label has room beside the next.
fn stride(labels: &[String], cell_width: i32) -> usize {
    let widest = labels.iter().map(|label| words::width(label, TICK_SIZE, FontWeight::Regular)).max().unwrap_or(0);
    // Long words are rather shortened than left out where their cells are wide enough for a part of them.
    if cell_width >= 40 { 1 } else { usize::try_from((widest.min(120) + 8) / cell_width + 1).unwrap_or(1) }
}
