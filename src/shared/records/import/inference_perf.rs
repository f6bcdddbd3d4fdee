//! What inference-perf writes as `per_request_lifecycle_metrics.json`: a list with an element a request, with stamps of a clock in seconds. `request` and
//! `response` are never looked at.

use serde::Deserialize;
use serde_json::Value;

use super::json;
use super::reading::{ImportFile, ParsedRun, TimestampOrigin};
use super::row::{answer, failure, gap, no_token, unanswered};
use crate::foundation::clock::Micros;
use crate::records::record::{RequestRecord, TokenSource};

pub(super) const LACKS: &[&str] = &[
    "the stages of the load are not told apart: all requests of the file are one run",
    "when each request was due is not known, only when it was sent; of which day its clock is not known",
    "the model, the seed and the prompts are not known; whether caches were empty at the start is not known",
    "nothing tells how late the client sent, or how busy it was",
];

#[derive(Deserialize)]
struct LifecycleEntry {
    start_time: f64,
    end_time: f64,
    info: Option<LifecycleInfo>,
    error: Option<LifecycleError>,
}

#[derive(Deserialize)]
struct LifecycleInfo {
    input_tokens: Option<u64>,
    response_metrics: Option<LifecycleResponse>,
    /// Of older versions, as is the next one.
    output_tokens: Option<u64>,
    output_token_times: Option<Vec<f64>>,
}

#[derive(Deserialize)]
struct LifecycleResponse {
    output_tokens: Option<u64>,
    output_token_times: Option<Vec<f64>>,
    server_usage: Option<Value>,
}

#[derive(Deserialize)]
struct LifecycleError {
    error_type: Option<String>,
    error_msg: Option<String>,
}

/// One run.
pub(super) fn read(source: &ImportFile) -> Result<ParsedRun, Vec<String>> {
    let entries: Vec<LifecycleEntry> = json::all(&source.text).map_err(|fault| vec![fault])?;
    if entries.is_empty() {
        return Err(vec!["is an empty list: there is no request in it".to_owned()]);
    }
    let start = entries.iter().map(|entry| entry.start_time).fold(f64::INFINITY, f64::min);
    let (mut records, mut faults) = (Vec::with_capacity(entries.len()), Vec::new());
    for (session, entry) in (0..).zip(&entries) {
        match entry.row(session, start) {
            Ok(row) => records.push(row),
            Err(fault) => faults.push(format!("request {}: {fault}", session + 1)),
        }
    }
    faults.truncate(5);
    if faults.is_empty() { Ok(ParsedRun::of_requests(TimestampOrigin::Told, records)) } else { Err(faults) }
}

impl LifecycleEntry {
    fn row(&self, session: u64, start: f64) -> Result<RequestRecord, String> {
        if self.end_time < self.start_time {
            return Err("ends before it starts".to_owned());
        }
        let mut row = unanswered(session, 0, Micros::from_secs_f64(self.start_time - start));
        row.done_us = Micros::from_secs_f64(self.end_time - start);
        let response = self.info.as_ref().and_then(|info| info.response_metrics.as_ref());
        let usage = response.and_then(|response| response.server_usage.as_ref());
        let told = |path: &str| usage.and_then(|usage| usage.pointer(path)).and_then(Value::as_u64);
        row.prompt_tokens = told("/prompt_tokens").or_else(|| self.info.as_ref()?.input_tokens);
        row.cached_tokens = told("/prompt_tokens_details/cached_tokens");
        if let Some(error) = &self.error {
            let words = [error.error_type.as_deref(), error.error_msg.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
            row.failure = Some(failure(&words));
            return Ok(row);
        }
        let times = response.and_then(|response| response.output_token_times.as_ref());
        let times = times.or_else(|| self.info.as_ref()?.output_token_times.as_ref()).map(Vec::as_slice).unwrap_or_default();
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            row.failure = Some(no_token());
            return Ok(row);
        };
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if *first < self.start_time || gaps.iter().any(|gap| *gap < 0.0) {
            return Err("`output_token_times` do not ascend from `start_time` on".to_owned());
        }
        answer(&mut row, first - self.start_time, last - first);
        row.gaps_us = gaps.into_iter().map(gap).collect();
        let counted = response.and_then(|response| response.output_tokens).or_else(|| self.info.as_ref()?.output_tokens);
        let by_server = told("/completion_tokens");
        row.output_tokens = by_server.or(counted);
        row.token_source = if by_server.is_some() { TokenSource::Usage } else { TokenSource::TokenRule };
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::FailureKind;

    fn file(text: &str) -> Result<ParsedRun, Vec<String>> {
        read(&ImportFile { name: "x".into(), stem: "x".into(), variant: "v".into(), text: text.into() })
    }

    const FILE: &str = r#"[
        {"start_time": 5000.5, "end_time": 5000.9, "request": "a secret", "response": "b",
         "info": {"input_tokens": 90, "response_metrics": {"output_tokens": 3, "output_token_times": [5000.75, 5000.8, 5000.9],
                  "server_usage": {"prompt_tokens": 100, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 64}}}}, "error": null},
        {"start_time": 5000.0, "end_time": 5001.0, "request": "", "response": "",
         "info": {"input_tokens": 90, "output_tokens": 2, "output_token_times": [5000.25, 5001.0]}, "error": null},
        {"start_time": 5000.0, "end_time": 5000.1, "request": "", "info": {"input_tokens": 90},
         "error": {"error_type": "HTTP Error 503", "error_msg": "busy"}}]"#;

    #[test]
    fn requests_of_newer_and_older_versions_have_their_stamps_and_counts() {
        let run = file(FILE).unwrap();
        let [newer, older, failed] = run.records.as_slice() else { panic!() };
        assert_eq!((newer.sent_us, newer.ttft_s(), newer.gaps_us.as_slice()), (Micros(500_000), Some(0.25), [50_000, 100_000].as_slice()));
        assert_eq!((newer.prompt_tokens, newer.cached_tokens, newer.token_source), (Some(100), Some(64), TokenSource::Usage));
        assert_eq!((older.ttft_s(), older.output_tokens, older.token_source), (Some(0.25), Some(2), TokenSource::TokenRule));
        let said = failed.failure.as_ref().unwrap();
        assert_eq!((said.kind, said.detail.as_str()), (FailureKind::Other, "the file says: HTTP Error 503: busy"));
        assert!(!format!("{run:?}").contains("secret"));
    }

    #[test]
    fn stamps_that_do_not_ascend_are_faults() {
        assert_eq!(
            file(&FILE.replace("5000.75", "4000")).unwrap_err(),
            ["request 1: `output_token_times` do not ascend from `start_time` on"]
        );
        assert_eq!(file(&FILE.replace("5000.9,", "5000.1,")).unwrap_err(), ["request 1: ends before it starts"]);
    }
}
