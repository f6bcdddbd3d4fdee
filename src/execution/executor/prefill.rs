//! Before time 0: lays the histories of users met in mid-life into the server's cache, so that the run starts in steady state.
//!
//! Each gets one request of one token whose prompt is its history and a question that will not come again: what the first measured turn
//! shares with it is the history, exactly what the cache of a server would hold that had answered those turns.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::row::{LoadSnapshot, ScheduledRequest};
use super::sequential_loop::{LoadContext, LoadError, RequestResult, send};
use crate::records::record::RequestPhase;
use crate::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use crate::workloads::arrival::PrefilledUser;

/// Histories that are laid in at once.
const AT_ONCE: usize = 4;

/// A question that no workload asks.
const NEVER_ASKED_AGAIN: &str = "-";

pub(super) async fn prefill(load: &LoadContext, users: &[PrefilledUser]) -> Result<(), LoadError> {
    stream::iter(users).map(Ok).try_for_each_concurrent(AT_ONCE, |user| lay_in(load, *user)).await
}

async fn lay_in(load: &LoadContext, user: PrefilledUser) -> Result<(), LoadError> {
    if load.stop.is_draining() {
        return Ok(());
    }
    let session = load.session(user.session, user.first_turn).await?;
    let mut messages = session.opening;
    messages.push(ChatMessage::new(MessageRole::User, NEVER_ASKED_AGAIN));
    let prompt = Prompt {
        session: session.number,
        turn: user.first_turn,
        messages,
        max_tokens: 1,
        exact_length: false,
        user_id: load.user_header.then_some(session.number),
    };
    let authored = session.opening_tokens;
    let at_send = LoadSnapshot::entering(&load.occupancy);
    let sent = ScheduledRequest {
        session: session.number,
        turn: user.first_turn,
        lane: user.lane,
        phase: RequestPhase::Prefill,
        intended: load.clock.now(),
        at_send,
    };
    let said = load.texts.of(&prompt);
    let exchange = send(load, load.target.prepare(prompt), None).await;
    let counts = load.counts(&exchange, Some(authored)).await?;
    let said = said.map(|said| said.answered(&exchange));
    // The receiver lives until the run is over.
    let _ = load.done.send(RequestResult { said, ..RequestResult::of(sent, exchange, counts) });
    Ok(())
}
