//! The row of one request: what was known when it was sent, what came back, and its token counts.

use std::sync::atomic::Ordering;

use super::sequential_loop::InFlightCounters;
use super::token_counts::TokenCounts;
use crate::foundation::clock::Micros;
use crate::records::record::{RequestPhase, RequestRecord, TokenSource};
use crate::servers::client::HttpExchange;

/// What was going on when a request was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoadSnapshot {
    request: u64,
    in_flight: u32,
    live_lanes: u32,
}

impl LoadSnapshot {
    /// For a request that goes into flight now.
    pub fn entering(occupancy: &InFlightCounters) -> Self {
        occupancy.in_flight.fetch_add(1, Ordering::Relaxed);
        Self::now(occupancy)
    }

    /// For a request that is not sent.
    pub fn now(occupancy: &InFlightCounters) -> Self {
        Self {
            request: occupancy.requests.fetch_add(1, Ordering::Relaxed),
            in_flight: occupancy.in_flight.load(Ordering::Relaxed),
            live_lanes: occupancy.live_lanes.load(Ordering::Relaxed),
        }
    }
}

/// A request that was, or should have been, sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScheduledRequest {
    pub session: u64,
    pub turn: u32,
    pub lane: u32,
    pub phase: RequestPhase,
    pub intended: Micros,
    pub at_send: LoadSnapshot,
}

impl ScheduledRequest {
    /// All but what the reads say.
    pub fn record(self, exchange: HttpExchange, counts: TokenCounts) -> RequestRecord {
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
            first_event_tokens: counts.first_event.map(|(tokens, _)| tokens).or(exchange.first_event_tokens),
            prompt_tokens: counts.prompt,
            cached_tokens: counts.cached,
            output_tokens: counts.output,
            token_source: counts.source.unwrap_or(TokenSource::Unknown),
            in_flight: self.at_send.in_flight,
            live_lanes: self.at_send.live_lanes,
            connect_us: exchange.carriage.connect,
            first_answer_us: exchange.first_answer,
            token_events: (!exchange.token_events.is_empty()).then_some(exchange.token_events.len() as u64),
            token_reads: None,
            first_event_source: counts.first_event.map(|(_, source)| source),
            reasoning_tokens: counts.reasoning,
            hidden_tokens: counts.hidden,
            forced_tokens: exchange.forced_tokens,
            // Of texts, which the row does not see.
            prompt_hash: None,
            answer_hashes: None,
            server: exchange.carriage.server,
            attempts: (exchange.carriage.attempts > 0).then_some(exchange.carriage.attempts),
            // Of several clients each knows itself.
            client: None,
            failure: exchange.failure,
        }
    }
}
