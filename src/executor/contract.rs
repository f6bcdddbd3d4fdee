//! The cold-cache contract of a whole run: what the canary found before the load, and what the rows say afterwards. Pure.

use crate::plan::Mask;
use crate::record::CacheContract;

/// What was done before the load so that no prompt is in a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Emptied {
    /// `reset = "none"`: warm caches are wanted.
    Nothing,
    /// What the scenario asks for, without a look at it.
    NoCanary(ResetMeans),
    /// What the scenario asks for, and this was found.
    Canary(ResetMeans, CacheContract),
}

/// How prompts are kept away from what is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResetMeans {
    /// By emptying the caches, whatever does it.
    Emptying,
    Salt,
}

impl ResetMeans {
    /// What else there is to do where it did not work.
    fn cure(self) -> &'static str {
        match self {
            Self::Emptying => "; `server.reset = \"salt\"` does without: it gives the prompts of every cell words of their own",
            Self::Salt => "",
        }
    }
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
            (Self::Canary(means, Failed { reason }), Rows::Warm(evidence)) => {
                Failed { reason: format!("{reason}; {evidence}{}", means.cure()) }
            }
            (Self::Canary(means, Failed { reason }), _) => Failed { reason: format!("{reason}{}", means.cure()) },
            (Self::Nothing, Rows::Warm(evidence)) => {
                NotProven { reason: format!("{evidence}, and warm caches are wanted: `server.reset` is \"none\"") }
            }
            (Self::Canary(ResetMeans::Salt, _) | Self::NoCanary(ResetMeans::Salt), Rows::Warm(evidence)) => {
                Failed { reason: format!("{evidence}, although every prompt of the run begins with a salt of its own") }
            }
            (Self::Canary(means @ ResetMeans::Emptying, Proven { how }), Rows::Warm(evidence)) => {
                Failed { reason: format!("{evidence}, of a cache that `server.reset` does not reach, although {how}{}", means.cure()) }
            }
            (Self::Canary(means, _) | Self::NoCanary(means), Rows::Warm(evidence)) => {
                Failed { reason: format!("{evidence}: `server.reset` does not empty every cache{}", means.cure()) }
            }
            (Self::Canary(_, Proven { how }), Rows::Cold(evidence)) => Proven { how: format!("{how}; {evidence}") },
            (Self::Canary(_, Proven { how }), Rows::Silent(_)) => Proven { how: how.clone() },
            (_, Rows::Cold(evidence)) => Proven { how: evidence },
            (Self::Canary(_, NotProven { reason }), Rows::Silent(why)) => NotProven { reason: format!("{reason}; {why}") },
            (Self::NoCanary(_), Rows::Silent(why)) => NotProven { reason: format!("{why}, and `server.canary` is off") },
            (Self::Nothing, Rows::Silent(why)) => {
                NotProven { reason: format!("{why}, and warm caches are wanted: `server.reset` is \"none\"") }
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

    use ResetMeans::{Emptying, Salt};

    fn proven(means: ResetMeans) -> Emptied {
        Emptied::Canary(means, CacheContract::Proven { how: "the canary is gone".into() })
    }

    fn not_proven(means: ResetMeans) -> Emptied {
        Emptied::Canary(means, CacheContract::NotProven { reason: "the canary failed".into() })
    }

    fn failed(means: ResetMeans) -> Emptied {
        Emptied::Canary(means, CacheContract::Failed { reason: "the canary is there".into() })
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
    fn either_witness_can_fail_the_contract_and_the_salt_is_named_where_it_is_not_tried_yet() {
        for means in [Emptying, Salt] {
            for emptied in [Emptied::NoCanary(means), proven(means), not_proven(means), failed(means)] {
                let CacheContract::Failed { reason } = emptied.with(warm()) else { panic!("{emptied:?}") };
                assert!(reason.contains("7936 of 8000"), "{reason}");
                assert_eq!(reason.contains("`server.reset = \"salt\"`"), means == Emptying, "{reason}");
            }
            for rows in [cold(), silent()] {
                let CacheContract::Failed { reason } = failed(means).with(rows) else { panic!("{means:?}") };
                assert!(reason.starts_with("the canary is there"), "{reason}");
                assert_eq!(reason.contains("`server.reset = \"salt\"`"), means == Emptying, "{reason}");
            }
        }
    }

    #[test]
    fn warm_caches_that_are_wanted_fail_nothing_and_are_told() {
        let CacheContract::NotProven { reason } = Emptied::Nothing.with(warm()) else { panic!("wanted") };
        assert!(reason.contains("7936 of 8000") && reason.contains("warm caches are wanted"), "{reason}");
    }

    #[test]
    fn either_witness_can_prove_the_contract() {
        assert_eq!(proven(Salt).with(silent()), CacheContract::Proven { how: "the canary is gone".into() });
        assert_eq!(proven(Emptying).with(cold()), CacheContract::Proven { how: "the canary is gone; 0 of 8000 cached".into() });
        for emptied in [Emptied::Nothing, Emptied::NoCanary(Emptying), not_proven(Salt)] {
            assert_eq!(emptied.with(cold()), CacheContract::Proven { how: "0 of 8000 cached".into() });
        }
    }

    #[test]
    fn without_a_witness_the_reasons_of_both_are_told() {
        let emptied = [
            (Emptied::Nothing, "are wanted"),
            (Emptied::NoCanary(Salt), "`server.canary` is off"),
            (not_proven(Salt), "the canary failed"),
        ];
        for (emptied, said) in emptied {
            let CacheContract::NotProven { reason } = emptied.with(silent()) else { panic!("{emptied:?}") };
            assert!(reason.contains(said) && reason.contains("share a system prompt"), "{reason}");
        }
    }
}
