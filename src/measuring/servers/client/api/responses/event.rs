//! What one event of OpenAI's Responses says. Its `type` tells: deltas carry tokens, `response.completed` and `response.incomplete` the counts and the
//! end. What only repeats earlier deltas (`*.done`) is read over.
//!
//! Source: the API's reference of streaming events, and what vLLM sends.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::records::record::TokenUsage;
use crate::servers::client::api::api_event::{AnswerEvent, AnswerFinish, TokenKind};
use crate::servers::client::api::error_words::error_message;
use crate::servers::client::api::usage_count::{PromptCounts, UsageCountError, WrittenUsage};

/// One event, read.
#[derive(Debug, Deserialize)]
pub struct ResponsesEvent<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<EventText<'a>>,
    #[serde(borrow, default)]
    delta: Option<EventText<'a>>,
    /// Of an item that is added: the name of a tool call.
    #[serde(borrow, default)]
    item: Option<Box<OutputItem<'a>>>,
    /// The answer as a whole, of the events that begin and end it.
    #[serde(borrow, default)]
    response: Option<Box<ResponseObject<'a>>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    /// Of an event that is an error.
    #[serde(borrow, default)]
    message: Option<EventText<'a>>,
}

/// A text that borrows where it holds no escapes.
#[derive(Debug, Deserialize)]
struct EventText<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Debug, Deserialize)]
struct OutputItem<'a> {
    #[serde(borrow, default)]
    name: Option<EventText<'a>>,
    #[serde(borrow, default)]
    arguments: Option<EventText<'a>>,
}

#[derive(Debug, Deserialize)]
struct ResponseObject<'a> {
    #[serde(borrow, default)]
    usage: Option<ResponseUsage<'a>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct ResponseUsage<'a> {
    #[serde(borrow, default)]
    input_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    total_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input_tokens_details: Option<InputTokensDetails<'a>>,
    #[serde(borrow, default)]
    output_tokens_details: Option<OutputTokensDetails<'a>>,
}

#[derive(Debug, Deserialize)]
struct InputTokensDetails<'a> {
    #[serde(borrow, default)]
    cached_tokens: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct OutputTokensDetails<'a> {
    #[serde(borrow, default)]
    reasoning_tokens: Option<&'a RawValue>,
}

/// What the tokens of a delta are part of; `None` of an event that brings none.
fn delta_kind(event: &str) -> Option<TokenKind> {
    match event.strip_prefix("response.")?.strip_suffix(".delta")? {
        "output_text" | "refusal" | "audio.transcript" => Some(TokenKind::Answer),
        "reasoning_text" | "reasoning" | "reasoning_summary_text" | "reasoning_summary" => Some(TokenKind::Reasoning),
        "function_call_arguments"
        | "custom_tool_call_input"
        | "mcp_call_arguments"
        | "mcp_call.arguments"
        | "code_interpreter_call_code" => Some(TokenKind::ToolCall),
        _ => None,
    }
}

impl ResponsesEvent<'_> {
    fn kind(&self) -> &str {
        self.kind.as_ref().map_or("", |kind| &kind.0)
    }
}

impl<'a> AnswerEvent<'a> for ResponsesEvent<'a> {
    fn each_text(&self, take: &mut dyn FnMut(TokenKind, &str)) {
        if let Some(kind) = delta_kind(self.kind()) {
            if let Some(delta) = self.delta.as_ref().filter(|delta| !delta.0.is_empty()) {
                take(kind, &delta.0);
            }
        } else if self.kind() == "response.output_item.added"
            && let Some(item) = &self.item
        {
            for text in [&item.name, &item.arguments].into_iter().flatten().filter(|text| !text.0.is_empty()) {
                take(TokenKind::ToolCall, &text.0);
            }
        }
    }

    fn is_silent(&self, _begun: bool) -> bool {
        delta_kind(self.kind()).is_some()
    }

    fn finish(&self) -> Option<AnswerFinish<'_>> {
        matches!(self.kind(), "response.completed" | "response.incomplete" | "response.done").then_some(AnswerFinish::Over)
    }

    fn only_token(&self) -> Option<(TokenKind, &'a str)> {
        let kind = delta_kind(self.kind()).filter(|_| self.response.is_none() && self.item.is_none() && self.error.is_none())?;
        match &self.delta {
            Some(EventText(Cow::Borrowed(token))) if !token.is_empty() => Some((kind, *token)),
            _ => None,
        }
    }

    fn usage(&self, _prompt: &mut PromptCounts) -> Result<Option<TokenUsage>, UsageCountError> {
        let Some(usage) = self.response.as_ref().and_then(|response| response.usage.as_ref()) else { return Ok(None) };
        let written = WrittenUsage {
            prompt: ("input_tokens", usage.input_tokens),
            output: ("output_tokens", usage.output_tokens),
            total: ("total_tokens", usage.total_tokens),
            reasoning: ("reasoning_tokens", usage.output_tokens_details.as_ref().and_then(|details| details.reasoning_tokens)),
            cached: ("cached_tokens", usage.input_tokens_details.as_ref().and_then(|details| details.cached_tokens)),
        };
        written.counts()
    }

    fn error(&self) -> Option<Cow<'_, str>> {
        let within = self.response.as_ref().and_then(|response| response.error);
        if let Some(error) = self.error.or(within) {
            return Some(error_message(error).into());
        }
        let words = self.message.as_ref().map(|message| Cow::Borrowed(&*message.0));
        match self.kind() {
            "error" => words.or(Some(Cow::Borrowed("no message"))),
            "response.failed" => Some(Cow::Borrowed("the response failed, and no reason is told")),
            "response.cancelled" => Some(Cow::Borrowed("the response was cancelled")),
            "" => words,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(json: &str) -> ResponsesEvent<'_> {
        serde_json::from_str(json).unwrap()
    }

    fn texts(json: &str) -> Vec<(TokenKind, String)> {
        let mut texts = Vec::new();
        event(json).each_text(&mut |kind, text| texts.push((kind, text.to_owned())));
        texts
    }

    #[test]
    fn deltas_carry_tokens_and_what_repeats_them_does_not() {
        let delta = |kind: &str| texts(&json!({ "type": kind, "delta": "a", "sequence_number": 4, "item_id": "m" }).to_string());
        for (name, kind) in [
            ("response.output_text.delta", TokenKind::Answer),
            ("response.refusal.delta", TokenKind::Answer),
            ("response.reasoning_text.delta", TokenKind::Reasoning),
            ("response.reasoning_summary_text.delta", TokenKind::Reasoning),
            ("response.function_call_arguments.delta", TokenKind::ToolCall),
        ] {
            assert_eq!(delta(name), [(kind, "a".to_owned())], "{name}");
        }
        assert_eq!(delta("response.output_text.annotation.added"), []);
        assert_eq!(texts(r#"{"type":"response.output_text.done","text":"all of it"}"#), []);
        assert_eq!(texts(r#"{"type":"response.output_item.done","item":{"type":"function_call","name":"f","arguments":"{}"}}"#), []);
        let call = r#"{"type":"response.output_item.added","item":{"type":"function_call","name":"f","arguments":""}}"#;
        assert_eq!(texts(call), [(TokenKind::ToolCall, "f".to_owned())]);
        let message = r#"{"type":"response.output_item.added","item":{"type":"message","role":"assistant","content":[]}}"#;
        assert_eq!(texts(message), []);
    }

    #[test]
    fn an_empty_delta_is_silent_and_other_events_are_not() {
        assert!(event(r#"{"type":"response.output_text.delta","delta":""}"#).is_silent(true));
        assert!(!event(r#"{"type":"response.created","response":{"usage":null}}"#).is_silent(true));
    }

    #[test]
    fn the_last_event_has_the_counts() {
        let last = json!({ "type": "response.completed", "response": { "status": "completed", "error": null, "output": [], "usage": {
            "input_tokens": 30, "input_tokens_details": { "cached_tokens": 16 }, "output_tokens": 12,
            "output_tokens_details": { "reasoning_tokens": 4 }, "total_tokens": 42 } } });
        let last = last.to_string();
        let usage = event(&last).usage(&mut PromptCounts::default()).unwrap();
        let expected = TokenUsage { prompt_tokens: 30, output_tokens: 12, reasoning_tokens: Some(4), cached_tokens: Some(16) };
        assert_eq!((usage, event(&last).finish(), event(&last).error()), (Some(expected), Some(AnswerFinish::Over), None));
        let cut = r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}"#;
        assert_eq!((event(cut).finish(), event(cut).error()), (Some(AnswerFinish::Over), None));
    }

    #[test]
    fn errors_have_the_server_s_words() {
        let message = |json: &str| event(json).error().map(Cow::into_owned);
        assert_eq!(message(r#"{"type":"error","code":"server_error","message":"out of memory"}"#).as_deref(), Some("out of memory"));
        assert_eq!(message(r#"{"type":"error","error":{"message":"out of memory"}}"#).as_deref(), Some("out of memory"));
        let failed = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"no"}}}"#;
        assert_eq!(message(failed).as_deref(), Some("no"));
        assert_eq!(message(r#"{"type":"response.failed","response":{}}"#).as_deref(), Some("the response failed, and no reason is told"));
        assert_eq!(message(r#"{"error":{"message":"too long"}}"#).as_deref(), Some("too long"));
        assert_eq!(message(r#"{"type":"response.output_text.delta","delta":"a"}"#), None);
    }
}
