//! The axis of nights: a place for each, dates in two lines (what differs, and below it what many share), and rows of short texts.

use super::canvas::{FontWeight, LabelStyle, StrokeStyle, SvgCanvas, TextAnchor};
use super::words;
use crate::plot::figure::NightLabel;
use crate::plot::theme::{self, LEGEND_SIZE, TICK_SIZE};

/// Between two dates.
const APART: i32 = 12;
const LEADING: i32 = TICK_SIZE + 5;
/// Between the variants of a night, at most.
const MOST_STEP: f64 = 14.0;
/// Between the plot and a row's name.
const GAP: i32 = 12;
const NAME: &str = "night (UTC)";
/// Every so many nights have their date: days, weeks, fortnights, months.
const STEPS: [usize; 12] = [1, 2, 3, 5, 7, 14, 28, 56, 112, 182, 364, 728];

/// Short texts, one a night.
pub struct NightTextRow {
    pub name: String,
    pub texts: Vec<String>,
}

pub struct NightAxis {
    left: i32,
    width: i32,
    nights: Vec<NightLabel>,
    /// Variants side by side.
    lines: usize,
    /// Every so many nights have a date.
    every: usize,
    rows: Vec<NightTextRow>,
}

/// Pixels that the rows' names take at the right.
pub fn width(rows: &[NightTextRow]) -> i32 {
    let of = |name: &str| GAP + words::width(name, LEGEND_SIZE, FontWeight::Regular);
    // The axis' name may be pushed by the last date.
    rows.iter().map(|row| of(&row.name)).chain([of(NAME) + 40]).max().unwrap_or(0)
}

impl NightAxis {
    /// Rows whose texts have no room side by side are left out.
    pub fn new(nights: &[NightLabel], lines: usize, rows: Vec<NightTextRow>, (left, width): (i32, i32)) -> Self {
        let place = f64::from(width) / count(nights.len().max(1));
        let widest = nights.iter().map(|night| text_width(&night.short)).max().unwrap_or(0);
        let needed = f64::from(widest + APART);
        let every = STEPS.into_iter().find(|every| count(*every) * place >= needed).unwrap_or(nights.len().max(1));
        let fits = |row: &NightTextRow| row.texts.iter().all(|text| f64::from(text_width(text) + 6) <= place);
        Self { left, width, nights: nights.to_vec(), lines, every, rows: rows.into_iter().filter(fits).collect() }
    }

    /// The middle of a night's place.
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    fn middle(&self, night: usize) -> i32 {
        self.left + (self.place() * (count(night) + 0.5)).round() as i32
    }

    fn place(&self) -> f64 {
        f64::from(self.width) / count(self.nights.len().max(1))
    }

    /// Between the variants of a night.
    fn step(&self) -> f64 {
        (self.place() * 0.7 / count(self.lines.max(1))).min(MOST_STEP)
    }

    /// Where a variant's point of a night stands.
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    pub fn x_at(&self, night: usize, line: usize) -> i32 {
        let aside = (count(line) - (count(self.lines.max(1)) - 1.0) / 2.0) * self.step();
        self.middle(night) + aside.round() as i32
    }

    /// Half the width of an interval's end.
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    pub fn cap(&self) -> i32 {
        (self.step() * 0.45).clamp(1.0, 5.0) as i32
    }

    /// Of markers.
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    pub fn radius(&self) -> i32 {
        (self.step() * 0.5).clamp(2.0, 4.0) as i32
    }

    fn has_date(&self, night: usize) -> bool {
        (self.nights.len() - 1 - night).is_multiple_of(self.every)
    }

    /// Where nights with a date stand.
    pub fn labelled(&self) -> impl Iterator<Item = i32> {
        (0..self.nights.len()).filter(|night| self.has_date(*night)).map(|night| self.middle(night))
    }

    /// Dates with their middle and their width.
    #[cfg(test)]
    pub fn named(&self) -> impl Iterator<Item = (String, i32, i32)> {
        let dated = self.nights.iter().enumerate().filter(|(night, _)| self.has_date(*night));
        dated.map(|(night, label)| (label.short.clone(), self.middle(night), text_width(&label.short)))
    }

    /// Pixels below the last strip.
    pub fn height(&self) -> i32 {
        let rows = i32::try_from(self.rows.len()).unwrap_or(0);
        6 + 2 * LEADING + rows * LEADING
    }

    pub fn draw(&self, canvas: &mut SvgCanvas<'_>, top: i32) {
        let (ink, soft) = (
            LabelStyle::new(TICK_SIZE, theme::INK).align(TextAnchor::Middle),
            LabelStyle::new(TICK_SIZE, theme::SOFT_INK).align(TextAnchor::Middle),
        );
        let mut around = "";
        let mut free_from = i32::MIN;
        let baseline = top + 6 + TICK_SIZE;
        for (night, label) in self.nights.iter().enumerate() {
            let x = self.middle(night);
            if !self.has_date(night) {
                continue;
            }
            canvas.line((x, top), (x, top + 4), StrokeStyle::new(theme::SOFT_INK, 1));
            canvas.text(&label.short, (x, baseline), ink);
            let half = text_width(&label.around) / 2;
            if !label.around.is_empty() && label.around != around && x - half >= free_from {
                canvas.text(&label.around, (x, baseline + LEADING), soft);
                (around, free_from) = (&label.around, x + half + APART);
            }
        }
        let (right, name) = (self.left + self.width + GAP, LabelStyle::new(LEGEND_SIZE, theme::INK));
        let last = self.nights.last().map_or(0, |night| self.middle(self.nights.len() - 1) + text_width(&night.short) / 2 + APART);
        canvas.text(NAME, (right.max(last), baseline), name);
        let mut below = baseline + LEADING + 4;
        for row in &self.rows {
            below += LEADING;
            for (night, text) in row.texts.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                canvas.text(text, (self.middle(night), below), ink);
            }
            canvas.text(&row.name, (right, below), name);
        }
    }
}

fn text_width(text: &str) -> i32 {
    words::width(text, TICK_SIZE, FontWeight::Regular)
}

fn count(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
