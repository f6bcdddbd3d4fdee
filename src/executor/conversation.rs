//! One session while it is being held: what has been said so far, and what goes into the history when an answer comes.
//!
//! The history is kept as messages and as its target writes it; each turn extends both.

use std::collections::BTreeMap;

use crate::session::{Answer, Message, Prompt, Role, Session, Turn};
use crate::target::{Exchange, Line, Prepared, Script, Target};
use crate::workload::spec::OnError;

#[derive(Debug)]
pub(super) struct Conversation {
    session: Session,
    history: Vec<Message>,
    /// Tokens of `history`: as authored, and of live answers as they were counted.
    history_tokens: u64,
    /// `history` as the target writes it.
    script: Script,
    /// Questions that are written and not in the history, by their turns.
    asks: BTreeMap<u32, Line>,
    user_header: bool,
    ended: bool,
}

impl Conversation {
    /// A session of which nothing was sent yet; `script` is empty.
    pub fn new(session: Session, user_header: bool, mut script: Script) -> Self {
        script.say_all(&session.opening);
        let (history, history_tokens) = (session.opening.clone(), session.opening_tokens);
        Self { history, history_tokens, session, script, asks: BTreeMap::new(), user_header, ended: false }
    }

    /// That turn, ready to be sent to the target of the script; `None` where the session has ended or has no such turn.
    pub fn ready(&mut self, turn: u32, target: &Target) -> Option<Prepared> {
        let prompt = self.prompt(turn)?;
        self.write_ahead(turn);
        Some(target.extend(prompt, &self.script, self.asks.get(&turn)?))
    }

    /// Writes what that turn asks, before it is known what stands before it.
    pub fn write_ahead(&mut self, turn: u32) {
        if !self.asks.contains_key(&turn)
            && let Some(asked) = self.turn(turn)
        {
            let line = self.script.line(&Message::new(Role::User, asked.ask.clone()));
            self.asks.insert(turn, line);
        }
    }

    /// The prompt of that turn; `None` where the session has ended or has no such turn.
    fn prompt(&self, turn: u32) -> Option<Prompt> {
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

    /// Tokens of that turn's prompt under the token rule, without the server's chat template.
    pub fn prompt_tokens(&self, turn: u32) -> u64 {
        self.history_tokens + self.turn(turn).map_or(0, |turn| turn.ask_tokens)
    }

    /// Takes the answer of that turn, of so many tokens, into the history; a failed turn leaves it as if it had not been asked.
    pub fn absorb(&mut self, turn: u32, exchange: &Exchange, output_tokens: u64, on_error: OnError) {
        let written = self.asks.remove(&turn);
        if exchange.failure.is_some() {
            self.ended |= on_error == OnError::EndSession;
            return;
        }
        let Some(Turn { ask, answer, ask_tokens }) = self.turn(turn) else { return };
        let asked = Message::new(Role::User, ask.clone());
        let (answered, answer_tokens) = match answer {
            Answer::Scripted { text, max_tokens } => (text.clone(), u64::from(*max_tokens)),
            Answer::Live { .. } | Answer::Forced { .. } => (exchange.answer.as_str().into(), output_tokens),
        };
        let answered = Message::new(Role::Assistant, answered);
        self.history_tokens += ask_tokens + answer_tokens;
        let written = written.unwrap_or_else(|| self.script.line(&asked));
        self.script.say(&written);
        self.script.say(&self.script.line(&answered));
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

    /// Of the simulated engine, which is sent no bodies.
    fn script() -> Script {
        Script::default()
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
        let mut conversation = Conversation::new(session(&Answer::Live { max_tokens: 5 }), false, script());
        conversation.absorb(2, &answered("because"), 3, OnError::DropTurn);
        assert_eq!(texts(&conversation.prompt(3).unwrap()), ["be kind", "third?", "because", "fourth?"]);
        assert!(conversation.prompt(4).is_none());
        assert_eq!(conversation.prompt_tokens(3), 2 + 1 + 3 + 1, "opening, question, answer, question");
    }

    #[test]
    fn a_scripted_answer_stands_in_the_history_whatever_the_server_said() {
        let mut conversation = Conversation::new(session(&Answer::Scripted { max_tokens: 5, text: "as written".into() }), false, script());
        conversation.absorb(2, &answered("something else"), 9, OnError::DropTurn);
        assert_eq!(texts(&conversation.prompt(3).unwrap()), ["be kind", "third?", "as written", "fourth?"]);
    }

    #[test]
    fn a_failed_turn_is_dropped_or_ends_the_session_as_asked() {
        let mut dropping = Conversation::new(session(&Answer::Live { max_tokens: 5 }), false, script());
        dropping.absorb(2, &failed(), 0, OnError::DropTurn);
        assert_eq!(texts(&dropping.prompt(3).unwrap()), ["be kind", "fourth?"]);
        let mut ending = Conversation::new(session(&Answer::Live { max_tokens: 5 }), false, script());
        ending.absorb(2, &failed(), 0, OnError::EndSession);
        assert!(ending.prompt(3).is_none());
    }
}
