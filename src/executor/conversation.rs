//! One session while it is being held: what has been said so far, and what goes into the history when an answer comes.

use crate::session::{Answer, Message, Prompt, Role, Session, Turn};
use crate::target::Exchange;
use crate::workload::spec::OnError;

#[derive(Debug)]
pub(super) struct Conversation {
    session: Session,
    history: Vec<Message>,
    user_header: bool,
    ended: bool,
}

impl Conversation {
    pub fn new(session: Session, user_header: bool) -> Self {
        Self { history: session.opening.clone(), session, user_header, ended: false }
    }

    /// The prompt of that turn; `None` where the session has ended or has no such turn.
    pub fn prompt(&self, turn: u32) -> Option<Prompt> {
        let asked = self.turn(turn).filter(|_| !self.ended)?;
        let mut messages = Vec::with_capacity(self.history.len() + 1);
        messages.extend_from_slice(&self.history);
        messages.push(Message::new(Role::User, asked.ask.clone()));
        Some(Prompt {
            session: self.session.number,
            turn,
            messages,
            max_tokens: asked.answer.max_tokens(),
            exact_length: matches!(asked.answer, Answer::Forced { .. }),
            user_id: self.user_header.then_some(self.session.number),
        })
    }

    /// Takes the answer of that turn into the history; a failed turn leaves it as if it had not been asked.
    pub fn absorb(&mut self, turn: u32, exchange: &Exchange, on_error: OnError) {
        if exchange.failure.is_some() {
            self.ended |= on_error == OnError::EndSession;
            return;
        }
        let Some(Turn { ask, answer, .. }) = self.turn(turn) else { return };
        let asked = Message::new(Role::User, ask.clone());
        let answered = match answer {
            Answer::Scripted { text, .. } => Message::new(Role::Assistant, text.clone()),
            Answer::Live { .. } | Answer::Forced { .. } => Message::new(Role::Assistant, exchange.answer.as_str()),
        };
        self.history.extend([asked, answered]);
    }

    fn turn(&self, turn: u32) -> Option<&Turn> {
        self.session.turns.get(usize::try_from(turn.checked_sub(self.session.first_turn)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Failure, FailureKind};

    fn session(answer: &Answer) -> Session {
        let turn = |ask: &str| Turn { ask: ask.into(), answer: answer.clone(), ask_tokens: 1 };
        Session {
            number: 3,
            opening: vec![Message::new(Role::System, "be kind")],
            opening_tokens: 2,
            first_turn: 2,
            turns: vec![turn("third?"), turn("fourth?")],
        }
    }

    fn texts(prompt: &Prompt) -> Vec<&str> {
        prompt.messages.iter().map(|message| &*message.text).collect()
    }

    fn answered(text: &str) -> Exchange {
        Exchange { answer: text.into(), ..Exchange::default() }
    }

    fn failed() -> Exchange {
        Exchange { failure: Some(Failure { kind: FailureKind::Connect, detail: String::new() }), ..Exchange::default() }
    }

    #[test]
    fn a_live_answer_is_what_the_next_turn_remembers() {
        let mut conversation = Conversation::new(session(&Answer::Live { max_tokens: 5 }), false);
        conversation.absorb(2, &answered("because"), OnError::DropTurn);
        assert_eq!(texts(&conversation.prompt(3).unwrap()), ["be kind", "third?", "because", "fourth?"]);
        assert!(conversation.prompt(4).is_none());
    }

    #[test]
    fn a_scripted_answer_stands_in_the_history_whatever_the_server_said() {
        let mut conversation = Conversation::new(session(&Answer::Scripted { max_tokens: 5, text: "as written".into() }), false);
        conversation.absorb(2, &answered("something else"), OnError::DropTurn);
        assert_eq!(texts(&conversation.prompt(3).unwrap()), ["be kind", "third?", "as written", "fourth?"]);
    }

    #[test]
    fn a_failed_turn_is_dropped_or_ends_the_session_as_asked() {
        let mut dropping = Conversation::new(session(&Answer::Live { max_tokens: 5 }), false);
        dropping.absorb(2, &failed(), OnError::DropTurn);
        assert_eq!(texts(&dropping.prompt(3).unwrap()), ["be kind", "fourth?"]);
        let mut ending = Conversation::new(session(&Answer::Live { max_tokens: 5 }), false);
        ending.absorb(2, &failed(), OnError::EndSession);
        assert!(ending.prompt(3).is_none());
    }
}
