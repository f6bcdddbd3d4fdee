//! One request as a bar: pale while it waits for its first token, dark while its answer comes; a first turn in another colour and with a
//! dark edge at its start, so that a grey copy tells it too.

use super::canvas::{Canvas, Pen, Point, Rect};
use super::colour::Colour;
use crate::plot::theme;

const FIRST_TURN: (Colour, Colour) = (Colour(0xf7, 0xcb, 0xa6), Colour(0xd5, 0x5e, 0x00));
const LATER_TURN: (Colour, Colour) = (Colour(0xb3, 0xd6, 0xea), Colour(0x00, 0x5a, 0x8f));
const NOT_MEASURED: (Colour, Colour) = (Colour(0xe2, 0xe2, 0xe2), Colour(0x90, 0x90, 0x90));
/// The dark edge's width.
const EDGE: i32 = 2;

/// A request's bar in pixels: from its left to the first token (its right end where none came), to its right.
pub fn draw(canvas: &mut Canvas<'_>, at: Rect, first_token: i32, first_turn: bool, measured: bool) {
    let (pale, dark) = match (first_turn, measured) {
        (_, false) => NOT_MEASURED,
        (true, true) => FIRST_TURN,
        (false, true) => LATER_TURN,
    };
    let split = first_token.clamp(at.left, at.right());
    canvas.fill(Rect { width: split - at.left, ..at }, pale);
    canvas.fill(Rect { left: split, width: at.right() - split, ..at }, dark);
    if first_turn {
        canvas.fill(Rect { width: EDGE.min(at.width), ..at }, theme::INK);
    }
}

/// For the legend.
pub fn sample(canvas: &mut Canvas<'_>, at: Rect, first_turn: bool, measured: bool) {
    draw(canvas, Rect { top: at.top + 2, height: at.height - 4, ..at }, at.left + at.width / 2, first_turn, measured);
}

/// The time for which a request was due and not sent.
pub fn wait(canvas: &mut Canvas<'_>, from: Point, to: i32) {
    canvas.line(from, (to, from.1), Pen::new(theme::SOFT_INK, 1));
}
