//! How a sweep is stopped from outside: first no more requests are sent, then those in flight are given up.

use tokio_util::sync::CancellationToken;

/// Two wishes, the second stronger than the first and including it. Cheap to clone; all clones agree.
#[derive(Debug, Clone)]
pub struct Stop {
    drain: CancellationToken,
    abort: CancellationToken,
}

impl Stop {
    #[expect(clippy::new_without_default, reason = "there is nothing default about a way to stop")]
    pub fn new() -> Self {
        let abort = CancellationToken::new();
        Self { drain: abort.child_token(), abort }
    }

    /// Send nothing more; await what is in flight.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Give up what is in flight.
    pub fn abort(&self) {
        self.abort.cancel();
    }

    /// To be cancelled by whoever finds that going on is useless: the same as [`Stop::abort`].
    pub fn abort_token(&self) -> CancellationToken {
        self.abort.clone()
    }

    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    pub(super) async fn draining(&self) {
        self.drain.cancelled().await;
    }

    pub(super) async fn aborted(&self) {
        self.abort.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_up_also_sends_nothing_more() {
        let stop = Stop::new();
        stop.drain();
        assert!(stop.is_draining() && !stop.abort_token().is_cancelled());
        let stop = Stop::new();
        stop.abort();
        assert!(stop.is_draining());
    }
}
