//! What one event of an answer says: tokens or none, usage, the end, an error. In goes the event's JSON, out comes a [`Chunk`] that
//! borrows from it. Both APIs and the dialects of reasoning and of errors are told apart here and nowhere else.

use std::borrow::Cow;

use serde::Deserialize;

use crate::record::Usage;

/// One event, read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<WireUsage>,
    /// `{"error": {..}}` or `{"error": "text"}`.
    #[serde(default)]
    error: Option<serde_json::Value>,
    /// `{"object": "error", "message": ..}`.
    #[serde(borrow, default)]
    object: Option<Text<'a>>,
    #[serde(borrow, default)]
    message: Option<Text<'a>>,
}

/// A text that borrows where it holds no escapes. (Serde borrows through `Cow` fields, but not through `Option<Cow>`.)
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    /// Completions API.
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<Text<'a>>,
    #[serde(borrow, default)]
    reasoning: Option<Text<'a>>,
    #[serde(borrow, default)]
    reasoning_content: Option<Text<'a>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Debug, Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
}

#[derive(Debug, Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    arguments: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

/// How a server says that its answer is whole, or that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish<'c> {
    /// `stop`, `length`, `tool_calls`, ...
    Whole,
    /// The server gave the answer up: `abort` or `error`.
    GivenUp(&'c str),
}

impl<'a> Chunk<'a> {
    pub(super) fn read(data: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(data)
    }

    /// Whether the event carries generated tokens: content, reasoning or a tool call that is not empty.
    pub(super) fn bears_tokens(&self) -> bool {
        self.choices().any(|choice| filled(choice.text.as_ref()) || choice.delta.as_ref().is_some_and(Delta::bears_tokens))
    }

    /// The answer's content in this event, for the history; reasoning and tool calls are not part of it.
    pub(super) fn content(&self) -> impl Iterator<Item = &str> {
        self.choices().filter_map(|choice| {
            let chat = choice.delta.as_ref().and_then(|delta| delta.content.as_ref());
            chat.or(choice.text.as_ref()).map(|text| &*text.0)
        })
    }

    pub(super) fn finish(&self) -> Option<Finish<'_>> {
        self.choices().find_map(|choice| match &*choice.finish_reason.as_ref()?.0 {
            "" => None,
            reason @ ("abort" | "error") => Some(Finish::GivenUp(reason)),
            _ => Some(Finish::Whole),
        })
    }

    /// The token of an event that says nothing else, where it stands in the event as it is.
    pub(super) fn only_token(&self) -> Option<&'a str> {
        let [choice] = self.choices.as_deref()? else { return None };
        let silent = self.finish().is_none() && self.usage.is_none() && self.error().is_none();
        let chat = choice.delta.as_ref().and_then(|delta| delta.content.as_ref());
        match &chat.or(choice.text.as_ref())?.0 {
            Cow::Borrowed(token) if silent && !token.is_empty() => Some(token),
            _ => None,
        }
    }

    /// Token counts so far, where the event tells both; a missing count of cached tokens is not 0.
    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = self.usage.as_ref()?;
        Some(Usage {
            prompt_tokens: usage.prompt_tokens?,
            output_tokens: usage.completion_tokens?,
            cached_tokens: usage.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens),
        })
    }

    /// The message of an error object, as the server put it.
    pub(super) fn error(&self) -> Option<Cow<'_, str>> {
        if let Some(error) = &self.error {
            let text = error.get("message").unwrap_or(error);
            return Some(text.as_str().map_or_else(|| Cow::Owned(text.to_string()), Cow::Borrowed));
        }
        let is_error = self.object.as_ref().is_some_and(|object| object.0 == "error");
        is_error.then(|| self.message.as_ref().map_or(Cow::Borrowed("no message"), |text| Cow::Borrowed(&*text.0)))
    }

    fn choices(&self) -> impl Iterator<Item = &Choice<'a>> {
        self.choices.iter().flatten()
    }
}

impl Delta<'_> {
    fn bears_tokens(&self) -> bool {
        let calls = self.tool_calls.iter().flatten().filter_map(|call| call.function.as_ref());
        filled(self.content.as_ref())
            || filled(self.reasoning.as_ref())
            || filled(self.reasoning_content.as_ref())
            || calls.into_iter().any(|function| filled(function.name.as_ref()) || filled(function.arguments.as_ref()))
    }
}

fn filled(text: Option<&Text<'_>>) -> bool {
    text.is_some_and(|text| !text.0.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(json: &str) -> Chunk<'_> {
        Chunk::read(json.as_bytes()).unwrap()
    }

    fn bears_tokens(delta: &str) -> bool {
        chunk(&format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)).bears_tokens()
    }

    #[test]
    fn content_reasoning_and_tool_calls_are_tokens() {
        assert!(bears_tokens(r#"{"content":"a"}"#));
        assert!(bears_tokens(r#"{"content":" "}"#));
        assert!(bears_tokens(r#"{"content":null,"reasoning":"a"}"#));
        assert!(bears_tokens(r#"{"reasoning_content":"a"}"#));
        assert!(bears_tokens(r#"{"tool_calls":[{"index":0,"function":{"name":"look_up","arguments":""}}]}"#));
        assert!(bears_tokens(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}"#));
        assert!(chunk(r#"{"choices":[{"index":0,"text":" ,"}]}"#).bears_tokens());
    }

    #[test]
    fn a_role_an_empty_delta_and_usage_alone_are_not_tokens() {
        assert!(!bears_tokens(r#"{"role":"assistant","content":""}"#));
        assert!(!bears_tokens(r#"{"role":"assistant","content":null,"reasoning":null,"tool_calls":[]}"#));
        assert!(!bears_tokens("{}"));
        assert!(!bears_tokens("null"));
        assert!(!bears_tokens(r#"{"tool_calls":[{"index":0,"id":"call-1","function":{"name":"","arguments":""}}]}"#));
        assert!(!chunk(r#"{"choices":[{"index":0,"text":""}]}"#).bears_tokens());
        assert!(!chunk(r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#).bears_tokens());
        assert!(!chunk(r#"{"choices":null}"#).bears_tokens());
    }

    #[test]
    fn reasoning_is_not_part_of_the_answer() {
        let both = r#"{"choices":[{"delta":{"reasoning":"hm","content":"yes"}}]}"#;
        assert_eq!(chunk(both).content().collect::<String>(), "yes");
        assert_eq!(chunk(r#"{"choices":[{"text":"a\nb"}]}"#).content().collect::<String>(), "a\nb");
        assert_eq!(chunk(r#"{"choices":[{"delta":{"reasoning":"hm"}}]}"#).content().count(), 0);
    }

    #[test]
    fn plain_text_is_borrowed_from_the_event() {
        let json = r#"{"choices":[{"delta":{"content":"plain"}}]}"#;
        let chunk = chunk(json);
        let text = chunk.choices().next().unwrap().delta.as_ref().unwrap().content.as_ref().unwrap();
        assert!(matches!(text.0, Cow::Borrowed("plain")));
    }

    #[test]
    fn missing_cached_tokens_are_not_zero() {
        let usage = |details: &str| {
            let json = format!(r#"{{"choices":[],"usage":{{"prompt_tokens":28,"completion_tokens":12{details}}}}}"#);
            chunk(&json).usage().unwrap()
        };
        let told = Usage { prompt_tokens: 28, output_tokens: 12, cached_tokens: Some(0) };
        assert_eq!(usage(r#","prompt_tokens_details":{"cached_tokens":0,"created_cache_tokens":0}"#), told);
        assert_eq!(usage("").cached_tokens, None);
        assert_eq!(usage(r#","prompt_tokens_details":null"#).cached_tokens, None);
        assert_eq!(chunk(r#"{"choices":[],"usage":null}"#).usage(), None);
    }

    #[test]
    fn errors_are_found_in_every_dialect() {
        let message = |json: &str| chunk(json).error().map(Cow::into_owned);
        assert_eq!(message(r#"{"error":{"message":"out of memory","code":500}}"#).as_deref(), Some("out of memory"));
        assert_eq!(message(r#"{"error":"out of memory"}"#).as_deref(), Some("out of memory"));
        assert_eq!(message(r#"{"error":{"code":500}}"#).as_deref(), Some(r#"{"code":500}"#));
        assert_eq!(message(r#"{"object":"error","message":"too long","code":400}"#).as_deref(), Some("too long"));
        assert_eq!(message(r#"{"object":"chat.completion.chunk","choices":[],"error":null}"#), None);
    }

    #[test]
    fn an_answer_given_up_is_not_whole() {
        let finish = |reason: &str| {
            let json = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":{reason}}}]}}"#);
            chunk(&json).finish().map(|finish| matches!(finish, Finish::Whole))
        };
        assert_eq!(finish("null"), None);
        assert_eq!(finish(r#""length""#), Some(true));
        assert_eq!(finish(r#""tool_calls""#), Some(true));
        assert_eq!(finish(r#""abort""#), Some(false));
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        for data in ["", "{", "[1]", "hello", "{\"choices\":7}", "{\"choices\":[{\"delta\":{\"content\":7}}]}"] {
            assert!(Chunk::read(data.as_bytes()).is_err(), "{data}");
        }
    }
}
