//! Tells whoever decides what is run next that a run is on disk: it hears of the end of a run after the recorder has sealed it.

use std::sync::mpsc::Sender;

use super::{Reporter, ReporterError};
use crate::execution::event::SweepEvent;
use crate::records::record::RunOutcome;

/// Sends the id of every run that was sealed.
#[derive(Debug)]
pub struct SealedRunNotifier {
    to: Sender<String>,
}

impl SealedRunNotifier {
    #[must_use]
    pub fn new(to: Sender<String>) -> Self {
        Self { to }
    }
}

impl Reporter for SealedRunNotifier {
    fn on(&mut self, event: &SweepEvent) -> Result<(), ReporterError> {
        if let SweepEvent::RunFinished(record) = event
            && record.outcome != RunOutcome::Interrupted
        {
            // Nobody may be waiting any more, which is no reason to lose a sweep.
            let _ = self.to.send(record.header.id.clone());
        }
        Ok(())
    }
}
