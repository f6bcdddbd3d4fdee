//! Until when the next thing must have come: the limits of one request as moments on the run's clock.

use std::fmt;

use super::spec::TargetSpec;
use crate::clock::Micros;
use crate::record::{Failure, FailureKind};
use crate::units::Seconds;

/// The limits of every request to a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    first_token: Seconds,
    idle: Seconds,
    total: Seconds,
}

/// A moment, and what it means to reach it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Deadline {
    pub(super) at: Micros,
    kind: FailureKind,
    limit: Seconds,
}

impl Limits {
    pub(super) fn new(spec: &TargetSpec) -> Self {
        Self { first_token: spec.first_token_timeout, idle: spec.idle_timeout, total: spec.total_timeout }
    }

    /// Before the first token, whatever else has come: the limit for it counts from `sent`.
    pub(super) fn before_first_token(&self, sent: Micros) -> Deadline {
        self.sooner(sent, Deadline::new(sent, self.first_token, FailureKind::TimeoutFirstToken))
    }

    /// After the first token: the limit counts from the last event.
    pub(super) fn after_event(&self, sent: Micros, last_event: Micros) -> Deadline {
        self.sooner(sent, Deadline::new(last_event, self.idle, FailureKind::TimeoutIdle))
    }

    fn sooner(&self, sent: Micros, deadline: Deadline) -> Deadline {
        let total = Deadline::new(sent, self.total, FailureKind::TimeoutTotal);
        if total.at < deadline.at { total } else { deadline }
    }
}

impl Deadline {
    fn new(from: Micros, limit: Seconds, kind: FailureKind) -> Self {
        Self { at: from + Micros::from_secs_f64(limit.0), kind, limit }
    }

    /// The failure of having reached it.
    pub(super) fn missed(&self) -> Failure {
        Failure { kind: self.kind, detail: self.to_string() }
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit;
        match self.kind {
            FailureKind::TimeoutIdle => write!(f, "no event within {limit} of the one before"),
            FailureKind::TimeoutTotal => write!(f, "the answer was not whole within {limit}"),
            _ => write!(f, "no token within {limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sooner_limit_decides() {
        let limits = Limits { first_token: Seconds(2.0), idle: Seconds(1.0), total: Seconds(5.0) };
        let sent = Micros(10_000_000);
        let first = limits.before_first_token(sent);
        assert_eq!((first.at, first.missed().kind), (Micros(12_000_000), FailureKind::TimeoutFirstToken));
        let idle = limits.after_event(sent, Micros(13_500_000));
        assert_eq!((idle.at, idle.missed().kind), (Micros(14_500_000), FailureKind::TimeoutIdle));
        let total = limits.after_event(sent, Micros(14_500_000));
        assert_eq!((total.at, total.missed().kind), (Micros(15_000_000), FailureKind::TimeoutTotal));
        assert_eq!(total.to_string(), "the answer was not whole within 5s");
    }
}
