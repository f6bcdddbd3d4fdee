//! What was said in one request: a line of `texts.jsonl`, written only where a sweep was asked to keep prompts and answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Prompt and answer of one request, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestText {
    /// The number of the request's row.
    pub request: u64,
    pub session: u64,
    pub turn: u32,
    /// The whole conversation up to and including this turn's question.
    pub messages: Vec<RecordedMessage>,
    /// The answer's content, without reasoning; of a failed request what had come of it.
    pub answer: RecordedText,
}

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedMessage {
    /// `system`, `user`, `assistant`
    pub role: String,
    #[serde(flatten)]
    pub said: RecordedText,
}

/// A text, or the head of a long one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedText {
    pub text: Arc<str>,
    /// How many bytes of its end were left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_bytes: Option<u64>,
}

impl RecordedText {
    /// The longest text that is kept whole, in bytes.
    pub const LONGEST: usize = 64 * 1024;

    /// Takes a text as it may be kept, cut between two characters where it is too long.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let end = text.floor_char_boundary(Self::LONGEST);
        let cut = text.len() - end;
        Self { text: text[..end].into(), cut_bytes: (cut > 0).then_some(cut as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_two_characters_and_says_by_how_much() {
        let whole = "a".repeat(RecordedText::LONGEST);
        assert_eq!(RecordedText::of(&whole), RecordedText { text: whole.as_str().into(), cut_bytes: None });
        // The two bytes of `ä` lie across the limit.
        let long = format!("{}ä!", "a".repeat(RecordedText::LONGEST - 1));
        let kept = RecordedText::of(&long);
        assert_eq!((kept.text.len(), kept.cut_bytes), (RecordedText::LONGEST - 1, Some(3)));
    }
}
