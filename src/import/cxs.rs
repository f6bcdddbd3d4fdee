//! The original C×S script's JSON, in both of its generations, and what `bench run document-qa --output` writes in the same layout.
//!
//! A request with a `ttft` of 0.0, or none, got no token: a failure, as is one whose status is not `success`. The files do not tell when
//! requests were sent: each session's turns are laid one after the other from 0.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::json;
use super::reading::{Reading, Source, Times};
use super::row::{answer, failure, first_token, no_token, unanswered};
use crate::clock::Micros;
use crate::record::{RequestRecord, TokenSource};

pub(super) const LACKS: &[&str] = &[
    "send times are not known: each session's turns are laid one after the other from 0, so that rates, requests in flight and the timeline mean nothing",
    "gaps between tokens are not known, nor which prompt tokens came from a cache",
    "the seed and the prompts are not known; whether caches were empty at the start is not known",
    "nothing tells how late the client sent, or how busy it was",
];

#[derive(Deserialize)]
struct File {
    params: Params,
    results: Vec<Answer>,
}

#[derive(Deserialize)]
struct Params {
    #[serde(alias = "concurrent")]
    num_users_concurrent: Option<u64>,
    #[serde(alias = "session_depth", alias = "sequential")]
    num_users_sequential: Option<u64>,
    num_rounds: Option<u64>,
    model: Option<String>,
    answer_len: Option<u64>,
    #[serde(default)]
    simulated: bool,
}

/// An element of `results`.
#[derive(Deserialize)]
struct Answer {
    session_id: Value,
    turn: u32,
    latency: Option<f64>,
    ttft: Option<f64>,
    generation_time: Option<f64>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    status: Option<String>,
}

/// One cell, once.
pub(super) fn read(source: &Source) -> Result<Reading, Vec<String>> {
    let File { params, results } = json::read(&source.text).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    let (concurrent, sequential) = (params.num_users_concurrent, params.num_users_sequential);
    if concurrent.unwrap_or(0) == 0 {
        faults.push("`params` has no `num_users_concurrent` or `concurrent` of at least 1".to_owned());
    }
    if sequential.unwrap_or(0) == 0 {
        faults.push("`params` has no `num_users_sequential` or `session_depth` of at least 1".to_owned());
    }
    if results.is_empty() {
        faults.push("`results` is empty".to_owned());
    }
    faults.extend(results.iter().enumerate().flat_map(|(at, answer)| answer.faults(at)).take(5));
    let (Some(concurrent), Some(sequential), true) = (concurrent, sequential, faults.is_empty()) else { return Err(faults) };
    let planned = params.num_rounds.map(|rounds| concurrent.saturating_mul(sequential).saturating_mul(rounds + 1));
    let short = planned.filter(|planned| *planned != results.len() as u64);
    Ok(Reading {
        axes: vec![("workload.concurrent".to_owned(), json!(concurrent)), ("workload.sequential".to_owned(), json!(sequential))],
        settings: Vec::new(),
        shared: vec![("num_rounds", json!(params.num_rounds)), ("answer_len", json!(params.answer_len))],
        workload: json!({
            "kind": "document_qa",
            "concurrent": concurrent,
            "sequential": sequential,
            "rounds": params.num_rounds,
            "answer_tokens": params.answer_len,
        }),
        model: params.model,
        simulated: params.simulated,
        times: Times::LaidOut,
        started_at: None,
        offered_qps: None,
        notes: short.map(|planned| format!("the file has {} requests, its parameters make {planned}", results.len())).into_iter().collect(),
        records: records(&results),
        lacks: Vec::new(),
    })
}

impl Answer {
    fn faults(&self, at: usize) -> Vec<String> {
        let times = [("latency", self.latency), ("ttft", self.ttft), ("generation_time", self.generation_time)];
        let below = times.into_iter().filter_map(|(name, time)| Some((name, time.filter(|time| *time < 0.0)?)));
        let mut faults: Vec<String> =
            below.map(|(name, time)| format!("`results[{at}].{name}` is {time}: a time is not below 0")).collect();
        if !self.session_id.is_string() && !self.session_id.is_number() {
            faults.push(format!("`results[{at}].session_id` is neither a text nor a number"));
        }
        faults
    }

    fn record(&self, session: u64, sent: Micros) -> RequestRecord {
        let mut record = unanswered(session, self.turn, sent);
        record.done_us = sent + Micros::from_secs_f64(self.latency.unwrap_or(0.0));
        record.prompt_tokens = self.prompt_tokens;
        record.output_tokens = self.completion_tokens;
        if self.prompt_tokens.is_some() || self.completion_tokens.is_some() {
            record.token_source = TokenSource::Usage;
        }
        let status = self.status.as_deref().unwrap_or("success");
        match first_token(self.ttft) {
            _ if status != "success" => record.failure = Some(failure(status)),
            None => record.failure = Some(no_token()),
            Some(ttft) => {
                let rest = self.latency.map_or(0.0, |latency| (latency - ttft).max(0.0));
                answer(&mut record, ttft, self.generation_time.unwrap_or(rest));
            }
        }
        record
    }
}

/// Sessions numbered as they first appear, their turns one after the other.
fn records(results: &[Answer]) -> Vec<RequestRecord> {
    let mut sessions: BTreeMap<String, u64> = BTreeMap::new();
    let mut placed: Vec<(u64, &Answer)> = Vec::with_capacity(results.len());
    for answer in results {
        let next = sessions.len() as u64;
        placed.push((*sessions.entry(answer.session_id.to_string()).or_insert(next), answer));
    }
    placed.sort_by_key(|(session, answer)| (*session, answer.turn));
    let mut free: BTreeMap<u64, Micros> = BTreeMap::new();
    let lay = |(session, answer): (u64, &Answer)| {
        let at = free.entry(session).or_insert(Micros::ZERO);
        let record = answer.record(session, *at);
        *at = record.done_us;
        record
    };
    placed.into_iter().map(lay).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FailureKind;

    fn source(text: &str) -> Source {
        Source { name: "x.json".into(), stem: "x".into(), variant: "v".into(), text: text.into() }
    }

    fn file(params: &str, results: &str) -> Result<Reading, Vec<String>> {
        read(&source(&format!(r#"{{"params": {{{params}, "num_rounds": 1, "model": "tiny"}}, "results": [{results}]}}"#)))
    }

    const FIRST: &str = r#"{"session_id": "b", "turn": 0, "latency": 2.5, "ttft": 1.5, "generation_time": 0.75,
        "prompt_tokens": 8021, "completion_tokens": 16, "status": "success"}"#;

    #[test]
    fn both_generations_say_the_same_in_other_words() {
        let old = file(r#""num_users_concurrent": 1, "num_users_sequential": 3"#, FIRST).unwrap();
        let new = file(r#""concurrent": 1, "session_depth": 3"#, FIRST).unwrap();
        assert_eq!(old, new);
        assert_eq!(old.axes, [("workload.concurrent".to_owned(), json!(1)), ("workload.sequential".to_owned(), json!(3))]);
        assert_eq!(old.notes, ["the file has 1 requests, its parameters make 6"]);
        let record = &old.records[0];
        assert_eq!((record.ttft_s(), record.last_token_us, record.done_us), (Some(1.5), Some(Micros(2_250_000)), Micros(2_500_000)));
        assert_eq!((record.prompt_tokens, record.output_tokens, record.cached_tokens), (Some(8021), Some(16), None));
    }

    #[test]
    fn no_token_is_a_failure_and_never_zero_seconds() {
        for ttft in [r#""ttft": 0.0,"#, r#""ttft": null,"#, ""] {
            let row = format!(r#"{{"session_id": 7, "turn": 1, {ttft} "latency": 3.0, "status": "success"}}"#);
            let record = file(r#""concurrent": 1, "session_depth": 1"#, &row).unwrap().records.remove(0);
            assert_eq!(record.failure.as_ref().map(|failure| failure.kind), Some(FailureKind::NoToken), "{ttft}");
            assert_eq!((record.first_token_us, record.done_us), (None, Micros(3_000_000)));
        }
    }

    #[test]
    fn another_status_is_a_failure_whatever_its_times_say() {
        let row = r#"{"session_id": "b", "turn": 1, "ttft": 0.2, "latency": 1.0, "status": "error: Request timed out."}"#;
        let record = file(r#""concurrent": 1, "session_depth": 1"#, row).unwrap().records.remove(0);
        let failure = record.failure.clone().unwrap();
        assert_eq!((failure.kind, record.first_token_us), (FailureKind::Other, None));
        assert_eq!(failure.detail, "the file says: error: Request timed out.");
    }

    #[test]
    fn sessions_are_numbered_as_they_appear_and_their_turns_follow_one_another() {
        let later = FIRST.replace(r#""turn": 0"#, r#""turn": 1"#);
        let other = FIRST.replace(r#""b""#, r#""a""#);
        let records = file(r#""concurrent": 2, "session_depth": 1"#, &format!("{later}, {other}, {FIRST}")).unwrap().records;
        let places: Vec<_> = records.iter().map(|record| (record.session, record.turn, record.sent_us)).collect();
        assert_eq!(places, [(0, 0, Micros(0)), (0, 1, Micros(2_500_000)), (1, 0, Micros(0))]);
    }

    #[test]
    fn faults_of_a_file_come_together() {
        let row = r#"{"session_id": [1], "turn": 1, "ttft": -0.2}"#;
        let faults = file(r#""concurrent": 0"#, row).unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(faults[1].contains("session_depth") && faults[2] == "`results[0].ttft` is -0.2: a time is not below 0", "{faults:?}");
    }
}
