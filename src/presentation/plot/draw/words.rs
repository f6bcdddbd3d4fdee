//! How wide words are in the embedded font, and how long ones are broken or shortened.

use std::sync::Once;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

use super::canvas::FontWeight;
use crate::plot::theme;

/// Widths are asked for at this size: the font gives whole pixels.
const MEASURED_SIZE: f64 = 1000.0;

static FONTS: Once = Once::new();

/// Width in pixels, rounded up.
#[expect(clippy::cast_possible_truncation, reason = "a text is far narrower than 2^31 pixels")]
pub fn width(text: &str, size: i32, weight: FontWeight) -> i32 {
    FONTS.call_once(|| {
        // A font that is part of the program can be read; if not, the estimate below stands in.
        let _ = register_font(theme::FONT_FAMILY, FontStyle::Normal, dejavu::sans::regular());
        let _ = register_font(theme::FONT_FAMILY, FontStyle::Bold, dejavu::sans::bold());
    });
    let style = match weight {
        FontWeight::Regular => FontStyle::Normal,
        FontWeight::Bold => FontStyle::Bold,
    };
    let font = FontDesc::new(FontFamily::Name(theme::FONT_FAMILY), MEASURED_SIZE * theme::FONT_HEIGHT, style);
    let share = font.box_size(text).map_or_else(
        |_| f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)) * 0.65,
        |(width, _)| f64::from(width) / MEASURED_SIZE,
    );
    (share * f64::from(size)).ceil() as i32
}

/// Breaks a text between words into lines of at most `most` pixels, the first one `indent` pixels narrower, and shortens what is too
/// long even so: a word that fills a line, and what is left after `lines` lines.
pub fn wrap(text: &str, size: i32, weight: FontWeight, most: i32, indent: i32, lines: usize) -> Vec<String> {
    let mut done: Vec<String> = Vec::new();
    let mut line = String::new();
    let room = |done: &[String]| if done.is_empty() { most - indent } else { most };
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.peek() {
        let longer = if line.is_empty() { (*word).to_owned() } else { format!("{line} {word}") };
        if width(&longer, size, weight) <= room(&done) || line.is_empty() {
            line = longer;
            words.next();
            continue;
        }
        if done.len() + 1 == lines {
            break;
        }
        done.push(std::mem::take(&mut line));
    }
    let rest: Vec<&str> = words.collect();
    if !rest.is_empty() {
        line = format!("{line} {}", rest.join(" "));
    }
    if !line.is_empty() {
        done.push(line);
    }
    done.iter().enumerate().map(|(n, line)| shorten(line, size, weight, if n == 0 { most - indent } else { most })).collect()
}

/// Cuts a text to at most `most` pixels, with an ellipsis where something is missing.
pub fn shorten(text: &str, size: i32, weight: FontWeight, most: i32) -> String {
    if width(text, size, weight) <= most {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let shorter = format!("{}…", kept.iter().collect::<String>().trim_end());
        if width(&shorter, size, weight) <= most {
            return shorter;
        }
    }
    String::new()
}

/// Cuts a name to at most `most` pixels in its middle, so that names that differ at their ends still do.
pub fn squeeze(text: &str, size: i32, weight: FontWeight, most: i32) -> String {
    if width(text, size, weight) <= most {
        return text.to_owned();
    }
    let all: Vec<char> = text.chars().collect();
    let squeezed = |kept: usize| {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        all[..head].iter().chain(&['…']).chain(&all[all.len() - tail..]).collect::<String>()
    };
    (0..all.len()).rev().map(squeezed).find(|text| width(text, size, weight) <= most).unwrap_or_default()
}

/// What XML can hold on one line: control characters become spaces.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // From DejaVu Sans' own tables: a digit is 1303 of 2048 units wide, in bold 1425.
        assert_eq!(width("0000000000", 20, FontWeight::Regular), 128);
        assert_eq!(width("0000000000", 20, FontWeight::Bold), 140);
        assert_eq!(width("", 20, FontWeight::Regular), 0);
    }

    #[test]
    fn lines_fit_and_nothing_is_lost_while_there_is_room() {
        let text = "p95 of time to first token over follow-up turns, seconds";
        let lines = wrap(text, 12, FontWeight::Regular, 120, 30, 9);
        assert!(lines.len() > 2);
        assert_eq!(lines.join(" "), text);
        assert!(width(&lines[0], 12, FontWeight::Regular) <= 90);
        assert!(lines.iter().all(|line| width(line, 12, FontWeight::Regular) <= 120));
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        let lines = wrap(&"word ".repeat(100), 12, FontWeight::Regular, 200, 0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…'), "{lines:?}");
        let one = wrap(&"x".repeat(500), 12, FontWeight::Bold, 200, 0, 2);
        assert!(one.len() == 1 && one[0].ends_with('…') && width(&one[0], 12, FontWeight::Bold) <= 200);
        assert_eq!(shorten("abc", 12, FontWeight::Regular, 1), "");
    }

    #[test]
    fn names_that_differ_at_their_ends_differ_when_they_are_cut() {
        let cut = |end: &str| squeeze(&format!("{}{end}", "long-name-".repeat(20)), 12, FontWeight::Regular, 160);
        assert!(cut("-one").ends_with("-one") && cut("-two").ends_with("-two") && cut("-one").starts_with("long-name-"), "{}", cut("-one"));
        assert!(width(&cut("-one"), 12, FontWeight::Regular) <= 160);
        assert_eq!(squeeze("short", 12, FontWeight::Regular, 160), "short");
        assert_eq!(squeeze("äöü", 12, FontWeight::Regular, 1), "");
    }

    #[test]
    fn control_characters_do_not_reach_the_document() {
        assert_eq!(printable("a\u{0}b\nc\u{1b}[31m"), "a b c [31m");
    }
}
