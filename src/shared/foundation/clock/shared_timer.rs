//! One [`PreciseTimer`] for many who wait: in come moments on the run's clock, each waiter goes on at its own. A file a waiter would halve the
//! number of streams that a process may have open.
//!
//! A task holds the moments in order and wakes whoever is due; in virtual time there is none, and each waits on the clock itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::{Clock, Micros, PreciseTimer};

/// Wakes many. Clones share one task, which lives as long as the last of them.
#[derive(Debug, Clone)]
pub struct SharedTimer {
    clock: Clock,
    ringer: Option<SharedTimerTask>,
}

#[derive(Debug, Clone)]
struct SharedTimerTask {
    wishes: mpsc::UnboundedSender<WakeRequest>,
    /// Owns the task: dropping it ends the task.
    _task: Arc<JoinSet<()>>,
}

/// Someone who waits.
#[derive(Debug)]
struct WakeRequest {
    at: Micros,
    wake: oneshot::Sender<()>,
}

impl SharedTimer {
    /// To be made on the runtime that it is to wake.
    #[must_use]
    pub fn start(clock: Clock) -> Self {
        let ringer = (!clock.is_virtual()).then(|| {
            let (wishes, come) = mpsc::unbounded_channel();
            let mut task = JoinSet::new();
            task.spawn(ring(clock, come));
            SharedTimerTask { wishes, _task: Arc::new(task) }
        });
        Self { clock, ringer }
    }

    /// Waits until the given offset; returns at once where it has passed, and never before it.
    pub async fn sleep_until(&self, at: Micros) {
        if let Some(ringer) = &self.ringer
            && self.clock.now() < at
        {
            let (wake, woken) = oneshot::channel();
            let asked = ringer.wishes.send(WakeRequest { at, wake }).is_ok();
            if asked && woken.await.is_ok() {
                return;
            }
        }
        self.clock.sleep_until(at).await;
    }
}

/// Wakes whoever is due. Ends when nobody can wait any more.
async fn ring(clock: Clock, mut come: mpsc::UnboundedReceiver<WakeRequest>) {
    let mut timer = PreciseTimer::new(clock);
    let mut waiting = WakeQueue::default();
    loop {
        waiting.wake_until(clock.now());
        let wish = match waiting.first() {
            Some(at) => tokio::select! { biased; wish = come.recv() => wish, () = timer.sleep_until(at) => continue },
            None => come.recv().await,
        };
        let Some(wish) = wish else { return };
        waiting.add(wish);
        while let Ok(wish) = come.try_recv() {
            waiting.add(wish);
        }
    }
}

/// Who waits, in the order of their moments, and of their coming where these are equal.
#[derive(Debug, Default)]
struct WakeQueue {
    wakes: BTreeMap<(Micros, u64), oneshot::Sender<()>>,
    came: u64,
}

impl WakeQueue {
    fn add(&mut self, WakeRequest { at, wake }: WakeRequest) {
        self.wakes.insert((at, self.came), wake);
        self.came += 1;
    }

    /// The next moment. Whoever gave up meanwhile is waited for all the same, which costs a wake.
    fn first(&self) -> Option<Micros> {
        self.wakes.first_key_value().map(|((at, _), _)| *at)
    }

    fn wake_until(&mut self, now: Micros) {
        while let Some(first) = self.wakes.first_entry()
            && first.key().0 <= now
        {
            // Whoever waited may have given up.
            let _ = first.remove().send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_woken_in_the_order_of_their_moments() {
        let order = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let clock = Clock::real();
            let alarm = SharedTimer::start(clock);
            let mut waiters = JoinSet::new();
            for wait in [1_700, 300, 900, 0, 1_300] {
                let alarm = alarm.clone();
                waiters.spawn(async move {
                    // Far enough ahead for all of them to have begun to wait, on a busy machine too.
                    let at = Micros(500_000 + wait);
                    alarm.sleep_until(at).await;
                    assert!(clock.now() >= at);
                    wait
                });
            }
            let mut order = Vec::new();
            while let Some(waited) = waiters.join_next().await {
                order.push(waited.unwrap());
            }
            order
        });
        assert_eq!(order, [0, 300, 900, 1_300, 1_700]);
    }

    #[test]
    fn whoever_gave_up_wakes_nobody_else_too_early() {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let clock = Clock::real();
            let alarm = SharedTimer::start(clock);
            drop(Box::pin(alarm.sleep_until(clock.now() + Micros(100))));
            let given_up = clock.now() + Micros(200);
            assert!(futures_util::poll!(std::pin::pin!(alarm.sleep_until(given_up))).is_pending());
            let at = clock.now() + Micros(900);
            alarm.sleep_until(at).await;
            assert!(clock.now() >= at);
        });
    }
}
