//! Whether so many requests of a run failed that it has failed itself, or found nobody serving them: in come its requests as they end, out
//! comes what is wrong with it.
//!
//! As soon as the rest could not save it, no further request is begun. Must not know what is done about a run that failed.

use std::collections::BTreeMap;

use super::stop_token::StopToken;
use crate::records::record::{FailureKind, RequestCounts, RequestPhase, RequestRecord};

/// After so many requests that nobody served, and none that succeeded, a run is given up.
const FEW: u64 = 5;
/// After so many of them in a row, whatever was before.
const MANY: u64 = 50;

/// The failures of a run against the most that are let pass.
pub(super) struct ErrorLimit {
    /// A share of the measured requests.
    most: Option<f64>,
    /// How many requests there will be, of all phases: an upper bound of those that are measured. `None` where answers decide.
    planned: Option<u64>,
    heard: u64,
    measured: u64,
    failed: u64,
    kinds: BTreeMap<FailureKind, u64>,
    /// Of all phases.
    succeeded: u64,
    /// Requests that nobody served, since the last that somebody did.
    unserved_in_a_row: u64,
    /// What was said of the last of them.
    last_words: String,
    /// Of this run alone.
    stop: StopToken,
    is_hopeless: bool,
    is_given_up: bool,
}

/// What is wrong with a run as a whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    TooManyErrors(#[from] ErrorLimitError),
    #[error(transparent)]
    Unserved(#[from] UnservedRequestsError),
}

/// Nobody served the requests of a run, or too many of them.
#[derive(Debug, thiserror::Error)]
#[error(
    "nobody served {unserved} of {requests} requests, the last of them: {last_words}{}",
    .unsent.map_or_else(String::new, |unsent| format!("; {unsent} more were not sent"))
)]
pub(super) struct UnservedRequestsError {
    unserved: u64,
    requests: u64,
    last_words: String,
    unsent: Option<u64>,
}

/// More of a run's requests failed than its scenario lets pass.
#[derive(Debug, thiserror::Error)]
#[error(
    "{failed} of {measured} measured requests failed ({}), which is more than `max_error_rate` = {most} lets pass{}",
    .kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", "),
    .unsent.map_or_else(String::new, |unsent| format!("; {unsent} more were not sent, since they could not have changed that"))
)]
pub(super) struct ErrorLimitError {
    failed: u64,
    measured: u64,
    kinds: BTreeMap<FailureKind, u64>,
    most: f64,
    unsent: Option<u64>,
}

impl ErrorLimit {
    pub fn new(most: Option<f64>, planned: Option<u64>, stop: StopToken) -> Self {
        Self {
            most,
            planned,
            heard: 0,
            measured: 0,
            failed: 0,
            kinds: BTreeMap::new(),
            succeeded: 0,
            unserved_in_a_row: 0,
            last_words: String::new(),
            stop,
            is_hopeless: false,
            is_given_up: false,
        }
    }

    pub fn hear(&mut self, request: &RequestRecord) {
        self.heard += 1;
        self.hear_whether_served(request);
        if request.phase != RequestPhase::Measure {
            return;
        }
        self.measured += 1;
        let Some(failure) = request.failure.as_ref().filter(|_| !request.was_left()) else { return };
        self.failed += 1;
        *self.kinds.entry(failure.kind).or_default() += 1;
        if !self.is_hopeless && self.planned.is_some_and(|planned| self.is_beyond(planned.max(self.heard))) {
            self.is_hopeless = true;
            self.stop.drain();
        }
    }

    fn hear_whether_served(&mut self, request: &RequestRecord) {
        match &request.failure {
            Some(failure) if failure.kind.is_unserved() => {
                self.unserved_in_a_row += 1;
                self.last_words = format!("{}: {}", failure.kind.name(), failure.detail);
            }
            Some(failure) if failure.kind.may_be_unsent() => {}
            Some(_) => self.unserved_in_a_row = 0,
            None => {
                self.succeeded += 1;
                self.unserved_in_a_row = 0;
            }
        }
        let most = if self.succeeded == 0 { FEW } else { MANY };
        if !self.is_given_up && self.unserved_in_a_row >= most {
            self.is_given_up = true;
            self.stop.drain();
        }
    }

    /// What is wrong with the run, now that it is over; `counts` are those of all its requests.
    pub fn judge(self, counts: &RequestCounts) -> Result<(), RunError> {
        let is_cut_short = self.is_hopeless || self.is_given_up;
        let unsent = self.planned.filter(|_| is_cut_short).map(|planned| planned.saturating_sub(self.heard)).filter(|unsent| *unsent > 0);
        let given_up = self.is_given_up.then_some(self.unserved_in_a_row);
        if let Some(unserved) = counts.unserved().or(given_up) {
            return Err(UnservedRequestsError { unserved, requests: counts.requests, last_words: self.last_words, unsent }.into());
        }
        let Some(most) = self.most.filter(|_| self.is_beyond(self.measured)) else { return Ok(()) };
        Err(ErrorLimitError { failed: self.failed, measured: self.measured, kinds: self.kinds, most, unsent }.into())
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
    use crate::foundation::clock::Micros;
    use crate::records::record::{FailureKind, RequestFailure};

    fn request(phase: RequestPhase, fails: bool) -> RequestRecord {
        request_of(phase, fails.then_some(FailureKind::Http(503)))
    }

    fn request_of(phase: RequestPhase, kind: Option<FailureKind>) -> RequestRecord {
        let text = r#"{"request":0,"session":0,"lane":0,"turn":0,"phase":"measure","intended_us":0,"sent_us":0,"done_us":1,
            "token_source":"usage","in_flight":1,"live_lanes":1}"#;
        let failure = kind.map(|kind| RequestFailure { kind, detail: "busy".into() });
        RequestRecord { phase, failure, done_us: Micros(1), ..serde_json::from_str(text).unwrap() }
    }

    /// What comes of these requests, and whether no further ones were begun.
    fn judged(most: Option<f64>, planned: u64, requests: &[(RequestPhase, bool)]) -> (Option<String>, bool) {
        let stop = StopToken::new();
        let mut limit = ErrorLimit::new(most, Some(planned), stop.clone());
        for (phase, fails) in requests {
            limit.hear(&request(*phase, *fails));
        }
        (limit.judge(&RequestCounts::default()).err().map(|error| error.to_string()), stop.is_draining())
    }

    #[test]
    fn the_limit_itself_is_let_pass_and_one_more_is_not() {
        let of = |failed: usize| (0..20).map(|at| (RequestPhase::Measure, at >= 20 - failed)).collect::<Vec<_>>();
        assert_eq!(judged(Some(0.1), 20, &of(2)), (None, false));
        let (reason, _) = judged(Some(0.1), 20, &of(3));
        assert_eq!(reason.unwrap(), "3 of 20 measured requests failed (3 http_503), which is more than `max_error_rate` = 0.1 lets pass");
        assert_eq!(judged(None, 20, &of(20)), (None, false));
        assert_eq!(judged(Some(1.0), 20, &of(20)), (None, false));
    }

    #[test]
    fn a_run_that_nothing_can_save_is_ended_and_says_what_was_not_sent() {
        let (reason, is_ended) = judged(Some(0.1), 20, &[(RequestPhase::Measure, true); 2]);
        assert!(reason.is_some() && !is_ended, "18 good ones could follow: {reason:?}");
        let (reason, is_ended) = judged(Some(0.1), 20, &[(RequestPhase::Measure, true); 3]);
        assert!(is_ended && reason.unwrap().ends_with("; 17 more were not sent, since they could not have changed that"));
    }

    #[test]
    fn what_is_not_measured_counts_for_nothing() {
        let warm = [(RequestPhase::Warmup, true), (RequestPhase::Prefill, true), (RequestPhase::Measure, false)];
        assert_eq!(judged(Some(0.0), 3, &warm), (None, false));
        let (reason, is_ended) = judged(Some(0.0), 100, &[(RequestPhase::Measure, true)]);
        assert!(reason.is_some() && is_ended, "with 0 one failure is too many");
    }

    /// What comes of requests that end so, of so many planned, and whether no further ones were begun.
    fn served(planned: u64, kinds: &[Option<FailureKind>]) -> (Option<String>, bool) {
        let stop = StopToken::new();
        let mut limit = ErrorLimit::new(None, Some(planned), stop.clone());
        let mut counts = RequestCounts::default();
        for kind in kinds {
            limit.hear(&request_of(RequestPhase::Measure, *kind));
            counts.requests += 1;
            if let Some(kind) = kind {
                *counts.failures.entry(*kind).or_default() += 1;
            }
        }
        (limit.judge(&counts).err().map(|fault| fault.to_string()), stop.is_draining())
    }

    #[test]
    fn a_run_that_nobody_serves_is_given_up_after_a_few_requests() {
        let refused = Some(FailureKind::Connect);
        let (reason, is_ended) = served(96, &[refused; 4]);
        assert!(reason.is_some() && !is_ended, "{reason:?}");
        let (reason, is_ended) = served(96, &[refused; 5]);
        assert_eq!(reason.unwrap(), "nobody served 5 of 5 requests, the last of them: connect: busy; 91 more were not sent");
        assert!(is_ended);
        // A server that answers with errors is there.
        let busy = Some(FailureKind::Http(503));
        assert_eq!(served(96, &[busy; 50]), (None, false));
        assert!(!served(96, &[busy, refused, refused, busy, refused]).1);
    }

    #[test]
    fn a_server_that_is_gone_in_the_middle_fails_the_run_and_a_few_refusals_do_not() {
        let (none, refused) = (None, Some(FailureKind::Connect));
        let killed: Vec<_> = (0..40).map(|at| if at < 19 { none } else { refused }).collect();
        let (reason, is_ended) = served(40, &killed);
        assert_eq!(reason.unwrap(), "nobody served 21 of 40 requests, the last of them: connect: busy");
        assert!(!is_ended);
        let few: Vec<_> = (0..40).map(|at| if at % 20 == 7 { refused } else { none }).collect();
        assert_eq!(served(40, &few), (None, false));
        // Of very many planned ones, it is seen by how many fail in a row.
        let long: Vec<_> = (0..1_050).map(|at| if at < 1_000 { none } else { refused }).collect();
        let (reason, is_ended) = served(9_000, &long);
        assert!(is_ended && reason.unwrap().starts_with("nobody served 50 of 1050 requests"));
    }
}
