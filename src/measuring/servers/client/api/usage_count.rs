//! Token counts as servers write them, whatever they call them: read as what stands there, since a server that says that it cannot count is told from
//! one that is silent.

use serde_json::value::RawValue;

use crate::records::record::TokenUsage;

/// No model takes or gives more tokens in a request.
const MOST_TOKENS: u64 = 1 << 32;
/// So much is told of a number that is no count, in characters.
const LONGEST_NUMBER: usize = 24;

/// What is known of a prompt before the answer's own counts, of APIs that tell it in an event of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PromptCounts {
    /// All tokens of the prompt.
    pub tokens: Option<u64>,
    /// Those that came from a cache.
    pub cached: Option<u64>,
}

/// A count that cannot be one, in words.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageCountError(pub String);

/// A count by the name under which it stands.
pub type NamedCount<'a> = (&'static str, Option<&'a RawValue>);

/// The counts of one event.
#[derive(Debug)]
pub struct WrittenUsage<'a> {
    pub prompt: NamedCount<'a>,
    pub output: NamedCount<'a>,
    pub total: NamedCount<'a>,
    pub reasoning: NamedCount<'a>,
    pub cached: NamedCount<'a>,
}

impl WrittenUsage<'_> {
    /// The counts, where both are told; a missing count of cached tokens is not 0.
    pub fn counts(self) -> Result<Option<TokenUsage>, UsageCountError> {
        let (prompt_tokens, output) = (count(self.prompt)?, count(self.output)?);
        let (cached_tokens, reasoning_tokens) = (count(self.cached)?, count(self.reasoning)?);
        check_cached(cached_tokens, prompt_tokens)?;
        let (Some(prompt_tokens), Some(output)) = (prompt_tokens, output) else { return Ok(None) };
        // Some servers count reasoning beside the answer; the sum of all tells.
        let reasoning = reasoning_tokens.unwrap_or(0);
        let total = count(self.total).unwrap_or(None);
        let is_beside = reasoning > output || (reasoning > 0 && total == Some(prompt_tokens + output + reasoning));
        let output_tokens = output + if is_beside { reasoning } else { 0 };
        Ok(Some(TokenUsage { prompt_tokens, output_tokens, reasoning_tokens, cached_tokens }))
    }
}

fn check_cached(cached: Option<u64>, prompt: Option<u64>) -> Result<(), UsageCountError> {
    match (prompt, cached) {
        (Some(prompt), Some(cached)) if cached > prompt => Err(UsageCountError(format!("`cached_tokens` is {cached} of {prompt}"))),
        _ => Ok(()),
    }
}

/// A count that stands under that name, where one does.
pub fn count((name, told): NamedCount<'_>) -> Result<Option<u64>, UsageCountError> {
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
