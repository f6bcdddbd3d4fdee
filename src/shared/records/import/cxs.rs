//! The original C×S script's JSON, in both of its generations, and what `bench run document-qa --output` writes in the same layout.
//!
//! A request with a `ttft` of 0.0, or none, got no token: a failure, as is one whose status is not `success`. Files of the second generation
//! tell when each request began (`start_time`) and what `/metrics` said right then (`metrics`); others tell neither, and each session's turns
//! are laid one after the other from 0. Both list the requests group by group.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::json;
use super::reading::{ImportFile, ParsedRun, TimestampOrigin};
use super::row::{answer, failure, first_token, no_token, unanswered, wall_clock};
use crate::foundation::clock::Micros;
use crate::records::exposition::PrometheusPage;
use crate::records::record::{RequestRecord, ServerSample, TextInterner, TokenSource};

/// What a file without `start_time` lacks.
const NO_START_TIMES: &str = "send times are not known: each session's turns are laid one after the other from 0, so that rates, requests in flight and the timeline mean nothing";

/// What a file with `metrics` has too much of.
const SLOWED_BY_METRICS: &str =
    "times to first token hold more than that: the script asked for `/metrics` after it had begun to time a request and before it sent it";

/// The most values of metrics that are taken of one file.
const MOST_SAMPLES: usize = 2_000_000;

/// Who told what stands in `metrics`.
const PAGE: &str = "/metrics";

pub(super) const LACKS: &[&str] = &[
    "gaps between tokens are not known, nor which prompt tokens came from a cache",
    "the seed and the prompts are not known; whether caches were empty at the start is not known",
    "nothing tells how late the client sent, or how busy it was",
];

#[derive(Deserialize)]
struct CxsResultFile {
    params: CxsParameters,
    results: Vec<CxsRequestResult>,
}

#[derive(Deserialize)]
struct CxsParameters {
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
struct CxsRequestResult {
    session_id: Value,
    turn: u32,
    /// Seconds of the wall clock.
    start_time: Option<f64>,
    latency: Option<f64>,
    ttft: Option<f64>,
    generation_time: Option<f64>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    /// The page of `/metrics` at `start_time`.
    metrics: Option<String>,
    status: Option<String>,
}

/// One cell, once.
pub(super) fn read(source: &ImportFile) -> Result<ParsedRun, Vec<String>> {
    let CxsResultFile { params, results } = json::read(&source.text).map_err(|fault| vec![fault])?;
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
    let short = short.map(|planned| format!("the file has {} requests, its parameters make {planned}", results.len()));
    let placed = placed(&results);
    let start = start(&results);
    let (samples, too_many) = start.map(|start| samples(&placed, start)).unwrap_or_default();
    let too_many = too_many.then(|| format!("values of `metrics` beyond the first {MOST_SAMPLES} were left out"));
    let told = start.is_none().then_some(NO_START_TIMES).into_iter();
    Ok(ParsedRun {
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
        times: if start.is_some() { TimestampOrigin::Told } else { TimestampOrigin::LaidOut },
        started_at: start.and_then(wall_clock),
        offered_qps: None,
        notes: short.into_iter().chain(too_many).collect(),
        records: match start {
            Some(start) => placed.iter().map(|(session, answer)| answer.begun(*session, start, sequential)).collect(),
            None => laid_out(placed),
        },
        lacks: told.chain((!samples.is_empty()).then_some(SLOWED_BY_METRICS)).collect(),
        samples,
    })
}

impl CxsRequestResult {
    fn faults(&self, at: usize) -> Vec<String> {
        let times =
            [("start_time", self.start_time), ("latency", self.latency), ("ttft", self.ttft), ("generation_time", self.generation_time)];
        let below = times.into_iter().filter_map(|(name, time)| Some((name, time.filter(|time| *time < 0.0)?)));
        let mut faults: Vec<String> =
            below.map(|(name, time)| format!("`results[{at}].{name}` is {time}: a time is not below 0")).collect();
        if !self.session_id.is_string() && !self.session_id.is_number() {
            faults.push(format!("`results[{at}].session_id` is neither a text nor a number"));
        }
        faults
    }

    /// Where the file tells when: in the group that its place in the file makes it one of.
    fn begun(&self, session: u64, start: f64, sequential: u64) -> RequestRecord {
        let mut record = self.record(session, self.at(start));
        record.lane = u32::try_from(session / sequential.max(1)).unwrap_or(u32::MAX);
        record
    }

    /// When it began, from the first request of the file on.
    fn at(&self, start: f64) -> Micros {
        Micros::from_secs_f64(self.start_time.unwrap_or(start) - start)
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

/// When the first request of the file began; `None` unless all of them tell.
fn start(results: &[CxsRequestResult]) -> Option<f64> {
    results.iter().map(|answer| answer.start_time).collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::min)
}

/// What the pages say, in the order of time, and whether something was left out. The buckets of histograms are no figures that anybody reads.
fn samples(placed: &[(u64, &CxsRequestResult)], start: f64) -> (Vec<ServerSample>, bool) {
    let mut pages: Vec<(Micros, &str)> =
        placed.iter().filter_map(|(_, answer)| Some((answer.at(start), answer.metrics.as_deref()?))).collect();
    pages.sort_by_key(|(at, _)| *at);
    let (mut samples, mut texts) = (Vec::new(), TextInterner::default());
    let source = texts.of(PAGE);
    for (at_us, page) in pages {
        let page = PrometheusPage::read(page.as_bytes(), |name| !name.ends_with("_bucket") && !name.ends_with("_created"));
        if samples.len() + page.samples.len() > MOST_SAMPLES {
            return (samples, true);
        }
        samples.extend(page.samples.into_iter().map(|sample| ServerSample {
            at_us,
            source: source.clone(),
            name: texts.of(&sample.name),
            labels: texts.of(&sample.labels),
            kind: sample.kind,
            value: sample.value,
        }));
    }
    (samples, false)
}

/// Sessions numbered as they first appear.
fn placed(results: &[CxsRequestResult]) -> Vec<(u64, &CxsRequestResult)> {
    let mut sessions: BTreeMap<String, u64> = BTreeMap::new();
    let mut placed: Vec<(u64, &CxsRequestResult)> = Vec::with_capacity(results.len());
    for answer in results {
        let next = sessions.len() as u64;
        placed.push((*sessions.entry(answer.session_id.to_string()).or_insert(next), answer));
    }
    placed.sort_by_key(|(session, answer)| (*session, answer.turn));
    placed
}

/// Each session's turns one after the other.
fn laid_out(placed: Vec<(u64, &CxsRequestResult)>) -> Vec<RequestRecord> {
    let mut free: BTreeMap<u64, Micros> = BTreeMap::new();
    let lay = |(session, answer): (u64, &CxsRequestResult)| {
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
    use crate::records::record::FailureKind;

    fn source(text: &str) -> ImportFile {
        ImportFile { name: "x.json".into(), stem: "x".into(), variant: "v".into(), text: text.into() }
    }

    fn file(params: &str, results: &str) -> Result<ParsedRun, Vec<String>> {
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

    /// A row of the second generation.
    fn begun(session: &str, turn: u32, start_time: f64, ttft: f64, metrics: &str) -> String {
        let row = json!({"session_id": session, "turn": turn, "start_time": start_time, "latency": ttft + 0.5, "ttft": ttft, "generation_time": 0.25,
            "prompt_tokens": 1000, "completion_tokens": 11, "metrics": metrics, "status": "success"});
        row.to_string()
    }

    #[test]
    fn start_times_place_requests_groups_and_the_run_itself() {
        let rows = [
            begun("a", 0, 1_750_000_000.5, 1.0, ""),
            begun("a", 1, 1_750_000_002.0, 0.25, ""),
            begun("b", 0, 1_750_000_000.75, 2.0, ""),
            begun("b", 1, 1_750_000_003.25, 0.25, ""),
        ];
        let reading = file(r#""concurrent": 2, "session_depth": 1"#, &rows.join(",")).unwrap();
        assert_eq!((reading.times, reading.started_at.unwrap().to_string().as_str()), (TimestampOrigin::Told, "2025-06-15T15:06:40.5Z"));
        let places: Vec<_> = reading.records.iter().map(|record| (record.session, record.lane, record.turn, record.sent_us.0)).collect();
        assert_eq!(places, [(0, 0, 0, 0), (0, 0, 1, 1_500_000), (1, 1, 0, 250_000), (1, 1, 1, 2_750_000)]);
        assert_eq!((reading.records[3].intended_us, reading.records[3].done_us), (Micros(2_750_000), Micros(3_500_000)));
        assert_eq!((reading.lacks, reading.notes), (vec![], vec![]));
    }

    #[test]
    fn a_file_of_which_one_request_does_not_tell_when_it_began_tells_no_times() {
        let rows = format!("{}, {FIRST}", begun("a", 0, 1_750_000_000.5, 1.0, "x 1"));
        let reading = file(r#""concurrent": 1, "session_depth": 2"#, &rows).unwrap();
        assert_eq!((reading.times, reading.started_at, reading.lacks), (TimestampOrigin::LaidOut, None, vec![NO_START_TIMES]));
        assert_eq!(reading.samples, []);
    }

    #[test]
    fn pages_of_metrics_become_samples_at_the_times_of_their_requests() {
        let page = |running: u32| {
            format!(
                "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{{engine=\"0\"}} {running}\n# TYPE h histogram\n\
                 h_bucket{{le=\"1\"}} 3\nh_sum 2\nno metric at all\n"
            )
        };
        let rows = [begun("b", 0, 12.0, 1.0, &page(1)), begun("a", 0, 10.0, 1.0, &page(0))];
        let reading = file(r#""concurrent": 2, "session_depth": 1"#, &rows.join(",")).unwrap();
        let told: Vec<_> = reading.samples.iter().map(|sample| (sample.at_us.0, &*sample.name, &*sample.labels, sample.value)).collect();
        let running = ("vllm:num_requests_running", "{engine=\"0\"}");
        assert_eq!(
            told,
            [(0, running.0, running.1, 0.0), (0, "h_sum", "", 2.0), (2_000_000, running.0, running.1, 1.0), (2_000_000, "h_sum", "", 2.0)]
        );
        assert_eq!(reading.lacks, [SLOWED_BY_METRICS], "its clock also timed the page");
    }
}
