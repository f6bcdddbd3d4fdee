//! The intervals of a line's points: a band where neighbours have both ends, a capped line where a point stands alone with one, a dashed ray
//! where so few samples do not give an end. Cells and the pixels of their points in; knows no axis.

use super::canvas::{Point, StrokeStyle, SvgCanvas};
use super::colour::RgbColour;
use crate::plot::figure::FigureCell;

const OPACITY: f64 = 0.18;
/// Ink and gap of a ray.
const DASH: &str = "3 3";
/// Half the width of the caps of an interval that stands alone.
const HALF: i32 = 6;

/// One point in pixels, with the ends of its interval where these are finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelInterval {
    pub x: i32,
    pub value: i32,
    pub low: Option<i32>,
    pub high: Option<i32>,
}

impl PixelInterval {
    /// A cell's interval; `None` where the cell has no finite value, or no end at all.
    pub fn of(cell: &FigureCell, x: i32, y_at: impl Fn(f64) -> i32) -> Option<Self> {
        let value = y_at(cell.finite()?);
        let end = |end: Option<f64>| end.filter(|end| end.is_finite()).map(&y_at);
        cell.low.or(cell.high)?;
        Some(Self { x, value, low: end(cell.low), high: end(cell.high) })
    }
}

/// Fills the band of neighbouring points. Between two of them it reaches to an end only where both have one: an end that one of them lacks
/// may be anywhere.
pub fn band(canvas: &mut SvgCanvas<'_>, run: &[PixelInterval], colour: RgbColour) {
    for pair in run.windows(2) {
        let (left, right) = (pair[0], pair[1]);
        let edge = |end: fn(&PixelInterval) -> Option<i32>| end(&left).zip(end(&right)).unwrap_or((left.value, right.value));
        let ((a, b), (c, d)) = (edge(|point| point.high), edge(|point| point.low));
        canvas.polygon([(left.x, a), (right.x, b), (right.x, d), (left.x, c)], colour, OPACITY);
    }
    for (n, point) in run.iter().enumerate() {
        let mut beside = n.checked_sub(1).and_then(|n| run.get(n)).into_iter().chain(run.get(n + 1));
        let (low, high) = (point.low.unwrap_or(point.value), point.high.unwrap_or(point.value));
        // What no band of a neighbour shows.
        if !beside.any(|other| other.low.is_some() >= point.low.is_some() && other.high.is_some() >= point.high.is_some()) {
            let pen = StrokeStyle::new(colour, 1);
            canvas.line((point.x, low), (point.x, high), pen);
            for end in [point.low, point.high].into_iter().flatten() {
                canvas.line((point.x - HALF, end), (point.x + HALF, end), pen);
            }
        }
    }
}

/// A dashed line from a point to the edge behind which the unknown end is, with a head.
pub fn ray(canvas: &mut SvgCanvas<'_>, from: Point, edge: i32, colour: RgbColour) {
    let (x, _) = from;
    let back = if edge < from.1 { 5 } else { -5 };
    canvas.path([from, (x, edge)], StrokeStyle::new(colour, 1), DASH);
    canvas.path([(x - 3, edge + back), (x, edge), (x + 3, edge + back)], StrokeStyle::new(colour, 1), "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_infinite_or_unknown_is_open() {
        let mut cell = FigureCell::value(2.0, 60);
        let y_at = |value: f64| if value < 2.0 { 90 } else { 80 };
        assert_eq!(PixelInterval::of(&cell, 5, y_at), None);
        cell.low = Some(1.0);
        let open = PixelInterval { x: 5, value: 80, low: Some(90), high: None };
        assert_eq!(PixelInterval::of(&cell, 5, y_at), Some(open));
        cell.high = Some(f64::INFINITY);
        assert_eq!(PixelInterval::of(&cell, 5, y_at), Some(open));
        cell.shown = crate::plot::figure::FigureCellContent::Value(f64::INFINITY);
        assert_eq!(PixelInterval::of(&cell, 5, y_at), None);
    }
}
