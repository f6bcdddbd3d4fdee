//! Two axes of numbers around a plot: rulers with ticks, grid and names, and pixels for values.

use super::canvas::{Align, Canvas, Pen, Point, Rect, Type, Weight};
use super::{ticks, words};
use crate::plot::figure::{Mapping, Quantity, Scale};
use crate::plot::number;
use crate::plot::theme::{self, AXIS_NAME_SIZE, MARGIN, TICK_SIZE};

const NAME_LEADING: i32 = AXIS_NAME_SIZE + 5;

/// One axis: a range, what it is called, and what its values are multiplied by when they are shown.
#[derive(Debug, Clone)]
pub struct Ruler {
    pub scale: Scale,
    pub name: String,
    pub factor: f64,
}

impl Ruler {
    pub fn new(scale: Scale, quantity: &Quantity) -> Self {
        let unit = if quantity.unit.is_empty() { String::new() } else { format!(" [{}]", quantity.unit) };
        let mapping = if scale.mapping == Mapping::Log { ", log scale" } else { "" };
        Self { scale, name: format!("{}{unit}{mapping}", quantity.name), factor: quantity.factor }
    }

    /// Places and texts of ticks along so many pixels; texts along the page need room for themselves.
    fn ticks(&self, length: i32, gap: i32) -> Vec<(i32, String)> {
        ticks::spaced(self.scale, length, gap, &[]).into_iter().map(|(at, value)| (at, number::short(value * self.factor))).collect()
    }
}

/// A plot with its axes.
#[derive(Debug, Clone)]
pub struct Frame {
    pub plot: Rect,
    x: Ruler,
    y: Ruler,
    y_ticks: Vec<(i32, String)>,
    y_name: Vec<String>,
    y_labels: i32,
}

impl Frame {
    /// At the page's left edge, below `top`.
    pub fn new(x: Ruler, y: Ruler, top: i32, width: i32, height: i32) -> Self {
        let y_ticks = y.ticks(height, TICK_SIZE + 6);
        let y_labels = y_ticks.iter().map(|(_, text)| words::width(text, TICK_SIZE, Weight::Regular)).max().unwrap_or(0);
        let y_name = words::wrap(&y.name, AXIS_NAME_SIZE, Weight::Regular, height + 20, 0, 3);
        let lines = i32::try_from(y_name.len()).unwrap_or(0);
        let left = MARGIN + lines * NAME_LEADING + y_labels + 14;
        Self { plot: Rect { left, top, width, height }, x, y, y_ticks, y_name, y_labels }
    }

    /// Where the axis' name ends.
    pub fn bottom(&self) -> i32 {
        self.plot.bottom() + TICK_SIZE + 12 + NAME_LEADING
    }

    pub fn x_at(&self, value: f64) -> i32 {
        self.plot.left + ticks::place(self.x.scale, value, self.plot.width)
    }

    pub fn y_at(&self, value: f64) -> i32 {
        self.plot.bottom() - ticks::place(self.y.scale, value, self.plot.height)
    }

    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.x_at(x), self.y_at(y))
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let plot = self.plot;
        let tick = Type::new(TICK_SIZE, theme::INK);
        let (pen, grid) = (Pen::new(theme::SOFT_INK, 1), Pen::new(theme::GRID, 1));
        for (up, text) in &self.y_ticks {
            let y = plot.bottom() - up;
            canvas.line((plot.left, y), (plot.right(), y), grid);
            canvas.line((plot.left - 4, y), (plot.left, y), pen);
            canvas.text(text, (plot.left - 8, y + 4), tick.align(Align::End));
        }
        for (along, text) in self.x.ticks(plot.width, 48) {
            let x = plot.left + along;
            canvas.line((x, plot.top), (x, plot.bottom()), grid);
            canvas.line((x, plot.bottom()), (x, plot.bottom() + 4), pen);
            canvas.text(&text, (x, plot.bottom() + 6 + TICK_SIZE), tick.align(Align::Middle));
        }
        canvas.line((plot.left, plot.top), (plot.left, plot.bottom()), pen);
        canvas.line((plot.left, plot.bottom()), (plot.right(), plot.bottom()), pen);
        self.draw_names(canvas);
    }

    fn draw_names(&self, canvas: &mut Canvas<'_>) {
        let face = Type::new(AXIS_NAME_SIZE, theme::INK).align(Align::Middle);
        let (x, y) = self.plot.centre();
        let name = words::shorten(&self.x.name, AXIS_NAME_SIZE, Weight::Regular, self.plot.width);
        canvas.text(&name, (x, self.plot.bottom() + TICK_SIZE + 12 + AXIS_NAME_SIZE), face);
        let lines = i32::try_from(self.y_name.len()).unwrap_or(0);
        let mut baseline = self.plot.left - self.y_labels - 14 - (lines - 1) * NAME_LEADING - 4;
        for line in &self.y_name {
            canvas.text_upward(line, (baseline, y), face);
            baseline += NAME_LEADING;
        }
    }
}
