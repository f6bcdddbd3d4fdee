//! The rows of recorded sessions, in the layouts that are known: a whole conversation a row, or a turn a row. In goes a row, out comes what it says.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::error::in_words;
use super::messages::MessageRow;
use super::trace_layout::TraceLayout;
use crate::foundation::sentence::sentence;
use crate::vocabulary::session::{ChatMessage, MessageRole};

/// What a file of sessions is, told by its first row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SessionLayout {
    /// `messages` as `OpenAI` writes them, or `conversations` as `ShareGPT` has them: a session a row.
    Conversations,
    /// A turn a row, with `session_id`, a `timestamp` or a `delay`, and a text or a length.
    Turns,
    /// A turn a row, with `chat_id` and `parent_chat_id`, and hash ids for the whole prompt.
    Chats,
    /// A trace: each request is a session of its own.
    Requests(TraceLayout),
}

/// A turn of a conversation: what stands before its question and after the answer before it, the question, and the answer that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordedExchange {
    /// Of the first turn alone.
    pub opening: Vec<ChatMessage>,
    pub ask: std::sync::Arc<str>,
    pub answer: Option<std::sync::Arc<str>>,
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
const CONVERSATION_EXAMPLE: &str = r#"{"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "And now?"}]}"#;
const CHAT_EXAMPLE: &str =
    r#"{"chat_id": 1, "parent_chat_id": 0, "timestamp": 1.5, "input_length": 20, "output_length": 3, "hash_ids": [1, 2]}"#;

#[derive(Deserialize)]
struct SessionLayoutFields {
    chat_id: Option<IgnoredAny>,
    parent_chat_id: Option<IgnoredAny>,
    session_id: Option<IgnoredAny>,
    messages: Option<IgnoredAny>,
    conversations: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ConversationRow {
    messages: Option<Vec<MessageRow>>,
    conversations: Option<Vec<SharegptRow>>,
}

#[derive(Deserialize)]
struct SharegptRow {
    from: String,
    value: String,
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

/// The turns of a conversation: it begins with the user (system messages before that open it), and user and assistant take turns; the last question may
/// have no answer.
pub(super) fn exchanges(row: &[u8]) -> Result<Vec<RecordedExchange>, String> {
    let row: ConversationRow = serde_json::from_slice(row).map_err(|error| in_words(&error, CONVERSATION_EXAMPLE))?;
    let messages = match (row.messages, row.conversations) {
        (Some(messages), None) => messages.into_iter().enumerate().map(|(number, row)| row.meant(number)).collect::<Result<Vec<_>, _>>()?,
        (None, Some(rows)) => rows.into_iter().enumerate().map(|(number, row)| row.meant(number)).collect::<Result<Vec<_>, _>>()?,
        (Some(_), Some(_)) => return Err("a conversation has `messages` or `conversations`, not both".to_owned()),
        (None, None) => return Err(format!("a conversation has `messages` or `conversations`, such as `{CONVERSATION_EXAMPLE}`")),
    };
    let mut exchanges: Vec<RecordedExchange> = Vec::new();
    let mut opening = Vec::new();
    for (number, message) in messages.into_iter().enumerate() {
        let is_answered = exchanges.last().is_none_or(|last| last.answer.is_some());
        match (message.role, exchanges.last_mut()) {
            (MessageRole::System, None) => opening.push(message),
            (MessageRole::User, _) if is_answered => {
                exchanges.push(RecordedExchange { opening: std::mem::take(&mut opening), ask: message.text, answer: None });
            }
            (MessageRole::Assistant, Some(last)) if last.answer.is_none() => last.answer = Some(message.text),
            (role, _) => return Err(out_of_turn(number, role)),
        }
    }
    if exchanges.is_empty() { Err("the conversation has no question".to_owned()) } else { Ok(exchanges) }
}

fn out_of_turn(number: usize, role: MessageRole) -> String {
    let who = match role {
        MessageRole::System => "a system message",
        MessageRole::User => "the user's",
        MessageRole::Assistant => "the assistant's",
    };
    format!(
        "message {number} is {who} out of turn: system messages come first, then the user and the assistant alternate; `bench prepare sharegpt` leaves other \
         conversations out"
    )
}

impl SharegptRow {
    fn meant(self, number: usize) -> Result<ChatMessage, String> {
        let role = match self.from.as_str() {
            "system" => MessageRole::System,
            "human" | "user" => MessageRole::User,
            "gpt" | "assistant" | "chatgpt" | "bing" | "bard" => MessageRole::Assistant,
            other => return Err(format!("`from` of message {number} is `{}`: it is `system`, `human` or `gpt`", sentence(other))),
        };
        if self.value.trim().is_empty() {
            return Err(format!("message {number} is empty: leave it out or fill it"));
        }
        Ok(ChatMessage::new(role, self.value))
    }
}
