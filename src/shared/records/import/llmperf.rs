//! What llmperf's `token_benchmark_ray.py` writes as `..._individual_responses.json`: a list with an element a request, in seconds, without send times.

use serde::Deserialize;
use serde_json::{Value, json};

use super::json;
use super::reading::{ImportFile, ParsedRun, TimestampOrigin};
use super::row::{answer, failed_with, first_token, no_token, unanswered};
use crate::foundation::clock::Micros;
use crate::records::record::{RequestRecord, TokenSource};

pub(super) const LACKS: &[&str] = &[
    "send times are not known: requests are laid at 0, so that rates, requests in flight and the timeline mean nothing",
    "gaps between tokens are not known: the time per token goes by the whole answer",
    "tokens are counted by llmperf's own tokenizer, whatever the model's is",
    "the load, the model and the prompts are not in the file; which prompt tokens came from a cache is not known",
    "nothing tells how late the client sent, or how busy it was",
];

#[derive(Deserialize)]
struct LlmperfResponse {
    error_code: Option<Value>,
    error_msg: Option<String>,
    ttft_s: Option<f64>,
    end_to_end_latency_s: Option<f64>,
    number_input_tokens: Option<u64>,
    number_output_tokens: Option<u64>,
}

/// One run.
pub(super) fn read(source: &ImportFile) -> Result<ParsedRun, Vec<String>> {
    let responses: Vec<LlmperfResponse> = json::all(&source.text).map_err(|fault| vec![fault])?;
    let below = |time: Option<f64>| time.is_some_and(|time| time < 0.0);
    if let Some(place) = responses.iter().position(|response| below(response.ttft_s) || below(response.end_to_end_latency_s)) {
        return Err(vec![format!("request {}: a time is not below 0", place + 1)]);
    }
    let records = (0..).zip(&responses).map(|(session, response)| response.row(session)).collect();
    Ok(ParsedRun { settings: vec![("file".to_owned(), json!(source.stem))], ..ParsedRun::of_requests(TimestampOrigin::LaidOut, records) })
}

impl LlmperfResponse {
    fn row(&self, session: u64) -> RequestRecord {
        let mut row = unanswered(session, 0, Micros::ZERO);
        row.prompt_tokens = self.number_input_tokens;
        let words = self.error_msg.as_deref().unwrap_or_default();
        match (&self.error_code, first_token(self.ttft_s)) {
            (Some(code), _) if !code.is_null() => {
                row.failure = Some(failed_with(code.as_u64().and_then(|code| u16::try_from(code).ok()), words));
            }
            (_, None) => row.failure = Some(no_token()),
            (_, Some(ttft)) => {
                answer(&mut row, ttft, (self.end_to_end_latency_s.unwrap_or(ttft) - ttft).max(0.0));
                row.output_tokens = self.number_output_tokens;
            }
        }
        if row.prompt_tokens.is_some() || row.output_tokens.is_some() {
            row.token_source = TokenSource::TokenRule;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::FailureKind;
    use crate::vocabulary::metric::Metric;

    fn file(text: &str) -> Result<ParsedRun, Vec<String>> {
        read(&ImportFile { name: "x.json".into(), stem: "m_550_150_individual_responses".into(), variant: "v".into(), text: text.into() })
    }

    #[test]
    fn a_response_has_its_times_and_an_error_its_code() {
        let text = r#"[
            {"error_code": null, "error_msg": "", "inter_token_latency_s": 0.006, "ttft_s": 0.25, "end_to_end_latency_s": 0.85,
             "number_total_tokens": 561, "number_output_tokens": 11, "number_input_tokens": 550},
            {"error_code": 429, "error_msg": "slow down", "ttft_s": 0, "end_to_end_latency_s": 0.1, "number_input_tokens": 550}]"#;
        let run = file(text).unwrap();
        assert_eq!((run.records[0].ttft_s(), run.records[0].done_us, run.times), (Some(0.25), Micros(850_000), TimestampOrigin::LaidOut));
        // Ten tokens after the first took 600 ms.
        assert!((run.records[0].value(Metric::Tpot) - 0.06).abs() < 1e-12);
        assert_eq!(run.records[1].failure.as_ref().map(|failure| failure.kind), Some(FailureKind::Http(429)));
        assert_eq!(file(&text.replace("0.25", "-0.25")).unwrap_err(), ["request 1: a time is not below 0"]);
    }
}
