//! What a cache outside the engine was worth to a variant: the figures that tell, and their sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::amount::{self, percent};
use super::super::axes::{Axes, named_cell};
use crate::foundation::units::grouped;

/// A variant's cache outside the engine. Shown as what it did, in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExternalCache {
    /// The connector that the server's command names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    #[serde(flatten)]
    pub state: ExternalCacheUse,
    /// Prompt tokens that it was asked for, and those that it brought, in all cells with a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_tokens: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought_tokens: Option<f64>,
}

/// How a variant's external cache did, and what tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ExternalCacheUse {
    /// It brought tokens.
    Used { hits: ExternalHits },
    /// It was needed and brought none: what was measured is the engine alone.
    ReusedNothing { variant: String, evidence: UselessCacheEvidence },
    /// It brought none, and none was needed: the device's own cache had all that was sent again.
    NotNeeded { hits: ExternalHits },
    /// The figures do not tell.
    Unknown {
        /// None of these came, and nothing tells whether any were needed; missing where the server does not tell what came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hits: Option<ExternalHits>,
    },
}

/// What the server's counters tell of an external cache, in all cells with a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExternalHits {
    pub brought_tokens: f64,
    /// So many tokens could have come from it.
    pub of_tokens: f64,
    pub basis: ExternalHitBasis,
}

/// Which prompt tokens those brought are counted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalHitBasis {
    /// Those that the cache was asked for.
    AskedTokens,
    /// All; where no counter tells what was asked for.
    PromptTokens,
}

/// By what it is known that an external cache was needed and brought nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UselessCacheEvidence {
    /// The server's counters.
    Counters(ExternalHits),
    /// The answers of the cell that sent the most again: hardly anything came from any cache.
    Answers {
        cell: Axes,
        reused_tokens: f64,
        /// Prompt tokens of follow-up turns that their session had sent before.
        sent_before_tokens: u64,
    },
}

impl ExternalCache {
    /// Whether it was needed and brought nothing.
    #[must_use]
    pub fn reused_nothing(&self) -> bool {
        matches!(self.state, ExternalCacheUse::ReusedNothing { .. })
    }
}

impl fmt::Display for ExternalCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.connector.as_ref().map_or_else(String::new, |connector| format!(" (connector {connector})"));
        match &self.state {
            ExternalCacheUse::Used { hits } => write!(f, "{hits}{name}"),
            ExternalCacheUse::ReusedNothing { variant, evidence } => {
                write!(f, "{variant} reused nothing: {evidence}{name}; what this variant measures is the engine alone")
            }
            ExternalCacheUse::NotNeeded { hits } => write!(
                f,
                "{hits}{name}, and none was needed: what was sent again was still on the device, so the cache behind it was not tested"
            ),
            ExternalCacheUse::Unknown { hits: Some(hits) } => write!(f, "{hits}{name}; whether it was needed is not told"),
            ExternalCacheUse::Unknown { hits: None } => write!(f, "the server does not tell what came from the external cache{name}"),
        }
    }
}

impl fmt::Display for ExternalHits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { brought_tokens: brought, of_tokens: of, basis } = *self;
        let tokens = match basis {
            ExternalHitBasis::AskedTokens => "prompt tokens asked",
            ExternalHitBasis::PromptTokens => "prompt tokens",
        };
        let share = if brought > 0.0 && of > 0.0 { format!(" ({})", percent(brought / of)) } else { String::new() };
        write!(f, "{} of {} {tokens}{share} came from the external cache", amount::grouped(brought), amount::grouped(of))
    }
}

impl fmt::Display for UselessCacheEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counters(hits) => hits.fmt(f),
            Self::Answers { cell, reused_tokens, sent_before_tokens } => {
                let (cell, reused, sent) = (named_cell(cell), amount::grouped(*reused_tokens), grouped(*sent_before_tokens));
                write!(f, "in {cell} {reused} of {sent} prompt tokens sent again came from any cache")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn hits(brought_tokens: f64, basis: ExternalHitBasis) -> ExternalHits {
        ExternalHits { brought_tokens, of_tokens: 40_000.0, basis }
    }

    #[test]
    fn every_use_says_its_figures_and_comes_back_from_json() {
        let nothing = hits(0.0, ExternalHitBasis::AskedTokens);
        let reused_nothing = |evidence| ExternalCacheUse::ReusedNothing { variant: "lmcache".into(), evidence };
        let cell: Axes = [("workload.concurrent".to_owned(), json!(1)), ("workload.sequential".to_owned(), json!(8))].into_iter().collect();
        let answers = UselessCacheEvidence::Answers { cell, reused_tokens: 12.0, sent_before_tokens: 24_000 };
        let all = [
            (
                "used",
                ExternalCacheUse::Used { hits: hits(24_000.0, ExternalHitBasis::AskedTokens) },
                "24,000 of 40,000 prompt tokens asked (60 %) came from the external cache (connector LMCacheConnectorV1)",
            ),
            (
                "used",
                ExternalCacheUse::Used { hits: hits(10_000.0, ExternalHitBasis::PromptTokens) },
                "10,000 of 40,000 prompt tokens (25 %) came from the external cache (connector LMCacheConnectorV1)",
            ),
            (
                "reused_nothing",
                reused_nothing(UselessCacheEvidence::Counters(nothing.clone())),
                "lmcache reused nothing: 0 of 40,000 prompt tokens asked came from the external cache (connector LMCacheConnectorV1); what this \
                 variant measures is the engine alone",
            ),
            (
                "reused_nothing",
                reused_nothing(answers),
                "lmcache reused nothing: in C=1, S=8 12 of 24,000 prompt tokens sent again came from any cache (connector LMCacheConnectorV1); \
                 what this variant measures is the engine alone",
            ),
            (
                "not_needed",
                ExternalCacheUse::NotNeeded { hits: nothing.clone() },
                "0 of 40,000 prompt tokens asked came from the external cache (connector LMCacheConnectorV1), and none was needed: what was sent \
                 again was still on the device, so the cache behind it was not tested",
            ),
            (
                "unknown",
                ExternalCacheUse::Unknown { hits: Some(nothing) },
                "0 of 40,000 prompt tokens asked came from the external cache (connector LMCacheConnectorV1); whether it was needed is not told",
            ),
            (
                "unknown",
                ExternalCacheUse::Unknown { hits: None },
                "the server does not tell what came from the external cache (connector LMCacheConnectorV1)",
            ),
        ];
        for (state, outcome, words) in all {
            let cache = ExternalCache {
                connector: Some("LMCacheConnectorV1".into()),
                state: outcome,
                asked_tokens: Some(40_000.0),
                brought_tokens: None,
            };
            let saved: Value = super::super::with_words::serialize_option(&Some(&cache), serde_json::value::Serializer).unwrap();
            assert_eq!((&saved["state"], &saved["words"], cache.to_string().as_str()), (&json!(state), &json!(words), words));
            assert_eq!(serde_json::from_value::<ExternalCache>(saved).unwrap(), cache);
        }
    }

    #[test]
    fn a_cache_without_a_name_and_of_no_tokens_has_neither_name_nor_share() {
        let hits = ExternalHits { of_tokens: 0.0, ..hits(5.0, ExternalHitBasis::PromptTokens) };
        let cache =
            ExternalCache { connector: None, state: ExternalCacheUse::Used { hits }, asked_tokens: None, brought_tokens: Some(5.0) };
        assert_eq!(cache.to_string(), "5 of 0 prompt tokens came from the external cache");
    }
}
