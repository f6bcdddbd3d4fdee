//! The closed loop of single requests: hands the next request of one sequence to the next user who is free, so that never more are in flight than there
//! are users and none waits for a request that another one holds.
//!
//! In comes the pool; every request that was sent is reported. It must not know a workload's kind.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::prepared_queue::{PreparedQueue, outcome};
use super::row::LoadSnapshot;
use super::sequential_loop::{LoadContext, LoadError, RunWindow};
use super::user_queue::{BusyUser, UserQueue};
use crate::foundation::clock::{Micros, PreciseTimer};
use crate::workloads::arrival::UserPool;

/// The users of a run, and the first of their requests built.
pub(super) struct UserPoolLoop {
    load: Arc<LoadContext>,
    pool: UserPool,
    requests: PreparedQueue,
}

impl UserPoolLoop {
    /// Begins to build; comes back when there is a request for every user.
    pub async fn prepare(load: Arc<LoadContext>, pool: UserPool) -> Result<Self, LoadError> {
        load.occupancy.live_lanes.store(1, Ordering::Relaxed);
        let requests = PreparedQueue::fill(&load, pool.clone(), pool.starts().count()).await?;
        Ok(Self { load, pool, requests })
    }

    /// Sends requests until the last or the end of the run, and awaits their answers.
    pub async fn run(mut self, start: RunWindow) -> Result<(), LoadError> {
        let mut timer = PreciseTimer::new(self.load.clock);
        let starts = self.pool.starts().map(|offset| start.origin() + offset);
        let mut users = UserQueue::new(starts, self.pool.think_time, self.load.clock);
        let mut sending = JoinSet::new();
        while let Some(arrival) = self.requests.next().await {
            let Some((user, due)) = next_user(&self.load, &mut users, &start, &mut timer).await else { break };
            let intended = start.intended(arrival.due(), due);
            let request = arrival.in_flight(&start, intended, intended, LoadSnapshot::entering(&self.load.occupancy));
            sending.spawn(request.exchange(Arc::clone(&self.load), |over| user.free_since(over)));
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
}

/// Waits for the user who is due first, whoever is free by then; `None` where nobody is due any more before the end of the run, or it is to be
/// stopped. One that is due before the end is taken even where the client is late and the run just over.
async fn next_user(load: &LoadContext, users: &mut UserQueue, start: &RunWindow, timer: &mut PreciseTimer) -> Option<(BusyUser, Micros)> {
    loop {
        if load.stop.is_draining() {
            return None;
        }
        let due = users.first_due().filter(|due| start.end().is_none_or(|end| *due < end));
        let now = load.clock.now();
        if let Some(due) = due.filter(|due| *due <= now) {
            return Some((users.take_first(), due));
        }
        let until = due.or(start.end());
        if until.is_some_and(|until| until <= now) {
            return None;
        }
        let wake = async {
            match until {
                Some(until) => timer.sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = load.stop.draining() => {}
            () = users.wait_for_another() => {}
            () = wake => {}
        }
    }
}
