//! The bar beside a heatmap that tells what its colours mean, with the limit marked.

use super::canvas::{Align, Canvas, Pen, Rect, Type, Weight};
use super::colour::Colour;
use super::{ticks, words};
use crate::plot::figure::{Limit, Mapping, Quantity, Scale};
use crate::plot::number;
use crate::plot::theme::{self, AXIS_NAME_SIZE, TICK_SIZE};

const BAR_WIDTH: i32 = 16;
const NAME_LEADING: i32 = AXIS_NAME_SIZE + 5;
/// Ticks stand at least so far apart.
const LEAST_GAP: i32 = TICK_SIZE + 3;

pub struct ColourBar {
    /// Labels from below, with the height above the bar's foot.
    ticks: Vec<(i32, String, Kind)>,
    name: Vec<String>,
    labels_width: i32,
    height: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tick,
    Limit,
}

impl ColourBar {
    pub fn new(scale: Scale, quantity: &Quantity, limit: Option<&Limit>, height: i32) -> Self {
        let mut ticks: Vec<(i32, String, Kind)> = Vec::new();
        if let Some(limit) = limit.filter(|limit| limit.value >= scale.low && limit.value <= scale.high) {
            let words = format!("limit {}", number::short(limit.value * quantity.factor));
            ticks.push((ticks::place(scale, limit.value, height), words, Kind::Limit));
        }
        let taken: Vec<i32> = ticks.iter().map(|(place, ..)| *place).collect();
        for (place, value) in ticks::spaced(scale, height, LEAST_GAP, &taken) {
            ticks.push((place, number::short(value * quantity.factor), Kind::Tick));
        }
        let labels_width = ticks.iter().map(|(_, words, kind)| words::width(words, TICK_SIZE, kind.weight())).max().unwrap_or(0);
        let mapping = if scale.mapping == Mapping::Log { ", log scale" } else { "" };
        let name = if quantity.unit.is_empty() {
            format!("{}{mapping}", quantity.name)
        } else {
            format!("{} [{}]{mapping}", quantity.name, quantity.unit)
        };
        let name = words::wrap(&name, AXIS_NAME_SIZE, Weight::Regular, height + 8, 0, 4);
        Self { ticks, name, labels_width, height }
    }

    /// The bar of ratios from one over `reach` to `reach`, 1 in its middle; equal factors are equally far apart.
    pub fn of_ratios(reach: f64, name: &str, height: i32) -> Self {
        let scale = Scale { low: reach.recip(), high: reach, mapping: Mapping::Log };
        let ratios = [-1.0, -0.5, 0.0, 0.5, 1.0].map(|power| reach.powf(power));
        let ticks: Vec<_> = ratios
            .into_iter()
            .map(|ratio| (ticks::place(scale, ratio, height), format!("×{}", number::three_digits(ratio)), Kind::Tick))
            .collect();
        let labels_width = ticks.iter().map(|(_, words, kind)| words::width(words, TICK_SIZE, kind.weight())).max().unwrap_or(0);
        let name = words::wrap(&format!("{name}, log scale"), AXIS_NAME_SIZE, Weight::Regular, height + 8, 0, 4);
        Self { ticks, name, labels_width, height }
    }

    pub fn width(&self) -> i32 {
        BAR_WIDTH + 8 + self.labels_width + 8 + i32::try_from(self.name.len()).unwrap_or(0) * NAME_LEADING
    }

    /// `palette` gives the colour at a position of the scale.
    pub fn draw(&self, canvas: &mut Canvas<'_>, left: i32, top: i32, palette: &dyn Fn(f64) -> Colour) {
        let bar = Rect { left, top, width: BAR_WIDTH, height: self.height };
        let strips = 64.min(self.height);
        for n in 0..strips {
            let (from, to) = (self.height * n / strips, self.height * (n + 1) / strips);
            let middle = f64::from(from + to) / 2.0 / f64::from(self.height);
            canvas.fill(Rect { left, top: bar.bottom() - to, width: BAR_WIDTH, height: to - from }, palette(middle));
        }
        for (place, words, kind) in &self.ticks {
            let y = bar.bottom() - place;
            let face = Type::new(TICK_SIZE, kind.colour());
            let face = if *kind == Kind::Limit { face.bold() } else { face };
            if *kind == Kind::Limit {
                canvas.line((left - 3, y), (bar.right() + 5, y), Pen::new(theme::PAPER, theme::CASING_WIDTH - 1));
                canvas.line((left - 3, y), (bar.right() + 5, y), Pen::new(theme::LIMIT, theme::LIMIT_WIDTH - 1));
            } else {
                canvas.line((bar.right(), y), (bar.right() + 4, y), Pen::new(theme::SOFT_INK, 1));
            }
            canvas.text(words, (bar.right() + 8, y + 4), face);
        }
        let mut baseline = bar.right() + 8 + self.labels_width + 8;
        for line in &self.name {
            baseline += NAME_LEADING;
            let face = Type::new(AXIS_NAME_SIZE, theme::INK).align(Align::Middle);
            canvas.text_upward(line, (baseline - 4, top + self.height / 2), face);
        }
    }
}

impl Kind {
    fn weight(self) -> Weight {
        match self {
            Self::Tick => Weight::Regular,
            Self::Limit => Weight::Bold,
        }
    }
    fn colour(self) -> Colour {
        match self {
            Self::Tick => theme::INK,
            Self::Limit => theme::LIMIT,
        }
    }
}
