//! The cells of a heatmap: grounds, values with n and interval, words where there is no value, small signs.

use super::canvas::{Align, Canvas, Pen, Rect, Type, Weight};
use super::colour::{self, Colour};
use super::legend::{HATCH_SPACING, crossed, hatched, implied, mark};
use super::words;
use crate::plot::figure::{Cell, Heatmap, MarkShape, Shown, Side, Verdict};
use crate::plot::{number, theme};

const VALUE_SIZES: [i32; 7] = [17, 15, 13, 12, 11, 10, 9];
/// Between a cell's edge and its text.
const PADDING: i32 = 4;
/// How much of the text's colour is in the hatching of an undecided cell.
pub const UNDECIDED_INK: f64 = 0.22;

/// Which texts there is room for, the same in all cells of a picture. A size of `None` leaves the text out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub value: Option<i32>,
    pub n: Option<i32>,
    pub interval: Option<i32>,
    /// The interval's ends stand close to its dash.
    pub tight: bool,
}

impl Sizes {
    /// The largest texts with which every cell of `width` by `height` pixels still holds its own.
    pub fn fitting(heatmap: &Heatmap, width: i32, height: i32) -> Self {
        let room = width - 2 * PADDING;
        let cells = || heatmap.cells.iter().flatten();
        let widest = |text: &dyn Fn(&Cell) -> Option<String>, size: i32, weight: Weight| {
            cells().filter_map(text).map(|text| words::width(&text, size, weight)).max().unwrap_or(0)
        };
        let value_text = |cell: &Cell| value_text(heatmap, cell);
        let value = VALUE_SIZES.into_iter().find(|size| size * 2 <= height && widest(&value_text, *size, Weight::Bold) <= room);
        let n = if height >= 58 { 11 } else { 9 };
        let n = Some(n).filter(|size| value.is_some_and(|value| value + size + 8 <= height));
        let n = n.filter(|size| widest(&|cell| Some(n_text(cell)), *size, Weight::Regular) <= room);
        let lines = value.zip(n).map(|(value, n)| value + n + 14);
        let interval = [(10, false), (9, false), (9, true)].into_iter().find(|(size, tight)| {
            lines.is_some_and(|lines| lines + size <= height)
                && widest(&|cell| interval_text(heatmap, cell, *tight), *size, Weight::Regular) <= room
        });
        let (interval, tight) = (interval.map(|(size, _)| size), interval.is_some_and(|(_, tight)| tight));
        Self { value, n, interval, tight }
    }
}

/// What stands in the middle of a cell.
fn value_text(heatmap: &Heatmap, cell: &Cell) -> Option<String> {
    match &cell.shown {
        Shown::Value(value) => Some(format!("{}{}", cell.sign, number::beside(*value, &heatmap.quantity, heatmap.limit.as_ref()))),
        Shown::Failed(_) | Shown::Missing | Shown::Untested(_) | Shown::Invalid(_) | Shown::Nothing => None,
    }
}

fn n_text(cell: &Cell) -> String {
    format!("n {}", cell.n)
}

fn interval_text(heatmap: &Heatmap, cell: &Cell, tight: bool) -> Option<String> {
    // A bound has said so itself.
    let text = if matches!(cell.shown, Shown::Value(_)) && cell.sign.is_empty() { number::interval(cell, &heatmap.quantity) } else { None };
    text.map(|text| if tight { text.replace(' ', "") } else { text })
}

/// What of a cell is painted: a pixel of paper stays between cells, where there are pixels to spare.
pub fn ground(at: Rect) -> Rect {
    let gap = i32::from(at.width >= 12 && at.height >= 12);
    Rect { width: at.width - gap, height: at.height - gap, ..at }
}

/// The corner of a small cell that says that it is undecided.
pub fn corner(at: Rect) -> Rect {
    let size = (at.width.min(at.height) / 4).clamp(2, 6);
    Rect { left: at.right() - size, top: at.top, width: size, height: size }
}

/// Draws one cell.
pub fn draw(canvas: &mut Canvas<'_>, heatmap: &Heatmap, cell: &Cell, at: Rect, sizes: Sizes) {
    let ground = ground(at);
    match &cell.shown {
        Shown::Value(value) if value.is_infinite() => {
            hatched(canvas, ground, HATCH_SPACING);
            draw_value(canvas, heatmap, cell, ground, sizes, (theme::INK, Some(theme::EMPTY)));
        }
        Shown::Value(value) => {
            let colour = colour::at(heatmap.scale.position(*value));
            canvas.fill(ground, colour);
            let undecided = cell.verdict == Some(Verdict::Undecided);
            if undecided {
                hatched_over(canvas, ground, colour);
            }
            draw_value(canvas, heatmap, cell, ground, sizes, (colour.ink(), undecided.then_some(colour)));
        }
        Shown::Failed(reason) => {
            hatched(canvas, ground, HATCH_SPACING);
            draw_words(canvas, ground, "failed", reason);
        }
        Shown::Missing => {
            hatched(canvas, ground, HATCH_SPACING);
            draw_words(canvas, ground, "not run", "");
        }
        Shown::Untested(side) => {
            implied(canvas, ground, HATCH_SPACING, *side);
            match side {
                Some(Side::Passing) => draw_words(canvas, ground, "implied ✓", "not run"),
                Some(Side::Failing) => draw_words(canvas, ground, "implied ✗", "not run"),
                None => draw_words(canvas, ground, "untested", ""),
            }
        }
        Shown::Nothing => {
            hatched(canvas, ground, HATCH_SPACING);
            draw_words(canvas, ground, "no value", "no such requests");
        }
        Shown::Invalid(reason) => {
            crossed(canvas, ground, HATCH_SPACING);
            draw_words(canvas, ground, "invalid", reason);
        }
    }
}

/// The hatching of a cell that has a value of which too little is known: lines that are quieter than its text.
pub fn hatched_over(canvas: &mut Canvas<'_>, at: Rect, ground: Colour) {
    canvas.hatch(at, HATCH_SPACING, Pen::new(ground.toward(ground.ink(), UNDECIDED_INK), 1));
}

/// Value, n and interval below each other, as a block in the middle, in an ink and on a plain ground where the cell is hatched.
fn draw_value(canvas: &mut Canvas<'_>, heatmap: &Heatmap, cell: &Cell, at: Rect, sizes: Sizes, look: (Colour, Option<Colour>)) {
    let (ink, ground) = look;
    let mut lines: Vec<(String, Type)> = Vec::new();
    let face = |size| Type::new(size, ink).align(Align::Middle);
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
    if cell.verdict == Some(Verdict::Undecided) {
        draw_undecided(canvas, at, sizes, ink);
    }
}

/// A word for why there is no value, and its reason where that fits.
pub fn draw_words(canvas: &mut Canvas<'_>, at: Rect, word: &str, reason: &str) {
    let room = at.width - 2 * PADDING;
    let fitting = |text: &str, sizes: &[i32]| {
        sizes.iter().copied().find(|size| *size + 6 <= at.height && words::width(text, *size, Weight::Regular) <= room)
    };
    let Some(size) = fitting(word, &[13, 12, 11, 10, 9]) else { return };
    let mut lines = vec![(word.to_owned(), Type::new(size, theme::INK).align(Align::Middle))];
    if at.height >= 48 {
        let small = Type::new(10, theme::SOFT_INK).align(Align::Middle);
        let most = if at.height >= 70 { 3 } else { 2 };
        lines.extend(words::wrap(reason, 10, Weight::Regular, room, 0, most).into_iter().map(|line| (line, small)));
    }
    draw_block(canvas, at, &lines, Some(theme::EMPTY));
}

/// Lines in the middle of a rectangle, each on a plain ground where one is given: there the rectangle is hatched.
pub fn draw_block(canvas: &mut Canvas<'_>, at: Rect, lines: &[(String, Type)], ground: Option<Colour>) {
    let leading = |face: &Type| face.size + 4;
    let height: i32 = lines.iter().map(|(_, face)| leading(face)).sum();
    let (x, y) = at.centre();
    let mut top = y - height / 2;
    for (text, face) in lines {
        if let Some(ground) = ground {
            let width = words::width(text, face.size, face.weight) + 6;
            canvas.fill(Rect { left: x - width / 2, top, width, height: leading(face) }, ground);
        }
        // Digits and capitals are 0.73 of the size high: this sets their middle into the middle of the line.
        let baseline = top + (leading(face) * 50 + face.size * 36) / 100;
        canvas.text(text, (x, baseline), *face);
        top += leading(face);
    }
}

/// Whether a cell's signs go into its upper corners; in a small one they stand beside its n.
fn signs_above(at: Rect) -> bool {
    at.width >= 72 && at.height >= 52
}

fn draw_undecided(canvas: &mut Canvas<'_>, at: Rect, sizes: Sizes, ink: Colour) {
    if signs_above(at) {
        let (baseline, size) = if is_narrow(at) { (at.bottom() - 5, 12) } else { (at.top + 16, 14) };
        canvas.text("?", (at.right() - 6, baseline), Type::new(size, ink).bold().align(Align::End));
    } else if sizes.value.is_some() {
        canvas.text("?", (at.right() - 2, at.bottom() - 3), Type::new(10, ink).bold().align(Align::End));
    } else {
        canvas.fill(corner(at), ink);
    }
}

/// Whether the value takes the whole width, so that signs stand beside n.
fn is_narrow(at: Rect) -> bool {
    at.width < 110
}

/// Draws the signs of a cell that stands out, side by side from the left; in a small cell between its edge and its n.
pub fn draw_marks(canvas: &mut Canvas<'_>, at: Rect, shapes: &[MarkShape], n: u64) {
    let above = signs_above(at) && !is_narrow(at);
    let beside_n = (at.width - words::width(&format!("n {n}"), 9, Weight::Regular)) / 2 - 2;
    let most = beside_n / i32::try_from(shapes.len().max(1)).unwrap_or(1) / 2;
    let radius = if above { 9 } else { (at.width.min(at.height) / 5).min(most).clamp(3, 6) };
    for (shape, n) in shapes.iter().zip(0..) {
        let x = at.left + radius + 2 + n * (2 * radius + 1);
        let y = if above { at.top + radius + 3 } else { at.bottom() - radius - 2 };
        mark(canvas, *shape, (x, y), radius);
    }
}
