//! A server's address and how to speak to it: base URL, credentials, headers, one HTTP client. In comes a `[target]` section; out come
//! requests ready to send, and small whole replies (`/v1/models`, `/tokenize`, cache resets).
//!
//! Secrets end here: nothing that leaves this module as text holds one. Streams, stamps and failure kinds are the target's affair.

mod base_url;
mod cause;
mod client;
mod error;
mod key_command;
mod reply;
mod secret;
mod tls;

pub use base_url::{BaseUrl, without_secrets};
pub(crate) use base_url::{is_this_machine, shown};
pub use cause::{HttpErrorCause, HttpErrorKind};
pub use client::ServerEndpoint;
pub(crate) use client::{RootCertificates, USER_AGENT, call, fetching_client, http_client, read};
pub use error::{EndpointError, UNTRUSTED};
pub use key_command::{KeyCommandError, key_from};
pub(crate) use reply::{EndpointReply, server_message};
pub(crate) use secret::SecretValues;
