//! What goes into a reader of one format, and what comes out of it: a file's text, and the run that it tells of.

use jiff::Timestamp;
use serde_json::Value;

use crate::record::RequestRecord;

/// A file of another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
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
pub(super) enum Times {
    /// The file tells when each request was sent.
    Told,
    /// It does not: only the distances within a request mean something.
    LaidOut,
}

/// One run as its file tells it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
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
    pub times: Times,
    pub started_at: Option<Timestamp>,
    pub offered_qps: Option<f64>,
    /// In any order; numbers and requests in flight are set by whoever asked for the reading.
    pub records: Vec<RequestRecord>,
    /// What this file lacks beyond what all files of its program lack.
    pub lacks: Vec<&'static str>,
    pub notes: Vec<String>,
}
