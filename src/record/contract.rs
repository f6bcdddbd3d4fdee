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

/// The most tokens of a prompt, beside the chat template, that may come from an emptied cache: a salt and the fixed words in front of what
/// is a session's own, which the sessions of one run share.
pub const SHARED_TOKENS: u64 = 64;

/// The most tokens that a chat template is taken to put in front. Some models begin with a long system prompt of their own.
pub const TEMPLATE_TOKENS: u64 = 128;

/// Whether first turns that bring documents of their own came from a cache: more of each, on average, than the template (so many tokens
/// as the server counts beyond the authored ones, at most [`TEMPLATE_TOKENS`]) and [`SHARED_TOKENS`].
#[must_use]
pub fn first_turns_are_warm(cached_tokens: u64, first_turns: u64, template_tokens: u64) -> bool {
    cached_tokens > (SHARED_TOKENS + template_tokens.min(TEMPLATE_TOKENS)).saturating_mul(first_turns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_an_average_and_includes_its_limit() {
        assert!(!first_turns_are_warm(128, 2, 0));
        assert!(first_turns_are_warm(129, 2, 0));
        assert!(!first_turns_are_warm(0, 0, 0));
    }

    #[test]
    fn a_chat_template_is_let_pass_up_to_a_limit() {
        assert!(!first_turns_are_warm(2 * (64 + 80), 2, 80));
        assert!(first_turns_are_warm(2 * (64 + 80) + 1, 2, 80));
        // A token rule that is far off must not hide a document of 1,000 tokens, nor a block of 256.
        assert!(first_turns_are_warm(193, 1, 5000));
    }
}
