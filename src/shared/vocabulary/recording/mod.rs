//! What somebody recorded, in files of other programs: traces of requests, sessions, own prompts. A reader a layout; in go files, row by row, out come
//! times, lengths and places in the file.
//!
//! Every row is looked at once when the file is read, and one that cannot be sent is a fault with file, line and value. Kept are a few numbers a row;
//! texts and hash ids stay in the file, and are read again when they are needed.

mod conversation_row;
mod conversations;
mod error;
mod messages;
mod prompts;
mod row_scanner;
mod session_row;
mod sessions;
mod stored_row;
mod time_unit_check;
mod trace;
mod trace_layout;
mod trace_reader;

use std::sync::Arc;

pub use conversation_row::ConversationRound;
pub use conversations::ConversationFile;
pub use error::RecordingError;
pub use prompts::{PromptFile, PromptText};
pub use sessions::{RecordedAsk, RecordedTurn, SessionReadOptions, SessionRecording, TurnTrigger};
pub use time_unit_check::TimeUnitMismatch;
pub use trace::{Trace, TraceReadOptions, TraceRequest};

/// What was read of the file that a workload sends from, as far as its schedule asks for it.
#[derive(Debug, Clone)]
pub enum RecordedInput {
    Trace(Arc<Trace>),
    Prompts(Arc<PromptFile>),
    Sessions(Arc<SessionRecording>),
}

impl RecordedInput {
    /// The trace, where it is one.
    #[must_use]
    pub fn trace(&self) -> Option<&Arc<Trace>> {
        match self {
            Self::Trace(trace) => Some(trace),
            Self::Prompts(_) | Self::Sessions(_) => None,
        }
    }
}
