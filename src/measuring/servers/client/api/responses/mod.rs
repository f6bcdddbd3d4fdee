//! OpenAI's Responses: instructions and items of input, and typed events.

mod event;

use serde_json::json;

use super::conversation_format::{ConversationFormat, write_message};
use super::{FieldValue, LengthConstraint, RequestFormat};

pub use event::ResponsesEvent;

/// Answers go back as messages of the assistant. Nothing is stored by the server: it would keep the load's texts for weeks.
pub static REQUEST: RequestFormat = RequestFormat {
    conversation: ConversationFormat {
        system: Some("instructions"),
        field: "input",
        around: [b"[", b"]"],
        parting: 1,
        write: write_message,
    },
    fields,
};

/// No field of it forces an answer to a length from below; with `ignore_eos`, which vLLM takes, it ends at `max_output_tokens` all the same.
fn fields(length: LengthConstraint) -> Vec<(&'static str, FieldValue)> {
    let mut fields = vec![
        ("store", FieldValue::Fixed(json!(false))),
        ("temperature", FieldValue::Fixed(json!(0))),
        ("max_output_tokens", FieldValue::Length),
    ];
    if length == LengthConstraint::Exactly {
        fields.push(("ignore_eos", FieldValue::Fixed(json!(true))));
    }
    fields
}
