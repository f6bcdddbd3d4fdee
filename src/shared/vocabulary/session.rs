//! What a workload hands to the load loop, and what the load loop hands to a target: sessions of turns, and prompts.
//!
//! Texts are shared (`Arc<str>`): a 128k-token history is extended turn by turn, never copied.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageRole {
    System,
    User,
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    pub role: MessageRole,
    pub text: Arc<str>,
}

impl ChatMessage {
    pub fn new(role: MessageRole, text: impl Into<Arc<str>>) -> Self {
        Self { role, text: text.into() }
    }
}

/// How the length and the wording of an answer come about, and so what the next turn's history holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerMode {
    /// The server's own words, up to `max_tokens` of them, go into the history.
    Live { max_tokens: u32 },
    /// The server generates exactly `tokens` tokens (end-of-text ignored); its words go into the history.
    Forced { tokens: u32 },
    /// The server generates up to `max_tokens`; `text` goes into the history whatever it said, so that every variant sees equal prompts.
    Scripted { max_tokens: u32, text: Arc<str> },
}

impl AnswerMode {
    /// The most tokens that the answer may have.
    #[must_use]
    pub fn max_tokens(&self) -> u32 {
        match *self {
            Self::Live { max_tokens } | Self::Scripted { max_tokens, .. } => max_tokens,
            Self::Forced { tokens } => tokens,
        }
    }
}

/// What a user says in one turn, and how the answer is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub ask: Arc<str>,
    pub answer: AnswerMode,
    /// Tokens of `ask` under the run's token rule.
    pub ask_tokens: u64,
}

/// One user's conversation, whole, before any of it is sent. The same seed and number give the same session, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// From 0 (or the scenario's `first_user_id`), never reused within a run.
    pub number: u64,
    /// What stands before the first turn that is sent: system prompt, own history, synthesised turns of a user met in mid-life.
    pub opening: Vec<ChatMessage>,
    /// Tokens of `opening` under the run's token rule.
    pub opening_tokens: u64,
    /// The turn number of `turns[0]`: 0, or more for a user met in mid-life.
    pub first_turn: u32,
    /// The turn that brings what all later ones are about, so that these mean nothing where it failed; `None` where that stands in `opening`.
    pub history_turn: Option<u32>,
    pub turns: Vec<Turn>,
}

impl Session {
    /// Tokens of the prompt of `turns[place]` without the chat template's own, where every answer before it has its full length.
    #[must_use]
    pub fn prompt_tokens(&self, place: usize) -> u64 {
        let asks: u64 = self.turns.iter().take(place + 1).map(|turn| turn.ask_tokens).sum();
        let answers: u64 = self.turns.iter().take(place).map(|turn| u64::from(turn.answer.max_tokens())).sum();
        self.opening_tokens + asks + answers
    }
}

/// One request as a target gets it. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub session: u64,
    pub turn: u32,
    /// The whole conversation up to and including this turn's question.
    pub messages: Vec<ChatMessage>,
    pub max_tokens: u32,
    /// The answer must have exactly `max_tokens` tokens.
    pub exact_length: bool,
    /// Sent as the header `x-user-id` where the workload asks for it.
    pub user_id: Option<u64>,
}
