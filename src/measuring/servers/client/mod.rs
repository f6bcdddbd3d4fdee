//! TO WHOM: sends one prompt and brings back one [`HttpExchange`]. The load loop does not know which kind of target it talks to.
//!
//! A target stamps and counts; it knows nothing of sessions' schedules, of records, or of verdicts.

mod answer_parser;
mod api;
mod body;
mod deadline;
mod encoded_conversation;
mod error;
mod event_template;
mod exchange;
mod http;
mod models;
mod prepared;
mod refused_field;
mod replay;
mod request;
mod retry_after;
mod silent;
mod sim;
mod site;
mod sse;

use tokio::sync::oneshot;

pub use body::unstreamed_body;
pub use encoded_conversation::{EncodedConversation, EncodedMessage};
pub use error::TargetError;
pub use exchange::{HttpExchange, ReadStats, TransportStats};
pub use http::HttpTarget;
pub use models::ModelList;
pub use prepared::PreparedRequest;
pub use replay::{replay, replay_at};
pub use sim::SimTarget;
pub use site::SiteCounts;

pub use crate::servers::endpoint::UNTRUSTED;
use crate::vocabulary::session::Prompt;

/// Who answers.
#[derive(Debug, Clone)]
pub enum Target {
    /// A server over HTTP, in real time.
    Http(HttpTarget),
    /// The simulated engine, in memory; in virtual time as in real time.
    Sim(SimTarget),
}

impl Target {
    /// The values that must not be shown, each with what stands for it: keys, and what headers hold.
    #[must_use]
    pub fn masked(&self) -> Vec<(String, String)> {
        match self {
            Self::Http(target) => target.masked(),
            Self::Sim(_) => Vec::new(),
        }
    }

    /// What each of several servers had to do so far; nothing where there is one, or none.
    #[must_use]
    pub fn site_counts(&self) -> Vec<SiteCounts> {
        match self {
            Self::Http(target) => target.site_counts(),
            Self::Sim(_) => Vec::new(),
        }
    }

    /// Does what can be done before the prompt is due.
    #[must_use]
    pub fn prepare(&self, prompt: Prompt) -> PreparedRequest {
        match self {
            Self::Http(target) => target.prepare(prompt),
            Self::Sim(_) => SimTarget::prepare(prompt),
        }
    }

    /// A conversation of which nothing has been said yet, as this target writes it.
    #[must_use]
    pub fn script(&self) -> EncodedConversation {
        match self {
            Self::Http(target) => target.script(),
            Self::Sim(_) => EncodedConversation::default(),
        }
    }

    /// The same as [`Target::prepare`], where what was said before is written already: `said` and `asked` are the prompt's messages, in a
    /// script of this target.
    #[must_use]
    pub fn extend(&self, prompt: Prompt, said: &EncodedConversation, asked: &EncodedMessage) -> PreparedRequest {
        match self {
            Self::Http(target) => target.extend(prompt, said, asked),
            Self::Sim(_) => SimTarget::prepare(prompt),
        }
    }

    /// Sends a prompt that this target prepared and listens to the answer. `first_token` is told at the first token-bearing event, and
    /// dropped where none comes.
    pub async fn send(&self, prepared: PreparedRequest, first_token: Option<oneshot::Sender<()>>) -> HttpExchange {
        let forced_tokens = prepared.prompt.exact_length.then_some(prepared.prompt.max_tokens);
        let exchange = match self {
            Self::Http(target) => target.send(&prepared, first_token).await,
            Self::Sim(target) => target.send(prepared, first_token).await,
        };
        HttpExchange { forced_tokens, ..exchange }
    }

    /// Opens so many connections before the load and says how many there are now: the simulated engine has none.
    pub async fn connect_ahead(&self, count: usize) -> usize {
        match self {
            Self::Http(target) => target.connect_ahead(count).await,
            Self::Sim(_) => 0,
        }
    }

    /// Both together.
    pub async fn exchange(&self, prompt: Prompt, first_token: Option<oneshot::Sender<()>>) -> HttpExchange {
        self.send(self.prepare(prompt), first_token).await
    }
}
