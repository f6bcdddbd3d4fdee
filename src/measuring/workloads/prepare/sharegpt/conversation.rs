//! What is taken of a conversation: its first rounds of question and answer, as the workload can use them.

use serde::Serialize;

use super::stream::{StreamedConversation, StreamedMessage};

/// The rounds of a conversation that are kept, in the public layout, with a count at each message.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct PreparedConversation {
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub id: serde_json::Value,
    pub conversations: Vec<PreparedMessage>,
}

/// A message; readers of the public layout pass over `tokens`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct PreparedMessage {
    pub from: &'static str,
    pub value: String,
    pub tokens: u64,
}

/// Why a conversation is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationSkipReason {
    /// The user does not begin; a system message before that is passed over.
    FirstNotHuman,
    /// Before there are enough rounds, somebody speaks twice, or somebody else.
    DoesNotAlternate,
    EmptyMessage,
    TooFewRounds,
    MessageTooShort,
    ContextTooLong,
}

impl ConversationSkipReason {
    /// The name under which it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstNotHuman => "first_not_human",
            Self::DoesNotAlternate => "does_not_alternate",
            Self::EmptyMessage => "empty_message",
            Self::TooFewRounds => "too_few_rounds",
            Self::MessageTooShort => "message_too_short",
            Self::ContextTooLong => "context_too_long",
        }
    }
}

impl PreparedConversation {
    /// The first `rounds` rounds; without a number as many as alternate, at least one.
    pub fn of(written: StreamedConversation, rounds: Option<u32>) -> Result<Self, ConversationSkipReason> {
        let mut messages = written.conversations.into_iter().peekable();
        messages.next_if(|first| first.from == "system");
        let most = rounds.map_or(usize::MAX, |rounds| rounds as usize);
        let mut kept = Vec::new();
        while kept.len() / 2 < most {
            match round(&mut messages, kept.is_empty()) {
                Ok(round) => kept.extend(round),
                Err(unfit) if rounds.is_some() || kept.is_empty() => return Err(unfit),
                Err(_) => break,
            }
        }
        Ok(Self { id: written.id, conversations: kept })
    }

    /// Tokens of all messages.
    pub fn tokens(&self) -> u64 {
        self.conversations.iter().map(|message| message.tokens).sum()
    }
}

fn round(messages: &mut impl Iterator<Item = StreamedMessage>, first: bool) -> Result<[PreparedMessage; 2], ConversationSkipReason> {
    let question = messages.next().ok_or(ConversationSkipReason::TooFewRounds)?;
    if !matches!(question.from.as_str(), "human" | "user") {
        return Err(if first { ConversationSkipReason::FirstNotHuman } else { ConversationSkipReason::DoesNotAlternate });
    }
    let answer = messages.next().ok_or(ConversationSkipReason::TooFewRounds)?;
    if !matches!(answer.from.as_str(), "gpt" | "assistant" | "chatgpt" | "bing" | "bard") {
        return Err(ConversationSkipReason::DoesNotAlternate);
    }
    if [&question, &answer].iter().any(|message| message.value.trim().is_empty()) {
        return Err(ConversationSkipReason::EmptyMessage);
    }
    Ok([("human", question.value), ("gpt", answer.value)].map(|(from, value)| PreparedMessage { from, value, tokens: 0 }))
}
