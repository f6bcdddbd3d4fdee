//! The open loop: sends every request at its time whatever else is in flight, each prompt built before it is due.
//!
//! In come arrivals; every one of them is reported. A task of its own builds prompts a bounded number of requests ahead, and a bounded
//! number is in flight, so that a run of any length takes the same memory. It must not know a workload's kind.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use super::flight_slot::{FlightSlot, FlightSlots};
use super::lane::{Done, LaneError, Load, Start, send};
use super::row::{AtSend, Sent};
use crate::arrival::{Arrivals, Step};
use crate::clock::{Micros, Stretch, Timer};
use crate::record::{Failure, FailureKind};
use crate::target::Prepared;
use crate::workload::WorkloadError;

/// How many requests are built before they are due: recorded traces have dozens at one moment.
const AHEAD: usize = 96;

/// Whoever builds begins again when so many of them have been sent, and not for each: threads that wake each other are what a request
/// costs most.
const AT_A_TIME: usize = 32;

/// How many are built at once. It helps where tokens are counted by a server, which takes its time.
const AT_ONCE: usize = 4;

/// A request with everything made that can be made before it is due.
struct Ready {
    step: Step,
    prepared: Prepared,
    /// Tokens of its prompt as authored.
    authored: u64,
}

/// The arrivals of a run, the first of them built.
pub(super) struct OpenLoop {
    load: Arc<Load>,
    building: JoinSet<Result<(), LaneError>>,
    ready: mpsc::Receiver<Ready>,
    slots: FlightSlots,
    start: Start,
}

/// What can be done with a request that is due.
enum Turn {
    /// It may be sent; it could have been at that moment.
    Send(FlightSlot, Micros),
    /// All places were taken until the run was over.
    TooLate,
    /// The run is to be stopped.
    Stop,
}

impl OpenLoop {
    /// Begins to build; comes back when as many requests are ready as are built ahead.
    pub async fn prepare(load: Arc<Load>, arrivals: Arrivals) -> Result<Self, LaneError> {
        let longest = load.workload.longest();
        if let (Some(limit), Some((session, needed))) = (load.context_limit, longest) {
            fits(session, needed, limit)?;
        }
        load.occupancy.live_lanes.store(1, Ordering::Relaxed);
        let slots = FlightSlots::new(arrivals.places, load.clock);
        let (hand_over, ready) = mpsc::channel(AHEAD);
        let (full, filled) = oneshot::channel();
        let mut building = JoinSet::new();
        load.threads.spawn_in_office(&mut building, build(Arc::clone(&load), arrivals, hand_over, full));
        // Dropped where there are fewer, or where one cannot be built: `run` finds out which.
        tokio::select! { biased; () = load.stop.draining() => {} _ = filled => {} }
        Ok(Self { load, building, ready, slots, start: Start::default() })
    }

    /// Sends all requests, and awaits their answers.
    pub async fn run(mut self, start: Start) -> Result<(), LaneError> {
        self.start = start;
        let mut timer = Timer::new(self.load.clock);
        let mut sending = JoinSet::new();
        while let Some(Ready { step, prepared, authored }) = self.ready.recv().await {
            let intended = self.start.intended(step.due, Micros::ZERO);
            if self.load.clock.now() < intended {
                tokio::select! { biased; () = self.load.stop.draining() => {} () = timer.sleep_until(intended) => {} }
            }
            match self.turn(intended).await {
                Turn::Send(slot, could_send_at) => {
                    let sent = self.sent(step, &prepared, intended, AtSend::entering(&self.load.occupancy));
                    let request = Request { prepared, authored, sent, could_send_at, slot };
                    sending.spawn(request.exchange(Arc::clone(&self.load)));
                }
                Turn::TooLate => {
                    let sent = self.sent(step, &prepared, intended, AtSend::now(&self.load.occupancy));
                    let detail = "not sent: all places of `max_in_flight` were taken when the run ended".to_owned();
                    self.load.report_unsent(sent, Failure { kind: FailureKind::Cancelled, detail });
                }
                Turn::Stop => break,
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
    async fn turn(&mut self, intended: Micros) -> Turn {
        let Load { stop, clock, .. } = &*self.load;
        if stop.is_draining() {
            return Turn::Stop;
        }
        // Requests are sent in order, and so is each as late as its own place came free, however many came free at that moment.
        if let Some((slot, free_since)) = self.slots.try_take() {
            return Turn::Send(slot, intended.max(free_since));
        }
        let over = async {
            match self.start.end() {
                Some(end) => clock.sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop.draining() => Turn::Stop,
            () = over => Turn::TooLate,
            (slot, free_since) = self.slots.take() => Turn::Send(slot, intended.max(free_since)),
        }
    }

    fn sent(&self, step: Step, prepared: &Prepared, intended: Micros, at_send: AtSend) -> Sent {
        let phase = self.start.phase(intended);
        Sent { session: prepared.prompt().session, turn: step.turn, lane: 0, phase, intended, at_send }
    }
}

/// A request on its way.
struct Request {
    prepared: Prepared,
    authored: u64,
    sent: Sent,
    /// When nothing but the client's own lateness stood in its way.
    could_send_at: Micros,
    slot: FlightSlot,
}

impl Request {
    async fn exchange(self, load: Arc<Load>) -> Result<(), LaneError> {
        let said = load.texts.of(self.prepared.prompt());
        let exchange = send(&load, self.prepared, None).await;
        drop(self.slot);
        let counts = load.counts(&exchange, Some(self.authored)).await?;
        let said = said.map(|said| said.answered(&exchange));
        // The receiver lives until every lane has ended.
        let _ = load.done.send(Done { said, ..Done::sent(self.sent, exchange, counts, Some(self.authored), self.could_send_at) });
        Ok(())
    }
}

/// Builds all requests in order; tells once `full` that as many wait as may.
async fn build(load: Arc<Load>, arrivals: Arrivals, hand_over: mpsc::Sender<Ready>, full: oneshot::Sender<()>) -> Result<(), LaneError> {
    let mut full = Some(full);
    let made = stream::iter(arrivals).map(|step| make(Arc::clone(&load), step)).buffered(AT_ONCE);
    let mut made = std::pin::pin!(made);
    // Nobody takes any more where there is no room to be had.
    while let Ok(room) = hand_over.reserve_many(AT_A_TIME).await {
        let mut stretch = load.threads.stretch();
        for place in room {
            let Some(ready) = made.try_next().await? else { return Ok(()) };
            place.send(ready);
            stretch.as_mut().map(Stretch::give_way);
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

async fn make(load: Arc<Load>, step: Step) -> Result<Ready, LaneError> {
    let (mut conversation, needed) = load.make_conversation(step.session, step.turn).await?;
    if let Some(limit) = load.context_limit {
        fits(step.session, needed, limit)?;
    }
    let authored = conversation.prompt_tokens(step.turn);
    // Of a session of one turn there is none that could have failed before.
    let prepared = conversation.ready(step.turn, &load.target).and_then(Result::ok);
    let prepared = prepared.ok_or(WorkloadError::FirstTurn { first_turn: step.turn, turns: load.workload.turns() })?;
    Ok(Ready { step, prepared, authored })
}

fn fits(session: u64, needed: u64, limit: u64) -> Result<(), LaneError> {
    if needed > limit { Err(LaneError::Request { session, needed, limit }) } else { Ok(()) }
}

/// What a task came to; its panic goes on here.
fn outcome(ended: Result<Result<(), LaneError>, JoinError>) -> Result<(), LaneError> {
    match ended {
        Ok(result) => result,
        Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
        Err(_aborted) => Ok(()),
    }
}
