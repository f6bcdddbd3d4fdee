//! One request as a line of `realtime_stats_qps_X.XX.txt` and as a row of `summary.csv`.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

use crate::foundation::clock::Micros;
use crate::records::record::RequestRecord;

/// The columns of `summary.csv`, in their order. What is not known is empty; times are seconds since the run's start.
pub const CSV_COLUMNS: [&str; 18] = [
    "request_id",
    "user_id",
    "turn",
    "phase",
    "intended_s",
    "sent_s",
    "first_token_s",
    "done_s",
    "prompt_tokens",
    "cached_tokens",
    "generated_tokens",
    "ttft_s",
    "tpot_s",
    "itl_mean_s",
    "output_tps",
    "send_lag_s",
    "failure",
    "simulated",
];

/// Mean gap between token-bearing events, in seconds; `None` for fewer than two events, or a failure.
#[expect(clippy::cast_precision_loss, reason = "counts and microseconds are far below 2^53")]
fn itl_mean_s(record: &RequestRecord) -> Option<f64> {
    if record.failure.is_some() || record.gaps_us.is_empty() {
        return None;
    }
    let total: u64 = record.gaps_us.iter().map(|gap| u64::from(*gap)).sum();
    Some(total as f64 / 1e6 / record.gaps_us.len() as f64)
}

/// Generated tokens over the time from sending to the last token; `None` for a failure.
#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
fn output_tps(record: &RequestRecord) -> Option<f64> {
    let seconds = record.last_token_us?.since(record.sent_us).as_secs_f64();
    (record.failure.is_none() && seconds > 0.0).then_some(record.output_tokens? as f64 / seconds)
}

pub(super) fn csv_header() -> String {
    CSV_COLUMNS.join(",") + "\n"
}

pub(super) fn csv_row(record: &RequestRecord, simulated: bool) -> String {
    let at = |stamp: Micros| format!("{:.6}", stamp.as_secs_f64());
    let time = |value: Option<f64>| value.map_or_else(String::new, |seconds| format!("{seconds:.6}"));
    let count = |value: Option<u64>| value.map_or_else(String::new, |tokens| tokens.to_string());
    let cells = [
        record.request.to_string(),
        record.session.to_string(),
        record.turn.to_string(),
        record.phase.name().to_owned(),
        at(record.intended_us),
        at(record.sent_us),
        record.first_token_us.map_or_else(String::new, at),
        at(record.done_us),
        count(record.prompt_tokens),
        count(record.cached_tokens),
        count(record.output_tokens),
        time(record.ttft_s()),
        time(record.tpot_s()),
        time(itl_mean_s(record)),
        output_tps(record).map_or_else(String::new, |rate| format!("{rate:.3}")),
        at(record.sent_us.since(record.intended_us)),
        record.failure.as_ref().map_or_else(String::new, |failure| failure.kind.name()),
        simulated.to_string(),
    ];
    cells.join(",") + "\n"
}

/// The titles over the realtime lines.
pub(super) fn realtime_header() -> String {
    format!(
        "# timestamp is the request's end (UTC); ttft, tpot and itl (mean of the request) are milliseconds\n{:<24} {:>8} {:>8} {:>5} {:>8} {:>8} {:>9} {:>11} {:>9} {:>9} {:>9}  {}\n",
        "timestamp", "user", "request", "turn", "phase", "prompt", "generated", "ttft_ms", "tpot_ms", "itl_ms", "tokens/s", "failure"
    )
}

/// `started_at` is the wall-clock time of the run's offset 0.
pub(super) fn realtime_line(record: &RequestRecord, started_at: Timestamp) -> String {
    let ended_at = started_at + SignedDuration::from_micros(i64::try_from(record.done_us.0).unwrap_or(i64::MAX));
    let milliseconds = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |seconds| format!("{:.2}", seconds * 1e3));
    let count = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |tokens| tokens.to_string());
    let mut line = String::new();
    let _ = writeln!(
        line,
        "{:<24} {:>8} {:>8} {:>5} {:>8} {:>8} {:>9} {:>11} {:>9} {:>9} {:>9}  {}",
        format!("{ended_at:.3}"),
        record.session,
        record.request,
        record.turn,
        record.phase.name(),
        count(record.prompt_tokens),
        count(record.output_tokens),
        milliseconds(record.ttft_s()),
        milliseconds(record.tpot_s()),
        milliseconds(itl_mean_s(record)),
        output_tps(record).map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}")),
        record.failure.as_ref().map_or_else(|| "-".to_owned(), |failure| failure.kind.name()),
    );
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::records::{record, rich_record};

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        for row in [record(3), rich_record(4)] {
            assert_eq!(csv_row(&row, true).trim_end().split(',').count(), CSV_COLUMNS.len());
        }
        assert_eq!(csv_header().trim_end().split(',').count(), CSV_COLUMNS.len());
    }

    #[test]
    fn a_success_is_shown_with_all_that_is_known() {
        // Sent at 4 ms, first token after 500 ms, gaps of 10, 20 and 30 ms, 7 tokens of which 1 in the first event.
        let row = "4,2,3,measure,0.004000,0.004000,0.504000,0.565000,131072,0,7,0.500000,0.010000,0.020000,12.500,0.000000,,true\n";
        assert_eq!(csv_row(&rich_record(4), true), row);
        let line = realtime_line(&rich_record(4), Timestamp::UNIX_EPOCH);
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells, ["1970-01-01T00:00:00.565Z", "2", "4", "3", "measure", "131072", "7", "500.00", "10.00", "20.00", "12.5", "-"]);
    }

    #[test]
    fn a_failure_has_its_kind_and_no_latency() {
        let row = csv_row(&record(3), false);
        assert_eq!(row, "3,1,0,warmup,0.003000,0.003007,,0.503000,,,,,,,,0.000007,http_503,false\n");
        assert!(realtime_line(&record(3), Timestamp::UNIX_EPOCH).trim_end().ends_with("http_503"));
        let late_failure = RequestRecord { failure: record(3).failure, ..rich_record(3) };
        assert!(csv_row(&late_failure, false).contains(",7,,,,,"), "{}", csv_row(&late_failure, false));
    }
}
