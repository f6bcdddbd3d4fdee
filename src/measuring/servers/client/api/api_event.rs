//! What the answer parser asks of an event, whatever its API.

use std::borrow::Cow;

use super::usage_count::{PromptCounts, UsageCountError};
use crate::records::record::TokenUsage;

/// What a token is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// What the user reads or hears: content, a refusal, audio.
    Answer,
    /// What the model says to itself before.
    Reasoning,
    /// The name or the arguments of a tool call.
    ToolCall,
}

/// How a server says that its answer is whole, or that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFinish<'c> {
    /// `stop`, `length`, `tool_calls`, ...; counts may follow.
    Whole,
    /// It is whole, and whatever follows is no part of it.
    Over,
    /// The server gave the answer up: `abort` or `error`.
    GivenUp(&'c str),
}

/// One event of an answer, read.
pub trait AnswerEvent<'a> {
    /// Hands on the texts of the generated tokens that the event carries. A text is empty where a token has none, as sound has.
    fn each_text(&self, take: &mut dyn FnMut(TokenKind, &str));

    /// Whether the event is about an answer that goes on or ends, but has nothing of it to show: no token, unless the counts say so.
    /// `begun` where there was something before.
    fn is_silent(&self, begun: bool) -> bool;

    fn finish(&self) -> Option<AnswerFinish<'_>>;

    /// The token of an event that says nothing else, where it stands in the event as it is.
    fn only_token(&self) -> Option<(TokenKind, &'a str)>;

    /// Token counts so far, where the event tells them; a missing count of cached tokens is not 0. `prompt` is what earlier events told of the prompt.
    fn usage(&self, prompt: &mut PromptCounts) -> Result<Option<TokenUsage>, UsageCountError>;

    /// The message of an error, as the server put it.
    fn error(&self) -> Option<Cow<'_, str>>;
}
