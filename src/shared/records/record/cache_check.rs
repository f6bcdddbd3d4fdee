//! Whether a run began with empty caches, and the one rule by which rows tell that they were not.

use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::CacheEvidence;

/// Whether the server's caches were empty when the run began, and by what that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "SavedCacheCheck", into = "SavedCacheCheck")]
pub enum CacheCheck {
    /// Checked, and so it was.
    Proven(CacheEvidence),
    /// Not known.
    NotProven(CacheEvidence),
    /// Checked, and it was not so: the run is invalid.
    Failed(CacheEvidence),
}

impl CacheCheck {
    /// By what it is known, or why it is not.
    #[must_use]
    pub fn evidence(&self) -> &CacheEvidence {
        let (Self::Proven(evidence) | Self::NotProven(evidence) | Self::Failed(evidence)) = self;
        evidence
    }

    /// The same with other evidence.
    #[must_use]
    pub fn map_evidence(self, map: impl FnOnce(CacheEvidence) -> CacheEvidence) -> Self {
        match self {
            Self::Proven(evidence) => Self::Proven(map(evidence)),
            Self::NotProven(evidence) => Self::NotProven(map(evidence)),
            Self::Failed(evidence) => Self::Failed(map(evidence)),
        }
    }
}

/// As it stands in files: with a sentence for people, which is all that there was before format 1.6.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum SavedCacheCheck {
    Proven {
        how: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<SavedCacheEvidence>,
    },
    NotProven {
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<SavedCacheEvidence>,
    },
    Failed {
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<SavedCacheEvidence>,
    },
}

/// Evidence as it stands in files: also of kinds that only a newer version knows.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SavedCacheEvidence {
    Known(CacheEvidence),
    #[serde(skip_serializing)]
    Unknown(IgnoredAny),
}

impl SavedCacheEvidence {
    /// With the sentence beside it.
    fn of(evidence: CacheEvidence) -> (String, Option<Self>) {
        match evidence {
            CacheEvidence::Text(text) => (text, None),
            evidence => (evidence.to_string(), Some(Self::Known(evidence))),
        }
    }

    /// The evidence, or the sentence where it tells more.
    fn read(saved: Option<Self>, text: String) -> CacheEvidence {
        match saved {
            Some(Self::Known(CacheEvidence::Text(_)) | Self::Unknown(_)) | None => CacheEvidence::Text(text),
            Some(Self::Known(evidence)) => evidence,
        }
    }
}

impl From<SavedCacheCheck> for CacheCheck {
    fn from(saved: SavedCacheCheck) -> Self {
        match saved {
            SavedCacheCheck::Proven { how, evidence } => Self::Proven(SavedCacheEvidence::read(evidence, how)),
            SavedCacheCheck::NotProven { reason, evidence } => Self::NotProven(SavedCacheEvidence::read(evidence, reason)),
            SavedCacheCheck::Failed { reason, evidence } => Self::Failed(SavedCacheEvidence::read(evidence, reason)),
        }
    }
}

impl From<CacheCheck> for SavedCacheCheck {
    fn from(check: CacheCheck) -> Self {
        let (text, evidence) = SavedCacheEvidence::of(check.evidence().clone());
        match check {
            CacheCheck::Proven(_) => Self::Proven { how: text, evidence },
            CacheCheck::NotProven(_) => Self::NotProven { reason: text, evidence },
            CacheCheck::Failed(_) => Self::Failed { reason: text, evidence },
        }
    }
}

/// Why prompts of a run began with words of its own, and what these were made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptSalt {
    /// What names the attempt, beside the run's id: a salt follows from both, and no two attempts have the same.
    pub attempt: String,
    /// How long it is, under the run's token rule.
    pub tokens: u64,
    /// That the scenario says nothing of the caches, and so prompts were made fresh.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_default: bool,
}

/// What the prompts of a run's sessions may have in common behind a salt: the fixed words in front of what is a session's own, and the first
/// words that these happen to share.
pub const OPENING_TOKENS: u64 = 16;

/// The most tokens that a chat template is taken to put in front. Some models begin with a long system prompt of their own.
pub const TEMPLATE_TOKENS: u64 = 128;

/// The share of a first turn's tokens, beyond what is explained, that may come from a cache: so little changes no time to first token that is
/// worth telling.
pub const CACHED_SHARE: f64 = 0.05;

/// Prompt tokens of the first turns of a run that bring texts of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FirstTurnTokens {
    /// How many first turns told how much of them was cached.
    pub turns: u64,
    /// Of all of them.
    pub prompt_tokens: u64,
    /// Those that came from a cache.
    pub cached_tokens: u64,
}

impl FirstTurnTokens {
    /// Whether they came from a cache: more of them, on average, than what all sessions of a run share (`explained` tokens of each: the chat
    /// template, a salt, and [`OPENING_TOKENS`]) and [`CACHED_SHARE`] of the rest.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn are_warm(self, explained: u64) -> bool {
        let explained = explained.saturating_mul(self.turns);
        let rest = self.prompt_tokens.saturating_sub(explained) as f64;
        self.cached_tokens.saturating_sub(explained) as f64 > CACHED_SHARE * rest
    }
}

impl fmt::Display for FirstTurnTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { turns, prompt_tokens, cached_tokens } = self;
        write!(f, "{cached_tokens} of {prompt_tokens} prompt tokens of {turns} first turns came from a cache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_warm(turns: u64, prompt_tokens: u64, cached_tokens: u64, explained: u64) -> bool {
        FirstTurnTokens { turns, prompt_tokens, cached_tokens }.are_warm(explained)
    }

    #[test]
    fn the_bound_is_a_share_of_what_is_not_explained_and_includes_its_limit() {
        // 26 of each 1,026 are explained, and a twentieth of the other 1,000 is 50.
        assert!(!are_warm(2, 2 * 1026, 2 * 76, 26));
        assert!(are_warm(2, 2 * 1026, 2 * 76 + 1, 26));
        assert!(!are_warm(0, 0, 0, 26));
    }

    #[test]
    fn a_third_of_short_prompts_from_a_cache_is_found_and_what_all_prompts_share_is_not() {
        // 40 prompts of 207 tokens behind a template of 30: 30.9 % of all came from a cache.
        assert!(are_warm(40, 40 * 207, 40 * 64, 30 + OPENING_TOKENS));
        // A template of 30 and a salt of 10 are found again in blocks of 16.
        assert!(!are_warm(40, 40 * 207, 40 * 32, 30 + 10 + OPENING_TOKENS));
        // All of prompts that are hardly more than what they share.
        assert!(!are_warm(3, 3 * 50, 3 * 48, 50));
    }
}
