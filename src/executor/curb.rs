//! When a run ends early: in come its requests as they end; as soon as its rule says that no further one is needed, none is begun.
//!
//! What is in flight is awaited and told as any other request. Must not know what the rule goes by.

use super::course::Rule;
use super::stop::Stop;
use crate::record::{Curtailed, RequestRecord};

/// A run's rule, where it has one, and what it has said.
pub(super) struct Curb<'a> {
    rule: Option<&'a mut dyn Rule>,
    /// Of this run alone.
    stop: Stop,
    curtailed: Option<Curtailed>,
}

impl<'a> Curb<'a> {
    pub fn new(rule: Option<&'a mut dyn Rule>, stop: Stop) -> Self {
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
    pub fn curtailed(self) -> Option<Curtailed> {
        self.curtailed
    }
}
