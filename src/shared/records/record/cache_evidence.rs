//! By what it is known, or not known, whether a run's caches were empty: what was done before the load, what the canary found, and what the first
//! turns brought. The sentences for people are made here and nowhere else, since files hold them for readers before format 1.6.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CanaryFinding, CanarySite, FirstTurnFinding};

/// By what it is known, or why it is not known, whether the caches were empty. Shown as a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CacheEvidence {
    /// What was done, and what was found before and under the load.
    Checked {
        reset: CacheResetMethod,
        /// None where no canary was sent: the scenario wants none, or none is needed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canary: Option<CanaryFinding>,
        /// Of several servers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canary_site: Option<CanarySite>,
        first_turns: FirstTurnFinding,
    },
    /// The caches could not be emptied, so the cell was not run; what was seen, for people.
    NotEmptied { error: String },
    /// The cell failed before anything was done about its caches.
    NotRun,
    /// Another program made the run, and does not tell.
    Imported { program: String },
    /// A sentence alone: saved before format 1.6, by a version that knows more kinds of evidence, or with a secret in its figures. A record holds
    /// its sentences beside the evidence, and so never this.
    #[serde(untagged)]
    Text(String),
}

/// What was done before the load so that no prompt is in a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheResetMethod {
    /// The caches were emptied by endpoints and commands.
    Emptied,
    /// The server was started anew.
    Restarted,
    /// Every prompt of the run begins with a salt of its own.
    Salted,
    /// Nothing: warm caches are wanted.
    LeftWarm,
    /// The run has a simulated engine of its own.
    NewEngine,
}

impl CacheResetMethod {
    /// What else there is to do where it did not work.
    fn cure(self) -> &'static str {
        match self {
            Self::Emptied | Self::Restarted | Self::NewEngine => {
                "; `server.reset = \"salt\"` does without: it gives the prompts of every cell words of their own"
            }
            Self::Salted | Self::LeftWarm => "",
        }
    }
}

impl CacheEvidence {
    /// With each text from outside made another: to hide secrets.
    #[must_use]
    pub fn map_texts(self, map: impl Fn(String) -> String) -> Self {
        match self {
            Self::Checked { reset, canary, canary_site, first_turns } => Self::Checked {
                reset,
                canary: canary.map(|canary| canary.map_texts(&map)),
                canary_site: canary_site.map(|CanarySite { url, servers }| CanarySite { url: map(url), servers }),
                first_turns,
            },
            Self::NotEmptied { error } => Self::NotEmptied { error: map(error) },
            Self::NotRun => Self::NotRun,
            Self::Imported { program } => Self::Imported { program: map(program) },
            Self::Text(text) => Self::Text(map(text)),
        }
    }
}

impl fmt::Display for CacheEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checked { reset, canary, canary_site, first_turns } => {
                let canary = canary.as_ref().map(|canary| (canary, canary_site.as_ref()));
                write_checked(f, *reset, canary, first_turns)
            }
            Self::NotEmptied { error } => write!(f, "the caches were not emptied: {error}"),
            Self::NotRun => f.write_str("the cell was not run"),
            Self::Imported { program } => write!(f, "imported from {program}, which does not tell whether caches were empty"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The sentence of a cell that was checked: of the canary and the first turns, those that the check goes by.
fn write_checked(
    f: &mut fmt::Formatter<'_>,
    reset: CacheResetMethod,
    canary: Option<(&CanaryFinding, Option<&CanarySite>)>,
    turns: &FirstTurnFinding,
) -> fmt::Result {
    use CacheResetMethod::{LeftWarm, NewEngine, Salted};
    use FirstTurnFinding::{Cold, Inconclusive, Warm};
    let is_left = matches!(canary, Some((CanaryFinding::Left { .. }, _)));
    let is_gone = reset == NewEngine || matches!(canary, Some((CanaryFinding::Gone { .. }, _)));
    let told = |(canary, site): (&CanaryFinding, Option<&CanarySite>)| {
        let site = site.map(|CanarySite { url, servers }| format!("at `{url}`, the worst of {servers} servers: ")).unwrap_or_default();
        site + &canary.words(reset)
    };
    let before = if reset == NewEngine { Some("a new simulated engine".to_owned()) } else { canary.map(told) };
    let cure = reset.cure();
    match (before, turns) {
        (Some(before), Warm { .. }) if is_left => write!(f, "{before}; {turns}{cure}"),
        (Some(before), _) if is_left => write!(f, "{before}{cure}"),
        (_, Warm { .. }) if reset == Salted => write!(f, "{turns}, although every prompt of the run begins with a salt of its own"),
        (_, Warm { .. }) | (None, Inconclusive(_)) if reset == LeftWarm => {
            write!(f, "{turns}, and warm caches are wanted: `server.reset` is \"none\"")
        }
        (Some(before), Warm { .. }) if is_gone => {
            write!(f, "{turns}, of a cache that `server.reset` does not reach, although {before}{cure}")
        }
        (_, Warm { .. }) => write!(f, "{turns}: `server.reset` does not empty every cache{cure}"),
        (Some(before), Cold { .. }) if is_gone => write!(f, "{before}; {turns}"),
        (_, Cold { .. }) => write!(f, "{turns}"),
        (Some(before), Inconclusive(_)) if is_gone => f.write_str(&before),
        (Some(before), Inconclusive(_)) => write!(f, "{before}; {turns}"),
        (None, Inconclusive(_)) => write!(f, "{turns}, and `server.canary` is off"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::records::record::{CacheCheck, CanaryReading, InconclusiveCanary, InconclusiveTurns};

    /// Checks as they stand in files, of every kind, with the sentences that versions before 1.6 wrote.
    fn saved() -> Vec<Value> {
        serde_json::from_str(include_str!("../../../../tests/fixtures/cache_checks.json")).unwrap()
    }

    fn sentence(saved: &Value) -> &str {
        saved.get("how").or_else(|| saved.get("reason")).unwrap().as_str().unwrap()
    }

    /// A new kind does not compile here before it has a name, and [`saved`] must hold it.
    fn kinds(evidence: &CacheEvidence) -> Vec<&'static str> {
        match evidence {
            CacheEvidence::Checked { reset, canary, canary_site: _, first_turns } => {
                let canary = canary.as_ref();
                [vec![method(*reset), canary.map_or("no canary", found), turns(first_turns)], canary.and_then(read).into_iter().collect()]
                    .concat()
            }
            CacheEvidence::NotEmptied { .. } => vec!["not emptied"],
            CacheEvidence::NotRun => vec!["not run"],
            CacheEvidence::Imported { .. } => vec!["imported"],
            CacheEvidence::Text(text) => panic!("{text}"),
        }
    }

    fn method(reset: CacheResetMethod) -> &'static str {
        match reset {
            CacheResetMethod::Emptied => "emptied",
            CacheResetMethod::Restarted => "restarted",
            CacheResetMethod::Salted => "salted",
            CacheResetMethod::LeftWarm => "left warm",
            CacheResetMethod::NewEngine => "new engine",
        }
    }

    fn found(canary: &CanaryFinding) -> &'static str {
        match canary {
            CanaryFinding::Gone { second_reset: true, .. } => "gone after a second reset",
            CanaryFinding::Gone { second_reset: false, .. } => "gone",
            CanaryFinding::Left { .. } => "left",
            CanaryFinding::Inconclusive(reason) => match reason {
                InconclusiveCanary::RequestFailed { .. } => "request failed",
                InconclusiveCanary::NothingCached { .. } => "nothing cached",
                InconclusiveCanary::NoToken => "no token",
                InconclusiveCanary::TimesTooNear { .. } => "times too near",
                InconclusiveCanary::UnreliableTimes { .. } => "unreliable times",
                InconclusiveCanary::ReadingMissing { .. } => "reading missing",
                InconclusiveCanary::NotReported => "not reported by a new server",
            },
        }
    }

    fn read(canary: &CanaryFinding) -> Option<&'static str> {
        let (CanaryFinding::Gone { reading, .. } | CanaryFinding::Left { reading }) = canary else { return None };
        Some(match reading {
            CanaryReading::Usage { .. } => "usage",
            CanaryReading::Counters { .. } => "counters",
            CanaryReading::Times { .. } => "times",
            CanaryReading::NewServer { .. } => "new server",
        })
    }

    fn turns(finding: &FirstTurnFinding) -> &'static str {
        match finding {
            FirstTurnFinding::Cold { .. } => "cold",
            FirstTurnFinding::Warm { .. } => "warm",
            FirstTurnFinding::Inconclusive(reason) => match reason {
                InconclusiveTurns::SharedByUsers => "shared by users",
                InconclusiveTurns::SharedByTrace => "shared by a trace",
                InconclusiveTurns::SharedByRequests => "shared by requests",
                InconclusiveTurns::SharedByRecording => "shared by a recording",
                InconclusiveTurns::NoneAnswered => "none answered",
                InconclusiveTurns::NotReported => "not reported",
                InconclusiveTurns::PartlyReported { .. } => "partly reported",
            },
        }
    }

    #[test]
    fn every_kind_of_evidence_comes_back_from_its_file_and_says_what_was_said_before_there_were_kinds() {
        let mut seen = BTreeSet::new();
        for saved in saved() {
            let check: CacheCheck = serde_json::from_value(saved.clone()).unwrap();
            seen.extend(kinds(check.evidence()));
            assert_eq!(check.evidence().to_string(), sentence(&saved));
            assert_eq!(serde_json::to_value(&check).unwrap(), saved);
        }
        // 3 without a check, 5 resets, 11 of canaries, 4 readings and 8 of first turns.
        assert_eq!(seen.len(), 31, "{seen:?}");
    }

    #[test]
    fn a_sentence_alone_is_read_as_it_was_written() {
        for mut saved in saved() {
            let text = sentence(&saved).to_owned();
            let whole: CacheCheck = serde_json::from_value(saved.clone()).unwrap();
            saved.as_object_mut().unwrap().remove("evidence");
            let check: CacheCheck = serde_json::from_value(saved.clone()).unwrap();
            assert_eq!(check, whole.map_evidence(|_| CacheEvidence::Text(text)));
            assert_eq!(serde_json::to_value(&check).unwrap(), saved, "it is written again as it was");
        }
    }

    #[test]
    fn evidence_that_only_a_newer_version_knows_leaves_the_sentence() {
        let cold = json!({ "kind": "cold", "tokens": { "turns": 1, "prompt_tokens": 8, "cached_tokens": 0 }, "explained_tokens": 0 });
        let evidence = |canary: Value| json!({ "kind": "checked", "reset": "emptied", "canary": canary, "first_turns": cold });
        let newer = [
            json!({ "kind": "told_by_the_server", "tokens": 0 }),
            json!({ "kind": "checked", "reset": "new_container", "first_turns": cold }),
            json!({ "kind": "checked", "reset": "emptied", "first_turns": { "kind": "lukewarm" } }),
            evidence(json!({ "kind": "flown" })),
            evidence(json!({ "kind": "gone", "reading": { "kind": "trace" } })),
            evidence(json!({ "kind": "request_failed", "failure": { "kind": "evicted", "detail": "" } })),
            json!("proven"),
            json!([1]),
        ];
        for evidence in newer {
            let saved = json!({ "kind": "proven", "how": "the server says so", "evidence": evidence });
            let check: CacheCheck = serde_json::from_value(saved).unwrap();
            assert_eq!(check, CacheCheck::Proven(CacheEvidence::Text("the server says so".into())));
        }
        // Fields that a newer version adds are left out.
        let added = json!({ "kind": "failed", "reason": "?", "evidence": { "kind": "not_run", "since": 1.9 } });
        assert_eq!(serde_json::from_value::<CacheCheck>(added).unwrap(), CacheCheck::Failed(CacheEvidence::NotRun));
    }
}
