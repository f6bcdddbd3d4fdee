//! Anthropic's Messages: what the system says in a field of its own, messages, and typed events.

mod event;

use serde_json::json;

use super::conversation_format::{ConversationFormat, write_as};
use super::{FieldValue, LengthConstraint, RequestFormat};
use crate::vocabulary::session::{ChatMessage, MessageRole};

pub use event::MessagesEvent;

pub static REQUEST: RequestFormat = RequestFormat {
    conversation: ConversationFormat { system: Some("system"), field: "messages", around: [b"[", b"]"], parting: 1, write },
    fields,
};

/// The API has no field that forces an answer to a length: `max_tokens` bounds it, and that is all.
fn fields(_: LengthConstraint) -> Vec<(&'static str, FieldValue)> {
    vec![("temperature", FieldValue::Fixed(json!(0))), ("max_tokens", FieldValue::Length)]
}

/// Only users and assistants speak in messages.
fn write(bytes: &mut Vec<u8>, message: &ChatMessage) {
    let role = match message.role {
        MessageRole::System | MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
    };
    write_as(bytes, role, &message.text);
}
