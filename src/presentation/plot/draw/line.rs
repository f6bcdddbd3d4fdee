//! How the lines of a curve are told apart: by marker and dash as well as by colour, so that a grey copy does too.

use super::canvas::{Point, StrokeStyle, SvgCanvas};
use super::colour::{self, RgbColour};
use crate::plot::theme;

const LINE_WIDTH: u32 = 2;
/// Pixels of ink and of gap, in turn; an empty pattern is a solid line.
const DASHES: [&str; 4] = ["", "9 5", "3 4", "12 4 3 4"];

/// The look of one line.
#[derive(Debug, Clone, Copy)]
pub struct LineStyle {
    pub colour: RgbColour,
    dash: &'static str,
    marker: LineMarker,
}

#[derive(Debug, Clone, Copy)]
enum LineMarker {
    Disc,
    Square,
    Triangle,
    Diamond,
    Down,
}

const MARKERS: [LineMarker; 5] = [LineMarker::Disc, LineMarker::Square, LineMarker::Triangle, LineMarker::Diamond, LineMarker::Down];

/// Whether a marker is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerFill {
    Full,
    /// For a point whose verdict is undecided.
    Hollow,
}

impl LineStyle {
    /// The look of the line with that number; colours repeat after 6, markers after 5, dashes after 4, all three together after 60.
    pub fn of(number: usize) -> Self {
        Self {
            colour: colour::LINES[number % colour::LINES.len()],
            dash: DASHES[number % DASHES.len()],
            marker: MARKERS[number % MARKERS.len()],
        }
    }

    pub fn draw_line(self, canvas: &mut SvgCanvas<'_>, points: &[Point]) {
        canvas.path(points.iter().copied(), StrokeStyle::new(self.colour, LINE_WIDTH), self.dash);
    }

    pub fn draw_marker(self, canvas: &mut SvgCanvas<'_>, at: Point, fill: MarkerFill) {
        self.draw_rings(canvas, at, [7, 5, 3], fill);
    }

    /// A marker of that radius, where many stand close.
    pub fn draw_small_marker(self, canvas: &mut SvgCanvas<'_>, at: Point, radius: i32, fill: MarkerFill) {
        self.draw_rings(canvas, at, [radius + 1, radius, radius - 2], fill);
    }

    /// Casing, ink, and paper where it is hollow.
    fn draw_rings(self, canvas: &mut SvgCanvas<'_>, at: Point, [casing, ink, hole]: [i32; 3], fill: MarkerFill) {
        let inner = match fill {
            MarkerFill::Full => None,
            MarkerFill::Hollow => Some((hole, theme::PAPER)),
        };
        for (radius, colour) in [(casing, theme::PAPER), (ink, self.colour)].into_iter().chain(inner) {
            self.marker.draw(canvas, at, radius, colour);
        }
    }
}

impl LineMarker {
    fn draw(self, canvas: &mut SvgCanvas<'_>, (x, y): Point, radius: i32, colour: RgbColour) {
        // Corners reach farther than a disc of equal weight.
        let far = radius + 1;
        match self {
            Self::Disc => canvas.disc((x, y), radius.unsigned_abs(), colour),
            Self::Square => canvas.polygon(
                [(x - radius, y - radius), (x + radius, y - radius), (x + radius, y + radius), (x - radius, y + radius)],
                colour,
                1.0,
            ),
            Self::Triangle => canvas.polygon([(x, y - far), (x + far, y + radius), (x - far, y + radius)], colour, 1.0),
            Self::Diamond => canvas.polygon([(x, y - far), (x + far, y), (x, y + far), (x - far, y)], colour, 1.0),
            Self::Down => canvas.polygon([(x, y + far), (x + far, y - radius), (x - far, y - radius)], colour, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_lines_differ_in_every_way() {
        for number in 0..60 {
            let (a, b) = (LineStyle::of(number), LineStyle::of(number + 1));
            assert_ne!(a.colour, b.colour);
            assert_ne!(a.dash, b.dash);
            assert_ne!(std::mem::discriminant(&a.marker), std::mem::discriminant(&b.marker));
        }
    }
}
