//! The users of a closed loop who are free, each with the moment from which on its next request is due.
//!
//! In: when each begins, how long it thinks, and when its requests are over. Out: the one that is due first. It must not know requests.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tokio::sync::mpsc;

use crate::foundation::clock::{Clock, Micros};

/// All users of a run; one task hands requests to them.
#[derive(Debug)]
pub(super) struct UserQueue {
    due: BinaryHeap<Reverse<Micros>>,
    freed: mpsc::UnboundedReceiver<Micros>,
    free: mpsc::UnboundedSender<Micros>,
    think_time: Micros,
    clock: Clock,
}

/// A user whose request is under way; it is free again as of now where this is dropped.
#[derive(Debug)]
pub(super) struct BusyUser {
    free: Option<mpsc::UnboundedSender<Micros>>,
    clock: Clock,
}

impl UserQueue {
    pub fn new(starts: impl Iterator<Item = Micros>, think_time: Micros, clock: Clock) -> Self {
        let (free, freed) = mpsc::unbounded_channel();
        Self { due: starts.map(Reverse).collect(), freed, free, think_time, clock }
    }

    /// When the next of those who are free is due.
    pub fn first_due(&mut self) -> Option<Micros> {
        while let Ok(over) = self.freed.try_recv() {
            self.add(over);
        }
        self.due.peek().map(|due| due.0)
    }

    /// That user begins a request.
    pub fn take_first(&mut self) -> BusyUser {
        self.due.pop();
        BusyUser { free: Some(self.free.clone()), clock: self.clock }
    }

    /// Waits until another user is free. May be given up and asked again.
    pub async fn wait_for_another(&mut self) {
        // It holds a sender itself, so that there is always one more to wait for.
        if let Some(over) = self.freed.recv().await {
            self.add(over);
        }
    }

    fn add(&mut self, over: Micros) {
        self.due.push(Reverse(over + self.think_time));
    }
}

impl BusyUser {
    /// Its request was over at that moment.
    pub fn free_since(mut self, over: Micros) {
        if let Some(free) = self.free.take() {
            // Whoever hands out requests may be gone at the end of a run.
            let _ = free.send(over);
        }
    }
}

impl Drop for BusyUser {
    fn drop(&mut self) {
        if let Some(free) = self.free.take() {
            let _ = free.send(self.clock.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_who_is_due_first_is_handed_out_first_whoever_was_told_first() {
        let mut users = UserQueue::new([Micros(0), Micros(50)].into_iter(), Micros(10), Clock::simulated());
        assert_eq!(users.first_due(), Some(Micros(0)));
        let one = users.take_first();
        assert_eq!(users.first_due(), Some(Micros(50)), "the other begins later");
        one.free_since(Micros(20));
        assert_eq!(users.first_due(), Some(Micros(30)), "it thinks for 10 µs");
        let (one, other) = (users.take_first(), users.take_first());
        assert_eq!(users.first_due(), None);
        other.free_since(Micros(70));
        one.free_since(Micros(60));
        assert_eq!(users.first_due(), Some(Micros(70)));
    }

    #[test]
    fn no_user_is_lost_whose_request_ends_in_a_panic() {
        let mut users = UserQueue::new(std::iter::once(Micros(0)), Micros(0), Clock::simulated());
        drop(users.take_first());
        assert!(users.first_due().is_some());
    }
}
