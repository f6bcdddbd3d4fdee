//! Requests made from what files tell: durations in, records with stamps out; their order, and how many were in flight.
//!
//! A duration is rounded to a microsecond, as all that is saved is.

use jiff::{SignedDuration, Timestamp};

use crate::foundation::clock::Micros;
use crate::records::record::{FailureKind, RequestFailure, RequestRecord};

/// The most characters of what a file says of a failure.
const DETAIL: usize = 160;

/// A measured request of which nothing is known but its place and when it was sent.
pub(super) fn unanswered(session: u64, turn: u32, sent: Micros) -> RequestRecord {
    RequestRecord { session, turn, intended_us: sent, sent_us: sent, done_us: sent, ..RequestRecord::default() }
}

/// Sets when the answer began and when it ended, in seconds from sending and from the first token.
pub(super) fn answer(record: &mut RequestRecord, ttft_s: f64, generation_s: f64) {
    let first = record.sent_us + Micros::from_secs_f64(ttft_s);
    let last = first + Micros::from_secs_f64(generation_s);
    record.first_token_us = Some(first);
    record.last_token_us = Some(last);
    record.done_us = record.done_us.max(last);
}

/// A time to first token that is one: above 0. Files write 0.0 where no token came.
pub(super) fn first_token(ttft_s: Option<f64>) -> Option<f64> {
    ttft_s.filter(|seconds| *seconds > 0.0)
}

pub(super) fn no_token() -> RequestFailure {
    RequestFailure { kind: FailureKind::NoToken, detail: "the file gives no time to first token, or 0".to_owned() }
}

/// A failure in the file's own words: of `bench`, a kind by its name; of others, the last line of what they say, cut short.
pub(super) fn failure(said: &str) -> RequestFailure {
    let kind = FailureKind::from_name(said.trim()).unwrap_or(FailureKind::Other);
    let line = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(DETAIL).collect();
    RequestFailure { kind, detail: format!("the file says: {plain}") }
}

/// A failure of which the file gives the status of HTTP, and words.
pub(super) fn failed_with(status: Option<u16>, words: &str) -> RequestFailure {
    let said = failure(words);
    let kind = match status {
        // nginx's number for a client that closed the connection, which programs use for what they cancelled themselves.
        Some(499) => FailureKind::Cancelled,
        Some(status @ 300..600) => FailureKind::Http(status),
        _ => said.kind,
    };
    RequestFailure { kind, detail: said.detail }
}

/// A gap between two events as records hold it.
pub(super) fn gap(seconds: f64) -> u32 {
    u32::try_from(Micros::from_secs_f64(seconds).0).unwrap_or(u32::MAX)
}

/// The moment that lies so many seconds after the Unix epoch.
pub(super) fn wall_clock(seconds: f64) -> Option<Timestamp> {
    let micros = i64::try_from(Micros::from_secs_f64(seconds).0).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_micros(micros)).ok()
}

/// Numbers requests in the order of sending and puts them in the order in which they ended.
pub(super) fn in_order(records: &mut [RequestRecord]) {
    records.sort_by_key(|record| record.sent_us);
    for (record, number) in records.iter_mut().zip(0..) {
        record.request = number;
    }
    records.sort_by_key(|record| (record.done_us, record.request));
}

/// Counts the requests in flight when each was sent, itself included, from stamps that are the run's own.
pub(super) fn count_in_flight(records: &mut [RequestRecord]) {
    let ascending = |get: fn(&RequestRecord) -> Micros, records: &[RequestRecord]| {
        let mut stamps: Vec<Micros> = records.iter().map(get).collect();
        stamps.sort_unstable();
        stamps
    };
    let (sent, done) = (ascending(|record| record.sent_us, records), ascending(|record| record.done_us, records));
    for record in records {
        let begun = sent.partition_point(|stamp| *stamp <= record.sent_us);
        let ended = done.partition_point(|stamp| *stamp <= record.sent_us);
        record.in_flight = u32::try_from(begun.saturating_sub(ended)).unwrap_or(u32::MAX).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasting(sent_s: f64, seconds: f64) -> RequestRecord {
        let mut record = unanswered(0, 0, Micros::from_secs_f64(sent_s));
        answer(&mut record, seconds / 2.0, seconds / 2.0);
        record
    }

    #[test]
    fn requests_are_numbered_as_sent_and_stand_as_ended() {
        let mut records = [lasting(2.0, 0.5), lasting(0.0, 9.0), lasting(1.0, 0.5)];
        in_order(&mut records);
        assert_eq!(records.each_ref().map(|record| record.request), [1, 2, 0]);
    }

    #[test]
    fn requests_in_flight_are_those_begun_and_not_ended() {
        // 0 to 9; 1 to 1.5; 2 to 2.5; 2.5 to 3, when the one before has just ended.
        let mut records = [lasting(0.0, 9.0), lasting(1.0, 0.5), lasting(2.0, 0.5), lasting(2.5, 0.5)];
        count_in_flight(&mut records);
        assert_eq!(records.each_ref().map(|record| record.in_flight), [1, 2, 2, 2]);
    }

    #[test]
    fn a_failure_keeps_the_kind_of_ours_and_the_last_line_of_others_cut_short() {
        assert_eq!(failure("http_503").kind, FailureKind::Http(503));
        let traceback = format!("Traceback (most recent call last):\n  File \"x.py\"\nTimeoutError: {}\n\n", "y".repeat(400));
        let failure = failure(&traceback);
        assert_eq!(failure.kind, FailureKind::Other);
        assert!(failure.detail.starts_with("the file says: TimeoutError: yyy") && failure.detail.chars().count() == 175, "{failure:?}");
    }
}
