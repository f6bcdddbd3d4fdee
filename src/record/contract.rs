//! Whether a run began with empty caches, and the one rule by which rows tell that they were not.

use serde::{Deserialize, Serialize};

/// Whether the server's caches were empty when the run began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CacheContract {
    /// Checked, and so it was; `how` says by what.
    Proven { how: String },
    /// Not known; `reason` says why.
    NotProven { reason: String },
    /// Checked, and it was not so: the run is invalid.
    Failed { reason: String },
}

/// The most tokens of a prompt that may come from an emptied cache: the chat template and the fixed words in front of what is a session's
/// own, which the sessions of one run share.
pub const SHARED_TOKENS: u64 = 64;

/// Whether first turns that bring documents of their own came from a cache: more than [`SHARED_TOKENS`] each, on average.
#[must_use]
pub fn first_turns_are_warm(cached_tokens: u64, first_turns: u64) -> bool {
    cached_tokens > SHARED_TOKENS.saturating_mul(first_turns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_an_average_and_includes_its_limit() {
        assert!(!first_turns_are_warm(128, 2));
        assert!(first_turns_are_warm(129, 2));
        assert!(!first_turns_are_warm(0, 0));
    }
}
