//! One run of `document_qa` in the JSON layout of the original C×S script, for those whose own analysis reads it. A request that failed
//! has no `ttft`, where the original wrote 0.0, and its kind of failure as its status.

use serde_json::{Value, json};

use crate::record::{Phase, RequestRecord};
use crate::store::{SavedRun, StoreError};

/// The file's text.
pub fn render(run: &SavedRun) -> Result<String, StoreError> {
    let records = run.requests.records()?;
    let cell = &run.record.header.cell;
    let workload = |field: &str| cell.pointer(&format!("/workload/{field}")).cloned().unwrap_or(Value::Null);
    let target = |field: &str| cell.pointer(&format!("/target/{field}")).cloned().unwrap_or(Value::Null);
    let measured = records.iter().filter(|record| record.phase == Phase::Measure);
    let document = json!({
        "params": {
            "num_users_concurrent": workload("concurrent"),
            "num_users_sequential": workload("sequential"),
            "model": target("model"),
            "base_url": target("url"),
            "num_rounds": workload("rounds"),
            "src_dir": workload("documents"),
            "answer_len": workload("answer_tokens"),
            "simulated": run.record.header.simulated,
        },
        "results": measured.map(result).collect::<Vec<_>>(),
    });
    Ok(format!("{document:#}\n"))
}

fn result(record: &RequestRecord) -> Value {
    let last_token = record.last_token_us.filter(|_| record.failure.is_none());
    let latency = last_token.map(|last| last.since(record.sent_us).as_secs_f64());
    let generation = last_token.zip(record.first_token_us).map(|(last, first)| last.since(first).as_secs_f64());
    let status = record.failure.as_ref().map_or_else(|| "success".to_owned(), |failure| failure.kind.name());
    json!({
        "session_id": record.session.to_string(),
        "turn": record.turn,
        "latency": latency,
        "ttft": record.ttft_s(),
        "generation_time": generation,
        "prompt_tokens": record.prompt_tokens,
        "completion_tokens": record.output_tokens,
        "status": status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{answered, cell, failed, sweep};
    use crate::record::FailureKind;

    #[test]
    fn a_failed_request_has_no_time_to_first_token_and_not_zero() {
        let saved = sweep(&[], &[cell("default", 1, 1, vec![answered(0, 0, 1.5), failed(0, 1, FailureKind::Http(503))])]);
        let document: Value = serde_json::from_str(&render(&saved.runs[0]).unwrap()).unwrap();
        assert_eq!(document["results"][0]["ttft"], 1.5);
        assert_eq!(document["results"][0]["latency"], 1.52);
        assert_eq!((&document["results"][1]["ttft"], &document["results"][1]["status"]), (&Value::Null, &json!("http_503")));
    }
}
