//! What goes into a reader of one format, and what comes out of it: a file's text, and the run that it tells of.

use jiff::Timestamp;
use serde_json::Value;

use crate::foundation::clock::Micros;
use crate::records::record::{RequestRecord, ServerSample};

/// A file of another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFile {
    /// As it was named: for messages.
    pub name: String,
    /// Its name without folders and ending.
    pub stem: String,
    /// The variant that it is a run of.
    pub variant: String,
    pub text: String,
}

/// Whether the stamps of requests are those of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimestampOrigin {
    /// The file tells when each request was sent.
    Told,
    /// It does not: only the distances within a request mean something.
    LaidOut,
}

/// One run as its file tells it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ParsedRun {
    /// Axes of the matrix that the program sweeps.
    pub axes: Vec<(String, Value)>,
    /// Settings that are an axis where files differ in them.
    pub settings: Vec<(String, Value)>,
    /// What all files of a sweep must agree in.
    pub shared: Vec<(&'static str, Value)>,
    /// What all files of a variant must agree in.
    pub model: Option<String>,
    /// The workload, as far as the file tells it.
    pub workload: Value,
    pub simulated: bool,
    pub times: TimestampOrigin,
    pub started_at: Option<Timestamp>,
    pub offered_qps: Option<f64>,
    /// In any order; numbers and requests in flight are set by whoever asked for the reading.
    pub records: Vec<RequestRecord>,
    /// What pages of metrics in the file tell, in the order of time.
    pub samples: Vec<ServerSample>,
    /// What this file lacks beyond what all files of its program lack.
    pub lacks: Vec<&'static str>,
    pub notes: Vec<String>,
}

/// The latest that a request may end after the run's start: beyond it, what stands in the file is no time in seconds.
const LATEST_S: f64 = 1e10;
/// The most tokens of a prompt or an answer: what any program that reads the saved run can still count.
const MOST_TOKENS: u64 = 1 << 53;

impl ParsedRun {
    /// A run of single requests of which nothing else is known.
    pub fn of_requests(times: TimestampOrigin, records: Vec<RequestRecord>) -> Self {
        Self {
            axes: Vec::new(),
            settings: Vec::new(),
            shared: Vec::new(),
            model: None,
            workload: serde_json::json!({ "kind": "requests" }),
            simulated: false,
            times,
            started_at: None,
            offered_qps: None,
            records,
            samples: Vec::new(),
            lacks: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// What no run can have been: requests that end after centuries, or with more tokens than can be counted.
    pub fn absurdities(&self) -> Vec<String> {
        let latest = Micros::from_secs_f64(LATEST_S);
        let late = self.records.iter().filter(|record| record.done_us > latest || record.sent_us > latest).count();
        let tokens = |record: &RequestRecord| [record.prompt_tokens, record.cached_tokens, record.output_tokens];
        let long = self.records.iter().filter(|record| tokens(record).into_iter().flatten().any(|tokens| tokens > MOST_TOKENS)).count();
        let late = (late > 0).then(|| {
            format!("tells of {late} requests that end more than {LATEST_S:e} s after the first was sent: are its times in seconds?")
        });
        let long = (long > 0).then(|| format!("tells of {long} requests with more than 2^53 tokens: which column of it is the count?"));
        late.into_iter().chain(long).collect()
    }
}
