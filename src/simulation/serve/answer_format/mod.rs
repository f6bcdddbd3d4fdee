//! How an answer is written, a file an API: the events that open it, one for each token, those that close it, and the whole of it at once.

mod choices;
mod messages;
mod responses;

use std::sync::Arc;

use serde_json::Value;

use super::completion_request::UsageEvents;
use crate::engine::{EngineAnswer, EngineFault};
use crate::vocabulary::spec::target_api::TargetApi;

/// What every part of one answer repeats.
#[derive(Debug, Clone)]
pub(super) struct AnswerHeader {
    pub(super) api: TargetApi,
    pub(super) number: u64,
    /// Seconds since the Unix epoch.
    pub(super) created: i64,
    pub(super) model: Arc<str>,
    pub(super) prompt_tokens: u64,
    pub(super) answer: EngineAnswer,
    /// Where the API lets it be asked for.
    pub(super) usage: UsageEvents,
}

/// What is known of an answer when it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnswerEnd {
    pub(super) tokens: u64,
    pub(super) cached_tokens: u64,
    /// Whether it ended for its length.
    pub(super) is_cut: bool,
    /// A fault keeps the counts back.
    pub(super) hides_usage: bool,
}

impl AnswerHeader {
    /// The same of an answer that a fault garbles.
    pub(super) fn with_fault(&self, fault: Option<EngineFault>, cached_tokens: u64) -> Self {
        Self { answer: self.answer.with_fault(fault, cached_tokens), ..self.clone() }
    }

    /// The events before the first token.
    pub(super) fn opening(&self) -> String {
        match self.api {
            TargetApi::Chat | TargetApi::Completions => choices::opening(self),
            TargetApi::Responses => responses::opening(self),
            TargetApi::Messages => messages::opening(self),
        }
    }

    /// The event of the token with this index; `is_last` where the answer ends with it.
    pub(super) fn token(&self, index: u64, is_last: bool) -> String {
        match self.api {
            TargetApi::Chat | TargetApi::Completions => choices::token(self, index, is_last),
            TargetApi::Responses => responses::token(self, index),
            TargetApi::Messages => messages::token(self, index),
        }
    }

    /// The events behind the last token.
    pub(super) fn closing(&self, end: &AnswerEnd) -> String {
        match self.api {
            TargetApi::Chat | TargetApi::Completions => choices::closing(self, end),
            TargetApi::Responses => responses::closing(self, end),
            TargetApi::Messages => messages::closing(self, end),
        }
    }

    /// The whole answer at once.
    pub(super) fn whole(&self, end: &AnswerEnd) -> Value {
        match self.api {
            TargetApi::Chat | TargetApi::Completions => choices::whole(self, end),
            TargetApi::Responses => responses::whole(self, end),
            TargetApi::Messages => messages::whole(self, end),
        }
    }
}

/// An event without a name.
fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

/// An event whose name is its type.
fn typed_event(data: &Value) -> String {
    let name = data["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n")
}
