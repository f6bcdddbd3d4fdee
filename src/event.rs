//! What the executor tells while it works. Reporters listen: the progress display, the plain lines, and the recorder that saves it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Micros;
use crate::record::{Phase, RequestRecord, RunHeader, RunRecord};

/// One thing that happened, in the order in which it happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The sweep begins: `planned` runs in all, of which `sealed` are there already from an earlier start.
    SweepStarted {
        planned: usize,
        sealed: usize,
    },
    /// A run begins; `requests` is how many it will send, where that is known, and `started_at` the wall-clock time of offset 0 (the Unix
    /// epoch in virtual time).
    RunStarted {
        run: Arc<RunHeader>,
        requests: Option<u64>,
        started_at: Timestamp,
    },
    PhaseEntered {
        phase: Phase,
        at: Micros,
    },
    /// A request is over, in whatever way.
    RequestDone(Box<RequestRecord>),
    /// A run is over. The recorder seals it.
    RunFinished(Box<RunRecord>),
    SweepFinished {
        interrupted: bool,
    },
}
