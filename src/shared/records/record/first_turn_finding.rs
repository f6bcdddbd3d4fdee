//! What the first turns of a run, which bring texts of their own, told of the caches.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::FirstTurnTokens;

/// What the rows of first turns told of the caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FirstTurnFinding {
    /// They brought what no cache knew.
    Cold {
        tokens: FirstTurnTokens,
        /// So many cached tokens of each turn say nothing: what all sessions of the run share.
        explained_tokens: u64,
    },
    /// They came from a cache.
    Warm { tokens: FirstTurnTokens, explained_tokens: u64 },
    /// They prove nothing.
    #[serde(untagged)]
    Inconclusive(InconclusiveTurns),
}

/// Why first turns prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InconclusiveTurns {
    /// Users of a chat share a system prompt.
    SharedByUsers,
    /// Requests of a trace share prefixes.
    SharedByTrace,
    /// Requests share a system prompt.
    SharedByRequests,
    /// Prompts of a file may begin alike.
    SharedByRecording,
    /// No first turn was answered.
    NoneAnswered,
    /// The server does not tell cached tokens.
    NotReported,
    /// Those that told were cold, but others did not tell.
    PartlyReported { tokens: FirstTurnTokens, explained_tokens: u64, unreported_turns: u64 },
}

impl fmt::Display for FirstTurnFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cold { tokens, .. } | Self::Warm { tokens, .. } => tokens.fmt(f),
            Self::Inconclusive(reason) => reason.fmt(f),
        }
    }
}

impl fmt::Display for InconclusiveTurns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharedByUsers => "users share a system prompt, so what their first turns find in a cache proves nothing",
            Self::SharedByTrace => "requests of a trace share prefixes, so what they find in a cache proves nothing",
            Self::SharedByRequests => "requests share a system prompt, so what they find in a cache proves nothing",
            Self::SharedByRecording => "prompts of a file may begin alike, so what they find in a cache proves nothing",
            Self::NoneAnswered => "no first turn was answered",
            Self::NotReported => "the server does not tell cached tokens",
            Self::PartlyReported { tokens, unreported_turns, .. } => {
                return write!(f, "{tokens}, but {unreported_turns} first turns did not tell");
            }
        })
    }
}
