//! Tells whoever decides what is run next that a run is on disk: it hears of the end of a run after the recorder has sealed it.

use std::sync::mpsc::Sender;

use super::{ReportError, Reporter};
use crate::event::Event;
use crate::record::Outcome;

/// Sends the id of every run that was sealed.
#[derive(Debug)]
pub struct Sealed {
    to: Sender<String>,
}

impl Sealed {
    #[must_use]
    pub fn new(to: Sender<String>) -> Self {
        Self { to }
    }
}

impl Reporter for Sealed {
    fn on(&mut self, event: &Event) -> Result<(), ReportError> {
        if let Event::RunFinished(record) = event
            && record.outcome != Outcome::Interrupted
        {
            // Nobody may be waiting any more, which is no reason to lose a sweep.
            let _ = self.to.send(record.header.id.clone());
        }
        Ok(())
    }
}
