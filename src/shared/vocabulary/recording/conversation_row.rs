//! Rows that are a whole conversation: `messages` as `OpenAI` writes them, `conversations` as `ShareGPT` has them, or one `prompt` or `text`. In goes a row,
//! out come its questions with their answers. It must not know when they are asked.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::error::in_words;
use super::messages::MessageRow;
use super::trace_reader::length;
use crate::foundation::sentence::sentence;
use crate::vocabulary::session::{ChatMessage, MessageRole};

/// A turn of a conversation: what stands before its question and after the answer before it, the question, and the answer that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordedExchange {
    /// Of the first turn alone.
    pub opening: Vec<ChatMessage>,
    pub ask: Arc<str>,
    pub answer: Option<Arc<str>>,
    /// How long the answer is to be that was not recorded, where the row says so.
    pub output_tokens: Option<u32>,
}

/// A question and the answer that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRound {
    pub question: Arc<str>,
    pub answer: Arc<str>,
}

const EXAMPLE: &str = r#"{"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "And now?"}]}"#;

/// A row as it is written; other fields are of no interest.
#[derive(Deserialize)]
struct ConversationRow {
    messages: Option<Vec<MessageRow>>,
    conversations: Option<Vec<SharegptRow>>,
    prompt: Option<Value>,
    text: Option<Value>,
    output_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct SharegptRow {
    from: String,
    value: String,
}

/// The turns of a conversation: it begins with the user (system messages before that open it), and user and assistant take turns; the last question may
/// have no answer.
pub(super) fn exchanges(row: &[u8]) -> Result<Vec<RecordedExchange>, String> {
    let row = ConversationRow::of(row)?;
    let output_tokens = row.output_tokens.map(|found| length("output_tokens", found)).transpose()?;
    let mut exchanges: Vec<RecordedExchange> = Vec::new();
    let mut opening = Vec::new();
    for (number, message) in row.messages()?.into_iter().enumerate() {
        let message = message?;
        let is_answered = exchanges.last().is_none_or(|last| last.answer.is_some());
        match (message.role, exchanges.last_mut()) {
            (MessageRole::System, None) => opening.push(message),
            (MessageRole::User, _) if is_answered => {
                let opening = std::mem::take(&mut opening);
                exchanges.push(RecordedExchange { opening, ask: message.text, answer: None, output_tokens: None });
            }
            (MessageRole::Assistant, Some(last)) if last.answer.is_none() => last.answer = Some(message.text),
            (role, _) => return Err(out_of_turn(number, role)),
        }
    }
    let last = exchanges.last_mut().ok_or_else(|| "the conversation has no question".to_owned())?;
    last.output_tokens = output_tokens.filter(|_| last.answer.is_none());
    Ok(exchanges)
}

/// The first so many questions of a conversation, each with its answer; `None` where user and assistant do not take turns for so long. System messages
/// in front are passed over.
pub(super) fn first_rounds(row: &[u8], rounds: u32) -> Result<Option<Vec<ConversationRound>>, String> {
    let messages = ConversationRow::of(row)?.messages()?;
    let mut spoken = messages.into_iter().skip_while(|message| message.as_ref().is_ok_and(|message| message.role == MessageRole::System));
    let mut next = |role| spoken.next()?.ok().filter(|message| message.role == role).map(|message| message.text);
    Ok((0..rounds).map(|_| Some(ConversationRound { question: next(MessageRole::User)?, answer: next(MessageRole::Assistant)? })).collect())
}

impl ConversationRow {
    fn of(row: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(row).map_err(|error| in_words(&error, EXAMPLE))
    }

    /// Its messages in order; of each that cannot be sent, why. A prompt beside them says nothing.
    fn messages(self) -> Result<Vec<Result<ChatMessage, String>>, String> {
        match (self.messages, self.conversations) {
            (Some(rows), None) => Ok(rows.into_iter().enumerate().map(|(number, row)| row.meant(number)).collect()),
            (None, Some(rows)) => Ok(rows.into_iter().enumerate().map(|(number, row)| row.meant(number)).collect()),
            (Some(_), Some(_)) => Err("a conversation has `messages` or `conversations`, not both".to_owned()),
            (None, None) => match (self.prompt, self.text) {
                (Some(Value::String(text)), None) | (None, Some(Value::String(text))) => {
                    if text.trim().is_empty() {
                        Err("the prompt is empty".to_owned())
                    } else {
                        Ok(vec![Ok(ChatMessage::new(MessageRole::User, text))])
                    }
                }
                (None, None) => Err(format!("a conversation has `messages` or `conversations`, such as `{EXAMPLE}`")),
                _ => Err("a prompt is a text, as `prompt` or as `text`".to_owned()),
            },
        }
    }
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
