//! What one event of an answer says: tokens or none, usage, the end, an error. In goes the event's JSON, out comes a [`Chunk`] that
//! borrows from it. Both APIs and the dialects of reasoning and of errors are told apart here and nowhere else.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::record::Usage;

/// No model takes or gives more tokens in a request.
const MOST_TOKENS: u64 = 1 << 32;
/// So much is told of a number that is no count, in characters.
const LONGEST_NUMBER: usize = 24;

/// One event, read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<WireUsage<'a>>,
    /// `{"error": {..}}` or `{"error": "text"}`.
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
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

/// Counts are read as whatever stands there: a server that says that it cannot count is told from one that is silent.
#[derive(Debug, Deserialize)]
struct WireUsage<'a> {
    #[serde(borrow, default)]
    prompt_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    completion_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    prompt_tokens_details: Option<PromptDetails<'a>>,
}

#[derive(Debug, Deserialize)]
struct PromptDetails<'a> {
    #[serde(borrow, default)]
    cached_tokens: Option<&'a RawValue>,
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
        // To look once whether all is text takes less than to look at each string.
        str::from_utf8(data).map_or_else(|_| serde_json::from_slice(data), serde_json::from_str)
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
    pub(super) fn usage(&self) -> Result<Option<Usage>, WrongCount> {
        let Some(usage) = &self.usage else { return Ok(None) };
        let details = usage.prompt_tokens_details.as_ref();
        let prompt_tokens = count("prompt_tokens", usage.prompt_tokens)?;
        let output_tokens = count("completion_tokens", usage.completion_tokens)?;
        let cached_tokens = count("cached_tokens", details.and_then(|details| details.cached_tokens))?;
        match (prompt_tokens, cached_tokens) {
            (Some(prompt), Some(cached)) if cached > prompt => Err(WrongCount(format!("`cached_tokens` is {cached} of {prompt}"))),
            _ => Ok(prompt_tokens.zip(output_tokens).map(|(prompt_tokens, output_tokens)| Usage {
                prompt_tokens,
                output_tokens,
                cached_tokens,
            })),
        }
    }

    /// The message of an error object, as the server put it.
    pub(super) fn error(&self) -> Option<Cow<'_, str>> {
        if let Some(error) = self.error {
            // It was found to be JSON; what is still too deep or too large to be taken apart is told as it stands.
            let error: Value = serde_json::from_str(error.get()).unwrap_or_else(|_| error.get().into());
            let text = error.get("message").unwrap_or(&error);
            return Some(text.as_str().map_or_else(|| text.to_string(), str::to_owned).into());
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

/// A count that cannot be one, in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongCount(pub String);

fn count(name: &str, told: Option<&RawValue>) -> Result<Option<u64>, WrongCount> {
    let Some(told) = told.map(RawValue::get) else { return Ok(None) };
    match told.parse() {
        Ok(tokens) if tokens <= MOST_TOKENS => Ok(Some(tokens)),
        _ if told.starts_with(|sign: char| sign == '-' || sign.is_ascii_digit()) => {
            let told = told.get(..LONGEST_NUMBER).map_or_else(|| told.to_owned(), |begin| format!("{begin}..."));
            Err(WrongCount(format!("`{name}` is {told}")))
        }
        _ => Err(WrongCount(format!("`{name}` is no number"))),
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
            chunk(&json).usage().unwrap().unwrap()
        };
        let told = Usage { prompt_tokens: 28, output_tokens: 12, cached_tokens: Some(0) };
        assert_eq!(usage(r#","prompt_tokens_details":{"cached_tokens":0,"created_cache_tokens":0}"#), told);
        assert_eq!(usage("").cached_tokens, None);
        assert_eq!(usage(r#","prompt_tokens_details":null"#).cached_tokens, None);
        assert_eq!(chunk(r#"{"choices":[],"usage":null}"#).usage(), Ok(None));
    }

    #[test]
    fn errors_are_found_in_every_dialect() {
        let message = |json: &str| chunk(json).error().map(Cow::into_owned);
        assert_eq!(message(r#"{"error":{"message":"out of memory","code":500}}"#).as_deref(), Some("out of memory"));
        assert_eq!(message(r#"{"error":"out of memory"}"#).as_deref(), Some("out of memory"));
        assert_eq!(message(r#"{"error":{"code":500}}"#).as_deref(), Some(r#"{"code":500}"#));
        assert_eq!(message(r#"{"error":{"code":1e999}}"#).as_deref(), Some(r#"{"code":1e999}"#));
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

    #[test]
    fn counts_that_cannot_be_are_named_and_those_that_are_not_told_are_none() {
        let usage = |usage: &str| chunk(&format!(r#"{{"choices":[],"usage":{usage}}}"#)).usage();
        let wrong = |text: &str| Err(WrongCount(text.to_owned()));
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
