//! What the clients of one load say to each other about a run. Each word of a run has its number, so that what comes late is not taken for the next run's.
//!
//! In: words as types. Out: their texts. Must not know how they travel.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::lane_ties::LaneSignal;
use super::sequential_loop::RequestResult;
use crate::foundation::clock::Micros;
use crate::records::record::ClientHealth;

/// Said by the client that leads.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LeaderWord {
    /// See whether the target of this run serves you too, while the leader does the same. `url` is that of a server which it has started.
    Reach {
        id: String,
        url: Option<String>,
    },
    /// Make this run ready as far as that goes without sending anything that counts.
    Prepare {
        run: u64,
        id: String,
        url: Option<String>,
    },
    /// The caches are as they are to be: lay in, build prompts, open connections. `salt` is what the prompts' salt is made of.
    Load {
        run: u64,
        salt: Option<String>,
    },
    /// Time 0 is at that time of the member's clock of the meeting, which is `origin` on the leader's clock of the run.
    Start {
        run: u64,
        at: Micros,
        origin: Micros,
    },
    Stop {
        run: u64,
        how: LoadStop,
    },
    /// A lane of another client has come so far.
    Lane {
        run: u64,
        signal: LaneSignal,
    },
    /// There are no more runs.
    End {
        interrupted: bool,
    },
}

/// How a run's load is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LoadStop {
    /// Send nothing more.
    Drain,
    /// Give up what is in flight.
    Abort,
}

/// Said by another client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MemberWord {
    /// All that is due at time 0 can be sent.
    Ready {
        run: u64,
    },
    /// A lane has come so far.
    Lane {
        run: u64,
        signal: LaneSignal,
    },
    Rows {
        run: u64,
        rows: Vec<RequestResult>,
    },
    /// All has been sent and answered, or given up when it was told to stop.
    Done {
        run: u64,
        part: Box<MemberPart>,
    },
    /// It cannot do its part.
    Failed {
        run: u64,
        reason: String,
    },
    /// Somebody asks this client to stop, and with it all.
    StopAsked,
}

/// What another client says of its part of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MemberPart {
    pub health: ClientHealth,
    /// Its rows, and the hash of the words that brought them.
    pub rows: u64,
    pub rows_blake3: String,
    /// Connections that it opened before time 0.
    pub opened_ahead: u64,
    /// Remarks for people.
    pub notes: Vec<String>,
}

impl LeaderWord {
    /// The run that it is about.
    pub fn run(&self) -> Option<u64> {
        match self {
            Self::Prepare { run, .. }
            | Self::Load { run, .. }
            | Self::Start { run, .. }
            | Self::Stop { run, .. }
            | Self::Lane { run, .. } => Some(*run),
            Self::Reach { .. } | Self::End { .. } => None,
        }
    }
}

impl MemberWord {
    /// The run that it is about.
    pub fn run(&self) -> Option<u64> {
        match self {
            Self::Ready { run } | Self::Lane { run, .. } | Self::Rows { run, .. } | Self::Done { run, .. } | Self::Failed { run, .. } => {
                Some(*run)
            }
            Self::StopAsked => None,
        }
    }
}

/// A word as it is sent. These types have no values that JSON lacks.
pub(super) fn worded(word: &impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(word).ok()
}
