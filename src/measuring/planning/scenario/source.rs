//! The texts that a scenario is made of (files and command line flags), and places in them.

use std::sync::Arc;

use super::redaction::starred;

/// A text with the name it is shown under.
#[derive(Debug)]
pub struct SourceText {
    /// A file's path as it was given, or the flag.
    pub name: String,
    pub text: String,
    /// The text as it may be shown beside a fault: with what looks like a secret starred out, and nothing that moves a cursor, byte for
    /// byte, so that places stay.
    pub shown: String,
}

/// All texts of one load. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct SourceMap(Vec<Arc<SourceText>>);

impl SourceMap {
    /// Adds a text; the place returned is all of it.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceSpan {
        let text = text.into();
        let place = SourceSpan { source: offset(self.0.len()), start: 0, end: offset(text.len()) };
        let shown = visible(&starred(&text));
        self.0.push(Arc::new(SourceText { name: name.into(), text, shown }));
        place
    }

    pub fn get(&self, place: SourceSpan) -> &Arc<SourceText> {
        &self.0[place.source as usize]
    }

    /// The first place of `part` within a place, or all of it where `part` is written in another way (escapes).
    pub fn within(&self, place: SourceSpan, part: &str) -> SourceSpan {
        match self.text(place).find(part) {
            Some(start) => place.at(place.start as usize + start, place.start as usize + start + part.len()),
            None => place,
        }
    }

    /// The text at a place.
    pub fn text(&self, place: SourceSpan) -> &str {
        self.get(place).text.get(place.start as usize..place.end as usize).unwrap_or_default()
    }
}

/// A byte range of one of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceSpan {
    source: u32,
    pub start: u32,
    pub end: u32,
}

impl SourceSpan {
    /// Another range of the same text.
    #[must_use]
    pub fn at(self, start: usize, end: usize) -> Self {
        Self { start: offset(start), end: offset(end), ..self }
    }

    /// Whether both are places of the same text.
    pub fn same_source(self, other: Self) -> bool {
        self.source == other.source
    }
}

/// Texts beyond 4 GB are cut short on reading, long before an offset could be out of range.
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The control characters beyond ASCII as dots of as many bytes; those of ASCII are made visible where the text is laid out.
fn visible(text: &str) -> String {
    text.replace(|c| matches!(c, '\u{80}'..='\u{9f}'), "\u{b7}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_a_cursor_is_shown_as_a_dot_of_as_many_bytes() {
        let text = "a: \u{96}b\u{9b}31m é\n";
        assert_eq!(visible(text), "a: ·b·31m é\n");
        assert_eq!(visible(text).len(), text.len());
    }
}
