//! What came back for one request: stamps, gaps, counts, the answer's text, and the failure if it was one.

use serde::{Deserialize, Serialize};

use crate::foundation::clock::Micros;
use crate::records::record::{RequestFailure, TokenUsage};

/// One request and its answer, as seen by the client. Nothing here has been judged yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpExchange {
    /// When the last byte of the request was handed to the kernel (or the request to the engine); the moment of failure where it never was.
    pub sent: Micros,
    /// When the response's head came.
    pub headers: Option<Micros>,
    /// When the first event of any kind came.
    pub first_event: Option<Micros>,
    /// When each token-bearing event came, in order. Several tokens in one event share a stamp.
    pub token_events: Vec<Micros>,
    /// When the first of them came that carries a token of the answer: not of the reasoning before it.
    pub first_answer: Option<Micros>,
    /// How many of them carry reasoning alone.
    pub reasoning_events: u64,
    /// Tokens of the first token-bearing event, where the server tells (continuous usage).
    pub first_event_tokens: Option<u32>,
    /// So many tokens the answer was to have, where its length was forced.
    pub forced_tokens: Option<u32>,
    /// What stands in the first token-bearing event: answer, reasoning and tool calls.
    pub first_event_text: String,
    /// When the exchange was over, in whatever way.
    pub done: Micros,
    pub usage: Option<TokenUsage>,
    /// The answer's content, for the session's history; reasoning is not part of it.
    pub answer: String,
    /// What was streamed of the reasoning.
    pub reasoning: String,
    /// Names and arguments of tool calls.
    pub tool_calls: String,
    pub failure: Option<RequestFailure>,
    pub carriage: TransportStats,
}

impl HttpExchange {
    /// Tokens that the server counted and never streamed: reasoning that it keeps to itself.
    #[must_use]
    pub fn hidden_tokens(&self) -> u64 {
        let Some(TokenUsage { output_tokens, reasoning_tokens: Some(reasoning), .. }) = self.usage else { return 0 };
        if self.reasoning_events > 0 || !self.reasoning.is_empty() {
            return 0;
        }
        // What was seen was not hidden.
        reasoning.min(output_tokens.saturating_sub(self.token_events.len() as u64))
    }

    /// Tokens that were streamed, where the server counted: reasoning, answer and tool calls.
    #[must_use]
    pub fn streamed_tokens(&self) -> Option<u64> {
        Some(self.usage?.output_tokens.saturating_sub(self.hidden_tokens()))
    }
}

/// How a request and its answer were carried; empty for the simulated engine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TransportStats {
    /// How long it took to open a connection for it; `None` where one stood.
    pub connect: Option<Micros>,
    /// It went out at all, on whatever connection.
    pub connected: bool,
    /// Of several servers the one that it was sent to: its place in `target.urls`, from 0.
    pub server: Option<u32>,
    /// How often it was sent.
    pub attempts: u32,
    /// From the moment the target was given the request to `sent`: opening a connection, and writing the request to its last byte.
    pub handover: Micros,
    /// Open connections that were found closed by the server when one was to be used.
    pub dead: u32,
    /// How many times it was sent again since a connection used before broke before any byte of the answer.
    pub resent: u32,
    /// How many times the server refused it for having too much to do (status 429).
    pub rate_limited: u32,
    /// How many times it was sent again after such a pause as the server asked for.
    pub retries: u32,
    /// The pause that the last refusal asked for.
    pub asked_pause: Option<Micros>,
    pub reads: ReadStats,
}

/// The reads that brought token-bearing events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReadStats {
    /// How much later than their last bytes arrived they were read, in microseconds, where the kernel told.
    pub lags_us: Vec<u32>,
    /// Those of which the kernel did not tell: their events have the moment of reading.
    pub unstamped: u64,
    /// Those that brought several token-bearing events, which share a stamp.
    pub merged: u64,
}

impl ReadStats {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.lags_us.len() as u64 + self.unstamped
    }

    /// Takes a read that brought so many token-bearing events.
    pub(super) fn take(&mut self, lag: Option<Micros>, events: usize) {
        if events == 0 {
            return;
        }
        match lag {
            Some(lag) => self.lags_us.push(u32::try_from(lag.0).unwrap_or(u32::MAX)),
            None => self.unstamped += 1,
        }
        self.merged += u64::from(events > 1);
    }
}
