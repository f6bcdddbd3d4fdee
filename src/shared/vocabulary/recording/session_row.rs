//! The layouts of recorded sessions, told by what is in a row, and the rows that are one turn. In goes a row, out comes what it says.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::error::in_words;
use super::trace_layout::TraceLayout;
use crate::foundation::sentence::sentence;

/// What a file of sessions is, told by its first row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SessionLayout {
    /// `messages` as `OpenAI` writes them, `conversations` as `ShareGPT` has them, or one `prompt`: a session a row.
    Conversations,
    /// A turn a row, with `session_id`, a `timestamp` or a `delay`, and a text or a length.
    Turns,
    /// A turn a row, with `chat_id` and `parent_chat_id`, and hash ids for the whole prompt.
    Chats,
    /// A trace: each request is a session of its own.
    Requests(TraceLayout),
}

/// A turn that stands in a row of its own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TurnRow {
    /// Which session it belongs to, as it is written.
    pub session: String,
    pub timestamp: Option<f64>,
    pub delay: Option<f64>,
    pub text: Option<String>,
    pub input_length: Option<u64>,
    pub output_length: Option<u64>,
    pub hash_ids: Vec<u64>,
}

const TURN_EXAMPLE: &str = r#"{"session_id": "a", "delay": 500, "text_input": "And then?", "output_length": 16}"#;
const CHAT_EXAMPLE: &str =
    r#"{"chat_id": 1, "parent_chat_id": 0, "timestamp": 1.5, "input_length": 20, "output_length": 3, "hash_ids": [1, 2]}"#;

#[derive(Deserialize)]
struct SessionLayoutFields {
    chat_id: Option<IgnoredAny>,
    parent_chat_id: Option<IgnoredAny>,
    session_id: Option<IgnoredAny>,
    messages: Option<IgnoredAny>,
    conversations: Option<IgnoredAny>,
    prompt: Option<IgnoredAny>,
    text: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct JsonTurnRow {
    session_id: Value,
    timestamp: Option<f64>,
    delay: Option<f64>,
    text_input: Option<String>,
    text: Option<String>,
    input_length: Option<u64>,
    output_length: Option<u64>,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

/// The two ids of a chat's turn.
#[derive(Deserialize)]
pub(super) struct ChatIds {
    pub chat_id: i64,
    /// Below 0 for the first turn of a chat.
    pub parent_chat_id: i64,
}

impl SessionLayout {
    /// The layout of a file that begins with this row.
    pub fn of(row: &[u8]) -> Result<Self, String> {
        let Ok(fields) = serde_json::from_slice::<SessionLayoutFields>(row) else { return Ok(Self::Requests(TraceLayout::of(row)?)) };
        Ok(if fields.messages.is_some() || fields.conversations.is_some() {
            Self::Conversations
        } else if fields.session_id.is_some() {
            Self::Turns
        } else if fields.chat_id.is_some() && fields.parent_chat_id.is_some() {
            Self::Chats
        } else if fields.prompt.is_some() || fields.text.is_some() {
            Self::Conversations
        } else {
            Self::Requests(TraceLayout::of(row)?)
        })
    }
}

impl ChatIds {
    pub fn of(row: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(row).map_err(|error| in_words(&error, CHAT_EXAMPLE))
    }
}

impl TurnRow {
    pub fn of(row: &[u8]) -> Result<Self, String> {
        let row: JsonTurnRow = serde_json::from_slice(row).map_err(|error| in_words(&error, TURN_EXAMPLE))?;
        let session = match row.session_id {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => return Err(format!("`session_id` is `{}`: it is a text or a number", sentence(&other.to_string()))),
        };
        let JsonTurnRow { timestamp, delay, input_length, output_length, hash_ids, .. } = row;
        let text = match (row.text_input, row.text) {
            (Some(_), Some(_)) => return Err("a turn has `text_input` or `text`, not both".to_owned()),
            (text, other) => text.or(other),
        };
        match (&text, input_length) {
            (Some(text), None) if text.trim().is_empty() => return Err("the text of the turn is empty".to_owned()),
            (Some(_), None) | (None, Some(_)) => {}
            (Some(_), Some(_)) => return Err("a turn has `text_input` or `input_length`, not both".to_owned()),
            (None, None) => return Err(format!("a turn has `text_input` or `input_length`, such as `{TURN_EXAMPLE}`")),
        }
        Ok(Self { session, timestamp, delay, text, input_length, output_length, hash_ids })
    }
}
