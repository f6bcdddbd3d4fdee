//! How a conversation stands in a request. Messages in, JSON as bytes out; must not know what else a request holds.

use std::io::Write;

use crate::vocabulary::session::{ChatMessage, MessageRole};

/// The form of a conversation in one API.
#[derive(Debug)]
pub struct ConversationFormat {
    /// The field that holds what the system says first; where there is none that is a message like any other.
    pub system: Option<&'static str>,
    /// The field that holds the messages.
    pub field: &'static str,
    /// What opens and closes the field's value.
    pub around: [&'static [u8]; 2],
    /// How many bytes of a written message part it from the one before.
    pub parting: usize,
    pub write: fn(&mut Vec<u8>, &ChatMessage),
}

impl ConversationFormat {
    /// What stands before the first message: `"messages":[`.
    pub fn head(&self) -> Vec<u8> {
        [b"\"", self.field.as_bytes(), b"\":", self.around[0]].concat()
    }

    /// What stands behind the last one, where the conversation is the last field of a body: `]}`.
    pub fn tail(&self) -> Vec<u8> {
        [self.around[1], b"}"].concat()
    }

    /// Writes a message as if another stood before it.
    pub fn write(&self, bytes: &mut Vec<u8>, message: &ChatMessage) {
        (self.write)(bytes, message);
    }

    /// What the system says first, as a field of its own: `"system":"...",`. `None` where it stands among the messages.
    pub fn system(&self, message: &ChatMessage) -> Option<Vec<u8>> {
        let field = self.system.filter(|_| message.role == MessageRole::System)?;
        let mut bytes = Vec::with_capacity(message.text.len() + message.text.len() / 8 + 32);
        bytes.push(b'"');
        bytes.extend_from_slice(field.as_bytes());
        bytes.extend_from_slice(b"\":");
        string(&mut bytes, &message.text);
        bytes.push(b',');
        Some(bytes)
    }
}

/// `,{"role":"user","content":"..."}`.
pub fn write_message(bytes: &mut Vec<u8>, message: &ChatMessage) {
    let role = match message.role {
        MessageRole::System => "system",
        MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
    };
    write_as(bytes, role, &message.text);
}

/// The same of somebody whom the API calls `role`.
pub fn write_as(bytes: &mut Vec<u8>, role: &str, text: &str) {
    bytes.extend_from_slice(b",{\"role\":\"");
    bytes.extend_from_slice(role.as_bytes());
    bytes.extend_from_slice(b"\",\"content\":");
    string(bytes, text);
    bytes.push(b'}');
}

/// The text and an empty line as they stand in a JSON string.
pub fn write_text(bytes: &mut Vec<u8>, message: &ChatMessage) {
    let quote = bytes.len();
    string(bytes, &message.text);
    bytes.pop();
    bytes.remove(quote);
    bytes.extend_from_slice(b"\\n\\n");
}

/// A JSON string, quotes included.
pub fn string(bytes: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(bytes.by_ref(), text).expect("text into memory cannot fail");
}
