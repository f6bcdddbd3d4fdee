//! How many tokens a text has: the run's token rule. Texts come in, counts go out; used while texts are authored, never while load runs.
//!
//! The rule is chosen once per target, best first: the simulated engine's own tokenizer, a local `tokenizer.json`, the server's
//! `/tokenize`, an estimate. Records say which one it was. This module knows nothing of prompts or sessions.

mod local;
mod server;

use std::path::PathBuf;

pub use local::LocalTokenizer;
pub use server::ServerTokenizer;

use crate::records::record::TokenRule;
use crate::servers::endpoint::EndpointError;
use crate::simulation::engine::tokenizer;
use crate::vocabulary::spec::target::TargetSpec;

/// Characters that stand for a token where nothing better is known: about right for English prose under vocabularies of 100,000 and more.
const CHARACTERS_PER_TOKEN: f64 = 4.0;

/// Counts tokens under one rule. Cheap to clone; clones share the vocabulary or the connection.
#[derive(Debug, Clone)]
pub enum TokenCounter {
    /// The simulated engine's own tokenizer.
    Simulated,
    /// A local `tokenizer.json`.
    Tokenizer(LocalTokenizer),
    /// The server's `/tokenize`.
    Server(ServerTokenizer),
    /// So many characters stand for a token.
    Estimate { characters_per_token: f64 },
}

/// Why tokens could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum TokenCountError {
    #[error("cannot read the tokenizer `{path}`: {source}; `target.tokenizer` or `--tokenizer` must name the model's `tokenizer.json`")]
    File { path: PathBuf, source: std::io::Error },
    #[error(
        "`{path}` is not a tokenizer that can be loaded: {reason}; `target.tokenizer` or `--tokenizer` must name the model's `tokenizer.json`"
    )]
    Tokenizer { path: PathBuf, reason: String },
    #[error("the tokenizer cannot encode a text: {reason}")]
    Encode { reason: String },
    #[error("cannot ask the server for token counts: {0}; name a local one with `target.tokenizer` or `--tokenizer` to do without")]
    Server(#[from] EndpointError),
}

/// The best rule there is for this target: see the module's documentation for the order.
///
/// # Errors
/// Where a tokenizer file is named and cannot be used: that is a mistake to be told, not a reason to estimate. Where there is no server,
/// or it does not know the model.
pub async fn choose(target: &TargetSpec, simulated: bool) -> Result<TokenCounter, TokenCountError> {
    let offline = offline(target, simulated)?;
    if !matches!(offline, TokenCounter::Estimate { .. }) {
        return Ok(offline);
    }
    Ok(ServerTokenizer::probe(target).await?.map_or(offline, TokenCounter::Server))
}

/// The best rule that needs no server, for planning: counting under it never waits.
///
/// # Errors
/// Where a tokenizer file is named and cannot be used.
pub fn offline(target: &TargetSpec, simulated: bool) -> Result<TokenCounter, TokenCountError> {
    Ok(match &target.tokenizer {
        _ if simulated => TokenCounter::Simulated,
        Some(path) => TokenCounter::Tokenizer(LocalTokenizer::load(path)?),
        None => TokenCounter::Estimate { characters_per_token: CHARACTERS_PER_TOKEN },
    })
}

impl TokenCounter {
    /// Tokens of `text`, special tokens and chat template left out.
    pub async fn count(&self, text: &str) -> Result<u64, TokenCountError> {
        match self {
            Self::Simulated => Ok(tokenizer::count(text)),
            Self::Tokenizer(tokenizer) => tokenizer.count(text),
            Self::Server(server) => Ok(server.count(text).await?),
            Self::Estimate { characters_per_token } => Ok(estimate(text, *characters_per_token)),
        }
    }

    /// Where each token of `text` ends, in bytes, as many as it has tokens; `None` under a rule that only counts.
    pub fn ends(&self, text: &str) -> Result<Option<Vec<usize>>, TokenCountError> {
        match self {
            Self::Tokenizer(tokenizer) => tokenizer.ends(text).map(Some),
            Self::Simulated | Self::Server(_) | Self::Estimate { .. } => Ok(None),
        }
    }

    /// What tells this counter from one that may count otherwise: the rule, and which server and model it asks. Holds no secret.
    pub fn identity(&self) -> String {
        match self {
            Self::Server(server) => server.identity(),
            Self::Simulated | Self::Tokenizer(_) | Self::Estimate { .. } => format!("{:?}", self.rule()),
        }
    }

    /// The rule as it is recorded.
    pub fn rule(&self) -> TokenRule {
        match self {
            Self::Simulated => TokenRule::Simulated,
            Self::Tokenizer(tokenizer) => tokenizer.rule(),
            Self::Server(_) => TokenRule::Server,
            Self::Estimate { characters_per_token } => TokenRule::Estimate { characters_per_token: *characters_per_token },
        }
    }
}

/// Characters over characters per token, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "texts are far below 2^53 characters"
)]
fn estimate(text: &str, characters_per_token: f64) -> u64 {
    (text.chars().count() as f64 / characters_per_token).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_counts_characters_and_not_bytes_and_rounds_up() {
        assert_eq!(estimate("", 4.0), 0);
        assert_eq!(estimate("a", 4.0), 1);
        assert_eq!(estimate("abcd", 4.0), 1);
        assert_eq!(estimate("ünïç", 4.0), 1);
        assert_eq!(estimate("abcde", 4.0), 2);
    }
}
