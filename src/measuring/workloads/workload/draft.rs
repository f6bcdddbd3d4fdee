//! A session while it is written: its opening and its turns with their token sums.

use super::WorkloadError;
use super::text::CountedText;
use crate::vocabulary::session::{AnswerMode, ChatMessage, MessageRole, Session, Turn};

/// A session to which turns are added in order.
#[derive(Debug)]
pub struct SessionDraft {
    session: Session,
}

impl SessionDraft {
    /// A session that will send the turns from `first_turn` on, of `turns` in its whole life.
    pub fn new(number: u64, first_turn: u32, turns: u32) -> Result<Self, WorkloadError> {
        if first_turn >= turns {
            return Err(WorkloadError::FirstTurn { first_turn, turns });
        }
        let session = Session { number, opening: Vec::new(), opening_tokens: 0, first_turn, history_turn: None, turns: Vec::new() };
        Ok(Self { session })
    }

    /// Adds to what stands before the first turn that is sent; a text without tokens adds nothing.
    pub fn open(&mut self, role: MessageRole, text: CountedText) {
        if text.tokens > 0 {
            self.session.opening_tokens += text.tokens;
            self.session.opening.push(ChatMessage::new(role, text.text));
        }
    }

    /// Adds a turn that lies in the past: question and answer stand in the opening.
    pub fn lived(&mut self, ask: CountedText, reply: CountedText) {
        self.open(MessageRole::User, ask);
        self.open(MessageRole::Assistant, reply);
    }

    /// Adds a turn that is to be sent.
    pub fn ahead(&mut self, ask: CountedText, answer: AnswerMode) {
        self.session.turns.push(Turn { ask_tokens: ask.tokens, ask: ask.text, answer });
    }

    /// That turn brings what all later ones are about.
    pub fn set_history_turn(&mut self, turn: u32) {
        self.session.history_turn = Some(turn);
    }

    pub fn finish(self) -> Session {
        self.session
    }
}
