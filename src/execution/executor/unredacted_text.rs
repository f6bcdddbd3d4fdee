//! What was said in a request, for those who asked to keep it: the prompt before it is sent and the answer when it is over go in, a record
//! without secrets comes out. Where texts are not kept, nothing is copied.

use crate::planning::plan::EnvironmentRedactor;
use crate::records::record::{RecordedMessage, RecordedText, RequestRecord, RequestText};
use crate::servers::client::HttpExchange;
use crate::vocabulary::session::{ChatMessage, MessageRole, Prompt};

/// Whether prompts and answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextRetention {
    Dropped,
    Kept,
}

/// A prompt and its answer as they were, secrets included: never to be told as it is.
#[derive(Debug)]
pub(super) struct UnredactedText {
    messages: Vec<ChatMessage>,
    answer: String,
}

impl TextRetention {
    /// Takes note of a prompt that is about to be sent.
    pub(super) fn of(self, prompt: &Prompt) -> Option<UnredactedText> {
        (self == Self::Kept).then(|| UnredactedText { messages: prompt.messages.clone(), answer: String::new() })
    }
}

impl UnredactedText {
    /// The same with what was answered.
    pub fn answered(self, exchange: &HttpExchange) -> Self {
        Self { answer: exchange.answer.clone(), ..self }
    }

    /// What may be kept of it.
    pub fn record(self, of: &RequestRecord, mask: &EnvironmentRedactor) -> RequestText {
        let messages = self.messages.iter().map(|message| RecordedMessage {
            role: role(message.role).to_owned(),
            said: RecordedText::of(&mask.hide(message.text.to_string())),
        });
        let answer = RecordedText::of(&mask.hide(self.answer));
        RequestText { request: of.request, session: of.session, turn: of.turn, messages: messages.collect(), answer }
    }
}

fn role(role: MessageRole) -> &'static str {
    match role {
        MessageRole::System => "system",
        MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
    }
}
