//! A sentence for people of which a part came from outside: any text in, one line out that moves no cursor and ends.
//!
//! Knows nothing of what is said. Texts of servers go through `endpoint`, which masks secrets as well.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The most characters of a sentence; what is longer is cut in the middle, since sentences end with what to do.
const MOST: usize = 1_200;

/// The text with control characters written as escapes, and cut where it is longer than a screen.
pub fn sentence(text: &str) -> Cow<'_, str> {
    let is_foreign = |c: char| c.is_control() || is_invisible(c);
    if text.len() <= MOST && !text.contains(is_foreign) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::new();
    for c in text.chars() {
        if is_foreign(c) {
            let _ = write!(plain, "{}", c.escape_default());
        } else {
            plain.push(c);
        }
    }
    let length = plain.chars().count();
    if length <= MOST {
        return Cow::Owned(plain);
    }
    let head = plain.chars().take(MOST - MOST / 4);
    let tail = plain.chars().skip(length - MOST / 4);
    Cow::Owned(head.chain(" ... ".chars()).chain(tail).collect())
}

/// What turns the direction of a line, or breaks it, without being a control character.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plain_is_left_alone() {
        for text in ["", "`naïve \u{1F980}` is no model", "a  b"] {
            assert!(matches!(sentence(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_would_move_a_cursor_or_break_the_line_is_written_out() {
        assert_eq!(sentence("`\u{1b}[31m\n\t\u{9b}\u{202e}` is"), "`\\u{1b}[31m\\n\\t\\u{9b}\\u{202e}` is");
    }

    #[test]
    fn a_text_without_end_is_cut_in_the_middle_and_keeps_what_to_do() {
        let long = format!("`{}` is no field; write `rounds`", "é\u{7}".repeat(100_000));
        let cut = sentence(&long);
        assert!(cut.chars().count() < MOST + 10 && cut.starts_with("`é\\u{7}é") && cut.ends_with("is no field; write `rounds`"), "{cut}");
    }
}
