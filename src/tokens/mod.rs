//! The token rule of a run: how many tokens a text has. For now only the simulated engine's own rule.

use crate::record::TokenRule;

/// Counts tokens under the run's token rule. Cheap to clone.
#[derive(Debug, Clone)]
pub enum TokenCounter {
    /// The simulated engine's own tokenizer.
    Simulated,
}

/// Why tokens could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {}

impl TokenCounter {
    #[expect(clippy::unused_async, reason = "other rules ask a server")]
    pub async fn count(&self, text: &str) -> Result<u64, TokenError> {
        Ok(text.split_whitespace().count() as u64)
    }

    #[must_use]
    pub fn rule(&self) -> TokenRule {
        TokenRule::Simulated
    }
}
