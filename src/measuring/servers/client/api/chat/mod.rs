//! OpenAI's Chat Completions: messages, and events of choices.

use serde_json::json;

use super::conversation_format::{ConversationFormat, write_message};
use super::{FieldValue, LengthConstraint, RequestFormat};

pub static REQUEST: RequestFormat = RequestFormat {
    conversation: ConversationFormat { system: None, field: "messages", around: [b"[", b"]"], parting: 1, write: write_message },
    fields,
};

/// Those of completions are the same.
pub fn fields(length: LengthConstraint) -> Vec<(&'static str, FieldValue)> {
    let mut fields = vec![
        ("stream_options", FieldValue::Fixed(json!({ "include_usage": true }))),
        ("temperature", FieldValue::Fixed(json!(0))),
        ("max_tokens", FieldValue::Length),
    ];
    if length == LengthConstraint::Exactly {
        fields.extend([("min_tokens", FieldValue::Length), ("ignore_eos", FieldValue::Fixed(json!(true)))]);
    }
    fields
}
