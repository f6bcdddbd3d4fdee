//! Tells somebody that a run is on disk: whoever decides what is run next, or whoever sends it away. It hears of the end of a run after the recorder
//! has sealed it.

use std::fmt;

use super::{Reporter, ReporterError};
use crate::event::SweepEvent;
use crate::records::record::RunOutcome;

/// Tells the id of every run that was sealed.
pub struct SealedRunNotifier {
    tell: Box<dyn Fn(String) + Send>,
}

impl SealedRunNotifier {
    #[must_use]
    pub fn new(tell: impl Fn(String) + Send + 'static) -> Self {
        Self { tell: Box::new(tell) }
    }
}

impl fmt::Debug for SealedRunNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedRunNotifier")
    }
}

impl Reporter for SealedRunNotifier {
    fn on(&mut self, event: &SweepEvent) -> Result<(), ReporterError> {
        if let SweepEvent::RunFinished(record) = event
            && record.outcome != RunOutcome::Interrupted
        {
            (self.tell)(record.header.id.clone());
        }
        Ok(())
    }
}
