//! The simulated engine as an OpenAI-compatible server, in real time: requests over HTTP come in, events come out as vLLM sends them.
//!
//! It must not know who measures it. Every answer runs to its `max_tokens`: the engine has no end of text, so `min_tokens` and
//! `ignore_eos` are always kept. Without `max_tokens` a chat answer has [`DEFAULT_CHAT_TOKENS`] tokens, where vLLM would fill the whole
//! context.

mod answer_format;
mod breakable_connection;
mod catalogue;
mod completion_request;
mod error;
mod listen;
mod metrics;
mod routes;
mod stream;

pub use completion_request::DEFAULT_CHAT_TOKENS;
pub use listen::{EngineServer, ServeError, ServeOptions, bind};
