//! The cold-cache check of a whole run: what the canary found before the load, and what the rows say afterwards. Pure.

use crate::planning::plan::EnvironmentRedactor;
use crate::records::record::CacheCheck;

/// What was done before the load so that no prompt is in a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CacheResetOutcome {
    /// `reset = "none"`: warm caches are wanted.
    Nothing,
    /// What the scenario asks for, without a look at it.
    NoCanary(CacheResetMethod),
    /// What the scenario asks for, and this was found.
    Canary(CacheResetMethod, CacheCheck),
}

/// How prompts are kept away from what is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CacheResetMethod {
    /// By emptying the caches, whatever does it.
    Emptying,
    Salt,
}

impl CacheResetMethod {
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
pub(super) enum RowCacheEvidence {
    /// First turns brought what no cache knew; the evidence.
    Cold(String),
    /// They came from a cache; the evidence.
    Warm(String),
    /// They cannot tell; why.
    Silent(String),
}

impl CacheResetOutcome {
    /// What is known before any row.
    pub fn so_far(&self) -> CacheCheck {
        self.with(RowCacheEvidence::Silent("no first turn was answered".to_owned()))
    }

    /// The check: failed where either failed, proven where either proves it, else not proven for the reasons of both.
    pub fn with(&self, rows: RowCacheEvidence) -> CacheCheck {
        use CacheCheck::{Failed, NotProven, Proven};
        match (self, rows) {
            (Self::Canary(means, Failed { reason }), RowCacheEvidence::Warm(evidence)) => {
                Failed { reason: format!("{reason}; {evidence}{}", means.cure()) }
            }
            (Self::Canary(means, Failed { reason }), _) => Failed { reason: format!("{reason}{}", means.cure()) },
            (Self::Nothing, RowCacheEvidence::Warm(evidence)) => {
                NotProven { reason: format!("{evidence}, and warm caches are wanted: `server.reset` is \"none\"") }
            }
            (Self::Canary(CacheResetMethod::Salt, _) | Self::NoCanary(CacheResetMethod::Salt), RowCacheEvidence::Warm(evidence)) => {
                Failed { reason: format!("{evidence}, although every prompt of the run begins with a salt of its own") }
            }
            (Self::Canary(means @ CacheResetMethod::Emptying, Proven { how }), RowCacheEvidence::Warm(evidence)) => {
                Failed { reason: format!("{evidence}, of a cache that `server.reset` does not reach, although {how}{}", means.cure()) }
            }
            (Self::Canary(means, _) | Self::NoCanary(means), RowCacheEvidence::Warm(evidence)) => {
                Failed { reason: format!("{evidence}: `server.reset` does not empty every cache{}", means.cure()) }
            }
            (Self::Canary(_, Proven { how }), RowCacheEvidence::Cold(evidence)) => Proven { how: format!("{how}; {evidence}") },
            (Self::Canary(_, Proven { how }), RowCacheEvidence::Silent(_)) => Proven { how: how.clone() },
            (_, RowCacheEvidence::Cold(evidence)) => Proven { how: evidence },
            (Self::Canary(_, NotProven { reason }), RowCacheEvidence::Silent(why)) => NotProven { reason: format!("{reason}; {why}") },
            (Self::NoCanary(_), RowCacheEvidence::Silent(why)) => NotProven { reason: format!("{why}, and `server.canary` is off") },
            (Self::Nothing, RowCacheEvidence::Silent(why)) => {
                NotProven { reason: format!("{why}, and warm caches are wanted: `server.reset` is \"none\"") }
            }
        }
    }
}

/// The check without what its words hold of the environment.
pub(super) fn hidden(check: CacheCheck, mask: &EnvironmentRedactor) -> CacheCheck {
    match check {
        CacheCheck::Proven { how } => CacheCheck::Proven { how: mask.hide(how) },
        CacheCheck::NotProven { reason } => CacheCheck::NotProven { reason: mask.hide(reason) },
        CacheCheck::Failed { reason } => CacheCheck::Failed { reason: mask.hide(reason) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use CacheResetMethod::{Emptying, Salt};

    fn proven(means: CacheResetMethod) -> CacheResetOutcome {
        CacheResetOutcome::Canary(means, CacheCheck::Proven { how: "the canary is gone".into() })
    }

    fn not_proven(means: CacheResetMethod) -> CacheResetOutcome {
        CacheResetOutcome::Canary(means, CacheCheck::NotProven { reason: "the canary failed".into() })
    }

    fn failed(means: CacheResetMethod) -> CacheResetOutcome {
        CacheResetOutcome::Canary(means, CacheCheck::Failed { reason: "the canary is there".into() })
    }

    fn cold() -> RowCacheEvidence {
        RowCacheEvidence::Cold("0 of 8000 cached".into())
    }

    fn warm() -> RowCacheEvidence {
        RowCacheEvidence::Warm("7936 of 8000 cached".into())
    }

    fn silent() -> RowCacheEvidence {
        RowCacheEvidence::Silent("users share a system prompt".into())
    }

    #[test]
    fn either_witness_can_fail_the_contract_and_the_salt_is_named_where_it_is_not_tried_yet() {
        for means in [Emptying, Salt] {
            for emptied in [CacheResetOutcome::NoCanary(means), proven(means), not_proven(means), failed(means)] {
                let CacheCheck::Failed { reason } = emptied.with(warm()) else { panic!("{emptied:?}") };
                assert!(reason.contains("7936 of 8000"), "{reason}");
                assert_eq!(reason.contains("`server.reset = \"salt\"`"), means == Emptying, "{reason}");
            }
            for rows in [cold(), silent()] {
                let CacheCheck::Failed { reason } = failed(means).with(rows) else { panic!("{means:?}") };
                assert!(reason.starts_with("the canary is there"), "{reason}");
                assert_eq!(reason.contains("`server.reset = \"salt\"`"), means == Emptying, "{reason}");
            }
        }
    }

    #[test]
    fn warm_caches_that_are_wanted_fail_nothing_and_are_told() {
        let CacheCheck::NotProven { reason } = CacheResetOutcome::Nothing.with(warm()) else { panic!("wanted") };
        assert!(reason.contains("7936 of 8000") && reason.contains("warm caches are wanted"), "{reason}");
    }

    #[test]
    fn either_witness_can_prove_the_contract() {
        assert_eq!(proven(Salt).with(silent()), CacheCheck::Proven { how: "the canary is gone".into() });
        assert_eq!(proven(Emptying).with(cold()), CacheCheck::Proven { how: "the canary is gone; 0 of 8000 cached".into() });
        for emptied in [CacheResetOutcome::Nothing, CacheResetOutcome::NoCanary(Emptying), not_proven(Salt)] {
            assert_eq!(emptied.with(cold()), CacheCheck::Proven { how: "0 of 8000 cached".into() });
        }
    }

    #[test]
    fn without_a_witness_the_reasons_of_both_are_told() {
        let emptied = [
            (CacheResetOutcome::Nothing, "are wanted"),
            (CacheResetOutcome::NoCanary(Salt), "`server.canary` is off"),
            (not_proven(Salt), "the canary failed"),
        ];
        for (emptied, said) in emptied {
            let CacheCheck::NotProven { reason } = emptied.with(silent()) else { panic!("{emptied:?}") };
            assert!(reason.contains(said) && reason.contains("share a system prompt"), "{reason}");
        }
    }
}
