//! Faults made on purpose: the number of a request goes in, what goes wrong with it comes out. What the fault looks like on a wire is
//! the business of whoever carries the answer.

use crate::vocabulary::spec::engine::{EngineFaultKind, FaultSpec};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineFault {
    pub kind: EngineFaultKind,
    /// For [`EngineFaultKind::Status`].
    pub status: u16,
    /// For faults inside a stream: after how many tokens.
    pub after_tokens: u64,
}

/// Counts requests and says which of them fail.
#[derive(Debug)]
pub struct FaultInjector {
    specs: Vec<FaultSpec>,
    requests: u64,
}

impl FaultInjector {
    #[must_use]
    pub fn new(specs: &[FaultSpec]) -> Self {
        Self { specs: specs.to_vec(), requests: 0 }
    }

    /// The fault of the next request. Where several would strike it, the first of the list does.
    pub fn strike(&mut self) -> Option<EngineFault> {
        self.requests += 1;
        let spec = self.specs.iter().find(|spec| self.requests.is_multiple_of(spec.every))?;
        Some(EngineFault { kind: spec.kind, status: spec.status.unwrap_or(500), after_tokens: u64::from(spec.after_tokens) })
    }
}

#[cfg(test)]
mod tests {
    use super::EngineFaultKind::{Stall, Status};
    use super::*;

    #[test]
    fn a_fault_strikes_every_nth_request_and_the_first_of_the_list_wins() {
        let spec = |kind, every| FaultSpec { kind, every, status: Some(503), after_tokens: 0 };
        let mut faults = FaultInjector::new(&[spec(Status, 3), spec(Stall, 2)]);
        let kinds: Vec<_> = (1..=6).map(|_| faults.strike().map(|fault| fault.kind)).collect();
        assert_eq!(kinds, [None, Some(Stall), Some(Status), Some(Stall), None, Some(Status)]);
    }
}
