//! OpenAI's Completions: the conversation as one text, and events of choices.

use super::RequestFormat;
use super::chat::fields;
use super::conversation_format::{ConversationFormat, write_text};

/// The quotes stand around the whole conversation.
pub static REQUEST: RequestFormat = RequestFormat {
    conversation: ConversationFormat { system: None, field: "prompt", around: [b"\"", b"\""], parting: 0, write: write_text },
    fields,
};
