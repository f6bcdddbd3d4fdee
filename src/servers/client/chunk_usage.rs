//! The token counts of an event, as servers write them.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::records::record::TokenUsage;

/// No model takes or gives more tokens in a request.
const MOST_TOKENS: u64 = 1 << 32;
/// So much is told of a number that is no count, in characters.
const LONGEST_NUMBER: usize = 24;

/// Counts are read as whatever stands there: a server that says that it cannot count is told from one that is silent.
#[derive(Debug, Deserialize)]
pub(super) struct ChunkUsage<'a> {
    #[serde(borrow, default)]
    prompt_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    completion_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    total_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    prompt_tokens_details: Option<PromptTokensDetails<'a>>,
    #[serde(borrow, default)]
    completion_tokens_details: Option<CompletionTokensDetails<'a>>,
}

#[derive(Debug, Deserialize)]
struct PromptTokensDetails<'a> {
    #[serde(borrow, default)]
    cached_tokens: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct CompletionTokensDetails<'a> {
    #[serde(borrow, default)]
    reasoning_tokens: Option<&'a RawValue>,
}

impl ChunkUsage<'_> {
    /// The counts, where both are told; a missing count of cached tokens is not 0.
    pub(super) fn counts(&self) -> Result<Option<TokenUsage>, UsageCountError> {
        let prompt_tokens = count("prompt_tokens", self.prompt_tokens)?;
        let completion_tokens = count("completion_tokens", self.completion_tokens)?;
        let cached_tokens = count("cached_tokens", self.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens))?;
        let detailed = self.completion_tokens_details.as_ref().and_then(|details| details.reasoning_tokens);
        let reasoning_tokens = count("reasoning_tokens", detailed.or(self.reasoning_tokens))?;
        cached_of(cached_tokens, prompt_tokens)?;
        let (Some(prompt_tokens), Some(completion_tokens)) = (prompt_tokens, completion_tokens) else { return Ok(None) };
        // Some servers count reasoning beside the completion; the sum of all tells.
        let reasoning = reasoning_tokens.unwrap_or(0);
        let total = count("total_tokens", self.total_tokens).unwrap_or(None);
        let is_beside = reasoning > completion_tokens || (reasoning > 0 && total == Some(prompt_tokens + completion_tokens + reasoning));
        let output_tokens = completion_tokens + if is_beside { reasoning } else { 0 };
        Ok(Some(TokenUsage { prompt_tokens, output_tokens, reasoning_tokens, cached_tokens }))
    }
}

fn cached_of(cached: Option<u64>, prompt: Option<u64>) -> Result<(), UsageCountError> {
    match (prompt, cached) {
        (Some(prompt), Some(cached)) if cached > prompt => Err(UsageCountError(format!("`cached_tokens` is {cached} of {prompt}"))),
        _ => Ok(()),
    }
}

/// A count that cannot be one, in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UsageCountError(pub String);

fn count(name: &str, told: Option<&RawValue>) -> Result<Option<u64>, UsageCountError> {
    let Some(told) = told.map(RawValue::get) else { return Ok(None) };
    match told.parse() {
        Ok(tokens) if tokens <= MOST_TOKENS => Ok(Some(tokens)),
        _ if told.starts_with(|sign: char| sign == '-' || sign.is_ascii_digit()) => {
            let told = told.get(..LONGEST_NUMBER).map_or_else(|| told.to_owned(), |begin| format!("{begin}..."));
            Err(UsageCountError(format!("`{name}` is {told}")))
        }
        _ => Err(UsageCountError(format!("`{name}` is no number"))),
    }
}
