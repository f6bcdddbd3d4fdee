//! Where lanes wait for one another: the wait ends when every lane has come to it or has ended, in whatever way.
//!
//! Who waits goes on in the order of coming, so that virtual time stays exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// One lane's part in the wait. Dropped, nobody waits for it any more.
#[derive(Debug)]
pub(super) struct FirstAnswerWaiter {
    lanes: Arc<FirstAnswerBarrier>,
    has_come: bool,
    /// Dropped when it comes.
    told: Option<oneshot::Sender<()>>,
}

#[derive(Debug)]
struct FirstAnswerBarrier {
    missing: AtomicUsize,
    /// Cancelled when the last one has come.
    all: CancellationToken,
}

impl FirstAnswerWaiter {
    /// For so many lanes.
    pub fn among(lanes: usize) -> Vec<Self> {
        let awaited = Arc::new(FirstAnswerBarrier { missing: AtomicUsize::new(lanes), all: CancellationToken::new() });
        (0..lanes).map(|_| Self { lanes: Arc::clone(&awaited), has_come: false, told: None }).collect()
    }

    /// Has it told, by dropping this, that the lane has come.
    pub fn tell(&mut self, told: oneshot::Sender<()>) {
        self.told = Some(told);
    }

    /// Comes, and waits for the others. Whether there was anything to wait for.
    pub async fn wait(&mut self) -> bool {
        self.come();
        let others_are_missing = !self.lanes.all.is_cancelled();
        self.lanes.all.cancelled().await;
        others_are_missing
    }

    fn come(&mut self) {
        self.told = None;
        if !std::mem::replace(&mut self.has_come, true) && self.lanes.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.lanes.all.cancel();
        }
    }
}

impl Drop for FirstAnswerWaiter {
    fn drop(&mut self) {
        self.come();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn the_wait_ends_with_the_last_lane_that_comes_or_ends() {
        let mut lanes = FirstAnswerWaiter::among(3);
        let (mut last, mut second, ended) = (lanes.pop().unwrap(), lanes.pop().unwrap(), lanes.pop().unwrap());
        assert_eq!(second.wait().now_or_never(), None);
        drop(ended);
        assert_eq!(second.wait().now_or_never(), None, "one is still missing, and coming twice is coming once");
        assert_eq!(last.wait().now_or_never(), Some(false));
        assert_eq!(second.wait().now_or_never(), Some(false));
    }

    #[tokio::test]
    async fn who_has_waited_is_told_so() {
        let mut lanes = FirstAnswerWaiter::among(2);
        let (mut one, other) = (lanes.pop().unwrap(), lanes.pop().unwrap());
        let (waited, ()) = tokio::join!(one.wait(), async { drop(other) });
        assert!(waited);
    }

    #[test]
    fn one_lane_has_nobody_to_wait_for() {
        assert_eq!(FirstAnswerWaiter::among(1)[0].wait().now_or_never(), Some(false));
    }
}
