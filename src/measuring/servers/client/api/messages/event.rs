//! What one event of Anthropic's Messages says. Its `type` tells: `message_start` counts the prompt, `content_block_delta` carries tokens, `message_delta`
//! has the reason of the end and the counts, `message_stop` is the end.
//!
//! `input_tokens` leaves out what was read from a cache or written to one: the prompt is the sum of the three. Source: the API's reference of streaming
//! and of prompt caching, and what vLLM sends.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::records::record::TokenUsage;
use crate::servers::client::api::api_event::{AnswerEvent, AnswerFinish, TokenKind};
use crate::servers::client::api::error_words::error_message;
use crate::servers::client::api::usage_count::{PromptCounts, UsageCountError, count};

/// One event, read.
#[derive(Debug, Deserialize)]
pub struct MessagesEvent<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<FieldText<'a>>,
    #[serde(borrow, default)]
    delta: Option<BlockDelta<'a>>,
    #[serde(borrow, default)]
    usage: Option<MessageUsage<'a>>,
    /// What opens a block: a tool's name, or the first of its text.
    #[serde(borrow, default)]
    content_block: Option<Box<ContentBlock<'a>>>,
    /// The message as it begins, or the words of an error that is packed in nothing.
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// A text that borrows where it holds no escapes.
#[derive(Debug, Deserialize)]
struct FieldText<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Debug, Deserialize)]
struct BlockDelta<'a> {
    #[serde(borrow, default)]
    text: Option<FieldText<'a>>,
    #[serde(borrow, default)]
    thinking: Option<FieldText<'a>>,
    #[serde(borrow, default)]
    partial_json: Option<FieldText<'a>>,
    /// Proves where thinking came from; no token of it is the model's.
    #[serde(borrow, default)]
    signature: Option<FieldText<'a>>,
    #[serde(borrow, default)]
    stop_reason: Option<FieldText<'a>>,
}

#[derive(Debug, Deserialize)]
struct ContentBlock<'a> {
    #[serde(borrow, default)]
    text: Option<FieldText<'a>>,
    #[serde(borrow, default)]
    thinking: Option<FieldText<'a>>,
    #[serde(borrow, default)]
    name: Option<FieldText<'a>>,
}

#[derive(Debug, Deserialize)]
struct StartedMessage<'a> {
    #[serde(borrow, default)]
    usage: Option<MessageUsage<'a>>,
}

#[derive(Debug, Deserialize)]
struct MessageUsage<'a> {
    #[serde(borrow, default, rename = "input_tokens")]
    input: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "cache_read_input_tokens")]
    cache_read: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "cache_creation_input_tokens")]
    cache_creation: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "output_tokens")]
    output: Option<&'a RawValue>,
}

impl MessageUsage<'_> {
    /// Takes over what is told of the prompt; what is not told keeps what was told before.
    fn note_prompt(&self, prompt: &mut PromptCounts) -> Result<(), UsageCountError> {
        let input = count(("input_tokens", self.input))?;
        let read = count(("cache_read_input_tokens", self.cache_read))?;
        let written = count(("cache_creation_input_tokens", self.cache_creation))?;
        if let Some(input) = input {
            prompt.tokens = Some(input + read.unwrap_or(0) + written.unwrap_or(0));
        }
        prompt.cached = read.or(prompt.cached);
        Ok(())
    }
}

impl MessagesEvent<'_> {
    fn kind(&self) -> &str {
        self.kind.as_ref().map_or("", |kind| &kind.0)
    }
}

fn is_there(text: Option<&FieldText<'_>>) -> bool {
    text.is_some_and(|text| !text.0.is_empty())
}

impl<'a> AnswerEvent<'a> for MessagesEvent<'a> {
    fn each_text(&self, take: &mut dyn FnMut(TokenKind, &str)) {
        let block = self.content_block.as_deref();
        let (delta, opened) = (self.delta.as_ref(), block.map(|block| [&block.thinking, &block.text, &block.name]));
        let grown = delta.map(|delta| [&delta.thinking, &delta.text, &delta.partial_json]);
        let kinds = [TokenKind::Reasoning, TokenKind::Answer, TokenKind::ToolCall];
        for (kind, text) in [opened, grown].into_iter().flatten().flat_map(|texts| kinds.into_iter().zip(texts)) {
            if let Some(text) = text.as_ref().filter(|text| !text.0.is_empty()) {
                take(kind, &text.0);
            }
        }
    }

    fn is_silent(&self, _begun: bool) -> bool {
        self.kind() == "content_block_delta" && !self.delta.as_ref().is_some_and(|delta| is_there(delta.signature.as_ref()))
    }

    fn finish(&self) -> Option<AnswerFinish<'_>> {
        if self.kind() == "message_stop" {
            return Some(AnswerFinish::Over);
        }
        let reason = self.delta.as_ref().and_then(|delta| delta.stop_reason.as_ref());
        is_there(reason).then_some(AnswerFinish::Whole)
    }

    fn only_token(&self) -> Option<(TokenKind, &'a str)> {
        let is_plain = self.usage.is_none() && self.content_block.is_none() && self.message.is_none() && self.error.is_none();
        let delta = self.delta.as_ref().filter(|_| is_plain && self.kind() == "content_block_delta")?;
        let (kind, text) = match (&delta.thinking, &delta.text, &delta.partial_json) {
            (Some(text), None, None) => (TokenKind::Reasoning, text),
            (None, Some(text), None) => (TokenKind::Answer, text),
            (None, None, Some(text)) => (TokenKind::ToolCall, text),
            _ => return None,
        };
        match text {
            FieldText(Cow::Borrowed(token)) if !token.is_empty() && delta.stop_reason.is_none() => Some((kind, *token)),
            _ => None,
        }
    }

    fn usage(&self, prompt: &mut PromptCounts) -> Result<Option<TokenUsage>, UsageCountError> {
        if self.kind() == "message_start" {
            // What it says of the output is a token or none, and counts nothing.
            let started = self.message.and_then(|message| serde_json::from_str::<StartedMessage<'_>>(message.get()).ok());
            started.and_then(|message| message.usage).map_or(Ok(()), |usage| usage.note_prompt(prompt))?;
            return Ok(None);
        }
        let Some(usage) = &self.usage else { return Ok(None) };
        usage.note_prompt(prompt)?;
        let output = count(("output_tokens", usage.output))?;
        let counts = prompt.tokens.zip(output).map(|(prompt_tokens, output_tokens)| TokenUsage {
            prompt_tokens,
            output_tokens,
            reasoning_tokens: None,
            cached_tokens: prompt.cached,
        });
        Ok(counts)
    }

    fn error(&self) -> Option<Cow<'_, str>> {
        if let Some(error) = self.error {
            return Some(error_message(error).into());
        }
        let words = self.message.filter(|message| message.get().starts_with('"')).map(|message| Cow::from(error_message(message)));
        match self.kind() {
            "error" => words.or(Some(Cow::Borrowed("no message"))),
            "" => words,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> MessagesEvent<'_> {
        serde_json::from_str(json).unwrap()
    }

    fn texts(json: &str) -> Vec<(TokenKind, String)> {
        let mut texts = Vec::new();
        event(json).each_text(&mut |kind, text| texts.push((kind, text.to_owned())));
        texts
    }

    fn usage_of(events: &[&str]) -> Result<Option<TokenUsage>, UsageCountError> {
        let mut prompt = PromptCounts::default();
        let mut last = None;
        for json in events {
            last = event(json).usage(&mut prompt)?.or(last);
        }
        Ok(last)
    }

    #[test]
    fn deltas_carry_tokens_of_three_kinds_and_a_signature_is_none() {
        let delta = |delta: &str| texts(&format!(r#"{{"type":"content_block_delta","index":0,"delta":{delta}}}"#));
        assert_eq!(delta(r#"{"type":"text_delta","text":"a"}"#), [(TokenKind::Answer, "a".to_owned())]);
        assert_eq!(delta(r#"{"type":"thinking_delta","thinking":"hm"}"#), [(TokenKind::Reasoning, "hm".to_owned())]);
        assert_eq!(delta(r#"{"type":"input_json_delta","partial_json":"{\"a"}"#), [(TokenKind::ToolCall, "{\"a".to_owned())]);
        assert_eq!(delta(r#"{"type":"signature_delta","signature":"EqQB"}"#), []);
        let call = r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#;
        assert_eq!(texts(call), [(TokenKind::ToolCall, "f".to_owned())]);
        assert_eq!(texts(r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#), []);
        let silent = |json: &str| event(json).is_silent(true);
        assert!(silent(r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}"#));
        assert!(!silent(r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Eq"}}"#));
        assert!(!silent(r#"{"type":"ping"}"#));
    }

    #[test]
    fn the_prompt_is_what_was_read_what_was_written_and_the_rest() {
        let start = r#"{"type":"message_start","message":{"usage":{"input_tokens":5,"cache_creation_input_tokens":7,"cache_read_input_tokens":100,"output_tokens":1}}}"#;
        let delta = r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":12}}"#;
        let expected = TokenUsage { prompt_tokens: 112, output_tokens: 12, reasoning_tokens: None, cached_tokens: Some(100) };
        assert_eq!(usage_of(&[start, delta]), Ok(Some(expected)));
        assert_eq!(usage_of(&[start]), Ok(None));
        assert_eq!(usage_of(&[delta]), Ok(None));
        let again = r#"{"type":"message_delta","delta":{},"usage":{"input_tokens":30,"output_tokens":12}}"#;
        let plain = TokenUsage { prompt_tokens: 30, output_tokens: 12, reasoning_tokens: None, cached_tokens: None };
        assert_eq!(usage_of(&[again]), Ok(Some(plain)));
        let wrong = r#"{"type":"message_delta","usage":{"output_tokens":-1}}"#;
        assert_eq!(usage_of(&[wrong]), Err(UsageCountError("`output_tokens` is -1".to_owned())));
    }

    #[test]
    fn a_stop_reason_makes_an_answer_whole_and_the_stop_ends_it() {
        assert_eq!(event(r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#).finish(), Some(AnswerFinish::Whole));
        assert_eq!(event(r#"{"type":"message_delta","delta":{"stop_reason":null}}"#).finish(), None);
        assert_eq!(event(r#"{"type":"message_stop"}"#).finish(), Some(AnswerFinish::Over));
    }

    #[test]
    fn errors_have_the_server_s_words() {
        let message = |json: &str| event(json).error().map(Cow::into_owned);
        let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(message(overloaded).as_deref(), Some("Overloaded"));
        assert_eq!(message(r#"{"type":"error"}"#).as_deref(), Some("no message"));
        assert_eq!(message(r#"{"message":"CUDA out of memory"}"#).as_deref(), Some("CUDA out of memory"));
        assert_eq!(message(r#"{"type":"message_start","message":{"id":"m"}}"#), None);
    }
}
