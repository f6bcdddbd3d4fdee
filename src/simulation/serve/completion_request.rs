//! Request bodies become questions to the engine: what is read of them, what is refused, and what is left unread (sampling, tools).

use serde_json::{Map, Value};

use super::error::ApiError;
use crate::engine::{conversation, encode};
use crate::vocabulary::session::MessageRole;
use crate::vocabulary::spec::target_api::TargetApi;

/// Tokens of a chat answer whose request names no length.
pub const DEFAULT_CHAT_TOKENS: u32 = 256;
/// The same for `/v1/completions`, as in vLLM and in OpenAI's interface.
const DEFAULT_COMPLETION_TOKENS: u32 = 16;

/// When usage is told in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UsageEvents {
    No,
    /// In an event of its own, the last.
    Last,
    /// In every event, and in the last.
    Continuous,
}

/// A request that can be put to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompletionRequest {
    pub(super) api: TargetApi,
    pub(super) tokens: Vec<u32>,
    pub(super) max_tokens: u32,
    /// Events, or one JSON object at the end.
    pub(super) stream: Option<UsageEvents>,
}

impl CompletionRequest {
    pub(super) fn read(api: TargetApi, body: &[u8], served: &str) -> Result<Self, ApiError> {
        let fields = object(body)?;
        let tokens = match api {
            TargetApi::Chat => chat_tokens(&fields)?,
            TargetApi::Completions => prompt_tokens(&fields)?,
            TargetApi::Responses => input_tokens(&fields)?,
            TargetApi::Messages => message_tokens(&fields)?,
        };
        check_model(&fields, served)?;
        check_temperature(&fields)?;
        Ok(Self { api, tokens, max_tokens: max_tokens(api, &fields)?, stream: stream(api, &fields)? })
    }
}

/// The body as an object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let fault = |error: serde_json::Error| ApiError::Json { position: error.column(), reason: error.to_string().replace('\'', "`") };
    match serde_json::from_slice(body).map_err(fault)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(ApiError::WrongType { field: String::new(), expected: "dictionary" }),
    }
}

/// A request may leave the model out, as vLLM allows it.
pub(super) fn check_model(fields: &Map<String, Value>, served: &str) -> Result<(), ApiError> {
    match given(fields, "model") {
        None => Ok(()),
        Some(Value::String(model)) if model == served => Ok(()),
        Some(Value::String(model)) => Err(ApiError::UnknownModel { found: model.clone(), served: served.to_owned() }),
        Some(_) => Err(wrong("model", "string")),
    }
}

/// The tokens of `messages`, under the chat template.
pub(super) fn chat_tokens(fields: &Map<String, Value>) -> Result<Vec<u32>, ApiError> {
    under_template(&[], &chat_messages("messages", fields)?)
}

/// The tokens of `instructions` and `input`, which is a text or a list of messages, under the chat template.
fn input_tokens(fields: &Map<String, Value>) -> Result<Vec<u32>, ApiError> {
    let messages = match given(fields, "input") {
        Some(Value::String(text)) => vec![(MessageRole::User, text.clone())],
        Some(_) => chat_messages("input", fields)?,
        None => return Err(ApiError::MissingField("input")),
    };
    under_template(&system_text("instructions", fields)?, &messages)
}

/// The tokens of `system` and `messages` under the chat template.
fn message_tokens(fields: &Map<String, Value>) -> Result<Vec<u32>, ApiError> {
    under_template(&system_text("system", fields)?, &chat_messages("messages", fields)?)
}

/// What the system says in a field of its own, a text or parts.
fn system_text(name: &str, fields: &Map<String, Value>) -> Result<Vec<(MessageRole, String)>, ApiError> {
    let Some(system) = given(fields, name) else { return Ok(Vec::new()) };
    Ok(vec![(MessageRole::System, content(system).ok_or_else(|| wrong(name, "string"))?)])
}

fn under_template(system: &[(MessageRole, String)], messages: &[(MessageRole, String)]) -> Result<Vec<u32>, ApiError> {
    if messages.is_empty() {
        let message = "Cannot apply chat template to an empty conversation. Provide at least one message.".to_owned();
        return Err(ApiError::BadValue { field: None, message });
    }
    Ok(conversation(system.iter().chain(messages).map(|(role, text)| (*role, text.as_str()))))
}

fn chat_messages(name: &'static str, fields: &Map<String, Value>) -> Result<Vec<(MessageRole, String)>, ApiError> {
    let messages = given(fields, name).ok_or(ApiError::MissingField(name))?;
    let messages = messages.as_array().ok_or_else(|| wrong(name, "list"))?;
    messages.iter().enumerate().map(|(place, message)| chat_message(place, message)).collect()
}

/// A text, or the texts of parts.
fn content(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().filter_map(|part| part["text"].as_str()).collect()),
        _ => None,
    }
}

fn chat_message(place: usize, message: &Value) -> Result<(MessageRole, String), ApiError> {
    let role = match message["role"].as_str() {
        Some("system" | "developer") => MessageRole::System,
        Some("assistant") => MessageRole::Assistant,
        Some(_) => MessageRole::User,
        None => return Err(wrong(&format!("messages.{place}.role"), "string")),
    };
    let text = content(&message["content"]).ok_or_else(|| wrong(&format!("messages.{place}.content"), "string"))?;
    Ok((role, text))
}

/// The tokens of `prompt`: a text, a list of one text, or a list of token numbers.
pub(super) fn prompt_tokens(fields: &Map<String, Value>) -> Result<Vec<u32>, ApiError> {
    let prompt = given(fields, "prompt").ok_or(ApiError::MissingField("prompt"))?;
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    match prompt {
        Value::String(text) => Ok(encode(text)),
        Value::Array(list) => match list.as_slice() {
            [Value::String(text)] => Ok(encode(text)),
            numbers => numbers.iter().map(|value| number(value).ok_or_else(|| wrong("prompt", "string or list of token ids"))).collect(),
        },
        _ => Err(wrong("prompt", "string or list of token ids")),
    }
}

fn max_tokens(api: TargetApi, fields: &Map<String, Value>) -> Result<u32, ApiError> {
    let default = match api {
        TargetApi::Chat | TargetApi::Responses => DEFAULT_CHAT_TOKENS,
        TargetApi::Messages => match given(fields, "max_tokens") {
            Some(_) => DEFAULT_CHAT_TOKENS,
            None => return Err(ApiError::MissingField("max_tokens")),
        },
        TargetApi::Completions => DEFAULT_COMPLETION_TOKENS,
    };
    let asked = match api {
        TargetApi::Chat | TargetApi::Completions => match whole(fields, "max_completion_tokens")? {
            Some(asked) => Some(asked),
            None => whole(fields, "max_tokens")?,
        },
        TargetApi::Responses | TargetApi::Messages => whole(fields, api.length_field())?,
    };
    let max_tokens = asked.unwrap_or(i64::from(default));
    if max_tokens < 1 {
        return Err(ApiError::value("max_tokens", format!("max_tokens must be at least 1, got {max_tokens}."), max_tokens));
    }
    match whole(fields, "min_tokens")? {
        Some(least) if least > max_tokens => {
            let message = format!("min_tokens must be less than or equal to max_tokens={max_tokens}, got {least}.");
            Err(ApiError::BadValue { field: None, message })
        }
        // Beyond any context, so refused for that.
        _ => Ok(u32::try_from(max_tokens).unwrap_or(u32::MAX)),
    }
}

fn stream(api: TargetApi, fields: &Map<String, Value>) -> Result<Option<UsageEvents>, ApiError> {
    let streams = flag(fields, "stream")?;
    if matches!(api, TargetApi::Responses | TargetApi::Messages) {
        return Ok(streams.then_some(UsageEvents::Last));
    }
    let options = match given(fields, "stream_options") {
        None => return Ok(streams.then_some(UsageEvents::No)),
        Some(Value::Object(options)) => options,
        Some(_) => return Err(wrong("stream_options", "dictionary")),
    };
    if !streams {
        let message = "Stream options can only be defined when `stream=True`. (parameter=stream_options)".to_owned();
        return Err(ApiError::BadValue { field: Some("stream_options"), message });
    }
    Ok(Some(match (flag(options, "include_usage")?, flag(options, "continuous_usage_stats")?) {
        (true, true) => UsageEvents::Continuous,
        (true, false) => UsageEvents::Last,
        (false, _) => UsageEvents::No,
    }))
}

fn check_temperature(fields: &Map<String, Value>) -> Result<(), ApiError> {
    let Some(value) = given(fields, "temperature") else { return Ok(()) };
    let temperature = value.as_f64().ok_or_else(|| wrong("temperature", "number"))?;
    if temperature < 0.0 {
        let message = format!("temperature must be non-negative, got {temperature:?}.");
        return Err(ApiError::value("temperature", message, format!("{temperature:?}")));
    }
    Ok(())
}

/// A field that is there and not null.
fn given<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn whole(fields: &Map<String, Value>, name: &str) -> Result<Option<i64>, ApiError> {
    given(fields, name).map(|value| value.as_i64().ok_or_else(|| wrong(name, "integer"))).transpose()
}

fn flag(fields: &Map<String, Value>, name: &str) -> Result<bool, ApiError> {
    given(fields, name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| wrong(name, "boolean")))
}

fn wrong(field: &str, expected: &'static str) -> ApiError {
    ApiError::WrongType { field: field.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(api: TargetApi, body: &Value) -> Result<CompletionRequest, ApiError> {
        CompletionRequest::read(api, body.to_string().as_bytes(), "tiny")
    }

    #[test]
    fn a_chat_request_is_counted_under_the_template() {
        let body = json!({ "model": "tiny", "messages": [{ "role": "user", "content": "why is that so?" }], "max_tokens": 5, "seed": 1 });
        let ask = read(TargetApi::Chat, &body).unwrap();
        assert_eq!((ask.tokens.len(), ask.max_tokens, ask.stream), (5 + 4 + 3, 5, None));
        let parts =
            json!({ "messages": [{ "role": "user", "content": [{ "type": "text", "text": "why is that so?" }] }], "max_tokens": 5 });
        assert_eq!(read(TargetApi::Chat, &parts).unwrap(), ask);
    }

    #[test]
    fn a_completion_takes_a_text_or_token_numbers() {
        assert_eq!(read(TargetApi::Completions, &json!({ "prompt": "a b c" })).unwrap().tokens.len(), 3);
        assert_eq!(read(TargetApi::Completions, &json!({ "prompt": ["a b c"] })).unwrap().tokens.len(), 3);
        assert_eq!(read(TargetApi::Completions, &json!({ "prompt": [7, 8] })).unwrap().tokens, [7, 8]);
        assert_eq!(read(TargetApi::Completions, &json!({ "prompt": "a" })).unwrap().max_tokens, 16);
    }

    #[test]
    fn usage_events_are_told_as_asked() {
        let ask =
            |options: Value| read(TargetApi::Completions, &json!({ "prompt": "a", "stream": true, "stream_options": options })).unwrap();
        assert_eq!(ask(json!(null)).stream, Some(UsageEvents::No));
        assert_eq!(ask(json!({ "include_usage": true })).stream, Some(UsageEvents::Last));
        assert_eq!(ask(json!({ "include_usage": true, "continuous_usage_stats": true })).stream, Some(UsageEvents::Continuous));
    }

    #[test]
    fn what_a_real_server_refuses_is_refused() {
        let chat = |extra: Value| {
            let mut body = json!({ "messages": [{ "role": "user", "content": "a" }] });
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            read(TargetApi::Chat, &body).unwrap_err()
        };
        assert!(matches!(chat(json!({ "model": "nope" })), ApiError::UnknownModel { .. }));
        assert!(matches!(chat(json!({ "max_tokens": 0 })), ApiError::BadValue { field: Some("max_tokens"), .. }));
        assert!(matches!(chat(json!({ "min_tokens": 5, "max_tokens": 2 })), ApiError::BadValue { field: None, .. }));
        assert!(matches!(chat(json!({ "temperature": -1 })), ApiError::BadValue { field: Some("temperature"), .. }));
        assert!(matches!(chat(json!({ "temperature": "hot" })), ApiError::WrongType { .. }));
        assert!(matches!(chat(json!({ "stream_options": {} })), ApiError::BadValue { field: Some("stream_options"), .. }));
        assert!(matches!(chat(json!({ "messages": [] })), ApiError::BadValue { field: None, .. }));
        assert_eq!(read(TargetApi::Chat, &json!({})), Err(ApiError::MissingField("messages")));
        assert!(matches!(CompletionRequest::read(TargetApi::Chat, b"{\"model\": ", "tiny"), Err(ApiError::Json { .. })));
    }
}
