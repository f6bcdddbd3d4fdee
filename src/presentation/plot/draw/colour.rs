//! Colours: the scale of the heatmaps, and what can be read on them.

/// sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RgbColour(pub u8, pub u8, pub u8);

/// Viridis (van der Walt and Smith, public domain) at equal steps: perceptually even, the same for the colour-blind, and of steadily
/// changing lightness, so that a grey copy tells the same.
const VIRIDIS: [RgbColour; 17] = [
    RgbColour(0x44, 0x01, 0x54),
    RgbColour(0x48, 0x18, 0x6a),
    RgbColour(0x47, 0x2d, 0x7b),
    RgbColour(0x42, 0x40, 0x86),
    RgbColour(0x3b, 0x52, 0x8b),
    RgbColour(0x33, 0x63, 0x8d),
    RgbColour(0x2c, 0x72, 0x8e),
    RgbColour(0x26, 0x82, 0x8e),
    RgbColour(0x21, 0x91, 0x8c),
    RgbColour(0x1f, 0x9f, 0x88),
    RgbColour(0x27, 0xad, 0x81),
    RgbColour(0x3d, 0xbc, 0x74),
    RgbColour(0x5c, 0xc8, 0x63),
    RgbColour(0x81, 0xd3, 0x4d),
    RgbColour(0xaa, 0xdc, 0x32),
    RgbColour(0xd5, 0xe2, 0x1a),
    RgbColour(0xfd, 0xe7, 0x25),
];

/// The colour at a position between 0 (low) and 1 (high). Dark is more: on white paper that is how people take it (Schloss et al. 2019).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the position is clamped first")]
pub fn at(position: f64) -> RgbColour {
    let last = VIRIDIS.len() - 1;
    let place = (1.0 - position.clamp(0.0, 1.0)) * 16.0;
    let index = (place as usize).min(last - 1);
    let share = place - place.floor().min(15.0);
    VIRIDIS[index].toward(VIRIDIS[index + 1], share)
}

/// What is better (blue, `position` 0) and worse (orange, 1) than no change (0.5, nearly white), for the colour-blind too. A grey copy tells
/// only how much: whoever uses it adds a sign.
pub fn diverging(position: f64) -> RgbColour {
    const STOPS: [RgbColour; 5] = [
        RgbColour(0x21, 0x66, 0xac),
        RgbColour(0x92, 0xc5, 0xde),
        RgbColour(0xf7, 0xf7, 0xf7),
        RgbColour(0xfd, 0xb8, 0x63),
        RgbColour(0xb3, 0x58, 0x06),
    ];
    let place = position.clamp(0.0, 1.0) * 4.0;
    let pairs = [(0.0, 0), (1.0, 1), (2.0, 2), (3.0, 3)];
    let (start, index) = pairs.into_iter().rev().find(|(start, _)| place >= *start).unwrap_or((0.0, 0));
    STOPS[index].toward(STOPS[index + 1], place - start)
}

impl RgbColour {
    /// This colour with a share (0 to 1) of another one in it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two channels' values")]
    pub fn toward(self, other: Self, share: f64) -> Self {
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share.clamp(0.0, 1.0)).round() as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// Relative luminance as WCAG 2 defines it, from 0 to 1.
    pub fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// WCAG 2 contrast ratio, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Black or white, whichever is read better on this colour; one of them always has a contrast above 4.5.
    pub fn ink(self) -> Self {
        let (black, white) = (Self(0, 0, 0), Self(0xff, 0xff, 0xff));
        if self.contrast(black) >= self.contrast(white) { black } else { white }
    }
}

/// Line colours that differ for the colour-blind too (Okabe and Ito 2008), in order of use.
pub const LINES: [RgbColour; 6] = [
    RgbColour(0x00, 0x72, 0xb2),
    RgbColour(0xd5, 0x5e, 0x00),
    RgbColour(0x00, 0x7f, 0x5f),
    RgbColour(0xa8, 0x4f, 0x85),
    RgbColour(0x30, 0x30, 0x30),
    RgbColour(0x3d, 0x9b, 0xd0),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn positions() -> impl Iterator<Item = f64> {
        (0..=1000).map(|n| f64::from(n) / 1000.0)
    }

    #[test]
    fn more_is_darker_all_the_way() {
        let lightness: Vec<f64> = positions().map(|position| at(position).luminance()).collect();
        assert!(lightness.windows(2).all(|pair| pair[1] <= pair[0] + 1e-3));
        assert!(lightness[0] > 0.75 && lightness[1000] < 0.02);
    }

    #[test]
    fn the_ends_are_the_scales_ends_and_beyond_stays_there() {
        assert_eq!(at(0.0), RgbColour(0xfd, 0xe7, 0x25));
        assert_eq!(at(1.0), RgbColour(0x44, 0x01, 0x54));
        assert_eq!(at(7.0), at(1.0));
        assert_eq!(at(f64::NEG_INFINITY), at(0.0));
    }

    #[test]
    fn better_and_worse_part_at_no_change_and_are_equally_dark() {
        assert_eq!(diverging(0.5), RgbColour(0xf7, 0xf7, 0xf7));
        assert!((diverging(0.0).luminance() - diverging(1.0).luminance()).abs() < 0.05);
        assert!(positions().all(|position| diverging(position).contrast(diverging(position).ink()) >= 4.5));
    }

    #[test]
    fn ink_can_be_read_on_every_colour_of_the_scale() {
        for position in positions() {
            let colour = at(position);
            assert!(colour.contrast(colour.ink()) >= 4.5, "{position}: {}", colour.contrast(colour.ink()));
        }
    }
}
