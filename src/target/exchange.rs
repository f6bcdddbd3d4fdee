//! What came back for one request: stamps, gaps, counts, the answer's text, and the failure if it was one.

use crate::clock::Micros;
use crate::record::{Failure, Usage};

/// One request and its answer, as seen by the client. Nothing here has been judged yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exchange {
    /// When the request was handed to the socket (or to the engine); the moment of failure where it never was.
    pub sent: Micros,
    /// When the response's head came.
    pub headers: Option<Micros>,
    /// When the first event of any kind came.
    pub first_event: Option<Micros>,
    /// When each token-bearing event came, in order. Several tokens in one event share a stamp.
    pub token_events: Vec<Micros>,
    /// Tokens of the first token-bearing event, where the server tells (continuous usage).
    pub first_event_tokens: Option<u32>,
    /// When the exchange was over, in whatever way.
    pub done: Micros,
    pub usage: Option<Usage>,
    /// The answer's content, for the session's history; reasoning is not part of it.
    pub answer: String,
    pub failure: Option<Failure>,
}
