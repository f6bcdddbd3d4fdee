//! Two axes of numbers around a plot: rulers with ticks, grid and names, and pixels for values.

use super::canvas::{FontWeight, LabelStyle, PixelRect, Point, StrokeStyle, SvgCanvas, TextAnchor};
use super::labels::LineLabels;
use super::{ticks, words};
use crate::plot::figure::{PlotQuantity, PlotScale, ScaleMapping};
use crate::plot::number;
use crate::plot::theme::{self, AXIS_NAME_SIZE, MARGIN, TICK_SIZE};

const NAME_LEADING: i32 = AXIS_NAME_SIZE + 5;
/// Between a plot and what is above it, and between its axis' name and what is below.
pub const ABOVE: i32 = 6;
const BELOW: i32 = 12;

/// One axis: a range, what it is called, and what its values are multiplied by when they are shown.
#[derive(Debug, Clone)]
pub struct FrameAxis {
    pub scale: PlotScale,
    pub name: String,
    pub factor: f64,
    /// Ticks at these values, instead of at round ones.
    stops: Option<Vec<AxisTick>>,
    /// Pixels between the plot's sides and the range's ends.
    inset: i32,
}

/// A value that was measured, on its axis.
#[derive(Debug, Clone)]
pub struct AxisTick {
    pub value: f64,
    pub label: String,
    /// Below the label; may be empty.
    pub note: String,
}

/// Between a plot's sides and its first and last stop.
const INSET: i32 = 24;
/// A label of a stop is at most so wide.
const MOST_LABEL: i32 = 110;
const NOTE_SIZE: i32 = 10;
const NOTE_LEADING: i32 = NOTE_SIZE + 4;

impl FrameAxis {
    pub fn new(scale: PlotScale, quantity: &PlotQuantity) -> Self {
        let name = name(&quantity.name, &quantity.unit, scale);
        Self { scale, name, factor: quantity.factor, stops: None, inset: 0 }
    }

    /// An axis with a tick at each measured value.
    pub fn of_stops(scale: PlotScale, axis: (&str, &str), stops: Vec<AxisTick>) -> Self {
        Self { scale, name: name(axis.0, axis.1, scale), factor: 1.0, stops: Some(stops), inset: INSET }
    }

    /// What notes below the labels take.
    fn notes_height(&self) -> i32 {
        let any = self.stops.iter().flatten().any(|stop| !stop.note.is_empty());
        if any { NOTE_LEADING } else { 0 }
    }

    fn place(&self, value: f64, length: i32) -> i32 {
        self.inset + ticks::place(self.scale, value, length - 2 * self.inset)
    }

    /// Places and texts of ticks along so many pixels; texts along the page need room for themselves.
    fn ticks(&self, length: i32, gap: i32) -> Vec<(i32, String)> {
        ticks::spaced(self.scale, length, gap, &[]).into_iter().map(|(at, value)| (at, number::short(value * self.factor))).collect()
    }
}

fn name(of: &str, unit: &str, scale: PlotScale) -> String {
    let unit = if unit.is_empty() { String::new() } else { format!(" [{unit}]") };
    let mapping = if scale.mapping == ScaleMapping::Log { ", log scale" } else { "" };
    format!("{of}{unit}{mapping}")
}

/// A plot with its axes.
#[derive(Debug, Clone)]
pub struct PlotFrame {
    pub plot: PixelRect,
    x: FrameAxis,
    y: FrameAxis,
    y_ticks: Vec<(i32, String)>,
    y_name: Vec<String>,
    y_labels: i32,
}

impl PlotFrame {
    /// At the page's left edge, below `top`.
    pub fn new(x: FrameAxis, y: FrameAxis, top: i32, width: i32, height: i32) -> Self {
        let y_ticks = y.ticks(height, TICK_SIZE + 6);
        let y_labels = y_ticks.iter().map(|(_, text)| words::width(text, TICK_SIZE, FontWeight::Regular)).max().unwrap_or(0);
        let y_name = words::wrap(&y.name, AXIS_NAME_SIZE, FontWeight::Regular, height + 20, 0, 3);
        let lines = i32::try_from(y_name.len()).unwrap_or(0);
        let left = MARGIN + lines * NAME_LEADING + y_labels + 14;
        Self { plot: PixelRect { left, top, width, height }, x, y, y_ticks, y_name, y_labels }
    }

    /// The same frame with its plot's upper edge at `top`.
    pub fn below(self, top: i32) -> Self {
        Self { plot: PixelRect { top, ..self.plot }, ..self }
    }

    /// Width and height of the plot with its axes, and with the names of lines at its right.
    pub fn size(&self, names: &[String]) -> (i32, i32) {
        let width = self.plot.right() + LineLabels::width(names.iter().map(String::as_str)) - MARGIN;
        (width, ABOVE + self.bottom() - self.plot.top + BELOW)
    }

    /// Where the axis' name ends.
    fn bottom(&self) -> i32 {
        self.plot.bottom() + TICK_SIZE + 12 + self.x.notes_height() + NAME_LEADING
    }

    pub fn x_at(&self, value: f64) -> i32 {
        self.plot.left + self.x.place(value, self.plot.width)
    }

    pub fn y_at(&self, value: f64) -> i32 {
        self.plot.bottom() - self.y.place(value, self.plot.height)
    }

    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.x_at(x), self.y_at(y))
    }

    pub fn draw(&self, canvas: &mut SvgCanvas<'_>) {
        let plot = self.plot;
        let tick = LabelStyle::new(TICK_SIZE, theme::INK);
        let (pen, grid) = (StrokeStyle::new(theme::SOFT_INK, 1), StrokeStyle::new(theme::GRID, 1));
        for (up, text) in &self.y_ticks {
            let y = plot.bottom() - up;
            canvas.line((plot.left, y), (plot.right(), y), grid);
            canvas.line((plot.left - 4, y), (plot.left, y), pen);
            canvas.text(text, (plot.left - 8, y + 4), tick.align(TextAnchor::End));
        }
        match &self.x.stops {
            Some(stops) => self.draw_stops(canvas, stops),
            None => {
                for (along, text) in self.x.ticks(plot.width, 48) {
                    let x = plot.left + along;
                    canvas.line((x, plot.top), (x, plot.bottom()), grid);
                    canvas.line((x, plot.bottom()), (x, plot.bottom() + 4), pen);
                    canvas.text(&text, (x, plot.bottom() + 6 + TICK_SIZE), tick.align(TextAnchor::Middle));
                }
            }
        }
        canvas.line((plot.left, plot.top), (plot.left, plot.bottom()), pen);
        canvas.line((plot.left, plot.bottom()), (plot.right(), plot.bottom()), pen);
        self.draw_names(canvas);
    }

    /// A tick at each stop, with words where there is room beside those before.
    fn draw_stops(&self, canvas: &mut SvgCanvas<'_>, stops: &[AxisTick]) {
        let foot = self.plot.bottom();
        let mut free_from = i32::MIN;
        for stop in stops {
            let x = self.x_at(stop.value);
            canvas.line((x, foot), (x, foot + 4), StrokeStyle::new(theme::SOFT_INK, 1));
            let label = words::shorten(&stop.label, TICK_SIZE, FontWeight::Regular, MOST_LABEL);
            let note = words::width(&stop.note, NOTE_SIZE, FontWeight::Regular);
            let half = words::width(&label, TICK_SIZE, FontWeight::Regular).max(note) / 2;
            if x - half >= free_from {
                canvas.text(&label, (x, foot + 6 + TICK_SIZE), LabelStyle::new(TICK_SIZE, theme::INK).align(TextAnchor::Middle));
                if !stop.note.is_empty() {
                    let face = LabelStyle::new(NOTE_SIZE, theme::SOFT_INK).align(TextAnchor::Middle);
                    canvas.text(&stop.note, (x, foot + 6 + TICK_SIZE + NOTE_LEADING), face);
                }
                free_from = x + half + 8;
            }
        }
    }

    fn draw_names(&self, canvas: &mut SvgCanvas<'_>) {
        let face = LabelStyle::new(AXIS_NAME_SIZE, theme::INK).align(TextAnchor::Middle);
        let (x, y) = self.plot.centre();
        let name = words::shorten(&self.x.name, AXIS_NAME_SIZE, FontWeight::Regular, self.plot.width);
        canvas.text(&name, (x, self.bottom() - NAME_LEADING + AXIS_NAME_SIZE), face);
        let lines = i32::try_from(self.y_name.len()).unwrap_or(0);
        let mut baseline = self.plot.left - self.y_labels - 14 - (lines - 1) * NAME_LEADING - 4;
        for line in &self.y_name {
            canvas.text_upward(line, (baseline, y), face);
            baseline += NAME_LEADING;
        }
    }
}
