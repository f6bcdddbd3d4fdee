//! A text and the numbers in it, so that texts that differ in their numbers alone are told as one: `2 to 31 of 60 requests`.
//!
//! In: texts for people. Out: the same, with a span for each number that is not the same in all.

use std::fmt;

/// A text in parts, with a number behind each part but the last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NumberedText {
    parts: Vec<String>,
    /// The smallest and the largest, as they are written.
    spans: Vec<(String, String)>,
}

impl NumberedText {
    /// Numbers stand by themselves: not in a name (`http_503`, `C=4`), in a path or in quotes.
    pub fn of(text: &str) -> Self {
        let (mut parts, mut spans) = (vec![String::new()], Vec::new());
        let mut is_quoted = false;
        for word in text.split_inclusive(' ') {
            let bare = word.trim_end().trim_start_matches('(').trim_end_matches([',', ';', ')', ':', '.']);
            let is_number = !bare.is_empty() && !is_quoted && bare.parse::<f64>().is_ok_and(f64::is_finite);
            is_quoted ^= word.matches('`').count() % 2 == 1;
            let last = parts.last_mut();
            match (last, word.find(bare).filter(|_| is_number)) {
                (Some(last), Some(at)) => {
                    last.push_str(&word[..at]);
                    spans.push((bare.to_owned(), bare.to_owned()));
                    parts.push(word[at + bare.len()..].to_owned());
                }
                (Some(last), None) => last.push_str(word),
                (None, _) => {}
            }
        }
        Self { parts, spans }
    }

    /// The same for texts that differ in their numbers alone.
    pub fn key(&self) -> String {
        self.parts.join("\u{0}")
    }

    /// Takes in the numbers of a text with the same parts.
    pub fn widen(&mut self, other: &Self) {
        let number = |text: &str| text.parse::<f64>().unwrap_or_default();
        for ((least, most), (low, high)) in self.spans.iter_mut().zip(&other.spans) {
            if number(low) < number(least) {
                least.clone_from(low);
            }
            if number(high) > number(most) {
                most.clone_from(high);
            }
        }
    }
}

impl fmt::Display for NumberedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            f.write_str(part)?;
            match self.spans.get(index) {
                Some((least, most)) if least == most => f.write_str(least)?,
                Some((least, most)) => write!(f, "{least} to {most}")?,
                None => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_their_numbers_alone_are_one_with_spans() {
        let note = |opened, all, ms| format!("{opened} of {all} requests had to open a connection first, which took {ms} ms at the median");
        let mut text = NumberedText::of(&note(2, 60, "0.4"));
        for other in [note(31, 60, "1.5"), note(12, 60, "0.9")] {
            let other = NumberedText::of(&other);
            assert_eq!(other.key(), text.key());
            text.widen(&other);
        }
        assert_eq!(text.to_string(), "2 to 31 of 60 requests had to open a connection first, which took 0.4 to 1.5 ms at the median");
    }

    #[test]
    fn a_text_reads_as_before_and_numbers_in_names_are_no_numbers() {
        for text in [
            "",
            " ",
            "no number",
            "12",
            "(send lag p99 102 ms), so (3)",
            "a  b 1e3.",
            "`exit status 7 of 9` and `x",
            "3 http_503 at C=4, S=2",
        ] {
            assert_eq!(NumberedText::of(text).to_string(), text);
        }
        assert_ne!(NumberedText::of("3 http_503").key(), NumberedText::of("3 http_504").key());
        assert_ne!(NumberedText::of("the server said `code 7`").key(), NumberedText::of("the server said `code 8`").key());
        assert_eq!(NumberedText::of("3 http_503").key(), NumberedText::of("4 http_503").key());
    }
}
