//! What the server says of itself: its model, its version, and how it counts tokens.

use serde_json::{Value, json};

use super::completion_request::{chat_tokens, check_model, object, prompt_tokens};
use super::error::ApiError;

/// `/v1/models`.
pub(super) fn models(model: &str, created: i64, context_limit: u64) -> Value {
    let entry = json!({
        "id": model,
        "object": "model",
        "created": created,
        "owned_by": "bench",
        "root": model,
        "parent": null,
        "max_model_len": context_limit,
    });
    json!({ "object": "list", "data": [entry] })
}

/// `/version`.
pub(super) fn version() -> Value {
    json!({ "version": concat!("bench-sim ", env!("CARGO_PKG_VERSION")) })
}

/// `/tokenize`: of a `prompt` as it is, or of `messages` under the chat template.
pub(super) fn tokenize(body: &[u8], served: &str, context_limit: u64) -> Result<Value, ApiError> {
    let fields = object(body)?;
    check_model(&fields, served)?;
    let tokens = if fields.contains_key("messages") { chat_tokens(&fields)? } else { prompt_tokens(&fields)? };
    Ok(json!({ "count": tokens.len(), "max_model_len": context_limit, "tokens": tokens, "token_strs": null }))
}
