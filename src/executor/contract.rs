//! The cold-cache contract of a whole run: what the canary found before the load, and what the rows say afterwards. Pure.

use crate::plan::Mask;
use crate::record::CacheContract;

/// What was done before the load so that caches are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Emptied {
    /// There is no `server.reset`.
    Nothing,
    /// What the scenario asks for, without a look at it.
    NoCanary,
    /// What the scenario asks for, and this was found.
    Canary(CacheContract),
}

/// What rows alone say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rows {
    /// First turns brought what no cache knew; the evidence.
    Cold(String),
    /// They came from a cache; the evidence.
    Warm(String),
    /// They cannot tell; why.
    Silent(String),
}

impl Emptied {
    /// What is known before any row.
    pub fn so_far(&self) -> CacheContract {
        self.with(Rows::Silent("no first turn was answered".to_owned()))
    }

    /// The contract: failed where either failed, proven where either proves it, else not proven for the reasons of both.
    pub fn with(&self, rows: Rows) -> CacheContract {
        use CacheContract::{Failed, NotProven, Proven};
        match (self, rows) {
            (Self::Canary(Failed { reason }), Rows::Warm(evidence)) => Failed { reason: format!("{reason}; {evidence}") },
            (Self::Canary(Failed { reason }), _) => Failed { reason: reason.clone() },
            (Self::Nothing, Rows::Warm(evidence)) => {
                Failed { reason: format!("{evidence}: empty the caches before each cell with `server.reset`") }
            }
            (Self::Canary(Proven { how }), Rows::Warm(evidence)) => {
                Failed { reason: format!("{evidence}, of a cache that `server.reset` does not reach, although {how}") }
            }
            (_, Rows::Warm(evidence)) => Failed { reason: format!("{evidence}: `server.reset` does not empty every cache") },
            (Self::Canary(Proven { how }), Rows::Cold(evidence)) => Proven { how: format!("{how}; {evidence}") },
            (Self::Canary(Proven { how }), Rows::Silent(_)) => Proven { how: how.clone() },
            (_, Rows::Cold(evidence)) => Proven { how: evidence },
            (Self::Canary(NotProven { reason }), Rows::Silent(why)) => NotProven { reason: format!("{reason}; {why}") },
            (Self::NoCanary, Rows::Silent(why)) => NotProven { reason: format!("{why}, and `server.canary` is off") },
            (Self::Nothing, Rows::Silent(why)) => {
                NotProven { reason: format!("{why}, and nothing was done to empty the caches: see `server.reset`") }
            }
        }
    }
}

/// The contract without what its words hold of the environment.
pub(super) fn hidden(contract: CacheContract, mask: &Mask) -> CacheContract {
    match contract {
        CacheContract::Proven { how } => CacheContract::Proven { how: mask.hide(how) },
        CacheContract::NotProven { reason } => CacheContract::NotProven { reason: mask.hide(reason) },
        CacheContract::Failed { reason } => CacheContract::Failed { reason: mask.hide(reason) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proven() -> Emptied {
        Emptied::Canary(CacheContract::Proven { how: "the canary is gone".into() })
    }

    fn not_proven() -> Emptied {
        Emptied::Canary(CacheContract::NotProven { reason: "the canary failed".into() })
    }

    fn failed() -> Emptied {
        Emptied::Canary(CacheContract::Failed { reason: "the canary is there".into() })
    }

    fn cold() -> Rows {
        Rows::Cold("0 of 8000 cached".into())
    }

    fn warm() -> Rows {
        Rows::Warm("7936 of 8000 cached".into())
    }

    fn silent() -> Rows {
        Rows::Silent("users share a system prompt".into())
    }

    #[test]
    fn either_witness_can_fail_the_contract() {
        for emptied in [Emptied::Nothing, Emptied::NoCanary, proven(), not_proven(), failed()] {
            let CacheContract::Failed { reason } = emptied.with(warm()) else { panic!("{emptied:?}") };
            assert!(reason.contains("7936 of 8000"), "{reason}");
        }
        for rows in [cold(), silent()] {
            assert_eq!(failed().with(rows), CacheContract::Failed { reason: "the canary is there".into() });
        }
    }

    #[test]
    fn either_witness_can_prove_the_contract() {
        assert_eq!(proven().with(silent()), CacheContract::Proven { how: "the canary is gone".into() });
        assert_eq!(proven().with(cold()), CacheContract::Proven { how: "the canary is gone; 0 of 8000 cached".into() });
        for emptied in [Emptied::Nothing, Emptied::NoCanary, not_proven()] {
            assert_eq!(emptied.with(cold()), CacheContract::Proven { how: "0 of 8000 cached".into() });
        }
    }

    #[test]
    fn without_a_witness_the_reasons_of_both_are_told() {
        for (emptied, said) in
            [(Emptied::Nothing, "nothing was done"), (Emptied::NoCanary, "`server.canary` is off"), (not_proven(), "the canary failed")]
        {
            let CacheContract::NotProven { reason } = emptied.with(silent()) else { panic!("{emptied:?}") };
            assert!(reason.contains(said) && reason.contains("share a system prompt"), "{reason}");
        }
    }
}
