//! Until when the next thing must have come: the limits of one request as moments on the run's clock.

use std::fmt;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::foundation::clock::{Clock, Micros};
use crate::foundation::units::Seconds;
use crate::records::record::{FailureKind, RequestFailure};
use crate::servers::wire::Timer;
use crate::vocabulary::spec::target::TargetSpec;

/// The limits of every request to a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestTimeouts {
    first_token: RequestTimeout,
    idle: RequestTimeout,
    total: RequestTimeout,
    /// When a user leaves, counted like `total`.
    leave: Option<RequestTimeout>,
}

/// A limit as the clock counts it, and as it was asked for.
#[derive(Debug, Clone, Copy)]
struct RequestTimeout {
    after: Micros,
    asked: Seconds,
}

impl From<Seconds> for RequestTimeout {
    fn from(asked: Seconds) -> Self {
        Self { after: Micros::from_secs_f64(asked.0), asked }
    }
}

/// A moment, and what it means to reach it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RequestDeadline {
    pub(super) at: Micros,
    kind: FailureKind,
    limit: Seconds,
}

impl RequestTimeouts {
    pub(super) fn new(spec: &TargetSpec) -> Self {
        Self { first_token: spec.first_token_timeout.into(), idle: spec.idle_timeout.into(), total: spec.total_timeout.into(), leave: None }
    }

    /// The same for a request whose user leaves so long after it was sent.
    pub(super) fn leaving(self, after: Option<Micros>) -> Self {
        Self { leave: after.map(|after| RequestTimeout { after, asked: Seconds(after.as_secs_f64()) }), ..self }
    }

    /// Before the first token, whatever else has come: the limit for it counts from `sent`.
    pub(super) fn before_first_token(&self, sent: Micros) -> RequestDeadline {
        self.sooner(sent, RequestDeadline::new(sent, self.first_token, FailureKind::TimeoutFirstToken))
    }

    /// After the first token: the limit counts from the last event.
    pub(super) fn after_event(&self, sent: Micros, last_event: Micros) -> RequestDeadline {
        self.sooner(sent, RequestDeadline::new(last_event, self.idle, FailureKind::TimeoutIdle))
    }

    fn sooner(&self, sent: Micros, deadline: RequestDeadline) -> RequestDeadline {
        let total = RequestDeadline::new(sent, self.total, FailureKind::TimeoutTotal);
        let sooner = if total.at < deadline.at { total } else { deadline };
        let leaves = self.leave.map(|after| RequestDeadline::new(sent, after, FailureKind::Left));
        leaves.filter(|leaves| leaves.at < sooner.at).unwrap_or(sooner)
    }
}

impl RequestDeadline {
    fn new(from: Micros, limit: RequestTimeout, kind: FailureKind) -> Self {
        Self { at: from + limit.after, kind, limit: limit.asked }
    }

    /// The failure of having reached it.
    pub(super) fn missed(&self) -> RequestFailure {
        RequestFailure { kind: self.kind, detail: self.to_string() }
    }
}

impl fmt::Display for RequestDeadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit;
        match self.kind {
            FailureKind::TimeoutIdle => write!(f, "no event within {limit} of the one before"),
            FailureKind::TimeoutTotal => write!(f, "the answer was not whole within {limit}"),
            FailureKind::Left => write!(f, "the user left after {limit}, as the scenario asks"),
            _ => write!(f, "no token within {limit}"),
        }
    }
}

/// Holds the deadlines of one exchange. Each event moves the deadline on; the runtime's timer is only set again once it has fired, and only
/// asked where it may have or where another task waits than before, so that an event costs no timer. Nor does a request where its connection
/// brings the timer of the one before: to move one on takes less than to make one.
#[derive(Debug)]
pub(super) struct DeadlineTimer {
    clock: Clock,
    /// Not before something has to be waited for.
    set_to: Option<Micros>,
    timer: Option<Timer>,
    /// Whom the timer wakes.
    wakes: Option<Waker>,
    /// How late it was a moment ago, as long as the task has not rested since.
    now: Option<Micros>,
}

impl DeadlineTimer {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, set_to: None, timer: None, wakes: None, now: None }
    }

    /// Takes a timer that nobody waits for.
    pub(super) fn adopt(&mut self, timer: Option<Timer>) {
        self.timer = self.timer.take().or(timer);
    }

    /// Gives the timer away, where it still runs; nobody is woken by it any more.
    pub(super) fn leave(&mut self) -> Option<Timer> {
        (self.set_to, self.wakes) = (None, None);
        let mut timer = self.timer.take()?;
        timer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending().then_some(timer)
    }

    /// It is so late, or a moment later. A timer that was not due then wakes the task again when it is: until the task has rested it is not asked.
    pub(super) fn note(&mut self, now: Micros) {
        self.now = Some(now);
    }

    /// What comes of `future`, or the failure of having reached the deadline before.
    pub(super) async fn before<F: Future>(&mut self, deadline: RequestDeadline, future: F) -> Result<F::Output, RequestFailure> {
        let mut future = pin!(future);
        std::future::poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            if self.set_to.is_none_or(|set_to| deadline.at < set_to) {
                self.set(deadline.at);
            }
            let now = self.now.take();
            if self.is_awaited_by(cx.waker(), now) {
                return Poll::Pending;
            }
            while self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
                if self.clock.now() >= deadline.at {
                    return Poll::Ready(Err(deadline.missed()));
                }
                self.set(deadline.at);
            }
            self.wakes = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// The timer runs, and will wake this one.
    fn is_awaited_by(&self, waker: &Waker, now: Option<Micros>) -> bool {
        let runs = || {
            now.zip(self.set_to).is_some_and(|(now, set_to)| now < set_to) || self.timer.as_ref().is_some_and(|timer| !timer.is_elapsed())
        };
        self.wakes.as_ref().is_some_and(|wakes| wakes.will_wake(waker)) && runs()
    }

    fn set(&mut self, at: Micros) {
        (self.set_to, self.wakes) = (Some(at), None);
        let until = self.clock.instant(at);
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(until),
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(until))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::virtual_runtime;

    fn at(at: u64) -> RequestDeadline {
        RequestDeadline { at: Micros(at), kind: FailureKind::TimeoutIdle, limit: Seconds(1.0) }
    }

    #[test]
    fn a_deadline_that_is_moved_either_way_strikes_at_its_time() {
        virtual_runtime().unwrap().block_on(async {
            let clock = Clock::simulated();
            let mut guard = DeadlineTimer::new(clock);
            for (now, deadline) in [(900, 1000), (1800, 2000), (2500, 9000)] {
                assert!(guard.before(at(deadline), clock.sleep_until(Micros(now))).await.is_ok());
            }
            for deadline in [9500, 9600, 20_000] {
                assert!(guard.before(at(deadline), std::future::pending::<()>()).await.is_err());
                assert_eq!(clock.now(), Micros(deadline));
            }
            assert!(guard.before(at(90_000), clock.sleep_until(Micros(30_000))).await.is_ok());
            assert!(guard.before(at(40_000), std::future::pending::<()>()).await.is_err());
            assert_eq!(clock.now(), Micros(40_000), "also where it is sooner than the one before");
            let timer = guard.leave();
            let mut next = DeadlineTimer::new(clock);
            next.adopt(timer);
            assert!(next.before(at(50_000), std::future::pending::<()>()).await.is_err());
            assert_eq!(clock.now(), Micros(50_000), "also with the timer of an exchange before");
        });
    }

    #[test]
    fn the_sooner_limit_decides() {
        let limits =
            RequestTimeouts { first_token: Seconds(2.0).into(), idle: Seconds(1.0).into(), total: Seconds(5.0).into(), leave: None };
        let sent = Micros(10_000_000);
        let first = limits.before_first_token(sent);
        assert_eq!((first.at, first.missed().kind), (Micros(12_000_000), FailureKind::TimeoutFirstToken));
        let idle = limits.after_event(sent, Micros(13_500_000));
        assert_eq!((idle.at, idle.missed().kind), (Micros(14_500_000), FailureKind::TimeoutIdle));
        let total = limits.after_event(sent, Micros(14_500_000));
        assert_eq!((total.at, total.missed().kind), (Micros(15_000_000), FailureKind::TimeoutTotal));
        assert_eq!(total.to_string(), "the answer was not whole within 5s");
        let leaving = limits.leaving(Some(Micros(1_500_000)));
        for left in [leaving.before_first_token(sent), leaving.after_event(sent, Micros(11_400_000))] {
            assert_eq!((left.at, left.missed().kind), (Micros(11_500_000), FailureKind::Left));
        }
        assert_eq!(leaving.after_event(sent, Micros(10_400_000)).missed().kind, FailureKind::TimeoutIdle, "the server was silent before");
    }
}
