//! Which ticks of a scale stand where on an axis of so many pixels.

use crate::plot::figure::{PlotScale, ScaleMapping};

/// Places (pixels from the low end) and values of the ticks that stand at least `gap` pixels from each other and from what is already
/// `taken`. Whole decades of a log scale come first, so that these are what stays where there is no room for all.
pub fn spaced(scale: PlotScale, length: i32, gap: i32, taken: &[i32]) -> Vec<(i32, f64)> {
    let mut values = scale.ticks();
    if scale.mapping == ScaleMapping::Log {
        values.sort_by_key(|value| u8::from((value.log10() - value.log10().round()).abs() > 1e-6));
    }
    let mut ticks: Vec<(i32, f64)> = Vec::new();
    for value in values {
        let at = place(scale, value, length);
        let free = |other: &i32| (other - at).abs() >= gap;
        if taken.iter().all(free) && ticks.iter().all(|(other, _)| free(other)) {
            ticks.push((at, value));
        }
    }
    ticks.sort_by_key(|(at, _)| *at);
    ticks
}

/// Pixels from the scale's low end.
#[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
pub fn place(scale: PlotScale, value: f64, length: i32) -> i32 {
    (scale.position(value) * f64::from(length)).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_stay_where_there_is_no_room_for_all() {
        let scale = PlotScale { low: 0.1, high: 100.0, mapping: ScaleMapping::Log };
        let values: Vec<f64> = spaced(scale, 90, 15, &[]).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, [0.1, 1.0, 10.0, 100.0]);
        assert_eq!(spaced(scale, 900, 15, &[]).len(), 10);
    }

    #[test]
    fn ticks_keep_away_from_what_is_there() {
        let scale = PlotScale { low: 0.0, high: 10.0, mapping: ScaleMapping::Linear };
        let ticks = spaced(scale, 100, 15, &[50]);
        assert!(!ticks.is_empty());
        assert!(ticks.iter().all(|(at, _)| (at - 50).abs() >= 15));
        assert!(ticks.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 15));
    }
}
