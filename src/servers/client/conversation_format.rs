//! How a conversation stands in a request to each of OpenAI's endpoints. Messages in, JSON as bytes out; must not know what else a request holds.

use std::io::Write;

use serde_json::{Value, json};

use crate::vocabulary::session::{ChatMessage, MessageRole};
use crate::vocabulary::spec::target::TargetApi;

/// The form of a conversation for one endpoint.
#[derive(Debug)]
pub(super) struct ConversationFormat {
    /// The field that holds it.
    field: &'static str,
    /// What opens and closes the field's value.
    around: [&'static [u8]; 2],
    /// How many bytes of a written message part it from the one before.
    pub(super) parting: usize,
    write: fn(&mut Vec<u8>, &ChatMessage),
    /// A conversation of one message.
    single: fn(&str) -> Value,
}

static CHAT: ConversationFormat = ConversationFormat {
    field: "messages",
    around: [b"[", b"]"],
    parting: 1,
    write: write_message,
    single: |text| json!([{ "role": "user", "content": text }]),
};

/// The quotes stand around the whole conversation.
static COMPLETIONS: ConversationFormat =
    ConversationFormat { field: "prompt", around: [b"\"", b"\""], parting: 0, write: write_text, single: |text| json!(text) };

impl ConversationFormat {
    pub(super) fn of(api: TargetApi) -> &'static Self {
        match api {
            TargetApi::Chat => &CHAT,
            TargetApi::Completions => &COMPLETIONS,
        }
    }

    /// What stands before the first message: `"messages":[`.
    pub(super) fn head(&self) -> Vec<u8> {
        [b"\"", self.field.as_bytes(), b"\":", self.around[0]].concat()
    }

    /// What stands behind the last one, where the conversation is the last field of a body: `]}`.
    pub(super) fn tail(&self) -> Vec<u8> {
        [self.around[1], b"}"].concat()
    }

    /// Writes a message as if another stood before it.
    pub(super) fn write(&self, bytes: &mut Vec<u8>, message: &ChatMessage) {
        (self.write)(bytes, message);
    }
}

/// The field that holds a conversation, and as its value one message of a user.
#[must_use]
pub fn single_message(api: TargetApi, text: &str) -> (&'static str, Value) {
    let format = ConversationFormat::of(api);
    (format.field, (format.single)(text))
}

/// `,{"role":"user","content":"..."}`.
fn write_message(bytes: &mut Vec<u8>, message: &ChatMessage) {
    let role = match message.role {
        MessageRole::System => "system",
        MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
    };
    bytes.extend_from_slice(b",{\"role\":\"");
    bytes.extend_from_slice(role.as_bytes());
    bytes.extend_from_slice(b"\",\"content\":");
    string(bytes, &message.text);
    bytes.push(b'}');
}

/// The text and an empty line as they stand in a JSON string.
fn write_text(bytes: &mut Vec<u8>, message: &ChatMessage) {
    let quote = bytes.len();
    string(bytes, &message.text);
    bytes.pop();
    bytes.remove(quote);
    bytes.extend_from_slice(b"\\n\\n");
}

/// A JSON string, quotes included.
pub(super) fn string(bytes: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(bytes.by_ref(), text).expect("text into memory cannot fail");
}
