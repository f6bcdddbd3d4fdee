//! What was said in a request, for those who asked to keep it: the prompt before it is sent and the answer when it is over go in, a record
//! without secrets comes out. Where texts are not kept, nothing is copied.

use crate::plan::Mask;
use crate::record::{RequestRecord, RequestText, SaidMessage, SaidText};
use crate::session::{Message, Prompt, Role};
use crate::target::Exchange;

/// Whether prompts and answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    Dropped,
    Kept,
}

/// A prompt and its answer as they were, secrets included: never to be told as it is.
#[derive(Debug)]
pub(super) struct Said {
    messages: Vec<Message>,
    answer: String,
}

impl Texts {
    /// Takes note of a prompt that is about to be sent.
    pub(super) fn of(self, prompt: &Prompt) -> Option<Said> {
        (self == Self::Kept).then(|| Said { messages: prompt.messages.clone(), answer: String::new() })
    }
}

impl Said {
    /// The same with what was answered.
    pub fn answered(self, exchange: &Exchange) -> Self {
        Self { answer: exchange.answer.clone(), ..self }
    }

    /// What may be kept of it.
    pub fn record(self, of: &RequestRecord, mask: &Mask) -> RequestText {
        let messages = self
            .messages
            .iter()
            .map(|message| SaidMessage { role: role(message.role).to_owned(), said: SaidText::of(&mask.hide(message.text.to_string())) });
        let answer = SaidText::of(&mask.hide(self.answer));
        RequestText { request: of.request, session: of.session, turn: of.turn, messages: messages.collect(), answer }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}
