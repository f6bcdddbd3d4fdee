//! What genai-bench writes for a run: `individual_request_metrics`, an element a request in the unit that `_time_unit` names, without send times, beside
//! `aggregated_metrics`, of which only what was asked for is taken.

use serde::Deserialize;
use serde_json::{Value, json};

use super::json;
use super::reading::{ImportFile, ParsedRun, TimestampOrigin};
use super::row::{answer, failed_with, first_token, no_token, unanswered};
use crate::foundation::clock::Micros;
use crate::records::record::{RequestRecord, TokenSource};

pub(super) const LACKS: &[&str] = &[
    "send times are not known: requests are laid at 0, so that rates, requests in flight and the timeline mean nothing",
    "gaps between tokens are not known one by one",
    "requests that seemed faster than 1,000 tokens/s are not in the file; its own warm-up and cool-down are not told apart",
    "the model, the seed and the prompts are not known; which prompt tokens came from a cache is not known",
    "nothing tells how late the client sent, or how busy it was",
];

#[derive(Deserialize)]
struct GenaiBenchFile {
    aggregated_metrics: GenaiBenchRun,
    individual_request_metrics: Vec<GenaiBenchRequest>,
    #[serde(rename = "_time_unit")]
    time_unit: Option<String>,
}

#[derive(Deserialize)]
struct GenaiBenchRun {
    scenario: Option<String>,
    num_concurrency: Option<f64>,
    request_rate: Option<f64>,
    batch_size: Option<f64>,
}

#[derive(Deserialize)]
struct GenaiBenchRequest {
    ttft: Option<f64>,
    e2e_latency: Option<f64>,
    output_latency: Option<f64>,
    num_input_tokens: Option<u64>,
    num_output_tokens: Option<u64>,
    error_code: Option<i64>,
    error_message: Option<String>,
}

/// One run.
pub(super) fn read(source: &ImportFile) -> Result<ParsedRun, Vec<String>> {
    let file: GenaiBenchFile = json::read(&source.text).map_err(|fault| vec![fault])?;
    let scale = match file.time_unit.as_deref() {
        None | Some("s") => 1.0,
        Some("ms") => 1e-3,
        Some(other) => return Err(vec![format!("`_time_unit` is `{other}`, which is neither `s` nor `ms`")]),
    };
    let requests = &file.individual_request_metrics;
    if requests.is_empty() {
        return Err(vec!["`individual_request_metrics` is empty: there is no request in it".to_owned()]);
    }
    let below =
        |request: &GenaiBenchRequest| [request.ttft, request.e2e_latency, request.output_latency].into_iter().flatten().any(|t| t < 0.0);
    if let Some(place) = requests.iter().position(below) {
        return Err(vec![format!("`individual_request_metrics[{place}]` has a time below 0")]);
    }
    let records = (0..).zip(requests).map(|(session, request)| request.row(session, scale)).collect();
    let run = &file.aggregated_metrics;
    let settings = [
        ("scenario", json!(run.scenario)),
        ("num_concurrency", number(run.num_concurrency)),
        ("request_rate", number(run.request_rate)),
        ("batch_size", number(run.batch_size)),
    ];
    let settings = settings.into_iter().map(|(name, value)| (format!("workload.{name}"), value)).collect();
    Ok(ParsedRun { settings, offered_qps: run.request_rate, ..ParsedRun::of_requests(TimestampOrigin::LaidOut, records) })
}

/// A whole number as one: the file writes `8.0`.
fn number(value: Option<f64>) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and far below 2^53")]
    match value {
        Some(value) if value.fract() == 0.0 && value.abs() < 1e15 => json!(value as i64),
        other => json!(other),
    }
}

impl GenaiBenchRequest {
    fn row(&self, session: u64, scale: f64) -> RequestRecord {
        let mut row = unanswered(session, 0, Micros::ZERO);
        row.prompt_tokens = self.num_input_tokens;
        match (self.error_code, first_token(self.ttft.map(|time| time * scale))) {
            (Some(code), _) => row.failure = Some(failed_with(u16::try_from(code).ok(), self.error_message.as_deref().unwrap_or_default())),
            (None, None) => row.failure = Some(no_token()),
            (None, Some(ttft)) => {
                let rest = self.output_latency.or_else(|| Some((self.e2e_latency? - self.ttft?).max(0.0))).unwrap_or(0.0);
                answer(&mut row, ttft, rest * scale);
                row.output_tokens = self.num_output_tokens;
            }
        }
        if row.prompt_tokens.is_some() || row.output_tokens.is_some() {
            row.token_source = TokenSource::Usage;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::FailureKind;
    use crate::vocabulary::metric::Metric;

    #[test]
    fn a_request_has_its_times_in_the_files_unit_and_the_run_its_concurrency() {
        let text = r#"{"aggregated_metrics": {"scenario": "D(100,11)", "num_concurrency": 8.0, "iteration_type": "num_concurrency"},
            "individual_request_metrics": [
                {"ttft": 250.0, "tpot": 60.0, "e2e_latency": 850.0, "output_latency": 600.0, "num_input_tokens": 100, "num_output_tokens": 11,
                 "error_code": null, "error_message": null},
                {"ttft": null, "error_code": 503, "error_message": "busy"}],
            "_time_unit": "ms"}"#;
        let file = |text: &str| read(&ImportFile { name: "x".into(), stem: "x".into(), variant: "v".into(), text: text.into() });
        let run = file(text).unwrap();
        assert_eq!((run.records[0].ttft_s(), run.records[0].done_us), (Some(0.25), Micros(850_000)));
        assert!((run.records[0].value(Metric::Tpot) - 0.06).abs() < 1e-12);
        assert_eq!(run.records[1].failure.as_ref().map(|failure| failure.kind), Some(FailureKind::Http(503)));
        assert_eq!(
            run.settings[..2],
            [("workload.scenario".to_owned(), json!("D(100,11)")), ("workload.num_concurrency".to_owned(), json!(8))]
        );
        let faults = file(&text.replace("\"ms\"", "\"h\"")).unwrap_err();
        assert_eq!(faults, ["`_time_unit` is `h`, which is neither `s` nor `ms`"]);
    }
}
