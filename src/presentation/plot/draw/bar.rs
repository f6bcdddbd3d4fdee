//! One request as a bar: pale while it waits for its first token, dark while its answer comes; a first turn in another colour and with a
//! dark edge at its start, so that a grey copy tells it too.

use super::canvas::{PixelRect, Point, StrokeStyle, SvgCanvas};
use super::colour::RgbColour;
use crate::plot::theme;

const FIRST_TURN: (RgbColour, RgbColour) = (RgbColour(0xf7, 0xcb, 0xa6), RgbColour(0xd5, 0x5e, 0x00));
const LATER_TURN: (RgbColour, RgbColour) = (RgbColour(0xb3, 0xd6, 0xea), RgbColour(0x00, 0x5a, 0x8f));
const NOT_MEASURED: (RgbColour, RgbColour) = (RgbColour(0xe2, 0xe2, 0xe2), RgbColour(0x90, 0x90, 0x90));
/// The dark edge's width.
const EDGE: i32 = 2;

/// A request's bar in pixels: from its left to the first token (its right end where none came), to its right.
pub fn draw(canvas: &mut SvgCanvas<'_>, at: PixelRect, first_token: i32, first_turn: bool, measured: bool) {
    let (pale, dark) = match (first_turn, measured) {
        (_, false) => NOT_MEASURED,
        (true, true) => FIRST_TURN,
        (false, true) => LATER_TURN,
    };
    let split = first_token.clamp(at.left, at.right());
    canvas.fill(PixelRect { width: split - at.left, ..at }, pale);
    canvas.fill(PixelRect { left: split, width: at.right() - split, ..at }, dark);
    if first_turn {
        canvas.fill(PixelRect { width: EDGE.min(at.width), ..at }, theme::INK);
    }
}

/// For the legend.
pub fn sample(canvas: &mut SvgCanvas<'_>, at: PixelRect, first_turn: bool, measured: bool) {
    draw(canvas, PixelRect { top: at.top + 2, height: at.height - 4, ..at }, at.left + at.width / 2, first_turn, measured);
}

/// The time for which a request was due and not sent.
pub fn wait(canvas: &mut SvgCanvas<'_>, from: Point, to: i32) {
    canvas.line(from, (to, from.1), StrokeStyle::new(theme::SOFT_INK, 1));
}
