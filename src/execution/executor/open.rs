//! The open loop: sends every request at its time whatever else is in flight, each prompt built before it is due.
//!
//! In come arrivals; every one of them is reported. A task of its own builds prompts a bounded number of requests ahead, and a bounded
//! number is in flight, so that a run of any length takes the same memory. It must not know a workload's kind.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use super::in_flight_limiter::{InFlightLimiter, InFlightPermit};
use super::row::{LoadSnapshot, ScheduledRequest};
use super::sequential_loop::{LoadContext, LoadError, RequestResult, RunWindow, send};
use crate::foundation::clock::{CpuTimeSlice, Micros, PreciseTimer};
use crate::records::record::{FailureKind, RequestFailure};
use crate::servers::client::PreparedRequest;
use crate::workloads::arrival::{OpenLoopArrivals, ScheduledTurn};
use crate::workloads::workload::WorkloadError;

/// How many requests are built before they are due: recorded traces have dozens at one moment.
const AHEAD: usize = 96;

/// Whoever builds begins again when so many of them have been sent, and not for each: threads that wake each other are what a request
/// costs most.
const AT_A_TIME: usize = 32;

/// How many are built at once. It helps where tokens are counted by a server, which takes its time.
const AT_ONCE: usize = 4;

/// A request with everything made that can be made before it is due.
struct PreparedArrival {
    step: ScheduledTurn,
    prepared: PreparedRequest,
    /// Tokens of its prompt as authored.
    authored: u64,
}

/// The arrivals of a run, the first of them built.
pub(super) struct OpenLoop {
    load: Arc<LoadContext>,
    building: JoinSet<Result<(), LoadError>>,
    ready: mpsc::Receiver<PreparedArrival>,
    slots: InFlightLimiter,
    start: RunWindow,
}

/// What can be done with a request that is due.
enum SendDecision {
    /// It may be sent; it could have been at that moment.
    Send(InFlightPermit, Micros),
    /// All places were taken until the run was over.
    TooLate,
    /// The run is to be stopped.
    Stop,
}

impl OpenLoop {
    /// Begins to build; comes back when as many requests are ready as are built ahead.
    pub async fn prepare(load: Arc<LoadContext>, arrivals: OpenLoopArrivals) -> Result<Self, LoadError> {
        let longest = load.workload.longest();
        if let (Some(limit), Some((session, needed))) = (load.context_limit, longest) {
            fits(session, needed, limit)?;
        }
        load.occupancy.live_lanes.store(1, Ordering::Relaxed);
        let slots = InFlightLimiter::new(arrivals.places, load.clock);
        let (hand_over, ready) = mpsc::channel(AHEAD);
        let (full, filled) = oneshot::channel();
        let mut building = JoinSet::new();
        load.threads.spawn_in_office(&mut building, build(Arc::clone(&load), arrivals, hand_over, full));
        // Dropped where there are fewer, or where one cannot be built: `run` finds out which.
        tokio::select! { biased; () = load.stop.draining() => {} _ = filled => {} }
        Ok(Self { load, building, ready, slots, start: RunWindow::default() })
    }

    /// Sends all requests, and awaits their answers.
    pub async fn run(mut self, start: RunWindow) -> Result<(), LoadError> {
        self.start = start;
        let mut timer = PreciseTimer::new(self.load.clock);
        let mut sending = JoinSet::new();
        while let Some(PreparedArrival { step, prepared, authored }) = self.ready.recv().await {
            let intended = self.start.intended(step.due, Micros::ZERO);
            if self.load.clock.now() < intended {
                tokio::select! { biased; () = self.load.stop.draining() => {} () = timer.sleep_until(intended) => {} }
            }
            match self.turn(intended).await {
                SendDecision::Send(slot, could_send_at) => {
                    let sent = self.sent(step, &prepared, intended, LoadSnapshot::entering(&self.load.occupancy));
                    let request = InFlightRequest { prepared, authored, sent, could_send_at, slot };
                    sending.spawn(request.exchange(Arc::clone(&self.load)));
                }
                SendDecision::TooLate => {
                    let sent = self.sent(step, &prepared, intended, LoadSnapshot::now(&self.load.occupancy));
                    let detail = "not sent: all places of `max_in_flight` were taken when the run ended".to_owned();
                    self.load.report_unsent(sent, RequestFailure { kind: FailureKind::Cancelled, detail });
                }
                SendDecision::Stop => break,
            }
            while let Some(ended) = sending.try_join_next() {
                outcome(ended)?;
            }
        }
        // Who builds finds that nobody takes any more.
        drop(self.ready);
        while let Some(ended) = self.building.join_next().await {
            outcome(ended)?;
        }
        self.load.occupancy.live_lanes.store(0, Ordering::Relaxed);
        while let Some(ended) = sending.join_next().await {
            outcome(ended)?;
        }
        Ok(())
    }

    /// Takes a place for a request that is due, or waits for one as long as the run goes on. One that finds a place is sent even where
    /// the client is late and the run just over.
    async fn turn(&mut self, intended: Micros) -> SendDecision {
        let LoadContext { stop, clock, .. } = &*self.load;
        if stop.is_draining() {
            return SendDecision::Stop;
        }
        // Requests are sent in order, and so is each as late as its own place came free, however many came free at that moment.
        if let Some((slot, free_since)) = self.slots.try_take() {
            return SendDecision::Send(slot, intended.max(free_since));
        }
        let over = async {
            match self.start.end() {
                Some(end) => clock.sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop.draining() => SendDecision::Stop,
            () = over => SendDecision::TooLate,
            (slot, free_since) = self.slots.take() => SendDecision::Send(slot, intended.max(free_since)),
        }
    }

    fn sent(&self, step: ScheduledTurn, prepared: &PreparedRequest, intended: Micros, at_send: LoadSnapshot) -> ScheduledRequest {
        let phase = self.start.phase(intended);
        ScheduledRequest { session: prepared.prompt().session, turn: step.turn, lane: 0, phase, intended, at_send }
    }
}

/// A request on its way.
struct InFlightRequest {
    prepared: PreparedRequest,
    authored: u64,
    sent: ScheduledRequest,
    /// When nothing but the client's own lateness stood in its way.
    could_send_at: Micros,
    slot: InFlightPermit,
}

impl InFlightRequest {
    async fn exchange(self, load: Arc<LoadContext>) -> Result<(), LoadError> {
        let said = load.texts.of(self.prepared.prompt());
        let exchange = send(&load, self.prepared, None).await;
        drop(self.slot);
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
async fn build(
    load: Arc<LoadContext>,
    arrivals: OpenLoopArrivals,
    hand_over: mpsc::Sender<PreparedArrival>,
    full: oneshot::Sender<()>,
) -> Result<(), LoadError> {
    let mut full = Some(full);
    let made = stream::iter(arrivals).map(|step| make(Arc::clone(&load), step)).buffered(AT_ONCE);
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
fn outcome(ended: Result<Result<(), LoadError>, JoinError>) -> Result<(), LoadError> {
    match ended {
        Ok(result) => result,
        Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
        Err(_aborted) => Ok(()),
    }
}
