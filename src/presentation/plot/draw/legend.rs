//! The words below a picture: what its signs mean. Only signs that are in the picture get an entry.

use super::canvas::{FontWeight, LabelStyle, PixelRect, Point, StrokeStyle, SvgCanvas};
use super::colour::RgbColour;
use super::words;
use crate::plot::figure::{ChangeOutcome, LimitSide, MarkShape};
use crate::plot::theme::{self, LEGEND_SIZE, MARGIN};

const SAMPLE_WIDTH: i32 = 26;
/// Between the lines of a cell without a value.
pub const HATCH_SPACING: i32 = 7;
const GAP: i32 = 24;
/// How strong the lines of a cell are that was not run, of those of one that has no value.
const LIGHTER: f64 = 0.6;
const LEADING: i32 = LEGEND_SIZE + 10;

/// One sign and its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegendEntry {
    pub sign: LegendSymbol,
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegendSymbol {
    Limit,
    /// The thin line around what is surely good.
    Met,
    /// The thin line around what surely is not.
    NotExcluded,
    /// No sign: the words explain what is drawn.
    None,
    /// No sign: the words say what came of this one figure.
    Remark,
    Undecided,
    /// What a change comes to, on a ground of its colour.
    Outcome {
        ground: RgbColour,
        outcome: ChangeOutcome,
    },
    /// The same in cells that are too small for a sign.
    Dot,
    Hatched,
    /// A value that a fitted engine says.
    Predicted,
    /// Not run, and implied to be on that side of the limit, or untested.
    Untested(Option<LimitSide>),
    Crossed,
    Mark(MarkShape),
    /// The band of an interval.
    Band,
    /// A marker that is not filled.
    Hollow,
    /// A point without a value.
    Cross,
    /// An interval along the page.
    Whisker,
    /// An interval whose upper end is not known.
    Open,
    /// A request: the wait for its first token, then its answer.
    Bar {
        first_turn: bool,
    },
    /// The same where no metric counts it.
    PaleBar,
    /// The wait before it was sent.
    Wait,
}

impl LegendEntry {
    /// Whether it says what came of one figure; others explain signs and hold for every figure that has them.
    pub fn is_of_one_figure(&self) -> bool {
        matches!(self.sign, LegendSymbol::Mark(_) | LegendSymbol::Remark)
    }
}

impl LegendSymbol {
    fn is_drawn(self) -> bool {
        !matches!(self, Self::None | Self::Remark)
    }
}

pub struct Legend {
    /// Left end and line number of each entry.
    placed: Vec<(i32, i32, LegendEntry)>,
    lines: i32,
}

impl Legend {
    /// Lays entries in a row, and in further rows where they do not fit.
    pub fn new(entries: Vec<LegendEntry>, left: i32, page_width: i32) -> Self {
        let right = page_width - MARGIN;
        let (mut x, mut line) = (left, 0);
        let mut placed = Vec::new();
        for mut entry in entries {
            let sample = if entry.sign.is_drawn() { SAMPLE_WIDTH + 8 } else { 0 };
            entry.words = words::shorten(&entry.words, LEGEND_SIZE, FontWeight::Regular, right - left - sample);
            let width = sample + words::width(&entry.words, LEGEND_SIZE, FontWeight::Regular);
            if x > left && x + width > right {
                (x, line) = (left, line + 1);
            }
            placed.push((x, line, entry));
            x += width + GAP;
        }
        let lines = if placed.is_empty() { 0 } else { line + 1 };
        Self { placed, lines }
    }

    pub fn height(&self) -> i32 {
        self.lines * LEADING
    }

    pub fn draw(&self, canvas: &mut SvgCanvas<'_>, top: i32) {
        for (left, line, entry) in &self.placed {
            let baseline = top + line * LEADING + LEGEND_SIZE + 2;
            let box_of_sign = PixelRect { left: *left, top: baseline - LEGEND_SIZE - 1, width: SAMPLE_WIDTH, height: LEGEND_SIZE + 4 };
            let words_at = if entry.sign.is_drawn() {
                draw_sign(canvas, entry.sign, box_of_sign);
                left + SAMPLE_WIDTH + 8
            } else {
                *left
            };
            canvas.text(&entry.words, (words_at, baseline), LabelStyle::new(LEGEND_SIZE, theme::INK));
        }
    }
}

fn draw_sign(canvas: &mut SvgCanvas<'_>, sign: LegendSymbol, at: PixelRect) {
    let (x, y) = at.centre();
    match sign {
        LegendSymbol::Limit => canvas.line((at.left, y), (at.right(), y), StrokeStyle::new(theme::LIMIT, theme::LIMIT_WIDTH)),
        LegendSymbol::Met => canvas.line((at.left, y), (at.right(), y), StrokeStyle::new(theme::INK, 2)),
        LegendSymbol::NotExcluded => canvas.path([(at.left, y), (at.right(), y)], StrokeStyle::new(theme::INK, 2), super::step_line::DASH),
        LegendSymbol::None | LegendSymbol::Remark => {}
        LegendSymbol::Undecided => {
            let ground = super::colour::at(0.3);
            canvas.fill(at, ground);
            super::cells::hatched_over(canvas, at, ground);
            let face = LabelStyle::new(LEGEND_SIZE + 1, theme::INK).bold().align(super::canvas::TextAnchor::Middle);
            canvas.text("?", (x, at.bottom() - 3), face);
        }
        LegendSymbol::Outcome { ground, outcome } => {
            canvas.fill(at, ground);
            if outcome == ChangeOutcome::Unknown {
                super::cells::hatched_over(canvas, at, ground);
            }
            let face = LabelStyle::new(LEGEND_SIZE, ground.ink()).bold().align(super::canvas::TextAnchor::Middle);
            canvas.text(outcome.sign(), (x, at.bottom() - 3), face);
        }
        LegendSymbol::Dot => canvas.fill(PixelRect { left: x - 2, top: y - 2, width: 4, height: 4 }, theme::INK),
        LegendSymbol::Hatched => hatched(canvas, at, 6),
        LegendSymbol::Predicted => super::cells::predicted_over(canvas, at, super::cells::predicted_ground(0.5)),
        LegendSymbol::Untested(side) => implied(canvas, at, 6, side),
        LegendSymbol::Crossed => crossed(canvas, at, 6),
        LegendSymbol::Mark(shape) => mark(canvas, shape, (x, y), 8),
        LegendSymbol::Band => canvas.fill(at, theme::GRID),
        LegendSymbol::Hollow => {
            canvas.disc((x, y), 5, theme::INK);
            canvas.disc((x, y), 3, theme::PAPER);
        }
        LegendSymbol::Cross => cross(canvas, (x, y), theme::INK),
        LegendSymbol::Whisker => {
            let pen = StrokeStyle::new(theme::INK, 1);
            canvas.line((at.left, y), (at.right(), y), pen);
            for end in [at.left, at.right()] {
                canvas.line((end, y - 4), (end, y + 4), pen);
            }
        }
        LegendSymbol::Open => super::interval::ray(canvas, (x, at.bottom()), at.top, theme::INK),
        LegendSymbol::Bar { first_turn } => super::bar::sample(canvas, at, first_turn, true),
        LegendSymbol::PaleBar => super::bar::sample(canvas, at, false, false),
        LegendSymbol::Wait => super::bar::wait(canvas, (at.left, y), at.right()),
    }
}

/// The ground of a cell that has no value.
pub fn hatched(canvas: &mut SvgCanvas<'_>, at: PixelRect, spacing: i32) {
    canvas.fill(at, theme::EMPTY);
    canvas.hatch(at, spacing, StrokeStyle::new(theme::HATCH, 1));
}

/// The ground of a cell that was not run: lighter than of one that should have been.
pub fn implied(canvas: &mut SvgCanvas<'_>, at: PixelRect, spacing: i32, side: Option<LimitSide>) {
    canvas.fill(at, theme::EMPTY);
    let pen = StrokeStyle::new(untested_ink(), 1);
    let (rising, falling) = hatch_of_untested(side);
    if rising {
        canvas.hatch(at, 2 * spacing, pen);
    }
    if falling {
        canvas.hatch_back(at, 2 * spacing, pen);
    }
}

/// Whether lines rise and whether they fall in a cell that was not run: they fall where it is implied to pass, rise where it is implied to
/// fail, and are not there where it is untested.
pub fn hatch_of_untested(side: Option<LimitSide>) -> (bool, bool) {
    (side == Some(LimitSide::Failing), side == Some(LimitSide::Passing))
}

/// The colour of these lines.
pub fn untested_ink() -> RgbColour {
    theme::EMPTY.toward(theme::HATCH, LIGHTER)
}

/// The ground of a cell whose value does not count.
pub fn crossed(canvas: &mut SvgCanvas<'_>, at: PixelRect, spacing: i32) {
    hatched(canvas, at, spacing);
    canvas.hatch_back(at, spacing, StrokeStyle::new(theme::HATCH, 1));
}

/// A sign of a cell that stands out, black with a white rim.
pub fn mark(canvas: &mut SvgCanvas<'_>, shape: MarkShape, centre: Point, radius: i32) {
    for (radius, colour) in [(radius, theme::PAPER), (radius - 2, theme::INK)] {
        canvas.polygon(outline(shape, centre, f64::from(radius)), colour, 1.0);
    }
}

/// A point without a value.
pub fn cross(canvas: &mut SvgCanvas<'_>, (x, y): Point, colour: super::colour::RgbColour) {
    let pen = StrokeStyle::new(colour, 2);
    canvas.line((x - 5, y - 5), (x + 5, y + 5), pen);
    canvas.line((x - 5, y + 5), (x + 5, y - 5), pen);
}

#[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
fn outline(shape: MarkShape, (x, y): Point, radius: f64) -> Vec<Point> {
    let (corners, inner) = match shape {
        MarkShape::Star => (10, 0.45),
        MarkShape::Diamond => (4, 1.0),
    };
    (0..corners)
        .map(|n| {
            let angle = std::f64::consts::TAU * f64::from(n) / f64::from(corners);
            let length = if n % 2 == 0 { radius } else { radius * inner };
            (x + (angle.sin() * length).round() as i32, y - (angle.cos() * length).round() as i32)
        })
        .collect()
}
