//! Tokens without a text: half a character, or the one that ends an answer. An event that shows nothing is a token where the server's count
//! says so, and only there: servers send empty events for other reasons, too.

use super::HttpExchange;
use crate::foundation::clock::Micros;

/// An event of an answer that showed nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct SilentEvent {
    pub(super) at: Micros,
    /// It has a `finish_reason`.
    pub(super) ends: bool,
    /// There was reasoning before, and no answer yet.
    pub(super) is_reasoning: bool,
}

impl SilentEvent {
    /// Makes a token of it.
    pub(super) fn enter(self, exchange: &mut HttpExchange) {
        let place = exchange.token_events.partition_point(|at| *at <= self.at);
        exchange.token_events.insert(place, self.at);
        if self.is_reasoning {
            exchange.reasoning_events += 1;
        } else {
            let first = exchange.first_answer.map_or(self.at, |first| first.min(self.at));
            exchange.first_answer = Some(first);
        }
    }
}

/// Those of one answer that the count did not grow with, or that came without a count.
#[derive(Debug, Default)]
pub(super) struct SilentEvents(Vec<SilentEvent>);

impl SilentEvents {
    pub(super) fn note(&mut self, event: SilentEvent) {
        self.0.push(event);
    }

    /// The answer is over: where the tokens that were streamed are as many as its events with text and those without, each was one. The event
    /// that ends an answer is a token only where one is missing else.
    pub(super) fn settle(&mut self, exchange: &mut HttpExchange) {
        let silent = std::mem::take(&mut self.0);
        let Some(streamed) = exchange.streamed_tokens() else { return };
        let missing = usize::try_from(streamed).unwrap_or(usize::MAX).saturating_sub(exchange.token_events.len());
        let going_on = silent.iter().filter(|event| !event.ends).count();
        let wanted = |event: &SilentEvent| match missing {
            0 => false,
            missing if missing == going_on => !event.ends,
            // Without any text these events are all that can have brought the tokens.
            missing => missing == silent.len() || exchange.token_events.is_empty(),
        };
        let tokens: Vec<SilentEvent> = silent.iter().copied().filter(wanted).collect();
        for event in tokens {
            event.enter(exchange);
        }
    }
}
