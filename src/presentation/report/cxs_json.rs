//! One run of `document_qa` in the JSON layout of the original C×S script, for those whose own analysis reads it: group by group, as the script
//! lists them. A request that failed has its kind of failure as its status, and a time to first token that no limit lets pass: the script's
//! plot leaves out what is missing, and would take a server that fails for a fast one.

use serde_json::{Value, json};

use crate::records::record::{RequestPhase, RequestRecord};
use crate::records::store::{SavedRun, StoreError};

/// Which of the script's two generations is to read it. Each plot wants all parameters but its own names of C and S to be equal in every file
/// of a folder, so that no file can serve both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptGeneration {
    /// `num_users_concurrent` and `num_users_sequential`.
    First,
    /// `concurrent` and `session_depth`, with `start_time` in each request; since June 2025.
    Second,
}

impl ScriptGeneration {
    /// Its names of C and S.
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::First => ["num_users_concurrent", "num_users_sequential"],
            Self::Second => ["concurrent", "session_depth"],
        }
    }
}

/// The time to first token of a request that failed, in seconds.
const FAILED_TTFT_S: f64 = 1e6;

/// The file's text.
pub fn render(run: &SavedRun, generation: ScriptGeneration) -> Result<String, StoreError> {
    let mut records = run.requests.records()?;
    records.retain(|record| record.phase == RequestPhase::Measure);
    records.sort_by_key(|record| (record.lane, record.request));
    let work = run.record.header.document_qa();
    let [concurrent, sequential] = generation.names();
    let started_s = run.record.started_at.as_duration().as_secs_f64();
    let document = json!({
        "params": {
            concurrent: work.concurrent,
            sequential: work.sequential,
            "model": work.model,
            "base_url": work.base_url,
            "num_rounds": work.rounds,
            "src_dir": work.documents,
            "answer_len": work.answer_tokens,
            "simulated": run.record.header.simulated,
        },
        "results": records.iter().map(|record| result(record, generation, started_s)).collect::<Vec<_>>(),
    });
    Ok(format!("{document:#}\n"))
}

fn result(record: &RequestRecord, generation: ScriptGeneration, started_s: f64) -> Value {
    let last_token = record.last_token_us.filter(|_| record.failure.is_none());
    let latency = last_token.map(|last| last.since(record.sent_us).as_secs_f64());
    let generation_time = last_token.zip(record.first_token_us).map(|(last, first)| last.since(first).as_secs_f64());
    let status = record.failure.as_ref().map_or_else(|| "success".to_owned(), |failure| failure.kind.name());
    let mut result = json!({
        "session_id": record.session.to_string(),
        "turn": record.turn,
        "latency": latency,
        "ttft": record.ttft_s().unwrap_or(FAILED_TTFT_S),
        "generation_time": generation_time,
        "prompt_tokens": record.prompt_tokens,
        "completion_tokens": record.output_tokens,
        "status": status,
    });
    if generation == ScriptGeneration::Second {
        result["start_time"] = json!(started_s + record.sent_us.as_secs_f64());
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::sweeps::{answered, cell, failed, sweep};
    use crate::records::record::FailureKind;

    fn written(rows: Vec<RequestRecord>, generation: ScriptGeneration) -> Value {
        let saved = sweep(&[], &[cell("default", 1, 1, rows)]);
        serde_json::from_str(&render(&saved.runs[0], generation).unwrap()).unwrap()
    }

    #[test]
    fn a_failed_request_is_slower_than_any_limit_and_neither_missing_nor_zero() {
        let document = written(vec![answered(0, 0, 1.5), failed(0, 1, FailureKind::Http(503))], ScriptGeneration::First);
        assert_eq!(document["results"][0]["ttft"], 1.5);
        assert_eq!(document["results"][0]["latency"], 1.52);
        assert_eq!((&document["results"][1]["ttft"], &document["results"][1]["status"]), (&json!(1e6), &json!("http_503")));
    }

    #[test]
    fn each_generation_gets_its_own_names_and_none_of_the_other() {
        for (generation, other) in
            [(ScriptGeneration::First, ScriptGeneration::Second), (ScriptGeneration::Second, ScriptGeneration::First)]
        {
            let document = written(vec![answered(0, 0, 1.5)], generation);
            assert!(generation.names().iter().all(|name| document["params"].get(name).is_some()), "{document}");
            assert!(other.names().iter().all(|name| document["params"].get(name).is_none()), "{document}");
            assert_eq!(document["results"][0].get("start_time").is_some(), generation == ScriptGeneration::Second);
        }
    }

    #[test]
    fn requests_stand_group_by_group_in_the_order_of_their_sending() {
        let row = |session, lane, request| RequestRecord { request, lane, ..answered(session, 0, 0.5) };
        let document = written(vec![row(0, 0, 0), row(2, 1, 1), row(1, 0, 2), row(3, 1, 3)], ScriptGeneration::Second);
        let sessions: Vec<&str> = document["results"].as_array().unwrap().iter().map(|row| row["session_id"].as_str().unwrap()).collect();
        assert_eq!(sessions, ["0", "1", "2", "3"]);
    }
}
