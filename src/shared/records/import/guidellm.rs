//! What `guidellm benchmark` writes as `benchmarks.json`: a run for each rate of its profile, each with the requests that it keeps, by how they ended.
//! Prompts and answers are never looked at.

use serde::Deserialize;
use serde_json::{Value, json};

use super::json;
use super::reading::{ImportFile, ParsedRun, TimestampOrigin};
use super::row::{answer, failed_with, failure, no_token, unanswered, wall_clock};
use crate::foundation::clock::Micros;
use crate::records::record::{RequestRecord, TokenSource};

pub(super) const LACKS: &[&str] = &[
    "gaps between tokens are not known one by one",
    "requests of guidellm's own warm-up and cool-down are not told apart: every request in the file is taken as measured",
    "its clock is that of the wall, which may be set while it runs",
    "the seed and the prompts are not known; which prompt tokens came from a cache, and whether caches were empty at the start, is not known",
    "nothing tells how busy the client was",
];

#[derive(Deserialize)]
struct GuidellmReport {
    benchmarks: Vec<GuidellmBenchmark>,
}

#[derive(Deserialize)]
struct GuidellmBenchmark {
    /// Of newer versions.
    config: Option<Value>,
    /// Of older ones.
    scheduler: Option<Value>,
    requests: Option<GuidellmRequests>,
    /// Counts by status, of newer versions.
    scheduler_state: Option<Value>,
    /// The same, of older ones.
    request_totals: Option<Value>,
}

#[derive(Deserialize)]
struct GuidellmRequests {
    #[serde(default)]
    successful: Vec<GuidellmRequest>,
    #[serde(default)]
    incomplete: Vec<GuidellmRequest>,
    #[serde(default)]
    errored: Vec<GuidellmRequest>,
}

#[derive(Deserialize)]
struct GuidellmRequest {
    /// Of newer versions.
    info: Option<GuidellmInfo>,
    /// Of older ones.
    scheduler_info: Option<GuidellmInfo>,
    prompt_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct GuidellmInfo {
    turn_index: Option<u32>,
    #[serde(alias = "request_timings")]
    timings: Option<GuidellmTimings>,
    error: Option<String>,
}

/// Seconds since the Unix epoch.
#[derive(Deserialize)]
struct GuidellmTimings {
    targeted_start: Option<f64>,
    resolve_start: Option<f64>,
    request_start: Option<f64>,
    #[serde(alias = "first_iteration")]
    first_token_iteration: Option<f64>,
    #[serde(alias = "last_iteration")]
    last_token_iteration: Option<f64>,
    request_end: Option<f64>,
    resolve_end: Option<f64>,
}

/// How a request ended, which is told by the list that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GuidellmStatus {
    Successful,
    Incomplete,
    Errored,
}

/// A run for each benchmark of the file.
pub(super) fn read(source: &ImportFile) -> Result<Vec<ParsedRun>, Vec<String>> {
    let report: GuidellmReport = json::read(&source.text).map_err(|fault| vec![fault])?;
    let (mut runs, mut faults) = (Vec::new(), Vec::new());
    for (number, benchmark) in (1..).zip(&report.benchmarks) {
        match benchmark.run() {
            Ok(run) => runs.push(run),
            Err(fault) => faults.push(format!("benchmark {number}: {fault}")),
        }
    }
    faults.truncate(5);
    if faults.is_empty() { Ok(runs) } else { Err(faults) }
}

impl GuidellmBenchmark {
    fn run(&self) -> Result<ParsedRun, String> {
        let Some(requests) = &self.requests else { return Err("has no `requests`: only averages and percentiles are in it".to_owned()) };
        let lists = [
            (GuidellmStatus::Successful, &requests.successful),
            (GuidellmStatus::Incomplete, &requests.incomplete),
            (GuidellmStatus::Errored, &requests.errored),
        ];
        let all: Vec<(GuidellmStatus, &GuidellmRequest)> =
            lists.into_iter().flat_map(|(status, list)| list.iter().map(move |request| (status, request))).collect();
        if all.is_empty() {
            return Err(
                "keeps no request: run guidellm with `--sample-requests` left out, or as large as the number of requests".to_owned()
            );
        }
        let start = all.iter().filter_map(|(_, request)| request.sent()).fold(f64::INFINITY, f64::min);
        let rows: Vec<RequestRecord> =
            (0..).zip(&all).map(|(session, (status, request))| request.row(session, *status, start)).collect::<Result<_, _>>()?;
        let strategy = self.config.as_ref().or(self.scheduler.as_ref()).and_then(|config| config.get("strategy"));
        let said = |name: &str| strategy.and_then(|strategy| strategy.get(name)).cloned().unwrap_or(Value::Null);
        let settings = [("strategy", said("type_")), ("rate", said("rate")), ("streams", said("streams"))];
        let kept = rows.len() as u64;
        let notes = self.made().filter(|made| *made > kept).map(|made| {
            format!("the file keeps {kept} of {made} requests, a sample: percentiles and rates go by these alone (`--sample-requests`)")
        });
        Ok(ParsedRun {
            settings: settings.into_iter().map(|(name, value)| (format!("workload.{name}"), value)).collect(),
            offered_qps: said("rate").as_f64(),
            started_at: wall_clock(start),
            notes: notes.into_iter().collect(),
            workload: json!({ "kind": "requests", "strategy": said("type_") }),
            ..ParsedRun::of_requests(TimestampOrigin::Told, rows)
        })
    }

    /// How many requests there were, whether the file keeps them or not.
    fn made(&self) -> Option<u64> {
        let state = self.scheduler_state.as_ref().or(self.request_totals.as_ref())?;
        let count = |name: &str| state.get(name).and_then(Value::as_u64);
        count("total").or_else(|| {
            let counts = ["successful_requests", "errored_requests", "cancelled_requests"].map(count);
            counts.iter().any(Option::is_some).then(|| counts.into_iter().flatten().sum())
        })
    }
}

impl GuidellmRequest {
    fn info(&self) -> Option<&GuidellmInfo> {
        self.info.as_ref().or(self.scheduler_info.as_ref())
    }

    fn timings(&self) -> Option<&GuidellmTimings> {
        self.info().and_then(|info| info.timings.as_ref())
    }

    /// When it was sent; of one that never was, when it was about to be.
    fn sent(&self) -> Option<f64> {
        self.timings().and_then(|timings| timings.request_start.or(timings.resolve_start).or(timings.targeted_start))
    }

    fn row(&self, session: u64, status: GuidellmStatus, start: f64) -> Result<RequestRecord, String> {
        let sent = self.sent().ok_or_else(|| format!("request {} has no `timings` with its start", session + 1))?;
        let timings = self.timings();
        let at = |time: f64| Micros::from_secs_f64(time - start);
        let mut row = unanswered(session, self.info().and_then(|info| info.turn_index).unwrap_or_default(), at(sent));
        if let Some(targeted) = timings.and_then(|timings| timings.targeted_start).filter(|targeted| *targeted >= start) {
            row.intended_us = at(targeted).min(row.sent_us);
        }
        if let Some(end) = timings.and_then(|timings| timings.request_end.or(timings.resolve_end)) {
            row.done_us = at(end).max(row.sent_us);
        }
        row.prompt_tokens = self.prompt_tokens;
        let first = timings.and_then(|timings| timings.first_token_iteration);
        let words = self.info().and_then(|info| info.error.as_deref());
        match (status, first) {
            (GuidellmStatus::Errored, _) => row.failure = Some(failure(words.unwrap_or("errored"))),
            // guidellm stops what is in flight at the end of a benchmark.
            (GuidellmStatus::Incomplete, _) => {
                row.failure = Some(failed_with(Some(499), words.unwrap_or("incomplete at the end of the benchmark")));
            }
            (GuidellmStatus::Successful, None) => row.failure = Some(no_token()),
            (GuidellmStatus::Successful, Some(first)) if first < sent => {
                return Err(format!("request {} has its first token before its start", session + 1));
            }
            (GuidellmStatus::Successful, Some(first)) => {
                let last = timings.and_then(|timings| timings.last_token_iteration).unwrap_or(first).max(first);
                answer(&mut row, first - sent, last - first);
                row.output_tokens = self.output_tokens;
            }
        }
        if row.prompt_tokens.is_some() || row.output_tokens.is_some() {
            row.token_source = TokenSource::Usage;
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::FailureKind;
    use crate::vocabulary::metric::Metric;

    fn file(text: &str) -> Result<Vec<ParsedRun>, Vec<String>> {
        read(&ImportFile { name: "x".into(), stem: "benchmarks".into(), variant: "v".into(), text: text.into() })
    }

    const NEWER: &str = r#"{"metadata": {"version": 1}, "args": {}, "benchmarks": [
        {"type_": "generative_benchmark", "config": {"strategy": {"type_": "constant", "rate": 2.0}},
         "scheduler_state": {"successful_requests": 5, "errored_requests": 1, "cancelled_requests": 1},
         "requests": {"successful": [
             {"request_id": "a", "output": "a secret", "prompt_tokens": 100, "output_tokens": 11,
              "info": {"turn_index": 0, "timings": {"targeted_start": 1760000000.0, "request_start": 1760000000.5,
                       "first_token_iteration": 1760000000.75, "last_token_iteration": 1760000001.75, "request_end": 1760000001.8}}}],
          "incomplete": [{"info": {"timings": {"request_start": 1760000001.0, "resolve_end": 1760000002.0}}}],
          "errored": [{"info": {"error": "HTTP 503", "timings": {"resolve_start": 1760000000.0, "resolve_end": 1760000000.25}}}]}}]}"#;

    #[test]
    fn each_benchmark_is_a_run_with_its_rate_and_requests_fail_by_their_list() {
        let [run] = file(NEWER).unwrap().try_into().unwrap();
        let [answered, incomplete, errored] = run.records.as_slice() else { panic!() };
        assert_eq!((answered.intended_us, answered.sent_us, answered.ttft_s()), (Micros(0), Micros(500_000), Some(0.25)));
        // Ten tokens after the first took a second.
        assert!((answered.value(Metric::Tpot) - 0.1).abs() < 1e-6);
        assert_eq!(incomplete.failure.as_ref().map(|failure| failure.kind), Some(FailureKind::Cancelled));
        assert_eq!(errored.failure.as_ref().map(|failure| failure.detail.as_str()), Some("the file says: HTTP 503"));
        assert_eq!(run.settings[..2], [("workload.strategy".to_owned(), json!("constant")), ("workload.rate".to_owned(), json!(2.0))]);
        assert!(run.notes[0].starts_with("the file keeps 3 of 7 requests"), "{:?}", run.notes);
        assert!(!format!("{run:?}").contains("secret"));
    }

    #[test]
    fn older_files_are_read_by_their_names_and_one_without_requests_says_what_keeps_them() {
        let older = r#"{"benchmarks": [{"scheduler": {"strategy": {"type_": "concurrent", "streams": 4}}, "requests": {"successful": [
            {"prompt_tokens": 100, "output_tokens": 2, "scheduler_info": {"request_timings": {"request_start": 1760000000.0,
             "first_iteration": 1760000000.25, "last_iteration": 1760000000.5, "request_end": 1760000000.5}}}]}}]}"#;
        let [run] = file(older).unwrap().try_into().unwrap();
        assert_eq!((run.records[0].ttft_s(), run.settings[2].1.clone()), (Some(0.25), json!(4)));
        let none = file(r#"{"benchmarks": [{"requests": {"successful": []}}]}"#).unwrap_err();
        assert!(none[0].starts_with("benchmark 1: keeps no request") && none[0].contains("--sample-requests"), "{none:?}");
    }
}
