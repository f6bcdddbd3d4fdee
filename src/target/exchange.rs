//! What came back for one request: stamps, gaps, counts, the answer's text, and the failure if it was one.

use crate::clock::Micros;
use crate::record::{Failure, Usage};

/// One request and its answer, as seen by the client. Nothing here has been judged yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exchange {
    /// When the last byte of the request was handed to the kernel (or the request to the engine); the moment of failure where it never was.
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
    pub carriage: Carriage,
}

/// How a request and its answer were carried; empty for the simulated engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carriage {
    /// How long it took to open a connection for it; `None` where one stood.
    pub connect: Option<Micros>,
    /// It went out at all, on whatever connection.
    pub connected: bool,
    /// From the moment the target was given the request to `sent`: opening a connection, and writing the request to its last byte.
    pub handover: Micros,
    /// Open connections that were found closed by the server when one was to be used.
    pub dead: u32,
    /// How many times it was sent again since a connection used before broke before any byte of the answer.
    pub resent: u32,
    pub reads: Reads,
}

/// The reads that brought token-bearing events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    /// How much later than their last bytes arrived they were read, in microseconds, where the kernel told.
    pub lags_us: Vec<u32>,
    /// Those of which the kernel did not tell: their events have the moment of reading.
    pub unstamped: u64,
    /// Those that brought several token-bearing events, which share a stamp.
    pub merged: u64,
}

impl Reads {
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
