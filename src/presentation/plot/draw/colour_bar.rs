//! The bar beside a heatmap that tells what its colours mean, with the limit marked.

use super::canvas::{FontWeight, LabelStyle, PixelRect, StrokeStyle, SvgCanvas, TextAnchor};
use super::colour::RgbColour;
use super::{ticks, words};
use crate::plot::figure::{PlotLimit, PlotQuantity, PlotScale, ScaleMapping};
use crate::plot::number;
use crate::plot::theme::{self, AXIS_NAME_SIZE, TICK_SIZE};

const BAR_WIDTH: i32 = 16;
const NAME_LEADING: i32 = AXIS_NAME_SIZE + 5;
/// Ticks stand at least so far apart.
const LEAST_GAP: i32 = TICK_SIZE + 3;

pub struct ColourBar {
    /// Labels from below, with the height above the bar's foot.
    ticks: Vec<(i32, String, TickKind)>,
    name: Vec<String>,
    labels_width: i32,
    height: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TickKind {
    Tick,
    Limit,
}

impl ColourBar {
    pub fn new(scale: PlotScale, quantity: &PlotQuantity, limit: Option<&PlotLimit>, height: i32) -> Self {
        let mut ticks: Vec<(i32, String, TickKind)> = Vec::new();
        if let Some(limit) = limit.filter(|limit| limit.value >= scale.low && limit.value <= scale.high) {
            let words = format!("limit {}", number::short(limit.value * quantity.factor));
            ticks.push((ticks::place(scale, limit.value, height), words, TickKind::Limit));
        }
        let taken: Vec<i32> = ticks.iter().map(|(place, ..)| *place).collect();
        for (place, value) in ticks::spaced(scale, height, LEAST_GAP, &taken) {
            ticks.push((place, number::short(value * quantity.factor), TickKind::Tick));
        }
        let labels_width = ticks.iter().map(|(_, words, kind)| words::width(words, TICK_SIZE, kind.weight())).max().unwrap_or(0);
        let mapping = if scale.mapping == ScaleMapping::Log { ", log scale" } else { "" };
        let name = if quantity.unit.is_empty() {
            format!("{}{mapping}", quantity.name)
        } else {
            format!("{} [{}]{mapping}", quantity.name, quantity.unit)
        };
        let name = words::wrap(&name, AXIS_NAME_SIZE, FontWeight::Regular, height + 8, 0, 4);
        Self { ticks, name, labels_width, height }
    }

    /// The bar of ratios from one over `reach` to `reach`, 1 in its middle; equal factors are equally far apart.
    pub fn of_ratios(reach: f64, name: &str, height: i32) -> Self {
        let scale = PlotScale { low: reach.recip(), high: reach, mapping: ScaleMapping::Log };
        let ratios = [-1.0, -0.5, 0.0, 0.5, 1.0].map(|power| reach.powf(power));
        let ticks: Vec<_> = ratios
            .into_iter()
            .map(|ratio| (ticks::place(scale, ratio, height), format!("×{}", number::three_digits(ratio)), TickKind::Tick))
            .collect();
        let labels_width = ticks.iter().map(|(_, words, kind)| words::width(words, TICK_SIZE, kind.weight())).max().unwrap_or(0);
        let name = words::wrap(&format!("{name}, log scale"), AXIS_NAME_SIZE, FontWeight::Regular, height + 8, 0, 4);
        Self { ticks, name, labels_width, height }
    }

    pub fn width(&self) -> i32 {
        BAR_WIDTH + 8 + self.labels_width + 8 + i32::try_from(self.name.len()).unwrap_or(0) * NAME_LEADING
    }

    /// `palette` gives the colour at a position of the scale.
    pub fn draw(&self, canvas: &mut SvgCanvas<'_>, left: i32, top: i32, palette: &dyn Fn(f64) -> RgbColour) {
        let bar = PixelRect { left, top, width: BAR_WIDTH, height: self.height };
        let strips = 64.min(self.height);
        for n in 0..strips {
            let (from, to) = (self.height * n / strips, self.height * (n + 1) / strips);
            let middle = f64::from(from + to) / 2.0 / f64::from(self.height);
            canvas.fill(PixelRect { left, top: bar.bottom() - to, width: BAR_WIDTH, height: to - from }, palette(middle));
        }
        for (place, words, kind) in &self.ticks {
            let y = bar.bottom() - place;
            let face = LabelStyle::new(TICK_SIZE, kind.colour());
            let face = if *kind == TickKind::Limit { face.bold() } else { face };
            if *kind == TickKind::Limit {
                canvas.line((left - 3, y), (bar.right() + 5, y), StrokeStyle::new(theme::PAPER, theme::CASING_WIDTH - 1));
                canvas.line((left - 3, y), (bar.right() + 5, y), StrokeStyle::new(theme::LIMIT, theme::LIMIT_WIDTH - 1));
            } else {
                canvas.line((bar.right(), y), (bar.right() + 4, y), StrokeStyle::new(theme::SOFT_INK, 1));
            }
            canvas.text(words, (bar.right() + 8, y + 4), face);
        }
        let mut baseline = bar.right() + 8 + self.labels_width + 8;
        for line in &self.name {
            baseline += NAME_LEADING;
            let face = LabelStyle::new(AXIS_NAME_SIZE, theme::INK).align(TextAnchor::Middle);
            canvas.text_upward(line, (baseline - 4, top + self.height / 2), face);
        }
    }
}

impl TickKind {
    fn weight(self) -> FontWeight {
        match self {
            Self::Tick => FontWeight::Regular,
            Self::Limit => FontWeight::Bold,
        }
    }
    fn colour(self) -> RgbColour {
        match self {
            Self::Tick => theme::INK,
            Self::Limit => theme::LIMIT,
        }
    }
}
