//! How a sweep is stopped from outside: first no more requests are sent, then those in flight are given up, at last nothing is waited for.

use tokio_util::sync::CancellationToken;

/// Three wishes, each stronger than the one before and including it. Cheap to clone; all clones agree.
#[derive(Debug, Clone)]
pub struct StopToken {
    drain: CancellationToken,
    abort: CancellationToken,
    leave: CancellationToken,
}

impl StopToken {
    #[expect(clippy::new_without_default, reason = "there is nothing default about a way to stop")]
    pub fn new() -> Self {
        let leave = CancellationToken::new();
        let abort = leave.child_token();
        Self { drain: abort.child_token(), abort, leave }
    }

    /// Send nothing more; await what is in flight.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Give up what is in flight.
    pub fn abort(&self) {
        self.abort.cancel();
        self.drain.cancel();
    }

    /// Wait for nothing: servers are killed instead of asked to end.
    pub fn leave(&self) {
        self.leave.cancel();
        self.abort();
    }

    /// Wishes for a part of the sweep: those for the whole hold for it, and its own for nothing else.
    pub(super) fn for_a_part(&self) -> Self {
        Self { drain: self.drain.child_token(), abort: self.abort.child_token(), leave: self.leave.child_token() }
    }

    /// Cancelled as soon as no more is to be begun.
    pub fn drain_token(&self) -> CancellationToken {
        self.drain.clone()
    }

    /// Cancelled as soon as nothing is to be waited for.
    pub(super) fn leave_token(&self) -> &CancellationToken {
        &self.leave
    }

    /// To be cancelled by whoever finds that going on is useless: the same as [`StopToken::abort`].
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
        let stop = StopToken::new();
        stop.drain();
        assert!(stop.is_draining() && !stop.abort_token().is_cancelled());
        let stop = StopToken::new();
        stop.abort_token().cancel();
        assert!(stop.is_draining() && !stop.leave_token().is_cancelled());
        let stop = StopToken::new();
        stop.leave();
        assert!(stop.is_draining() && stop.abort_token().is_cancelled() && stop.for_a_part().leave_token().is_cancelled());
    }

    #[test]
    fn a_part_is_stopped_with_the_whole_and_the_whole_not_with_a_part() {
        let stop = StopToken::new();
        let (one, other) = (stop.for_a_part(), stop.for_a_part());
        one.abort();
        assert!(one.is_draining() && !stop.is_draining() && !other.is_draining());
        stop.drain();
        assert!(other.is_draining() && !other.abort_token().is_cancelled());
    }
}
