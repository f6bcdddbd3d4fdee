//! The row of one request: what was known when it was sent, what came back, and the token counts of the one who could tell.

use std::sync::atomic::Ordering;

use super::lane::Occupancy;
use crate::clock::Micros;
use crate::record::{Phase, RequestRecord, TokenSource, Usage};
use crate::target::Exchange;

/// What was going on when a request was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct AtSend {
    request: u64,
    in_flight: u32,
    live_lanes: u32,
}

impl AtSend {
    /// For a request that goes into flight now.
    pub fn entering(occupancy: &Occupancy) -> Self {
        occupancy.in_flight.fetch_add(1, Ordering::Relaxed);
        Self::now(occupancy)
    }

    /// For a request that is not sent.
    pub fn now(occupancy: &Occupancy) -> Self {
        Self {
            request: occupancy.requests.fetch_add(1, Ordering::Relaxed),
            in_flight: occupancy.in_flight.load(Ordering::Relaxed),
            live_lanes: occupancy.live_lanes.load(Ordering::Relaxed),
        }
    }
}

/// A request that was, or should have been, sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub session: u64,
    pub turn: u32,
    pub lane: u32,
    pub phase: Phase,
    pub intended: Micros,
    pub at_send: AtSend,
}

impl Sent {
    pub fn record(self, exchange: Exchange, counts: Counts) -> RequestRecord {
        let gaps = exchange.token_events.windows(2);
        RequestRecord {
            request: self.at_send.request,
            session: self.session,
            lane: self.lane,
            turn: self.turn,
            phase: self.phase,
            intended_us: self.intended,
            sent_us: exchange.sent,
            headers_us: exchange.headers,
            first_event_us: exchange.first_event,
            first_token_us: exchange.token_events.first().copied(),
            last_token_us: exchange.token_events.last().copied(),
            done_us: exchange.done,
            gaps_us: gaps.map(|pair| u32::try_from(pair[1].since(pair[0]).0).unwrap_or(u32::MAX)).collect(),
            first_event_tokens: exchange.first_event_tokens,
            prompt_tokens: counts.usage.map(|usage| usage.prompt_tokens),
            cached_tokens: counts.usage.and_then(|usage| usage.cached_tokens),
            output_tokens: counts.usage.map(|usage| usage.output_tokens),
            token_source: counts.source,
            in_flight: self.at_send.in_flight,
            live_lanes: self.at_send.live_lanes,
            connect_us: exchange.carriage.connect,
            failure: exchange.failure,
        }
    }
}

/// Token counts of a request, and who told them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    usage: Option<Usage>,
    source: TokenSource,
}

impl Counts {
    /// The server's, where it told them.
    pub fn told(exchange: &Exchange) -> Self {
        exchange.usage.map_or(Self::unknown(), |usage| Self { usage: Some(usage), source: TokenSource::Usage })
    }

    /// Those of the token rule: `authored` for the prompt, and the answer counted when it was over.
    pub fn counted(authored: u64, output_tokens: u64) -> Self {
        let usage = Usage { prompt_tokens: authored, output_tokens, cached_tokens: None };
        Self { usage: Some(usage), source: TokenSource::TokenRule }
    }

    pub fn unknown() -> Self {
        Self { usage: None, source: TokenSource::Unknown }
    }

    pub fn output_tokens(&self) -> u64 {
        self.usage.map_or(0, |usage| usage.output_tokens)
    }
}
