//! The cells of a heatmap: grounds, values with n and interval, words where there is no value, small signs.

use super::canvas::{FontWeight, LabelStyle, PixelRect, StrokeStyle, SvgCanvas, TextAnchor};
use super::colour::{self, RgbColour};
use super::legend::{HATCH_SPACING, crossed, hatched, implied, mark};
use super::words;
use crate::plot::figure::{FigureCell, FigureCellContent, FigureVerdict, Heatmap, LimitSide, MarkShape};
use crate::plot::{number, theme};

const VALUE_SIZES: [i32; 7] = [17, 15, 13, 12, 11, 10, 9];
/// Between a cell's edge and its text.
const PADDING: i32 = 4;
/// How much of the text's colour is in the hatching of an undecided cell.
pub const UNDECIDED_INK: f64 = 0.22;
/// The same of a predicted one.
pub const PREDICTED_INK: f64 = 0.45;
/// How much of the paper is in a predicted cell's colour.
const PALER: f64 = 0.45;

/// Which texts there is room for, the same in all cells of a picture. A size of `None` leaves the text out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeatmapTextSizes {
    pub value: Option<i32>,
    pub n: Option<i32>,
    pub interval: Option<i32>,
    /// The interval's ends stand close to its dash.
    pub tight: bool,
}

impl HeatmapTextSizes {
    /// The largest texts with which every cell of `width` by `height` pixels still holds its own.
    pub fn fitting(heatmap: &Heatmap, width: i32, height: i32) -> Self {
        let room = width - 2 * PADDING;
        let cells = || heatmap.cells.iter().flatten();
        let widest = |text: &dyn Fn(&FigureCell) -> Option<String>, size: i32, weight: FontWeight| {
            cells().filter_map(text).map(|text| words::width(&text, size, weight)).max().unwrap_or(0)
        };
        let value_text = |cell: &FigureCell| value_text(heatmap, cell);
        let value = VALUE_SIZES.into_iter().find(|size| size * 2 <= height && widest(&value_text, *size, FontWeight::Bold) <= room);
        let n = if height >= 58 { 11 } else { 9 };
        let n = Some(n).filter(|size| value.is_some_and(|value| value + size + 8 <= height));
        let n = n.filter(|size| widest(&|cell| Some(n_text(cell)), *size, FontWeight::Regular) <= room);
        let lines = value.zip(n).map(|(value, n)| value + n + 14);
        let interval = [(10, false), (9, false), (9, true)].into_iter().find(|(size, tight)| {
            lines.is_some_and(|lines| lines + size <= height)
                && widest(&|cell| interval_text(heatmap, cell, *tight), *size, FontWeight::Regular) <= room
        });
        let (interval, tight) = (interval.map(|(size, _)| size), interval.is_some_and(|(_, tight)| tight));
        Self { value, n, interval, tight }
    }
}

/// What stands in the middle of a cell.
fn value_text(heatmap: &Heatmap, cell: &FigureCell) -> Option<String> {
    match &cell.shown {
        FigureCellContent::Value(value) => {
            Some(format!("{}{}", cell.sign, number::beside(*value, &heatmap.quantity, heatmap.limit.as_ref())))
        }
        FigureCellContent::Predicted { value, .. } => Some(number::beside(*value, &heatmap.quantity, heatmap.limit.as_ref())),
        FigureCellContent::Failed(_)
        | FigureCellContent::Missing
        | FigureCellContent::Untested(_)
        | FigureCellContent::Invalid(_)
        | FigureCellContent::Nothing => None,
    }
}

fn n_text(cell: &FigureCell) -> String {
    match cell.shown {
        FigureCellContent::Predicted { is_beyond: true, .. } => "predicted *".to_owned(),
        FigureCellContent::Predicted { is_beyond: false, .. } => "predicted".to_owned(),
        _ => format!("n {}", cell.n),
    }
}

fn interval_text(heatmap: &Heatmap, cell: &FigureCell, tight: bool) -> Option<String> {
    // A bound has said so itself.
    let has_value = matches!(cell.shown, FigureCellContent::Value(_) | FigureCellContent::Predicted { .. });
    let text = if has_value && cell.sign.is_empty() { number::interval(cell, &heatmap.quantity) } else { None };
    text.map(|text| if tight { text.replace(' ', "") } else { text })
}

/// What of a cell is painted: a pixel of paper stays between cells, where there are pixels to spare.
pub fn ground(at: PixelRect) -> PixelRect {
    let gap = i32::from(at.width >= 12 && at.height >= 12);
    PixelRect { width: at.width - gap, height: at.height - gap, ..at }
}

/// The corner of a small cell that says that it is undecided.
pub fn corner(at: PixelRect) -> PixelRect {
    let size = (at.width.min(at.height) / 4).clamp(2, 6);
    PixelRect { left: at.right() - size, top: at.top, width: size, height: size }
}

/// Draws one cell.
pub fn draw(canvas: &mut SvgCanvas<'_>, heatmap: &Heatmap, cell: &FigureCell, at: PixelRect, sizes: HeatmapTextSizes) {
    let ground = ground(at);
    match &cell.shown {
        FigureCellContent::Value(value) if value.is_infinite() => {
            hatched(canvas, ground, HATCH_SPACING);
            draw_value(canvas, heatmap, cell, ground, sizes, (theme::INK, Some(theme::EMPTY)));
        }
        FigureCellContent::Value(value) => {
            let colour = colour::at(heatmap.scale.position(*value));
            canvas.fill(ground, colour);
            let undecided = cell.verdict == Some(FigureVerdict::Undecided);
            if undecided {
                hatched_over(canvas, ground, colour);
            }
            draw_value(canvas, heatmap, cell, ground, sizes, (colour.ink(), undecided.then_some(colour)));
        }
        FigureCellContent::Predicted { value, .. } => {
            let colour = predicted_ground(heatmap.scale.position(*value));
            predicted_over(canvas, ground, colour);
            draw_value(canvas, heatmap, cell, ground, sizes, (colour.ink(), Some(colour)));
        }
        FigureCellContent::Failed(reason) => {
            hatched(canvas, ground, HATCH_SPACING);
            draw_words(canvas, ground, "failed", reason);
        }
        FigureCellContent::Missing => {
            hatched(canvas, ground, HATCH_SPACING);
            draw_words(canvas, ground, "not run", "");
        }
        FigureCellContent::Untested(side) => {
            implied(canvas, ground, HATCH_SPACING, *side);
            match side {
                Some(LimitSide::Passing) => draw_words(canvas, ground, "implied ✓", "not run"),
                Some(LimitSide::Failing) => draw_words(canvas, ground, "implied ✗", "not run"),
                None => draw_words(canvas, ground, "untested", ""),
            }
        }
        FigureCellContent::Nothing => {
            hatched(canvas, ground, HATCH_SPACING);
            draw_words(canvas, ground, "no value", "no such requests");
        }
        FigureCellContent::Invalid(reason) => {
            crossed(canvas, ground, HATCH_SPACING);
            draw_words(canvas, ground, "invalid", reason);
        }
    }
}

/// The hatching of a cell that has a value of which too little is known: lines that are quieter than its text.
pub fn hatched_over(canvas: &mut SvgCanvas<'_>, at: PixelRect, ground: RgbColour) {
    canvas.hatch(at, HATCH_SPACING, StrokeStyle::new(ground.toward(ground.ink(), UNDECIDED_INK), 1));
}

/// The colour of a predicted cell: that of its value, paler.
pub fn predicted_ground(position: f64) -> RgbColour {
    colour::at(position).toward(theme::PAPER, PALER)
}

/// The ground of a cell that is only predicted: pale, with lines that fall.
pub fn predicted_over(canvas: &mut SvgCanvas<'_>, at: PixelRect, ground: RgbColour) {
    canvas.fill(at, ground);
    canvas.hatch_back(at, HATCH_SPACING, StrokeStyle::new(ground.toward(ground.ink(), PREDICTED_INK), 1));
}

/// Value, n and interval below each other, as a block in the middle, in an ink and on a plain ground where the cell is hatched.
fn draw_value(
    canvas: &mut SvgCanvas<'_>,
    heatmap: &Heatmap,
    cell: &FigureCell,
    at: PixelRect,
    sizes: HeatmapTextSizes,
    look: (RgbColour, Option<RgbColour>),
) {
    let (ink, ground) = look;
    let mut lines: Vec<(String, LabelStyle)> = Vec::new();
    let face = |size| LabelStyle::new(size, ink).align(TextAnchor::Middle);
    if let (Some(text), Some(size)) = (value_text(heatmap, cell), sizes.value) {
        lines.push((text, face(size).bold()));
    }
    if let (Some(text), Some(size)) = (interval_text(heatmap, cell, sizes.tight), sizes.interval) {
        lines.push((text, face(size)));
    }
    if let Some(size) = sizes.n {
        lines.push((n_text(cell), face(size)));
    }
    draw_block(canvas, at, &lines, ground);
    if cell.verdict == Some(FigureVerdict::Undecided) {
        draw_undecided(canvas, at, sizes, ink);
    }
}

/// A word for why there is no value, and its reason where that fits.
pub fn draw_words(canvas: &mut SvgCanvas<'_>, at: PixelRect, word: &str, reason: &str) {
    let room = at.width - 2 * PADDING;
    let fitting = |text: &str, sizes: &[i32]| {
        sizes.iter().copied().find(|size| *size + 6 <= at.height && words::width(text, *size, FontWeight::Regular) <= room)
    };
    let Some(size) = fitting(word, &[13, 12, 11, 10, 9]) else { return };
    let mut lines = vec![(word.to_owned(), LabelStyle::new(size, theme::INK).align(TextAnchor::Middle))];
    if at.height >= 48 {
        let small = LabelStyle::new(10, theme::SOFT_INK).align(TextAnchor::Middle);
        let most = if at.height >= 70 { 3 } else { 2 };
        lines.extend(words::wrap(reason, 10, FontWeight::Regular, room, 0, most).into_iter().map(|line| (line, small)));
    }
    draw_block(canvas, at, &lines, Some(theme::EMPTY));
}

/// Lines in the middle of a rectangle, each on a plain ground where one is given: there the rectangle is hatched.
pub fn draw_block(canvas: &mut SvgCanvas<'_>, at: PixelRect, lines: &[(String, LabelStyle)], ground: Option<RgbColour>) {
    let leading = |face: &LabelStyle| face.size + 4;
    let height: i32 = lines.iter().map(|(_, face)| leading(face)).sum();
    let (x, y) = at.centre();
    let mut top = y - height / 2;
    for (text, face) in lines {
        if let Some(ground) = ground {
            let width = words::width(text, face.size, face.weight) + 6;
            canvas.fill(PixelRect { left: x - width / 2, top, width, height: leading(face) }, ground);
        }
        // Digits and capitals are 0.73 of the size high: this sets their middle into the middle of the line.
        let baseline = top + (leading(face) * 50 + face.size * 36) / 100;
        canvas.text(text, (x, baseline), *face);
        top += leading(face);
    }
}

/// Whether a cell's signs go into its upper corners; in a small one they stand beside its n.
fn signs_above(at: PixelRect) -> bool {
    at.width >= 72 && at.height >= 52
}

fn draw_undecided(canvas: &mut SvgCanvas<'_>, at: PixelRect, sizes: HeatmapTextSizes, ink: RgbColour) {
    if signs_above(at) {
        let (baseline, size) = if is_narrow(at) { (at.bottom() - 5, 12) } else { (at.top + 16, 14) };
        canvas.text("?", (at.right() - 6, baseline), LabelStyle::new(size, ink).bold().align(TextAnchor::End));
    } else if sizes.value.is_some() {
        canvas.text("?", (at.right() - 2, at.bottom() - 3), LabelStyle::new(10, ink).bold().align(TextAnchor::End));
    } else {
        canvas.fill(corner(at), ink);
    }
}

/// Whether the value takes the whole width, so that signs stand beside n.
fn is_narrow(at: PixelRect) -> bool {
    at.width < 110
}

/// Draws the signs of a cell that stands out, side by side from the left; in a small cell between its edge and its n.
pub fn draw_marks(canvas: &mut SvgCanvas<'_>, at: PixelRect, shapes: &[MarkShape], n: u64) {
    let above = signs_above(at) && !is_narrow(at);
    let beside_n = (at.width - words::width(&format!("n {n}"), 9, FontWeight::Regular)) / 2 - 2;
    let most = beside_n / i32::try_from(shapes.len().max(1)).unwrap_or(1) / 2;
    let radius = if above { 9 } else { (at.width.min(at.height) / 5).min(most).clamp(3, 6) };
    for (shape, n) in shapes.iter().zip(0..) {
        let x = at.left + radius + 2 + n * (2 * radius + 1);
        let y = if above { at.top + radius + 3 } else { at.bottom() - radius - 2 };
        mark(canvas, *shape, (x, y), radius);
    }
}
