//! The list of APIs by which a server is asked, and what a scenario must know of each: its path, and the names of its fields.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which API is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetApi {
    /// OpenAI's `/v1/chat/completions`: messages.
    #[default]
    Chat,
    /// OpenAI's `/v1/completions`: the conversation as one text.
    Completions,
    /// OpenAI's `/v1/responses`: items of input, and typed events.
    Responses,
    /// Anthropic's `/v1/messages`: messages, and typed events.
    Messages,
}

impl TargetApi {
    pub const ALL: [Self; 4] = [Self::Chat, Self::Completions, Self::Responses, Self::Messages];

    /// Its name in a scenario.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
        }
    }

    /// The API whose endpoint a path leads to: `/v1/chat/completions` is that of chat.
    #[must_use]
    pub fn of_endpoint(path: &str) -> Option<Self> {
        // Chat's path ends in that of completions, so it is looked for first.
        Self::ALL.into_iter().find(|api| path.strip_suffix(api.path()).is_some_and(|before| before.ends_with('/')))
    }

    /// Whether a path is that of a deployment, whose endpoints stand below it without `/v1`.
    #[must_use]
    pub fn is_deployment(path: &str) -> bool {
        path.contains("/deployments/")
    }

    /// The endpoint's path below `/v1/`.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "chat/completions",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
        }
    }

    /// The fields that a request's body may have beside the conversation and `stream`, without what `target.body` adds.
    #[must_use]
    pub fn own_fields(self) -> &'static [&'static str] {
        match self {
            Self::Chat | Self::Completions => &["model", "stream_options", "temperature", "max_tokens", "min_tokens", "ignore_eos"],
            Self::Responses => &["model", "store", "temperature", "max_output_tokens", "ignore_eos"],
            Self::Messages => &["model", "temperature", "max_tokens"],
        }
    }

    /// The field that holds the most tokens of an answer.
    #[must_use]
    pub fn length_field(self) -> &'static str {
        match self {
            Self::Responses => "max_output_tokens",
            Self::Chat | Self::Completions | Self::Messages => "max_tokens",
        }
    }

    /// The fields that hold the conversation.
    #[must_use]
    pub fn conversation_fields(self) -> &'static [&'static str] {
        match self {
            Self::Chat => &["messages"],
            Self::Completions => &["prompt"],
            Self::Responses => &["instructions", "input"],
            Self::Messages => &["system", "messages"],
        }
    }
}
