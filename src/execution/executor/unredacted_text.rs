//! What was said in a request, for those who asked to keep it or its hashes: the prompt before it is sent and the answer when it is over go in,
//! a record without secrets, or hashes of the row, come out. Where nobody asked, nothing is copied.

use crate::planning::plan::EnvironmentRedactor;
use crate::records::record::{AnswerHashes, RecordedMessage, RecordedText, RequestRecord, RequestText, prompt_hash};
use crate::servers::client::HttpExchange;
use crate::vocabulary::session::{ChatMessage, MessageRole, Prompt};

/// What is kept of prompts and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextRetention {
    pub texts: bool,
    pub hashes: bool,
}

/// A prompt and its answer as they were, secrets included: never to be told as it is.
#[derive(Debug)]
pub(super) struct UnredactedText {
    kept: TextRetention,
    messages: Vec<ChatMessage>,
    answer: String,
}

impl TextRetention {
    /// Takes note of a prompt that is about to be sent.
    pub(super) fn of(self, prompt: &Prompt) -> Option<UnredactedText> {
        (self.texts || self.hashes).then(|| UnredactedText { kept: self, messages: prompt.messages.clone(), answer: String::new() })
    }
}

impl UnredactedText {
    /// The same with what was answered.
    pub fn answered(self, exchange: &HttpExchange) -> Self {
        Self { answer: exchange.answer.clone(), ..self }
    }

    /// Puts the hashes into the request's row, where they are kept: every byte of the prompt is hashed, once its answer is over.
    pub fn hash(&self, record: &mut RequestRecord) {
        if self.kept.hashes {
            record.prompt_hash = Some(prompt_hash(self.messages.iter().map(|message| (role(message.role), &*message.text))));
            record.answer_hashes = record.failure.is_none().then(|| AnswerHashes::of(&self.answer));
        }
    }

    /// What may be kept of the texts, where they are.
    pub fn record(self, of: &RequestRecord, mask: &EnvironmentRedactor) -> Option<RequestText> {
        if !self.kept.texts {
            return None;
        }
        let messages = self.messages.iter().map(|message| RecordedMessage {
            role: role(message.role).to_owned(),
            said: RecordedText::of(&mask.hide(message.text.to_string())),
        });
        let answer = RecordedText::of(&mask.hide(self.answer));
        Some(RequestText { request: of.request, session: of.session, turn: of.turn, messages: messages.collect(), answer })
    }
}

fn role(role: MessageRole) -> &'static str {
    match role {
        MessageRole::System => "system",
        MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
    }
}
