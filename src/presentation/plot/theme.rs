//! Sizes, fonts and colours that all pictures share: pixels of the SVG at scale 1, which a PNG doubles.

use super::draw::colour::RgbColour;

/// For browsers, in order; a PNG is always set in the embedded `DejaVu Sans`.
pub const FONT_FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";
/// The embedded font's ascent plus descent over its size, from its `hhea` table: (1901 + 483) / 2048.
pub const FONT_HEIGHT: f64 = 2384.0 / 2048.0;

pub const TITLE_SIZE: i32 = 18;
pub const SUBTITLE_SIZE: i32 = 12;
pub const AXIS_NAME_SIZE: i32 = 13;
pub const TICK_SIZE: i32 = 12;
pub const LEGEND_SIZE: i32 = 12;

/// Between the page's edge and everything else.
pub const MARGIN: i32 = 20;
/// Titles are not broken into lines narrower than this, however narrow the plot is.
pub const LEAST_PAGE_WIDTH: i32 = 560;

pub const PAPER: RgbColour = RgbColour(0xff, 0xff, 0xff);
pub const INK: RgbColour = RgbColour(0x1a, 0x1a, 0x1a);
/// For what stands behind: subtitles, tick marks.
pub const SOFT_INK: RgbColour = RgbColour(0x50, 0x50, 0x50);
pub const GRID: RgbColour = RgbColour(0xdd, 0xdd, 0xdd);
/// Cells without a value.
pub const EMPTY: RgbColour = RgbColour(0xf2, 0xf2, 0xf2);
pub const HATCH: RgbColour = RgbColour(0xbd, 0xbd, 0xbd);
/// The limit; drawn on a white casing, so that it is seen on any colour and in grey.
pub const LIMIT: RgbColour = RgbColour(0xd4, 0x00, 0x3a);
pub const LIMIT_WIDTH: u32 = 4;
pub const CASING_WIDTH: u32 = 8;
