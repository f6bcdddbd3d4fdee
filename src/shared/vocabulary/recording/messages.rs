//! Messages as OpenAI's API writes them: `{"role": "user", "content": ".."}`, the content also as a list of parts of text.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::foundation::sentence::sentence;
use crate::vocabulary::session::{ChatMessage, MessageRole};

/// A message as it is written; other fields are of no interest.
#[derive(Debug, Deserialize)]
pub(super) struct MessageRow {
    role: String,
    content: Value,
}

impl MessageRow {
    /// What it means; otherwise what is wrong with message number `number`, from 0.
    pub fn meant(self, number: usize) -> Result<ChatMessage, String> {
        let role = match self.role.as_str() {
            "system" | "developer" => MessageRole::System,
            "user" => MessageRole::User,
            "assistant" => MessageRole::Assistant,
            other => {
                return Err(format!("`role` of message {number} is `{}`: it is `system`, `user` or `assistant`", sentence(other)));
            }
        };
        Ok(ChatMessage::new(role, text(self.content, number)?))
    }
}

/// The text of a content.
fn text(content: Value, number: usize) -> Result<Arc<str>, String> {
    let text = match content {
        Value::String(text) => text,
        Value::Array(parts) => {
            let texts = parts.into_iter().map(|part| match part {
                Value::Object(mut fields) if fields.get("type").is_none_or(|kind| kind == "text") => match fields.remove("text") {
                    Some(Value::String(text)) => Ok(text),
                    _ => Err(other_content(number)),
                },
                _ => Err(other_content(number)),
            });
            texts.collect::<Result<String, String>>()?
        }
        _ => return Err(other_content(number)),
    };
    if text.trim().is_empty() { Err(format!("message {number} is empty: leave it out or fill it")) } else { Ok(text.into()) }
}

fn other_content(number: usize) -> String {
    format!("`content` of message {number} is no text: it is a text, or a list of parts such as `{{\"type\": \"text\", \"text\": \"..\"}}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(text: &str) -> Result<ChatMessage, String> {
        serde_json::from_str::<MessageRow>(text).unwrap().meant(2)
    }

    #[test]
    fn contents_are_texts_or_parts_of_text() {
        assert_eq!(meant(r#"{"role": "user", "content": "Hello", "name": "a"}"#), Ok(ChatMessage::new(MessageRole::User, "Hello")));
        let parts = r#"{"role": "developer", "content": [{"type": "text", "text": "Be "}, {"text": "brief."}]}"#;
        assert_eq!(meant(parts), Ok(ChatMessage::new(MessageRole::System, "Be brief.")));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_the_message_and_what_is_allowed() {
        for (text, said) in [
            (r#"{"role": "tool", "content": "4"}"#, "`role` of message 2 is `tool`: it is `system`, `user` or `assistant`"),
            (r#"{"role": "user", "content": " "}"#, "message 2 is empty"),
            (r#"{"role": "assistant", "content": null}"#, "`content` of message 2 is no text"),
            (r#"{"role": "user", "content": [{"type": "image_url", "image_url": "a"}]}"#, "is no text"),
            (r#"{"role": "user", "content": ["a"]}"#, "is no text"),
        ] {
            assert!(meant(text).unwrap_err().contains(said), "{text}");
        }
    }
}
