//! One session while it is being held: what has been said so far, and what goes into the history when an answer comes.
//!
//! The history is kept as messages and as its target writes it; each turn extends both.

use std::collections::BTreeMap;

use crate::foundation::clock::Micros;
use crate::records::record::{FailureKind, RequestFailure};
use crate::servers::client::{EncodedConversation, EncodedMessage, HttpExchange, PreparedRequest, Target};
use crate::vocabulary::session::{AnswerMode, ChatMessage, MessageRole, Prompt, Session, Turn};
use crate::vocabulary::spec::workload::TurnErrorPolicy;
use crate::workloads::workload::leave::LeavePolicy;

#[derive(Debug)]
pub(super) struct ConversationState {
    session: Session,
    history: Vec<ChatMessage>,
    /// Tokens of `history`: as authored, and of live answers as they were counted.
    history_tokens: u64,
    /// `history` as the target writes it.
    script: EncodedConversation,
    /// Questions that are written and not in the history, by their turns.
    asks: BTreeMap<u32, EncodedMessage>,
    user_header: bool,
    /// Tokens that failed turns kept out of `history`, with answers as long as they might have been.
    missing_tokens: u64,
    /// Why no further turn of it is sent.
    end: Option<FailureKind>,
    /// How its user leaves before an answer is over.
    leave: Option<LeavePolicy>,
}

impl ConversationState {
    /// A session of which nothing was sent yet; `script` is empty.
    pub fn new(session: Session, user_header: bool, mut script: EncodedConversation) -> Self {
        script.say_all(&session.opening);
        let (history, history_tokens) = (session.opening.clone(), session.opening_tokens);
        Self { history, history_tokens, session, script, asks: BTreeMap::new(), user_header, missing_tokens: 0, end: None, leave: None }
    }

    /// The same of a user who may leave before an answer is over.
    pub fn leaving(self, leave: Option<LeavePolicy>) -> Self {
        Self { leave, ..self }
    }

    /// The session's number in the run's records.
    pub fn number(&self) -> u64 {
        self.session.number
    }

    /// That turn, ready to be sent to the target of the script, or why it is not sent and has failed; `None` where the session has no such turn.
    pub fn ready(&mut self, turn: u32, target: &Target) -> Option<Result<PreparedRequest, RequestFailure>> {
        let prompt = match self.prompt(turn)? {
            Ok(prompt) => prompt,
            Err(failure) => return Some(Err(failure)),
        };
        self.write_ahead(turn);
        let leaves_after =
            self.leave.and_then(|leave| leave.leaves_after(self.session.number, turn)).map(|after| Micros::from_secs_f64(after.0));
        Some(Ok(target.extend(prompt, &self.script, self.asks.get(&turn)?).leaving(leaves_after)))
    }

    /// Why that turn must not be sent: its session has ended, or its prompt is not the one that was asked for.
    fn obstacle(&mut self, turn: u32) -> Option<RequestFailure> {
        // More is missing than there is.
        if self.end.is_none() && self.missing_tokens > self.prompt_tokens(turn) {
            self.end = Some(FailureKind::NoHistory);
        }
        let kind = self.end?;
        let detail = match (kind, self.session.history_turn) {
            (FailureKind::NoHistory, Some(history)) if self.missing_tokens == 0 => {
                format!("not sent: turn {history}, which brings what this one is about, had failed")
            }
            (FailureKind::NoHistory, _) => "not sent: turns that had failed are more than half of its prompt".to_owned(),
            _ => "not sent: its session had ended with a turn that failed".to_owned(),
        };
        Some(RequestFailure { kind, detail })
    }

    /// Writes what that turn asks, before it is known what stands before it.
    pub fn write_ahead(&mut self, turn: u32) {
        if !self.asks.contains_key(&turn)
            && let Some(asked) = self.turn(turn)
        {
            let line = self.script.line(&ChatMessage::new(MessageRole::User, asked.ask.clone()));
            self.asks.insert(turn, line);
        }
    }

    /// The prompt of that turn; `None` where the session has no such turn.
    fn prompt(&mut self, turn: u32) -> Option<Result<Prompt, RequestFailure>> {
        self.turn(turn)?;
        if let Some(failure) = self.obstacle(turn) {
            return Some(Err(failure));
        }
        let asked = self.turn(turn)?;
        let mut messages = Vec::with_capacity(self.history.len() + 1);
        messages.extend_from_slice(&self.history);
        messages.push(ChatMessage::new(MessageRole::User, asked.ask.clone()));
        Some(Ok(Prompt {
            session: self.session.number,
            turn,
            messages,
            max_tokens: asked.answer.max_tokens(),
            exact_length: matches!(asked.answer, AnswerMode::Forced { .. }),
            user_id: self.user_header.then_some(self.session.number),
        }))
    }

    /// Tokens of that turn's prompt under the token rule, without the server's chat template.
    pub fn prompt_tokens(&self, turn: u32) -> u64 {
        self.history_tokens + self.turn(turn).map_or(0, |turn| turn.ask_tokens)
    }

    /// Takes the answer of that turn, of so many tokens, into the history; a failed turn leaves it as if it had not been asked, and ends the
    /// session where that is asked for or where nothing is left to ask about.
    pub fn absorb(&mut self, turn: u32, exchange: &HttpExchange, output_tokens: u64, on_error: TurnErrorPolicy) {
        let written = self.asks.remove(&turn);
        // What a user had read when it left stands in the history.
        let was_left = exchange.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Left) && !exchange.answer.is_empty();
        if exchange.failure.is_some() && !was_left {
            if self.session.history_turn == Some(turn) {
                self.end = Some(FailureKind::NoHistory);
            } else if on_error == TurnErrorPolicy::EndSession {
                self.end = Some(FailureKind::SessionEnded);
            } else {
                self.missing_tokens += self.turn(turn).map_or(0, |asked| asked.ask_tokens + u64::from(asked.answer.max_tokens()));
            }
            return;
        }
        let Some(Turn { ask, answer, ask_tokens }) = self.turn(turn) else { return };
        let asked = ChatMessage::new(MessageRole::User, ask.clone());
        let (answered, answer_tokens) = match answer {
            AnswerMode::Scripted { text, max_tokens } => (text.clone(), u64::from(*max_tokens)),
            AnswerMode::Live { .. } | AnswerMode::Forced { .. } => (exchange.answer.as_str().into(), output_tokens),
        };
        let answered = ChatMessage::new(MessageRole::Assistant, answered);
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
    use crate::records::record::{FailureKind, RequestFailure};

    fn session(answer: &AnswerMode) -> Session {
        let turn = |ask: &str| Turn { ask: ask.into(), answer: answer.clone(), ask_tokens: 1 };
        Session {
            number: 3,
            opening: vec![ChatMessage::new(MessageRole::System, "be kind")],
            opening_tokens: 12,
            first_turn: 2,
            history_turn: None,
            turns: vec![turn("third?"), turn("fourth?")],
        }
    }

    /// Of the simulated engine, which is sent no bodies.
    fn script() -> EncodedConversation {
        EncodedConversation::default()
    }

    fn texts(conversation: &mut ConversationState, turn: u32) -> Vec<String> {
        conversation.prompt(turn).unwrap().unwrap().messages.iter().map(|message| message.text.to_string()).collect()
    }

    fn obstacle(conversation: &mut ConversationState, turn: u32) -> Option<FailureKind> {
        conversation.prompt(turn).unwrap().err().map(|failure| failure.kind)
    }

    fn answered(text: &str) -> HttpExchange {
        HttpExchange { answer: text.into(), ..HttpExchange::default() }
    }

    fn failed() -> HttpExchange {
        HttpExchange { failure: Some(RequestFailure { kind: FailureKind::Connect, detail: String::new() }), ..HttpExchange::default() }
    }

    #[test]
    fn a_live_answer_is_what_the_next_turn_remembers() {
        let mut conversation = ConversationState::new(session(&AnswerMode::Live { max_tokens: 5 }), false, script());
        conversation.absorb(2, &answered("because"), 3, TurnErrorPolicy::DropTurn);
        assert_eq!(texts(&mut conversation, 3), ["be kind", "third?", "because", "fourth?"]);
        assert!(conversation.prompt(4).is_none(), "there is no such turn");
        assert_eq!(conversation.prompt_tokens(3), 12 + 1 + 3 + 1, "opening, question, answer, question");
    }

    #[test]
    fn a_scripted_answer_stands_in_the_history_whatever_the_server_said() {
        let mut conversation =
            ConversationState::new(session(&AnswerMode::Scripted { max_tokens: 5, text: "as written".into() }), false, script());
        conversation.absorb(2, &answered("something else"), 9, TurnErrorPolicy::DropTurn);
        assert_eq!(texts(&mut conversation, 3), ["be kind", "third?", "as written", "fourth?"]);
    }

    #[test]
    fn a_failed_turn_is_dropped_or_ends_the_session_as_asked() {
        let mut dropping = ConversationState::new(session(&AnswerMode::Live { max_tokens: 5 }), false, script());
        dropping.absorb(2, &failed(), 0, TurnErrorPolicy::DropTurn);
        assert_eq!(texts(&mut dropping, 3), ["be kind", "fourth?"]);
        let mut ending = ConversationState::new(session(&AnswerMode::Live { max_tokens: 5 }), false, script());
        ending.absorb(2, &failed(), 0, TurnErrorPolicy::EndSession);
        assert_eq!(obstacle(&mut ending, 3), Some(FailureKind::SessionEnded));
    }

    #[test]
    fn a_session_whose_document_was_refused_asks_nothing_more_whatever_is_to_be_done_about_errors() {
        for on_error in [TurnErrorPolicy::DropTurn, TurnErrorPolicy::EndSession] {
            let document = Session { history_turn: Some(2), ..session(&AnswerMode::Live { max_tokens: 5 }) };
            let mut conversation = ConversationState::new(document, false, script());
            conversation.absorb(2, &failed(), 0, on_error);
            let failure = conversation.prompt(3).unwrap().unwrap_err();
            assert_eq!(failure.kind, FailureKind::NoHistory);
            assert_eq!(failure.detail, "not sent: turn 2, which brings what this one is about, had failed");
        }
    }

    #[test]
    fn a_turn_is_not_sent_where_failed_ones_are_more_than_half_of_its_prompt() {
        // Asked for were 4 tokens of opening, 1 and 3 of the failed turn, and 1: a half is there. With one more it is not.
        for (answer, expected) in [(4, None), (5, Some(FailureKind::NoHistory))] {
            let short = Session { opening_tokens: 4, ..session(&AnswerMode::Live { max_tokens: answer }) };
            let mut conversation = ConversationState::new(short, false, script());
            conversation.absorb(2, &failed(), 0, TurnErrorPolicy::DropTurn);
            assert_eq!(obstacle(&mut conversation, 3), expected, "answers of {answer}");
        }
    }
}
