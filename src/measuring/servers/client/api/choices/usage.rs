//! The token counts of an event that has choices.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::records::record::TokenUsage;
use crate::servers::client::api::usage_count::{UsageCountError, WrittenUsage};

#[derive(Debug, Deserialize)]
pub struct ChunkUsage<'a> {
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
    /// The counts, where both are told.
    pub fn counts(&self) -> Result<Option<TokenUsage>, UsageCountError> {
        let detailed = self.completion_tokens_details.as_ref().and_then(|details| details.reasoning_tokens);
        let usage = WrittenUsage {
            prompt: ("prompt_tokens", self.prompt_tokens),
            output: ("completion_tokens", self.completion_tokens),
            total: ("total_tokens", self.total_tokens),
            reasoning: ("reasoning_tokens", detailed.or(self.reasoning_tokens)),
            cached: ("cached_tokens", self.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens)),
        };
        usage.counts()
    }
}
