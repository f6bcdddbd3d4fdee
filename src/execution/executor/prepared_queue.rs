//! Single requests, each prompt built before it is due: in go the steps of a schedule, out come requests that are ready to be sent, in order.
//!
//! A task of its own builds a bounded number ahead, so that a run of any length takes the same memory. It must not know when they are sent.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use super::row::{LoadSnapshot, ScheduledRequest};
use super::sequential_loop::{LoadContext, LoadError, RequestResult, RunWindow, send};
use crate::foundation::clock::{CpuTimeSlice, Micros};
use crate::servers::client::PreparedRequest;
use crate::workloads::arrival::{ScheduledTurn, SendTrigger};
use crate::workloads::workload::WorkloadError;

/// How many requests are built at least before they are due: recorded traces have dozens at one moment.
const AHEAD: usize = 96;

/// Whoever builds begins again when so many of them have been sent, and not for each: threads that wake each other are what a request
/// costs most.
const AT_A_TIME: usize = 32;

/// How many are built at once. It helps where tokens are counted by a server, which takes its time.
const AT_ONCE: usize = 4;

/// The requests of a run, the first of them built.
pub(super) struct PreparedQueue {
    building: JoinSet<Result<(), LoadError>>,
    ready: mpsc::Receiver<PreparedArrival>,
}

/// A request with everything made that can be made before it is due.
pub(super) struct PreparedArrival {
    step: ScheduledTurn,
    prepared: PreparedRequest,
    /// Tokens of its prompt as authored.
    authored: u64,
}

/// A request on its way.
pub(super) struct InFlightRequest {
    prepared: PreparedRequest,
    authored: u64,
    sent: ScheduledRequest,
    /// When nothing but the client's own lateness stood in its way.
    could_send_at: Micros,
}

impl PreparedQueue {
    /// Begins to build; comes back when as many requests are ready as are built ahead. `at_once` of them may be due at one moment.
    pub async fn fill<I>(load: &Arc<LoadContext>, steps: I, at_once: usize) -> Result<Self, LoadError>
    where
        I: Iterator<Item = ScheduledTurn> + Send + 'static,
    {
        let longest = load.workload.longest();
        if let (Some(limit), Some((session, needed))) = (load.context_limit, longest) {
            fits(session, needed, limit)?;
        }
        // Room is taken for so many at a time, and all of it is to be taken.
        let (hand_over, ready) = mpsc::channel(AHEAD.max(at_once).next_multiple_of(AT_A_TIME));
        let (full, filled) = oneshot::channel();
        let mut building = JoinSet::new();
        load.threads.spawn_in_office(&mut building, build(Arc::clone(load), steps, hand_over, full));
        // Dropped where there are fewer, or where one cannot be built: whoever sends them finds out which.
        tokio::select! { biased; () = load.stop.draining() => {} _ = filled => {} }
        Ok(Self { building, ready })
    }

    /// The next request; `None` after the last, or where one could not be built.
    pub async fn next(&mut self) -> Option<PreparedArrival> {
        self.ready.recv().await
    }

    /// Ends the building, and tells what was wrong with it.
    pub async fn close(mut self) -> Result<(), LoadError> {
        // Who builds finds that nobody takes any more.
        drop(self.ready);
        while let Some(ended) = self.building.join_next().await {
            outcome(ended)?;
        }
        Ok(())
    }
}

impl PreparedArrival {
    pub fn due(&self) -> SendTrigger {
        self.step.due
    }

    /// As it stands in the run's records.
    pub fn scheduled(&self, window: &RunWindow, intended: Micros, at_send: LoadSnapshot) -> ScheduledRequest {
        let phase = window.phase(intended, self.step.session);
        ScheduledRequest { session: self.prepared.prompt().session, turn: self.step.turn, lane: 0, phase, intended, at_send }
    }

    /// To be sent now; it could have been at `could_send_at`.
    pub fn in_flight(self, window: &RunWindow, intended: Micros, could_send_at: Micros, at_send: LoadSnapshot) -> InFlightRequest {
        let sent = self.scheduled(window, intended, at_send);
        InFlightRequest { prepared: self.prepared, authored: self.authored, sent, could_send_at }
    }
}

impl InFlightRequest {
    /// Sends it, awaits its answer and reports it; `over` is told when it was over, as soon as it is.
    pub async fn exchange(self, load: Arc<LoadContext>, over: impl FnOnce(Micros) + Send) -> Result<(), LoadError> {
        let said = load.texts.of(self.prepared.prompt());
        let exchange = send(&load, self.prepared, None).await;
        over(exchange.done);
        let counts = load.counts(&exchange, Some(self.authored)).await?;
        let said = said.map(|said| said.answered(&exchange));
        // The receiver lives until every lane has ended.
        let _ = load
            .done
            .send(RequestResult { said, ..RequestResult::sent(self.sent, exchange, counts, Some(self.authored), self.could_send_at) });
        Ok(())
    }
}

/// Builds all requests in order; tells once `full` that as many wait as may.
async fn build<I>(
    load: Arc<LoadContext>,
    steps: I,
    hand_over: mpsc::Sender<PreparedArrival>,
    full: oneshot::Sender<()>,
) -> Result<(), LoadError>
where
    I: Iterator<Item = ScheduledTurn> + Send,
{
    let mut full = Some(full);
    let made = stream::iter(steps).map(|step| make(Arc::clone(&load), step)).buffered(AT_ONCE);
    let mut made = std::pin::pin!(made);
    // Nobody takes any more where there is no room to be had.
    while let Ok(room) = hand_over.reserve_many(AT_A_TIME).await {
        let mut stretch = load.threads.stretch();
        for place in room {
            let Some(ready) = made.try_next().await? else { return Ok(()) };
            place.send(ready);
            stretch.as_mut().map(CpuTimeSlice::give_way);
        }
        if hand_over.capacity() == 0
            && let Some(full) = full.take()
        {
            // Whoever waited may have been stopped.
            let _ = full.send(());
        }
    }
    Ok(())
}

async fn make(load: Arc<LoadContext>, step: ScheduledTurn) -> Result<PreparedArrival, LoadError> {
    let (mut conversation, needed) = load.make_conversation(step.session, step.turn).await?;
    if let Some(limit) = load.context_limit {
        fits(step.session, needed, limit)?;
    }
    let authored = conversation.prompt_tokens(step.turn);
    // Of a session of one turn there is none that could have failed before.
    let prepared = conversation.ready(step.turn, &load.target).and_then(Result::ok);
    let prepared = prepared.ok_or(WorkloadError::FirstTurn { first_turn: step.turn, turns: load.workload.turns() })?;
    Ok(PreparedArrival { step, prepared, authored })
}

fn fits(session: u64, needed: u64, limit: u64) -> Result<(), LoadError> {
    if needed > limit { Err(LoadError::Request { session, needed, limit }) } else { Ok(()) }
}

/// What a task came to; its panic goes on here.
pub(super) fn outcome(ended: Result<Result<(), LoadError>, JoinError>) -> Result<(), LoadError> {
    match ended {
        Ok(result) => result,
        Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
        Err(_aborted) => Ok(()),
    }
}
