//! The JSON objects of an answer: what all its parts have in common, a piece of it, the whole of it, and its usage.

use std::sync::Arc;

use serde_json::{Value, json};

use super::completion_request::ServedApi;

/// What every object of one answer repeats.
#[derive(Debug, Clone)]
pub(super) struct CompletionHeader {
    pub(super) api: ServedApi,
    pub(super) number: u64,
    /// Seconds since the Unix epoch.
    pub(super) created: i64,
    pub(super) model: Arc<str>,
}

impl CompletionHeader {
    /// One event of a stream.
    pub(super) fn chunk(&self, choice: &Value) -> Value {
        let object = match self.api {
            ServedApi::Chat => "chat.completion.chunk",
            ServedApi::Completions => "text_completion",
        };
        self.object(object, choice)
    }

    /// The whole answer at once; `usage` is left out where it is `None`.
    pub(super) fn whole(&self, text: &str, finish_reason: &str, usage: Option<Value>) -> Value {
        let (object, choice) = match self.api {
            ServedApi::Chat => {
                let message = json!({ "role": "assistant", "content": text });
                let choice =
                    json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason, "stop_reason": null });
                ("chat.completion", choice)
            }
            ServedApi::Completions => ("text_completion", self.api.piece(text, Some(finish_reason))),
        };
        let mut whole = self.object(object, &choice);
        if let Some(usage) = usage {
            whole["usage"] = usage;
        }
        whole
    }

    fn object(&self, object: &str, choice: &Value) -> Value {
        let prefix = match self.api {
            ServedApi::Chat => "chatcmpl",
            ServedApi::Completions => "cmpl",
        };
        json!({
            "id": format!("{prefix}-{:016x}", self.number),
            "object": object,
            "created": self.created,
            "model": &*self.model,
            "choices": [choice],
        })
    }
}

impl ServedApi {
    /// A choice that carries a piece of the answer.
    pub(super) fn piece(self, text: &str, finish_reason: Option<&str>) -> Value {
        let mut piece = match self {
            Self::Chat => json!({ "index": 0, "delta": { "content": text } }),
            Self::Completions => json!({ "index": 0, "text": text }),
        };
        piece["logprobs"] = Value::Null;
        piece["finish_reason"] = json!(finish_reason);
        if finish_reason.is_some() {
            piece["stop_reason"] = Value::Null;
        }
        piece["token_ids"] = Value::Null;
        piece
    }
}

/// The usage object; `cached_tokens` stands only in the last one of an answer.
pub(super) fn usage(prompt_tokens: u64, output_tokens: u64, cached_tokens: Option<u64>) -> Value {
    let mut usage =
        json!({ "prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens + output_tokens, "completion_tokens": output_tokens });
    match cached_tokens {
        Some(cached) => usage["prompt_tokens_details"] = json!({ "cached_tokens": cached }),
        None => usage["completion_tokens_details"] = Value::Null,
    }
    usage
}
