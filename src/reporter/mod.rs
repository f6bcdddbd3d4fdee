//! Events to people and disk: the recorder, the progress display, and the text files of chat runs.
//!
//! In: the executor's events, in order, over a channel; reporters live on a thread of their own, see [`run_reporters`]. Must not know how
//! events come about, and must never make the load wait.

mod bar;
mod chat;
mod choose;
mod error;
mod listen;
mod live;
mod plain;
mod recorder;
mod sealed;
mod servers;
mod time_left;

pub use bar::Bar;
pub use chat::{CSV_COLUMNS, ChatFiles};
pub use choose::{Loudness, reporters};
pub use error::ReportError;
pub use listen::run_reporters;
pub use plain::{Lines, Plain};
pub use recorder::Recorder;
pub use sealed::Sealed;
pub use time_left::ExpectedRun;

use crate::event::Event;

/// Something that listens to a sweep.
pub trait Reporter: Send {
    /// Takes note of one event.
    fn on(&mut self, event: &Event) -> Result<(), ReportError>;

    /// Told before each event: how many wait behind it.
    fn behind(&mut self, _waiting: usize) {}

    /// Called when all that has happened was told, before anything further is waited for.
    fn idle(&mut self) -> Result<(), ReportError> {
        Ok(())
    }

    /// Called about twice a second, also while no event comes.
    fn tick(&mut self) -> Result<(), ReportError> {
        Ok(())
    }
}
