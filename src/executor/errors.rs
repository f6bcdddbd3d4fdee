//! Whether so many requests of a run failed that it has failed itself: in come its requests as they end, out comes what is wrong with it.
//!
//! As soon as the rest could not save it, no further request is begun. Must not know what is done about a run that failed.

use std::collections::BTreeMap;

use super::stop::Stop;
use crate::record::{Phase, RequestRecord};

/// The failures of a run against the most that are let pass.
pub(super) struct ErrorLimit {
    /// A share of the measured requests.
    most: Option<f64>,
    /// How many requests there will be, of all phases: an upper bound of those that are measured.
    planned: u64,
    heard: u64,
    measured: u64,
    failed: u64,
    kinds: BTreeMap<String, u64>,
    /// Of this run alone.
    stop: Stop,
    is_hopeless: bool,
}

/// More of a run's requests failed than its scenario lets pass.
#[derive(Debug, thiserror::Error)]
#[error(
    "{failed} of {measured} measured requests failed ({}), which is more than `max_error_rate` = {most} lets pass{}",
    .kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", "),
    .unsent.map_or_else(String::new, |unsent| format!("; {unsent} more were not sent, since they could not have changed that"))
)]
pub(super) struct TooManyErrors {
    failed: u64,
    measured: u64,
    kinds: BTreeMap<String, u64>,
    most: f64,
    unsent: Option<u64>,
}

impl ErrorLimit {
    pub fn new(most: Option<f64>, planned: u64, stop: Stop) -> Self {
        Self { most, planned, heard: 0, measured: 0, failed: 0, kinds: BTreeMap::new(), stop, is_hopeless: false }
    }

    pub fn hear(&mut self, request: &RequestRecord) {
        self.heard += 1;
        if request.phase != Phase::Measure {
            return;
        }
        self.measured += 1;
        let Some(failure) = &request.failure else { return };
        self.failed += 1;
        *self.kinds.entry(failure.kind.name()).or_default() += 1;
        if !self.is_hopeless && self.is_beyond(self.planned.max(self.heard)) {
            self.is_hopeless = true;
            self.stop.drain();
        }
    }

    /// What is wrong with the run, now that it is over.
    pub fn judge(self) -> Result<(), TooManyErrors> {
        let Some(most) = self.most.filter(|_| self.is_beyond(self.measured)) else { return Ok(()) };
        let unsent = self.is_hopeless.then(|| self.planned.saturating_sub(self.heard)).filter(|unsent| *unsent > 0);
        Err(TooManyErrors { failed: self.failed, measured: self.measured, kinds: self.kinds, most, unsent })
    }

    /// Whether the failures so far are more than the share of that many requests.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn is_beyond(&self, requests: u64) -> bool {
        self.most.is_some_and(|most| self.failed as f64 > most * requests as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Micros;
    use crate::record::{Failure, FailureKind};

    fn request(phase: Phase, fails: bool) -> RequestRecord {
        let text = r#"{"request":0,"session":0,"lane":0,"turn":0,"phase":"measure","intended_us":0,"sent_us":0,"done_us":1,
            "token_source":"usage","in_flight":1,"live_lanes":1}"#;
        let failure = fails.then(|| Failure { kind: FailureKind::Http(503), detail: "busy".into() });
        RequestRecord { phase, failure, done_us: Micros(1), ..serde_json::from_str(text).unwrap() }
    }

    /// What comes of these requests, and whether no further ones were begun.
    fn judged(most: Option<f64>, planned: u64, requests: &[(Phase, bool)]) -> (Option<String>, bool) {
        let stop = Stop::new();
        let mut limit = ErrorLimit::new(most, planned, stop.clone());
        for (phase, fails) in requests {
            limit.hear(&request(*phase, *fails));
        }
        (limit.judge().err().map(|error| error.to_string()), stop.is_draining())
    }

    #[test]
    fn the_limit_itself_is_let_pass_and_one_more_is_not() {
        let of = |failed: usize| (0..20).map(|at| (Phase::Measure, at >= 20 - failed)).collect::<Vec<_>>();
        assert_eq!(judged(Some(0.1), 20, &of(2)), (None, false));
        let (reason, _) = judged(Some(0.1), 20, &of(3));
        assert_eq!(reason.unwrap(), "3 of 20 measured requests failed (3 http_503), which is more than `max_error_rate` = 0.1 lets pass");
        assert_eq!(judged(None, 20, &of(20)), (None, false));
        assert_eq!(judged(Some(1.0), 20, &of(20)), (None, false));
    }

    #[test]
    fn a_run_that_nothing_can_save_is_ended_and_says_what_was_not_sent() {
        let (reason, is_ended) = judged(Some(0.1), 20, &[(Phase::Measure, true); 2]);
        assert!(reason.is_some() && !is_ended, "18 good ones could follow: {reason:?}");
        let (reason, is_ended) = judged(Some(0.1), 20, &[(Phase::Measure, true); 3]);
        assert!(is_ended && reason.unwrap().ends_with("; 17 more were not sent, since they could not have changed that"));
    }

    #[test]
    fn what_is_not_measured_counts_for_nothing() {
        let warm = [(Phase::Warmup, true), (Phase::Prefill, true), (Phase::Measure, false)];
        assert_eq!(judged(Some(0.0), 3, &warm), (None, false));
        let (reason, is_ended) = judged(Some(0.0), 100, &[(Phase::Measure, true)]);
        assert!(reason.is_some() && is_ended, "with 0 one failure is too many");
    }
}
