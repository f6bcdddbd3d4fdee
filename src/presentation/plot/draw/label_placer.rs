//! Words beside markers, where neither a marker nor other words stand. Markers and words in, places out; draws a pale ground under the words,
//! so that lines behind do not strike them through.

use super::canvas::{FontWeight, LabelStyle, PixelRect, Point, SvgCanvas};
use super::colour::RgbColour;
use super::words;
use crate::plot::theme;

pub const SIZE: i32 = 10;
/// Half a marker, with its rim.
const MARKER: i32 = 6;

/// What is taken of a plot.
pub struct LabelPlacer {
    within: PixelRect,
    taken: Vec<PixelRect>,
}

impl LabelPlacer {
    pub fn new(within: PixelRect, markers: impl IntoIterator<Item = Point>) -> Self {
        let around = |(x, y): Point| PixelRect { left: x - MARKER, top: y - MARKER, width: 2 * MARKER, height: 2 * MARKER };
        Self { within, taken: markers.into_iter().map(around).collect() }
    }

    /// Draws words beside a marker; says whether there was room.
    pub fn draw(&mut self, canvas: &mut SvgCanvas<'_>, marker: Point, text: &str, colour: RgbColour) -> bool {
        let Some(place) = self.place(marker, words::width(text, SIZE, FontWeight::Regular)) else { return false };
        canvas.polygon(corners(place), theme::PAPER, 0.75);
        // A line's colour is for lines; letters are thinner and need more ink.
        canvas.text(text, (place.left, place.bottom() - 3), LabelStyle::new(SIZE, colour.toward(theme::INK, 0.35)));
        self.taken.push(place);
        true
    }

    /// Right of the marker, left of it, above or below, whichever is free first.
    fn place(&self, (x, y): Point, width: i32) -> Option<PixelRect> {
        let at = |left: i32, top: i32| PixelRect { left, top, width, height: SIZE + 2 };
        let (middle, gap) = (y - SIZE / 2 - 1, MARKER + 3);
        let beside = [at(x + gap, middle - 7), at(x + gap, middle + 7), at(x - gap - width, middle - 7), at(x - gap - width, middle + 7)];
        let above = [at(x - width / 2, y - gap - SIZE - 2), at(x - width / 2, y + gap)];
        let inside = |place: &PixelRect| {
            let (plot, top) = (self.within, place.top >= self.within.top);
            top && place.left > plot.left && place.right() < plot.right() && place.bottom() < plot.bottom()
        };
        let free = |place: &PixelRect| inside(place) && self.taken.iter().all(|other| apart(*place, *other));
        beside.into_iter().chain(above).find(free)
    }
}

fn corners(at: PixelRect) -> [Point; 4] {
    [(at.left, at.top), (at.right(), at.top), (at.right(), at.bottom()), (at.left, at.bottom())]
}

pub fn apart(a: PixelRect, b: PixelRect) -> bool {
    a.right() <= b.left || b.right() <= a.left || a.bottom() <= b.top || b.bottom() <= a.top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_take_the_first_free_side_and_none_where_all_are_taken() {
        let plot = PixelRect { left: 0, top: 0, width: 200, height: 200 };
        let mut beside = LabelPlacer::new(plot, [(100, 100)]);
        let mut places = Vec::new();
        while let Some(place) = beside.place((100, 100), 16) {
            assert!(beside.taken.iter().all(|other| apart(place, *other)), "{place:?}");
            beside.taken.push(place);
            places.push(place);
        }
        assert_eq!(places.len(), 6);
        assert!(places[0].left > 100 && places[2].right() < 100);
        assert_eq!(LabelPlacer::new(plot, []).place((199, 1), 300), None, "beyond the plot");
    }
}
