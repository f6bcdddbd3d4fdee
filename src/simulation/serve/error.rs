//! Errors as vLLM words them: a JSON object with a message, a type, a parameter and the status. Clients read and show these.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::engine::{ContextLimitError, EngineFault};

/// What is wrong with a request, or what went wrong with it on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    UnknownModel {
        found: String,
        served: String,
    },
    /// The body is no JSON.
    Json {
        position: usize,
        reason: String,
    },
    MissingField(&'static str),
    WrongType {
        field: String,
        expected: &'static str,
    },
    /// A value that is of the right type and yet not possible; the whole sentence.
    BadValue {
        field: Option<&'static str>,
        message: String,
    },
    /// A fault made on purpose.
    Fault(u16),
    /// The engine is being stopped.
    Stopped,
}

impl ApiError {
    pub(super) fn value(field: &'static str, message: impl std::fmt::Display, value: impl std::fmt::Display) -> Self {
        Self::BadValue { field: Some(field), message: format!("{message} (parameter={field}, value={value})") }
    }

    pub(super) fn too_long(refusal: &ContextLimitError) -> Self {
        let ContextLimitError { prompt_tokens, max_tokens, context_limit } = refusal;
        if prompt_tokens >= context_limit {
            let message = format!(
                "This model's maximum context length is {context_limit} tokens. However, your prompt contains at least {prompt_tokens} input \
                 tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt."
            );
            return Self::value("input_tokens", message, prompt_tokens);
        }
        if max_tokens > context_limit {
            let message = format!(
                "max_tokens={max_tokens} cannot be greater than max_model_len={context_limit}. Please request fewer output tokens."
            );
            return Self::value("max_tokens", message, max_tokens);
        }
        let total = prompt_tokens + max_tokens;
        let message = format!(
            "This model's maximum context length is {context_limit} tokens. However, you requested {max_tokens} output tokens and your prompt \
             contains at least {prompt_tokens} input tokens, for a total of at least {total} tokens. Please reduce the length of the input \
             prompt or the number of requested output tokens."
        );
        Self::value("input_tokens", message, prompt_tokens)
    }

    pub(super) fn fault(fault: &EngineFault) -> Self {
        Self::Fault(fault.status)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownModel { .. } => StatusCode::NOT_FOUND,
            Self::Fault(status) => StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Message, type and parameter.
    fn words(&self) -> (String, &'static str, Option<String>) {
        let invalid = |kind: &str, location: &str, message: &str| {
            format!("1 validation error:\n  {{'type': '{kind}', 'loc': '{location}', 'msg': '{message}'}}")
        };
        match self {
            Self::UnknownModel { found, served } => {
                (format!("The model `{found}` does not exist. Valid aliases: {served}."), "NotFoundError", Some("model".to_owned()))
            }
            Self::Json { position, reason } => {
                let location = format!("body.{position}");
                (invalid("json_invalid", &location, &format!("JSON decode error: {reason}")), "Bad Request", Some(location))
            }
            Self::MissingField(field) => {
                let location = format!("body.{field}");
                (invalid("missing", &location, "Field required"), "Bad Request", Some(location))
            }
            Self::WrongType { field, expected } => {
                let location = format!("body.{field}");
                (invalid("type", &location, &format!("Input should be a valid {expected}")), "Bad Request", Some(location))
            }
            Self::BadValue { field, message } => (message.clone(), "BadRequestError", field.map(str::to_owned)),
            Self::Fault(status) => (format!("a fault made on purpose: status {status}"), "InternalServerError", None),
            Self::Stopped => ("the simulated engine has been stopped".to_owned(), "ServiceUnavailable", None),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let (message, kind, parameter) = self.words();
        let body = json!({ "error": { "message": message, "type": kind, "param": parameter, "code": status.as_u16() } });
        (status, Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_worded_as_vllm_words_them() {
        let refusal = ContextLimitError { prompt_tokens: 32_769, max_tokens: 1, context_limit: 32_768 };
        let (message, kind, parameter) = ApiError::too_long(&refusal).words();
        assert_eq!(
            message,
            "This model's maximum context length is 32768 tokens. However, your prompt contains at least 32769 input tokens, which exceeds \
             this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=32769)"
        );
        assert_eq!((kind, parameter.as_deref()), ("BadRequestError", Some("input_tokens")));
        let refusal = ContextLimitError { prompt_tokens: 12, max_tokens: 40_000, context_limit: 32_768 };
        assert_eq!(
            ApiError::too_long(&refusal).words().0,
            "max_tokens=40000 cannot be greater than max_model_len=32768. Please request fewer output tokens. (parameter=max_tokens, \
             value=40000)"
        );
        let unknown = ApiError::UnknownModel { found: "nope".into(), served: "tiny".into() };
        assert_eq!(unknown.words().0, "The model `nope` does not exist. Valid aliases: tiny.");
        assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    }
}
