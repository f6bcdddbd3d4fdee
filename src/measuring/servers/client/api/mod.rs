//! The list of APIs, a folder each: how a request of it is written, and what its events say. An API's folder holds all that is known of it; what stands
//! here is which one is meant, and what all of them answer.
//!
//! In go the scenario's `target.api` and bytes; out come forms of requests and events read. Must not know sockets, stamps or records.

mod api_event;
mod chat;
mod choices;
mod completions;
mod conversation_format;
mod error_words;
mod messages;
mod responses;
mod usage_count;

use serde_json::Value;

pub use api_event::{AnswerEvent, AnswerFinish, TokenKind};
pub use conversation_format::{ConversationFormat, string};
pub use usage_count::{PromptCounts, UsageCountError};

use crate::vocabulary::spec::target_api::TargetApi;
use choices::CompletionChunk;
use messages::MessagesEvent;
use responses::ResponsesEvent;

/// How a request of one API is written.
#[derive(Debug)]
pub struct RequestFormat {
    pub conversation: ConversationFormat,
    /// What stands beside the conversation, `model` and `stream`, in order.
    pub fields: fn(LengthConstraint) -> Vec<(&'static str, FieldValue)>,
}

/// Whether an answer may be shorter than asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthConstraint {
    UpTo,
    Exactly,
}

/// What a field of a request holds.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    Fixed(Value),
    /// The most tokens of the answer, which differ between requests.
    Length,
}

/// How requests of an API are written.
pub fn request_format(api: TargetApi) -> &'static RequestFormat {
    match api {
        TargetApi::Chat => &chat::REQUEST,
        TargetApi::Completions => &completions::REQUEST,
        TargetApi::Responses => &responses::REQUEST,
        TargetApi::Messages => &messages::REQUEST,
    }
}

/// One event of an answer, as its API has it.
#[derive(Debug)]
pub enum ApiEvent<'a> {
    Choices(CompletionChunk<'a>),
    Responses(ResponsesEvent<'a>),
    Messages(MessagesEvent<'a>),
}

impl<'a> ApiEvent<'a> {
    /// Reads the data of an event.
    pub fn read(api: TargetApi, data: &'a [u8]) -> Result<Self, serde_json::Error> {
        match api {
            TargetApi::Chat | TargetApi::Completions => json(data).map(Self::Choices),
            TargetApi::Responses => json(data).map(Self::Responses),
            TargetApi::Messages => json(data).map(Self::Messages),
        }
    }

    /// What every API's events tell.
    pub fn told(&self) -> &dyn AnswerEvent<'a> {
        match self {
            Self::Choices(event) => event,
            Self::Responses(event) => event,
            Self::Messages(event) => event,
        }
    }
}

/// What the end of an answer looks like, for messages about one that lacks it.
pub fn ending(api: TargetApi) -> &'static str {
    match api {
        TargetApi::Chat | TargetApi::Completions => "neither `[DONE]` nor a `finish_reason`",
        TargetApi::Responses => "neither `response.completed` nor `response.incomplete`",
        TargetApi::Messages => "neither `message_stop` nor a `stop_reason`",
    }
}

/// What an API calls the tokens of an answer.
pub fn output_count(api: TargetApi) -> &'static str {
    match api {
        TargetApi::Chat | TargetApi::Completions => "completion_tokens",
        TargetApi::Responses | TargetApi::Messages => "output_tokens",
    }
}

fn json<'a, T: serde::Deserialize<'a>>(data: &'a [u8]) -> Result<T, serde_json::Error> {
    // To look once whether all is text takes less than to look at each string.
    str::from_utf8(data).map_or_else(|_| serde_json::from_slice(data), serde_json::from_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_an_api_s_requests_are_those_that_a_scenario_may_leave_out() {
        for api in TargetApi::ALL {
            let fields = |length| (request_format(api).fields)(length).into_iter().map(|(name, _)| name);
            let sent: Vec<&str> = ["model"].into_iter().chain(fields(LengthConstraint::Exactly)).collect();
            assert_eq!(sent, api.own_fields(), "{api:?}");
            assert!(fields(LengthConstraint::UpTo).all(|name| sent.contains(&name)), "{api:?}");
            let length = (request_format(api).fields)(LengthConstraint::UpTo).into_iter().find(|(_, value)| *value == FieldValue::Length);
            assert_eq!(length.map(|(name, _)| name), Some(api.length_field()));
            let conversation = &request_format(api).conversation;
            let held: Vec<&str> = conversation.system.into_iter().chain([conversation.field]).collect();
            assert_eq!(held, api.conversation_fields(), "{api:?}");
        }
    }
}
