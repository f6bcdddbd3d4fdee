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
mod live_goodput;
mod plain;
mod recorder;
mod sealed_run_notifier;
mod servers;
mod time_left;

pub use bar::ProgressBarReporter;
pub use chat::{CSV_COLUMNS, ChatFileReporter};
pub use choose::{VerbosityLevel, reporters};
pub use error::ReporterError;
pub use listen::run_reporters;
pub use plain::{PlainTextReporter, PlainVerbosity};
pub use recorder::RunRecorder;
pub use sealed_run_notifier::SealedRunNotifier;
pub use time_left::ExpectedRun;

use crate::event::SweepEvent;

/// Something that listens to a sweep.
pub trait Reporter: Send {
    /// Takes note of one event.
    fn on(&mut self, event: &SweepEvent) -> Result<(), ReporterError>;

    /// Told before each event: how many wait behind it.
    fn behind(&mut self, _waiting: usize) {}

    /// Called when all that has happened was told, before anything further is waited for.
    fn idle(&mut self) -> Result<(), ReporterError> {
        Ok(())
    }

    /// Called about twice a second, also while no event comes.
    fn tick(&mut self) -> Result<(), ReporterError> {
        Ok(())
    }
}
