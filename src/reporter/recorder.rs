//! The recorder: events in, saved runs out, through the store. Each request is in the journal before the next event is heard, and a run is
//! on disk as a whole before anybody behind the recorder hears that it is done.

use super::{ReportError, Reporter};
use crate::event::Event;
use crate::record::Outcome;
use crate::store::{RunWriter, SweepWriter};

/// Saves what it hears.
#[derive(Debug)]
pub struct Recorder {
    sweep: SweepWriter,
    run: Option<RunWriter>,
}

impl Recorder {
    /// Takes the sweep's folder, and with it the lock, until it is dropped.
    #[must_use]
    pub fn new(sweep: SweepWriter) -> Self {
        Self { sweep, run: None }
    }
}

impl Reporter for Recorder {
    fn on(&mut self, event: &Event) -> Result<(), ReportError> {
        match event {
            Event::RunStarted { run, .. } => self.run = Some(self.sweep.begin(&run.id)?),
            Event::RequestDone(record) => {
                if let Some(run) = &mut self.run {
                    run.append(record)?;
                }
            }
            Event::RunFinished(record) => {
                if let Some(run) = self.run.take() {
                    // An interrupted run is no result: it keeps its journal, and is done again.
                    if record.outcome == Outcome::Interrupted { run.leave()? } else { run.seal(record)? }
                }
            }
            Event::SweepStarted { .. } | Event::PhaseEntered { .. } => {}
            Event::SweepFinished { .. } => {
                if let Some(run) = self.run.take() {
                    run.leave()?;
                }
            }
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), ReportError> {
        Ok(self.run.as_mut().map_or(Ok(()), RunWriter::sync_if_due)?)
    }
}
