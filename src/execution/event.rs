//! What the executor tells while it works. Reporters listen: the progress display, the plain lines, and the recorder that saves it.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use jiff::Timestamp;

use crate::foundation::clock::Micros;
use crate::records::record::{RequestPhase, RequestRecord, RequestText, RunFailure, RunHeader, RunRecord, ServerSample};

/// One thing that happened, in the order in which it happened.
#[derive(Debug, Clone)]
pub enum SweepEvent {
    /// The sweep begins: `planned` runs in all, or `about` so many, of which `sealed` are there already from an earlier start.
    SweepStarted {
        planned: usize,
        sealed: usize,
        about: bool,
    },
    /// A server of ours is being started for the runs that follow: `life` counts the starts of this variant, from 1.
    ServerStarting {
        variant: String,
        life: u32,
        command: String,
    },
    ServerReady {
        variant: String,
        life: u32,
        after: Micros,
    },
    /// It ended by itself.
    ServerDied {
        variant: String,
        life: u32,
        failure: RunFailure,
    },
    /// It was ended by us, with all its processes; `trouble` says where that was not possible.
    ServerStopped {
        variant: String,
        life: u32,
        trouble: Option<String>,
    },
    /// A process that an earlier sweep left behind was ended; `trouble` says where that was not possible.
    LeftoverEnded {
        pid: u32,
        command: String,
        trouble: Option<String>,
    },
    /// A run begins; `requests` is how many it will send, where that is known, and `started_at` the wall-clock time of offset 0 (the Unix
    /// epoch in virtual time).
    RunStarted {
        run: Arc<RunHeader>,
        requests: Option<u64>,
        started_at: Timestamp,
    },
    PhaseEntered {
        phase: RequestPhase,
        at: Micros,
    },
    /// What was said in the request that is over next; told only where texts are kept.
    Said(Box<RequestText>),
    /// A request is over, in whatever way.
    RequestDone(Box<RequestRecord>),
    /// What the server and its machine told at one time of the run.
    Watched(Vec<ServerSample>),
    /// A run is over. The recorder seals it.
    RunFinished(Box<RunRecord>),
    /// What a search knows by now: a line of words, a letter a cell, and about how many runs are left. `ended` where this walk goes no further.
    Searched {
        text: String,
        map: Option<String>,
        left: usize,
        ended: bool,
    },
    SweepFinished {
        interrupted: bool,
    },
    /// All before this has been heard as soon as this is dropped. It says nothing to anybody else.
    Marked(EventBarrier),
}

/// Tells its maker, by being dropped, how far those who listen have come.
#[derive(Debug, Clone)]
pub struct EventBarrier {
    _end: SyncSender<()>,
}

impl EventBarrier {
    /// The other end of the channel ends with this; nothing is ever sent.
    #[must_use]
    pub fn new(end: SyncSender<()>) -> Self {
        Self { _end: end }
    }
}
