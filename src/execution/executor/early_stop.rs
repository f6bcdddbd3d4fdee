//! When a run ends early: in come its requests as they end; as soon as its rule says that no further one is needed, none is begun.
//!
//! What is in flight is awaited and told as any other request. Must not know what the rule goes by.

use super::run_scheduler::StoppingRule;
use super::stop_token::StopToken;
use crate::records::record::{EarlyStopReason, RequestRecord};

/// A run's rule, where it has one, and what it has said.
pub(super) struct EarlyStop<'a> {
    rule: Option<&'a mut dyn StoppingRule>,
    /// Of this run alone.
    stop: StopToken,
    curtailed: Option<EarlyStopReason>,
}

impl<'a> EarlyStop<'a> {
    pub fn new(rule: Option<&'a mut dyn StoppingRule>, stop: StopToken) -> Self {
        Self { rule, stop, curtailed: None }
    }

    pub fn hear(&mut self, request: &RequestRecord) {
        let Some(rule) = &mut self.rule else { return };
        let said = rule.heard(request);
        if self.curtailed.is_none() && said.is_some() {
            self.curtailed = said;
            self.stop.drain();
        }
    }

    /// Why it ended early, where it did.
    pub fn curtailed(self) -> Option<EarlyStopReason> {
        self.curtailed
    }
}
