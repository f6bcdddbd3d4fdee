//! The cold-cache check of a whole run: what the canary found before the load, and what the rows say afterwards. Pure.

use crate::planning::plan::EnvironmentRedactor;
use crate::records::record::{CacheCheck, CacheEvidence, CacheResetMethod, CanaryFinding, FirstTurnFinding, InconclusiveTurns};
use crate::servers::server::SiteFinding;

/// What was done before the load so that no prompt is in a cache, and what the canary found, where one was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CacheResetOutcome {
    pub reset: CacheResetMethod,
    pub canary: Option<SiteFinding>,
}

impl CacheResetOutcome {
    /// What is known before any row.
    pub fn so_far(&self) -> CacheCheck {
        self.with(FirstTurnFinding::Inconclusive(InconclusiveTurns::NoneAnswered))
    }

    /// The check: failed where either failed, proven where either proves it, else not proven. Warm caches that are wanted fail nothing.
    pub fn with(&self, first_turns: FirstTurnFinding) -> CacheCheck {
        let Self { reset, canary } = self.clone();
        let (canary, canary_site) = canary.map_or((None, None), |SiteFinding { finding, site }| (Some(finding), site));
        let is_new = reset == CacheResetMethod::NewEngine;
        let judged = match (&canary, first_turns) {
            (Some(CanaryFinding::Left { .. }), _) => CacheCheck::Failed,
            (_, FirstTurnFinding::Warm { .. }) if reset == CacheResetMethod::LeftWarm => CacheCheck::NotProven,
            (_, FirstTurnFinding::Warm { .. }) => CacheCheck::Failed,
            (Some(CanaryFinding::Gone { .. }), _) | (_, FirstTurnFinding::Cold { .. }) => CacheCheck::Proven,
            (_, FirstTurnFinding::Inconclusive(_)) if is_new => CacheCheck::Proven,
            (_, FirstTurnFinding::Inconclusive(_)) => CacheCheck::NotProven,
        };
        judged(CacheEvidence::Checked { reset, canary, canary_site, first_turns })
    }
}

/// The check without what it holds of the environment. Where more than its texts from outside does, nothing but the sentence is left of it.
pub(super) fn hidden(check: CacheCheck, mask: &EnvironmentRedactor) -> CacheCheck {
    check.map_evidence(|evidence| {
        let sentence = mask.hide(evidence.to_string());
        let masked = evidence.map_texts(|text| mask.hide(text));
        if masked.to_string() == sentence { masked } else { CacheEvidence::Text(sentence) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::{CanaryReading, FirstTurnTokens, InconclusiveCanary};

    use CacheResetMethod::{Emptied, LeftWarm, NewEngine, Restarted, Salted};

    const READING: CanaryReading = CanaryReading::Counters { cached_tokens_before: 2048, cached_tokens_after: 0, tolerated_tokens: 0 };
    const GONE: CanaryFinding = CanaryFinding::Gone { reading: READING, second_reset: false };
    const LEFT: CanaryFinding = CanaryFinding::Left { reading: READING };
    const UNKNOWN: CanaryFinding = CanaryFinding::Inconclusive(InconclusiveCanary::NotReported);
    const TOKENS: FirstTurnTokens = FirstTurnTokens { turns: 1, prompt_tokens: 8000, cached_tokens: 0 };
    const COLD: FirstTurnFinding = FirstTurnFinding::Cold { tokens: TOKENS, explained_tokens: 36 };
    const WARM: FirstTurnFinding = FirstTurnFinding::Warm { tokens: TOKENS, explained_tokens: 36 };
    const SILENT: FirstTurnFinding = FirstTurnFinding::Inconclusive(InconclusiveTurns::SharedByUsers);

    /// What each of these comes to, with all that is known as its evidence.
    fn are(judged: fn(CacheEvidence) -> CacheCheck, reset: CacheResetMethod, canary: Option<&CanaryFinding>, turns: &[FirstTurnFinding]) {
        for first_turns in turns.iter().copied() {
            let found = canary.cloned().map(|finding| SiteFinding { finding, site: None });
            let outcome = CacheResetOutcome { reset, canary: found };
            let evidence = CacheEvidence::Checked { reset, canary: canary.cloned(), canary_site: None, first_turns };
            assert_eq!(outcome.with(first_turns), judged(evidence));
        }
    }

    #[test]
    fn either_witness_can_fail_the_check() {
        for reset in [Emptied, Restarted, Salted] {
            for canary in [None, Some(&GONE), Some(&UNKNOWN)] {
                are(CacheCheck::Failed, reset, canary, &[WARM]);
            }
            are(CacheCheck::Failed, reset, Some(&LEFT), &[COLD, WARM, SILENT]);
        }
        are(CacheCheck::Failed, NewEngine, None, &[WARM]);
    }

    #[test]
    fn warm_caches_that_are_wanted_fail_nothing() {
        are(CacheCheck::NotProven, LeftWarm, None, &[WARM]);
    }

    #[test]
    fn either_witness_can_prove_the_check_and_a_new_engine_needs_none() {
        for reset in [Emptied, Restarted, Salted] {
            are(CacheCheck::Proven, reset, Some(&GONE), &[COLD, SILENT]);
            for canary in [None, Some(&UNKNOWN)] {
                are(CacheCheck::Proven, reset, canary, &[COLD]);
            }
        }
        are(CacheCheck::Proven, LeftWarm, None, &[COLD]);
        are(CacheCheck::Proven, NewEngine, None, &[COLD, SILENT]);
    }

    #[test]
    fn without_a_witness_nothing_is_proven_and_before_any_row_the_canary_is_the_only_one() {
        for reset in [Emptied, Restarted, Salted] {
            for canary in [None, Some(&UNKNOWN)] {
                are(CacheCheck::NotProven, reset, canary, &[SILENT]);
            }
            let gone = SiteFinding { finding: GONE, site: None };
            assert!(matches!(CacheResetOutcome { reset, canary: Some(gone) }.so_far(), CacheCheck::Proven(_)));
        }
        are(CacheCheck::NotProven, LeftWarm, None, &[SILENT]);
    }

    #[test]
    fn what_comes_from_the_environment_is_in_no_kind_of_evidence_and_in_no_sentence() {
        let checks: Vec<serde_json::Value> = serde_json::from_str(include_str!("../../../tests/fixtures/cache_checks.json")).unwrap();
        let (mut typed, mut texts) = (0, 0);
        for saved in checks {
            for secret in ["gpu7.lan", "2048", "prompt", "s when"] {
                let mask = EnvironmentRedactor::default().and([(secret.to_owned(), "${NAME}".to_owned())]);
                let check: CacheCheck = serde_json::from_value(saved.clone()).unwrap();
                let (kind, sentence) = (std::mem::discriminant(&check), mask.hide(check.evidence().to_string()));
                let is_outside = secret == "gpu7.lan" || !check.evidence().to_string().contains(secret);
                let hidden = hidden(check.clone(), &mask);
                assert_eq!((std::mem::discriminant(&hidden), hidden.evidence().to_string()), (kind, sentence));
                let CacheEvidence::Text(_) = hidden.evidence() else {
                    typed += 1;
                    assert!(is_outside, "{secret}: {hidden:?}");
                    let written = serde_json::to_string(&hidden).unwrap();
                    assert!(!written.contains("gpu7.lan") || secret != "gpu7.lan", "{written}");
                    continue;
                };
                texts += 1;
                assert!(!is_outside, "{secret}: {hidden:?}");
                assert!(!serde_json::to_string(&hidden).unwrap().contains(secret), "{hidden:?}");
            }
        }
        assert!(typed > 40 && texts > 20, "{typed} {texts}");
    }
}
