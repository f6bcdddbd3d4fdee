//! What `aiperf profile` writes as `profile_export.jsonl`: a line a request, with its stamps in nanoseconds and its metrics with their units.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::json;
use super::reading::{ImportFile, ParsedRun, TimestampOrigin};
use super::row::{answer, failed_with, first_token, gap, no_token, unanswered, wall_clock};
use crate::foundation::clock::Micros;
use crate::records::record::{RequestPhase, RequestRecord, TokenSource};

pub(super) const LACKS: &[&str] = &[
    "when each request was due is not known, only when it was sent",
    "the load (its concurrency or rate), the model, the seed and the prompts are not in the records",
    "which prompt tokens came from a cache is not known; whether caches were empty at the start is not known",
    "nothing tells how late the client sent, or how busy it was",
];

#[derive(Deserialize)]
struct AiperfRecord {
    metadata: AiperfMetadata,
    #[serde(default)]
    metrics: BTreeMap<String, AiperfMetric>,
    error: Option<AiperfError>,
}

#[derive(Deserialize)]
struct AiperfMetadata {
    session_num: u64,
    turn_index: Option<u32>,
    request_start_ns: u64,
    request_end_ns: Option<u64>,
    benchmark_phase: Option<String>,
    #[serde(default)]
    was_cancelled: bool,
}

#[derive(Deserialize)]
struct AiperfMetric {
    value: Value,
    unit: Option<String>,
}

#[derive(Deserialize)]
struct AiperfError {
    code: Option<i64>,
    message: Option<String>,
}

/// One run.
pub(super) fn read(source: &ImportFile) -> Result<ParsedRun, Vec<String>> {
    let records: Vec<AiperfRecord> = json::all(&source.text).map_err(|fault| vec![fault])?;
    let start = records.iter().map(|record| record.metadata.request_start_ns).min().unwrap_or_default();
    let (mut rows, mut faults) = (Vec::with_capacity(records.len()), Vec::new());
    for (line, record) in (1..).zip(&records) {
        match record.row(start) {
            Ok(row) => rows.push(row),
            Err(fault) => faults.push(format!("line {line}: {fault}")),
        }
    }
    if rows.is_empty() && faults.is_empty() {
        faults.push("holds no record".to_owned());
    }
    faults.truncate(5);
    if !faults.is_empty() {
        return Err(faults);
    }
    let started_at = wall_clock(Micros(start / 1000).as_secs_f64());
    Ok(ParsedRun { settings: load(&source.name), started_at, ..ParsedRun::of_requests(TimestampOrigin::Told, rows) })
}

impl AiperfRecord {
    fn row(&self, start_ns: u64) -> Result<RequestRecord, String> {
        let AiperfMetadata { session_num, turn_index, request_start_ns, request_end_ns, benchmark_phase, was_cancelled } = &self.metadata;
        let at = |ns: u64| Micros(ns.saturating_sub(start_ns) / 1000);
        let mut row = unanswered(*session_num, turn_index.unwrap_or_default(), at(*request_start_ns));
        row.phase = if benchmark_phase.as_deref() == Some("warmup") { RequestPhase::Warmup } else { RequestPhase::Measure };
        row.done_us = request_end_ns.map_or(row.sent_us, at).max(row.sent_us);
        row.prompt_tokens = self.count("input_sequence_length").or_else(|| self.count("error_isl"));
        if let Some(error) = &self.error {
            let status = error.code.and_then(|code| u16::try_from(code).ok());
            row.failure = Some(failed_with(if *was_cancelled { Some(499) } else { status }, error.message.as_deref().unwrap_or_default()));
            return Ok(row);
        }
        let ttft = self.seconds("time_to_first_token")?;
        let latency = self.seconds("request_latency")?;
        match first_token(ttft) {
            None => row.failure = Some(no_token()),
            Some(ttft) => {
                let gaps = self.list("inter_chunk_latency")?;
                row.output_tokens = self.count("output_sequence_length").or_else(|| self.count("output_token_count"));
                row.reasoning_tokens = self.count("reasoning_token_count");
                let rest = latency.map_or(0.0, |latency| (latency - ttft).max(0.0));
                answer(&mut row, ttft, if gaps.is_empty() { rest } else { gaps.iter().sum() });
                row.gaps_us = gaps.into_iter().map(gap).collect();
            }
        }
        if row.prompt_tokens.is_some() || row.output_tokens.is_some() {
            row.token_source = TokenSource::TokenRule;
        }
        Ok(row)
    }

    /// A metric of time, in seconds.
    fn seconds(&self, name: &str) -> Result<Option<f64>, String> {
        let Some(metric) = self.metrics.get(name) else { return Ok(None) };
        let Some(value) = metric.value.as_f64() else { return Ok(None) };
        let seconds = value * metric.scale(name)?;
        if seconds < 0.0 { Err(format!("`{name}` is below 0: a time is not")) } else { Ok(Some(seconds)) }
    }

    /// A metric that is a list of times, in seconds.
    fn list(&self, name: &str) -> Result<Vec<f64>, String> {
        let Some(metric) = self.metrics.get(name) else { return Ok(Vec::new()) };
        let scale = metric.scale(name)?;
        let times: Vec<f64> = metric.value.as_array().into_iter().flatten().filter_map(Value::as_f64).map(|time| time * scale).collect();
        if times.iter().any(|time| *time < 0.0) { Err(format!("`{name}` has a time below 0")) } else { Ok(times) }
    }

    fn count(&self, name: &str) -> Option<u64> {
        let value = &self.metrics.get(name)?.value;
        value.as_u64().or_else(|| value.as_f64().filter(|count| count.fract() == 0.0 && *count >= 0.0).map(whole))
    }
}

impl AiperfMetric {
    /// How many seconds its unit has.
    fn scale(&self, name: &str) -> Result<f64, String> {
        match self.unit.as_deref() {
            Some("ns") => Ok(1e-9),
            Some("us") => Ok(1e-6),
            Some("ms") => Ok(1e-3),
            Some("s" | "sec" | "seconds") => Ok(1.0),
            other => Err(format!("`{name}` has the unit `{}`, which is no unit of time that is known (`ms`)", other.unwrap_or("none"))),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number that is not negative")]
fn whole(count: f64) -> u64 {
    count as u64
}

/// The load, which stands in the name of the folder alone: `...-concurrency8`, `...-request_rate2.0`.
fn load(name: &str) -> Vec<(String, Value)> {
    let number = |word: &str| {
        let rest = name[name.rfind(word)? + word.len()..].trim_start_matches(['_', '-', '=']);
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        rest.get(..end)?.trim_end_matches('.').parse::<serde_json::Number>().ok()
    };
    let found = [("concurrency", "workload.concurrency"), ("request_rate", "workload.request_rate")];
    found.into_iter().filter_map(|(word, axis)| Some((axis.to_owned(), Value::Number(number(word)?)))).take(1).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::records::record::FailureKind;

    fn file(name: &str, text: &str) -> Result<ParsedRun, Vec<String>> {
        read(&ImportFile { name: name.into(), stem: "profile_export".into(), variant: "v".into(), text: text.into() })
    }

    const RECORDS: &str = r#"{"metadata": {"session_num": 3, "turn_index": 1, "request_start_ns": 1759813207500000000, "request_end_ns": 1759813208400000000, "benchmark_phase": "profiling", "was_cancelled": false}, "metrics": {"time_to_first_token": {"value": 250.0, "unit": "ms"}, "request_latency": {"value": 900.0, "unit": "ms"}, "output_sequence_length": {"value": 4, "unit": "tokens"}, "input_sequence_length": {"value": 550, "unit": "tokens"}, "inter_chunk_latency": {"value": [10.0, 20.0, 30.0], "unit": "ms"}}, "error": null}
{"metadata": {"session_num": 4, "turn_index": 0, "request_start_ns": 1759813207000000000, "request_end_ns": 1759813207250000000, "was_cancelled": true}, "metrics": {"error_isl": {"value": 550, "unit": "tokens"}}, "error": {"code": 499, "type": "RequestCancellationError", "message": "cancelled after 0.25 seconds"}}
{"metadata": {"session_num": 5, "request_start_ns": 1759813207000000000, "request_end_ns": 1759813207250000000}, "metrics": {}, "error": {"code": 503, "type": "HTTPError", "message": "busy"}}
"#;

    #[test]
    fn a_record_has_its_stamps_gaps_and_counts_and_a_failure_its_status() {
        let run = file("artifacts/m-openai-chat-concurrency8/profile_export.jsonl", RECORDS).unwrap();
        let [answered, cancelled, busy] = run.records.as_slice() else { panic!() };
        assert_eq!((answered.session, answered.turn, answered.sent_us, answered.ttft_s()), (3, 1, Micros(500_000), Some(0.25)));
        assert_eq!((answered.gaps_us.as_slice(), answered.output_tokens), ([10_000, 20_000, 30_000].as_slice(), Some(4)));
        // Three tokens after the first took 60 ms.
        assert!((answered.tpot_s().unwrap() - 0.02).abs() < 1e-12);
        assert_eq!(answered.done_us, Micros(1_400_000));
        assert_eq!(cancelled.failure.as_ref().map(|failure| failure.kind), Some(FailureKind::Cancelled));
        assert_eq!(busy.failure.as_ref().map(|failure| failure.kind), Some(FailureKind::Http(503)));
        assert_eq!(run.settings, [("workload.concurrency".to_owned(), json!(8))]);
        assert_eq!(run.started_at.unwrap().to_string(), "2025-10-07T05:00:07Z");
    }

    #[test]
    fn a_unit_that_is_unknown_and_a_time_below_zero_are_faults_with_their_line() {
        let faults = file("x", &RECORDS.replacen("\"unit\": \"ms\"", "\"unit\": \"fortnights\"", 1)).unwrap_err();
        assert_eq!(faults, ["line 1: `time_to_first_token` has the unit `fortnights`, which is no unit of time that is known (`ms`)"]);
        assert_eq!(file("x", &RECORDS.replace("900.0", "-900.0")).unwrap_err(), ["line 1: `request_latency` is below 0: a time is not"]);
    }
}
