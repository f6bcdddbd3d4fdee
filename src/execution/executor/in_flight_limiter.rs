//! The places of `max_in_flight`: each tells since when it is free, so that the wait for one is told apart from the client's own lateness.
//!
//! In: how many there are, and the run's clock. Out: a place with the moment from which on it could be had. It must not know requests.

use tokio::sync::mpsc;

use crate::foundation::clock::{Clock, Micros};

/// All places of a run. They are taken by one task, in the order in which they come free.
#[derive(Debug)]
pub(super) struct InFlightLimiter {
    /// Those that nobody has had yet.
    unused: u32,
    freed: mpsc::UnboundedReceiver<Micros>,
    free: mpsc::UnboundedSender<Micros>,
    clock: Clock,
}

/// A place that is taken; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct InFlightPermit {
    free: mpsc::UnboundedSender<Micros>,
    clock: Clock,
}

impl InFlightLimiter {
    pub fn new(slots: u32, clock: Clock) -> Self {
        let (free, freed) = mpsc::unbounded_channel();
        Self { unused: slots, freed, free, clock }
    }

    /// A place that is free now, and since when.
    pub fn try_take(&mut self) -> Option<(InFlightPermit, Micros)> {
        if let Some(rest) = self.unused.checked_sub(1) {
            self.unused = rest;
            return Some((self.slot(), Micros::ZERO));
        }
        let free_since = self.freed.try_recv().ok()?;
        Some((self.slot(), free_since))
    }

    /// The next place that comes free, and since when it is.
    pub async fn take(&mut self) -> (InFlightPermit, Micros) {
        if let Some(taken) = self.try_take() {
            return taken;
        }
        match self.freed.recv().await {
            Some(free_since) => (self.slot(), free_since),
            // It holds a sender itself.
            None => std::future::pending().await,
        }
    }

    fn slot(&self) -> InFlightPermit {
        InFlightPermit { free: self.free.clone(), clock: self.clock }
    }
}

impl Drop for InFlightPermit {
    fn drop(&mut self) {
        // Whoever takes them may be gone at the end of a run.
        let _ = self.free.send(self.clock.now());
    }
}
