//! How the lines of a curve are told apart: by marker and dash as well as by colour, so that a grey copy does too.

use super::canvas::{Canvas, Pen, Point};
use super::colour::{self, Colour};
use crate::plot::theme;

const LINE_WIDTH: u32 = 2;
/// Pixels of ink and of gap, in turn; an empty pattern is a solid line.
const DASHES: [&str; 4] = ["", "9 5", "3 4", "12 4 3 4"];

/// The look of one line.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub colour: Colour,
    dash: &'static str,
    marker: Marker,
}

#[derive(Debug, Clone, Copy)]
enum Marker {
    Disc,
    Square,
    Triangle,
    Diamond,
    Down,
}

const MARKERS: [Marker; 5] = [Marker::Disc, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::Down];

/// Whether a marker is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    Full,
    /// For a point whose verdict is undecided.
    Hollow,
}

impl Look {
    /// The look of the line with that number; colours repeat after 6, markers after 5, dashes after 4, all three together after 60.
    pub fn of(number: usize) -> Self {
        Self {
            colour: colour::LINES[number % colour::LINES.len()],
            dash: DASHES[number % DASHES.len()],
            marker: MARKERS[number % MARKERS.len()],
        }
    }

    pub fn draw_line(self, canvas: &mut Canvas<'_>, points: &[Point]) {
        canvas.path(points.iter().copied(), Pen::new(self.colour, LINE_WIDTH), self.dash);
    }

    pub fn draw_marker(self, canvas: &mut Canvas<'_>, at: Point, fill: Fill) {
        self.draw_rings(canvas, at, [7, 5, 3], fill);
    }

    /// A marker of that radius, where many stand close.
    pub fn draw_small_marker(self, canvas: &mut Canvas<'_>, at: Point, radius: i32, fill: Fill) {
        self.draw_rings(canvas, at, [radius + 1, radius, radius - 2], fill);
    }

    /// Casing, ink, and paper where it is hollow.
    fn draw_rings(self, canvas: &mut Canvas<'_>, at: Point, [casing, ink, hole]: [i32; 3], fill: Fill) {
        let inner = match fill {
            Fill::Full => None,
            Fill::Hollow => Some((hole, theme::PAPER)),
        };
        for (radius, colour) in [(casing, theme::PAPER), (ink, self.colour)].into_iter().chain(inner) {
            self.marker.draw(canvas, at, radius, colour);
        }
    }
}

impl Marker {
    fn draw(self, canvas: &mut Canvas<'_>, (x, y): Point, radius: i32, colour: Colour) {
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
            let (a, b) = (Look::of(number), Look::of(number + 1));
            assert_ne!(a.colour, b.colour);
            assert_ne!(a.dash, b.dash);
            assert_ne!(std::mem::discriminant(&a.marker), std::mem::discriminant(&b.marker));
        }
    }
}
