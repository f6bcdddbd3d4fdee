//! The open loop: sends every request at its time whatever else is in flight, each prompt built before it is due.
//!
//! In come arrivals; every one of them is reported. A bounded number is in flight, so that a run of any length takes the same memory. It must not
//! know a workload's kind.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::in_flight_limiter::{InFlightLimiter, InFlightPermit};
use super::prepared_queue::{PreparedQueue, outcome};
use super::row::LoadSnapshot;
use super::sequential_loop::{LoadContext, LoadError, RunWindow};
use crate::foundation::clock::{Micros, PreciseTimer};
use crate::records::record::{FailureKind, RequestFailure};
use crate::workloads::arrival::OpenLoopArrivals;

/// The arrivals of a run, the first of them built.
pub(super) struct OpenLoop {
    load: Arc<LoadContext>,
    requests: PreparedQueue,
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
        load.occupancy.live_lanes.store(1, Ordering::Relaxed);
        let slots = InFlightLimiter::new(arrivals.places, load.clock);
        let requests = PreparedQueue::fill(&load, arrivals, 1).await?;
        Ok(Self { load, requests, slots, start: RunWindow::default() })
    }

    /// Sends all requests, and awaits their answers.
    pub async fn run(mut self, start: RunWindow) -> Result<(), LoadError> {
        self.start = start;
        let mut timer = PreciseTimer::new(self.load.clock);
        let mut sending = JoinSet::new();
        while let Some(arrival) = self.requests.next().await {
            let intended = self.start.intended(arrival.due(), Micros::ZERO);
            if self.load.clock.now() < intended {
                tokio::select! { biased; () = self.load.stop.draining() => {} () = timer.sleep_until(intended) => {} }
            }
            match self.turn(intended).await {
                SendDecision::Send(slot, could_send_at) => {
                    let request = arrival.in_flight(&self.start, intended, could_send_at, LoadSnapshot::entering(&self.load.occupancy));
                    sending.spawn(request.exchange(Arc::clone(&self.load), |_| drop(slot)));
                }
                SendDecision::TooLate => {
                    let sent = arrival.scheduled(&self.start, intended, LoadSnapshot::now(&self.load.occupancy));
                    let detail = "not sent: all places of `max_in_flight` were taken when the run ended".to_owned();
                    self.load.report_unsent(sent, RequestFailure { kind: FailureKind::Cancelled, detail });
                }
                SendDecision::Stop => break,
            }
            while let Some(ended) = sending.try_join_next() {
                outcome(ended)?;
            }
        }
        self.requests.close().await?;
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
}
