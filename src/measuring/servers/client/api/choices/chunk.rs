//! What one event of choices says: tokens or none, usage, the end, an error. In goes the event's JSON, out comes a [`CompletionChunk`] that
//! borrows from it. Both APIs of choices and the dialects of reasoning and of errors are told apart here and nowhere else.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::content::DeltaContent;
use super::usage::ChunkUsage;
use crate::records::record::TokenUsage;
use crate::servers::client::api::api_event::{AnswerEvent, AnswerFinish, TokenKind};
use crate::servers::client::api::error_words::error_message;
use crate::servers::client::api::usage_count::{PromptCounts, UsageCountError};

/// One event, read.
#[derive(Debug, Default, Deserialize)]
pub struct CompletionChunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<ChunkChoice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<ChunkUsage<'a>>,
    /// `{"error": {..}}` or `{"error": "text"}`.
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    /// `{"object": "error", "message": ..}`.
    #[serde(borrow, default)]
    object: Option<ChunkText<'a>>,
    #[serde(borrow, default)]
    message: Option<ChunkText<'a>>,
    /// `{"detail": ..}`, of frameworks that know no other error.
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

/// A text that borrows where it holds no escapes. (Serde borrows through `Cow` fields, but not through `Option<Cow>`.)
#[derive(Debug, Deserialize)]
struct ChunkText<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Debug, Deserialize)]
struct ChunkChoice<'a> {
    #[serde(borrow, default)]
    delta: Option<ChunkDelta<'a>>,
    /// Completions API.
    #[serde(borrow, default)]
    text: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<ChunkText<'a>>,
    /// Of proxies that pass the error of the server behind them on.
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
struct ChunkDelta<'a> {
    #[serde(borrow, default)]
    role: Option<ChunkText<'a>>,
    #[serde(borrow, default)]
    content: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    reasoning: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    reasoning_content: Option<DeltaContent<'a>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    /// What few events have is kept elsewhere, so that reading the others costs little.
    #[serde(borrow, default)]
    thinking: Option<Box<DeltaContent<'a>>>,
    #[serde(borrow, default)]
    reasoning_details: Option<Box<DeltaContent<'a>>>,
    #[serde(borrow, default)]
    refusal: Option<Box<DeltaContent<'a>>>,
    #[serde(borrow, default)]
    audio: Option<Box<AudioDelta<'a>>>,
    /// What tool calls were before there were several.
    #[serde(borrow, default)]
    function_call: Option<Box<FunctionCall<'a>>>,
}

#[derive(Debug, Deserialize)]
struct AudioDelta<'a> {
    #[serde(borrow, default)]
    transcript: Option<ChunkText<'a>>,
    #[serde(borrow, default)]
    data: Option<ChunkText<'a>>,
}

#[derive(Debug, Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow, default)]
    function: Option<FunctionCall<'a>>,
    #[serde(borrow, default)]
    custom: Option<FunctionCall<'a>>,
}

#[derive(Debug, Deserialize)]
struct FunctionCall<'a> {
    #[serde(borrow, default)]
    name: Option<ChunkText<'a>>,
    /// Most servers stream the text of an object; some send the object itself.
    #[serde(borrow, default, alias = "input")]
    arguments: Option<&'a RawValue>,
}

impl<'a> CompletionChunk<'a> {
    fn choices(&self) -> impl Iterator<Item = &ChunkChoice<'a>> {
        self.choices.iter().flatten()
    }
}

impl<'a> AnswerEvent<'a> for CompletionChunk<'a> {
    /// Hands on the texts of the generated tokens that the event carries: none of a role-only chunk, an empty delta, or usage alone. A text is
    /// empty where a token has none, as sound has.
    fn each_text(&self, take: &mut dyn FnMut(TokenKind, &str)) {
        for choice in self.choices() {
            if let Some(text) = &choice.text {
                text.each_text(TokenKind::Answer, take);
            }
            if let Some(delta) = &choice.delta {
                delta.each_text(take);
            }
        }
    }

    /// Whether the event is about an answer that goes on or ends, but has nothing of it to show: no token, unless the counts say so.
    /// `begun` where there was something before, since a role alone only opens an answer.
    fn is_silent(&self, begun: bool) -> bool {
        let has_role = |choice: &ChunkChoice<'_>| choice.delta.as_ref().is_some_and(|delta| delta.role.is_some());
        self.choices().any(|choice| begun || choice.finish_reason.is_some() || !has_role(choice))
    }

    fn finish(&self) -> Option<AnswerFinish<'_>> {
        self.choices().find_map(|choice| match &*choice.finish_reason.as_ref()?.0 {
            "" => None,
            reason @ ("abort" | "error") => Some(AnswerFinish::GivenUp(reason)),
            _ => Some(AnswerFinish::Whole),
        })
    }

    /// The token of an event that says nothing else, where it stands in the event as it is.
    fn only_token(&self) -> Option<(TokenKind, &'a str)> {
        let [choice] = self.choices.as_deref()? else { return None };
        let delta = choice.delta.as_ref();
        let places = [
            (TokenKind::Answer, choice.text.as_ref()),
            (TokenKind::Answer, delta.and_then(|delta| delta.content.as_ref())),
            (TokenKind::Reasoning, delta.and_then(|delta| delta.reasoning.as_ref())),
            (TokenKind::Reasoning, delta.and_then(|delta| delta.reasoning_content.as_ref())),
        ];
        let token = places.into_iter().find_map(|(kind, content)| match content {
            Some(DeltaContent::Text(Cow::Borrowed(token))) if !token.is_empty() => Some((kind, *token)),
            _ => None,
        })?;
        let mut texts = 0;
        self.each_text(&mut |_, _| texts += 1);
        (texts == 1 && self.finish().is_none() && self.usage.is_none() && self.error().is_none()).then_some(token)
    }

    /// Token counts so far, where the event tells both; a missing count of cached tokens is not 0.
    fn usage(&self, _prompt: &mut PromptCounts) -> Result<Option<TokenUsage>, UsageCountError> {
        self.usage.as_ref().map_or(Ok(None), ChunkUsage::counts)
    }

    /// The message of an error object, as the server put it.
    fn error(&self) -> Option<Cow<'_, str>> {
        if let Some(error) = self.error.or_else(|| self.choices().find_map(|choice| choice.error)) {
            return Some(error_message(error).into());
        }
        let says_nothing_else = self.choices.is_none() && self.usage.is_none();
        if says_nothing_else && let Some(detail) = self.detail {
            return Some(error_message(detail).into());
        }
        let is_error = self.object.as_ref().is_some_and(|object| object.0 == "error");
        let message = || self.message.as_ref().map(|text| Cow::Borrowed(&*text.0));
        if is_error { message().or(Some(Cow::Borrowed("no message"))) } else { message().filter(|_| says_nothing_else) }
    }
}

impl ChunkDelta<'_> {
    fn each_text(&self, take: &mut dyn FnMut(TokenKind, &str)) {
        // Some servers say the same under two names.
        let usual = [self.reasoning.as_ref(), self.reasoning_content.as_ref()];
        let reasoning = usual.into_iter().chain([self.thinking.as_deref(), self.reasoning_details.as_deref()]);
        for content in reasoning.flatten() {
            let mut any = false;
            content.each_text(TokenKind::Reasoning, &mut |kind, text| {
                any = true;
                take(kind, text);
            });
            if any {
                break;
            }
        }
        for content in [self.content.as_ref(), self.refusal.as_deref()].into_iter().flatten() {
            content.each_text(TokenKind::Answer, take);
        }
        if let Some(AudioDelta { transcript, data }) = self.audio.as_deref() {
            match transcript.as_ref().filter(|text| !text.0.is_empty()) {
                Some(transcript) => take(TokenKind::Answer, &transcript.0),
                None if data.as_ref().is_some_and(|data| !data.0.is_empty()) => take(TokenKind::Answer, ""),
                None => {}
            }
        }
        let calls = self.tool_calls.iter().flatten().flat_map(|call| [call.function.as_ref(), call.custom.as_ref()]);
        for function in calls.chain([self.function_call.as_deref()]).flatten() {
            function.each_text(take);
        }
    }
}

impl FunctionCall<'_> {
    fn each_text(&self, take: &mut dyn FnMut(TokenKind, &str)) {
        if let Some(name) = self.name.as_ref().filter(|name| !name.0.is_empty()) {
            take(TokenKind::ToolCall, &name.0);
        }
        let Some(raw) = self.arguments.map(RawValue::get) else { return };
        match serde_json::from_str::<ChunkText<'_>>(raw) {
            Ok(text) if text.0.is_empty() => {}
            Ok(text) => take(TokenKind::ToolCall, &text.0),
            Err(_) => take(TokenKind::ToolCall, raw),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(json: &str) -> CompletionChunk<'_> {
        serde_json::from_str::<CompletionChunk<'_>>(json).unwrap()
    }

    fn texts(json: &str) -> Vec<(TokenKind, String)> {
        let mut texts = Vec::new();
        chunk(json).each_text(&mut |kind, text| texts.push((kind, text.to_owned())));
        texts
    }

    fn of_delta(delta: &str) -> Vec<(TokenKind, String)> {
        texts(&format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#))
    }

    fn bears_tokens(delta: &str) -> bool {
        !of_delta(delta).is_empty()
    }

    #[test]
    fn content_reasoning_and_tool_calls_are_tokens() {
        assert!(bears_tokens(r#"{"content":"a"}"#));
        assert!(bears_tokens(r#"{"content":" "}"#));
        assert!(bears_tokens(r#"{"content":null,"reasoning":"a"}"#));
        assert!(bears_tokens(r#"{"reasoning_content":"a"}"#));
        assert!(bears_tokens(r#"{"tool_calls":[{"index":0,"function":{"name":"look_up","arguments":""}}]}"#));
        assert!(bears_tokens(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}"#));
        assert_eq!(texts(r#"{"choices":[{"index":0,"text":" ,"}]}"#), [(TokenKind::Answer, " ,".to_owned())]);
    }

    #[test]
    fn a_refusal_sound_and_a_function_call_are_answers() {
        let one = |kind, text: &str| vec![(kind, text.to_owned())];
        assert_eq!(of_delta(r#"{"content":null,"refusal":"I cannot"}"#), one(TokenKind::Answer, "I cannot"));
        assert_eq!(of_delta(r#"{"audio":{"id":"a","transcript":"hello"}}"#), one(TokenKind::Answer, "hello"));
        assert_eq!(of_delta(r#"{"audio":{"id":"a","data":"UklGRg=="}}"#), one(TokenKind::Answer, ""));
        assert_eq!(of_delta(r#"{"audio":{"id":"a","expires_at":1}}"#), []);
        assert_eq!(of_delta(r#"{"function_call":{"name":"look_up","arguments":""}}"#), one(TokenKind::ToolCall, "look_up"));
        assert_eq!(of_delta(r#"{"function_call":{"arguments":"{\"a\""}}"#), one(TokenKind::ToolCall, "{\"a\""));
        assert_eq!(of_delta(r#"{"tool_calls":[{"type":"custom","custom":{"input":"ls"}}]}"#), one(TokenKind::ToolCall, "ls"));
    }

    #[test]
    fn the_arguments_of_a_call_may_be_an_object() {
        let object = of_delta(r#"{"tool_calls":[{"index":0,"function":{"name":"look_up","arguments":{"city": "Oslo"}}}]}"#);
        assert_eq!(object, [(TokenKind::ToolCall, "look_up".to_owned()), (TokenKind::ToolCall, r#"{"city": "Oslo"}"#.to_owned())]);
    }

    #[test]
    fn content_may_be_a_list_of_parts_some_of_them_thinking() {
        let thinking =
            of_delta(r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"yes"}]}"#);
        assert_eq!(thinking, [(TokenKind::Reasoning, "hm".to_owned()), (TokenKind::Answer, "yes".to_owned())]);
        assert_eq!(of_delta(r#"{"content":[{"type":"thinking","thinking":"hm"}]}"#), [(TokenKind::Reasoning, "hm".to_owned())]);
        assert_eq!(of_delta(r#"{"content":["yes",{"type":"refusal","refusal":"no"}]}"#).len(), 2);
        assert_eq!(of_delta(r#"{"content":[]}"#), []);
        assert_eq!(of_delta(r#"{"content":[{"type":"text","text":""},{"type":"reference","reference_ids":[1]}]}"#), []);
        let details =
            r#"{"reasoning_details":[{"type":"reasoning.text","text":"hm","index":0},{"type":"reasoning.encrypted","data":"x"}]}"#;
        assert_eq!(of_delta(details), [(TokenKind::Reasoning, "hm".to_owned())]);
    }

    #[test]
    fn reasoning_under_two_names_is_counted_once() {
        assert_eq!(of_delta(r#"{"reasoning":"hm","reasoning_content":"hm"}"#), [(TokenKind::Reasoning, "hm".to_owned())]);
        assert_eq!(of_delta(r#"{"reasoning":"","reasoning_content":"hm"}"#), [(TokenKind::Reasoning, "hm".to_owned())]);
    }

    #[test]
    fn a_role_an_empty_delta_and_usage_alone_are_not_tokens() {
        assert!(!bears_tokens(r#"{"role":"assistant","content":""}"#));
        assert!(!bears_tokens(r#"{"role":"assistant","content":null,"reasoning":null,"tool_calls":[]}"#));
        assert!(!bears_tokens("{}"));
        assert!(!bears_tokens("null"));
        assert!(!bears_tokens(r#"{"tool_calls":[{"index":0,"id":"call-1","function":{"name":"","arguments":""}}]}"#));
        for silent in [
            r#"{"choices":[{"index":0,"text":""}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#,
            r#"{"choices":null}"#,
        ] {
            assert_eq!(texts(silent), [], "{silent}");
        }
    }

    #[test]
    fn what_only_opens_an_answer_is_told_from_what_may_be_a_token_without_text() {
        let is_silent = |delta: &str, finish: &str, begun| {
            chunk(&format!(r#"{{"choices":[{{"delta":{delta},"finish_reason":{finish}}}]}}"#)).is_silent(begun)
        };
        let role = r#"{"role":"assistant","content":""}"#;
        assert!(!is_silent(role, "null", false));
        assert!(is_silent(role, r#""length""#, false) && is_silent(role, "null", true));
        assert!(is_silent(r#"{"content":""}"#, "null", false));
        assert!(!chunk(r#"{"choices":[],"usage":null}"#).is_silent(true));
    }

    #[test]
    fn reasoning_is_not_part_of_the_answer() {
        let both = of_delta(r#"{"reasoning":"hm","content":"yes"}"#);
        assert_eq!(both, [(TokenKind::Reasoning, "hm".to_owned()), (TokenKind::Answer, "yes".to_owned())]);
        assert_eq!(texts(r#"{"choices":[{"text":"a\nb"}]}"#), [(TokenKind::Answer, "a\nb".to_owned())]);
    }

    #[test]
    fn plain_text_is_borrowed_from_the_event() {
        for (json, kind) in [
            (r#"{"choices":[{"delta":{"content":"plain"}}]}"#, TokenKind::Answer),
            (r#"{"choices":[{"text":"plain"}]}"#, TokenKind::Answer),
            (r#"{"choices":[{"delta":{"content":null,"reasoning":"plain"}}]}"#, TokenKind::Reasoning),
            (r#"{"choices":[{"delta":{"reasoning_content":"plain"}}]}"#, TokenKind::Reasoning),
        ] {
            assert_eq!(chunk(json).only_token(), Some((kind, "plain")), "{json}");
        }
        assert_eq!(chunk(r#"{"choices":[{"delta":{"reasoning":"hm","content":"plain"}}]}"#).only_token(), None);
    }

    #[test]
    fn reasoning_tokens_are_part_of_the_completion_or_beside_it() {
        let usage = |usage: &str| {
            let usage = chunk(&format!(r#"{{"choices":[],"usage":{{"prompt_tokens":200,{usage}}}}}"#))
                .usage(&mut PromptCounts::default())
                .unwrap()
                .unwrap();
            (usage.output_tokens, usage.reasoning_tokens)
        };
        let details = r#""completion_tokens_details":{"reasoning_tokens":36}"#;
        assert_eq!(usage(&format!(r#""completion_tokens":40,"total_tokens":240,{details}"#)), (40, Some(36)));
        assert_eq!(usage(&format!(r#""completion_tokens":40,{details}"#)), (40, Some(36)));
        assert_eq!(usage(r#""completion_tokens":40,"reasoning_tokens":36"#), (40, Some(36)));
        assert_eq!(usage(&format!(r#""completion_tokens":40,"total_tokens":276,{details}"#)), (76, Some(36)));
        assert_eq!(usage(&format!(r#""completion_tokens":4,{details}"#)), (40, Some(36)));
        assert_eq!(usage(r#""completion_tokens":40,"completion_tokens_details":null"#), (40, None));
    }

    #[test]
    fn missing_cached_tokens_are_not_zero() {
        let usage = |details: &str| {
            let json = format!(r#"{{"choices":[],"usage":{{"prompt_tokens":28,"completion_tokens":12{details}}}}}"#);
            chunk(&json).usage(&mut PromptCounts::default()).unwrap().unwrap()
        };
        let told = TokenUsage { prompt_tokens: 28, output_tokens: 12, reasoning_tokens: None, cached_tokens: Some(0) };
        assert_eq!(usage(r#","prompt_tokens_details":{"cached_tokens":0,"created_cache_tokens":0}"#), told);
        assert_eq!(usage("").cached_tokens, None);
        assert_eq!(usage(r#","prompt_tokens_details":null"#).cached_tokens, None);
        assert_eq!(chunk(r#"{"choices":[],"usage":null}"#).usage(&mut PromptCounts::default()), Ok(None));
    }

    #[test]
    fn errors_are_found_in_every_dialect() {
        let message = |json: &str| chunk(json).error().map(Cow::into_owned);
        assert_eq!(message(r#"{"error":{"message":"out of memory","code":500}}"#).as_deref(), Some("out of memory"));
        assert_eq!(message(r#"{"error":"out of memory"}"#).as_deref(), Some("out of memory"));
        assert_eq!(message(r#"{"error":{"code":500}}"#).as_deref(), Some(r#"{"code":500}"#));
        assert_eq!(message(r#"{"error":{"code":1e999}}"#).as_deref(), Some(r#"{"code":1e999}"#));
        assert_eq!(message(r#"{"object":"error","message":"too long","code":400}"#).as_deref(), Some("too long"));
        assert_eq!(message(r#"{"detail":"Not Found"}"#).as_deref(), Some("Not Found"));
        assert_eq!(message(r#"{"message":"CUDA out of memory","type":"server_error"}"#).as_deref(), Some("CUDA out of memory"));
        let passed_on = r#"{"choices":[{"delta":{"content":""},"finish_reason":"error","error":{"code":502,"message":"overloaded"}}]}"#;
        assert_eq!(message(passed_on).as_deref(), Some("overloaded"));
        assert_eq!(message(r#"{"object":"chat.completion.chunk","choices":[],"error":null}"#), None);
        assert_eq!(message(r#"{"choices":[],"detail":"x","message":"y"}"#), None);
    }

    #[test]
    fn an_answer_given_up_is_not_whole() {
        let finish = |reason: &str| {
            let json = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":{reason}}}]}}"#);
            chunk(&json).finish().map(|finish| matches!(finish, AnswerFinish::Whole))
        };
        assert_eq!(finish("null"), None);
        assert_eq!(finish(r#""length""#), Some(true));
        assert_eq!(finish(r#""tool_calls""#), Some(true));
        assert_eq!(finish(r#""abort""#), Some(false));
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        for data in ["", "{", "[1]", "hello", "{\"choices\":7}", "{\"choices\":[{\"delta\":{\"content\":7}}]}"] {
            assert!(serde_json::from_str::<CompletionChunk<'_>>(data).is_err(), "{data}");
        }
    }

    #[test]
    fn counts_that_cannot_be_are_named_and_those_that_are_not_told_are_none() {
        let usage = |usage: &str| chunk(&format!(r#"{{"choices":[],"usage":{usage}}}"#)).usage(&mut PromptCounts::default());
        let wrong = |text: &str| Err(UsageCountError(text.to_owned()));
        assert_eq!(usage(r#"{"prompt_tokens":9,"completion_tokens":-1}"#), wrong("`completion_tokens` is -1"));
        assert_eq!(usage(r#"{"prompt_tokens":1.5}"#), wrong("`prompt_tokens` is 1.5"));
        assert_eq!(usage(r#"{"prompt_tokens":9,"completion_tokens":4294967297}"#), wrong("`completion_tokens` is 4294967297"));
        let long = "9".repeat(1000);
        let shown = format!("`prompt_tokens` is {}...", "9".repeat(24));
        assert_eq!(usage(&format!(r#"{{"prompt_tokens":{long}}}"#)), wrong(&shown));
        assert_eq!(usage(r#"{"completion_tokens":"many"}"#), wrong("`completion_tokens` is no number"));
        let cached = r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":10}}"#;
        assert_eq!(usage(cached), wrong("`cached_tokens` is 10 of 9"));
        for silent in ["{}", r#"{"prompt_tokens":9}"#, r#"{"prompt_tokens":null,"completion_tokens":null}"#] {
            assert_eq!(usage(silent), Ok(None), "{silent}");
        }
    }
}
