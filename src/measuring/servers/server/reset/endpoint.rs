//! An endpoint that empties a cache: asked with a POST until it says that it did.
//!
//! A status of 2xx is not enough: vLLM answers 200 with `{"success": false}` while blocks are still held, by a request or by an offload
//! that is just ending, and SGLang answers 400. So whatever is not an outright no is asked again, for a few seconds.

use std::time::Duration;

use serde_json::Value;

use super::ResetError;
use crate::servers::endpoint::{EndpointReply, server_message};
use crate::servers::server::endpoint_request::EndpointRequest;

/// How often and how long a busy server is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResetRetryPolicy {
    pub(super) attempts: u32,
    pub(super) pause: Duration,
}

impl ResetRetryPolicy {
    /// Ten times within about five seconds.
    pub(super) const USUAL: Self = Self { attempts: 10, pause: Duration::from_millis(500) };
}

/// Asks the cache at a place until it says that it is empty.
pub(super) async fn empty(place: &EndpointRequest, patience: ResetRetryPolicy) -> Result<(), ResetError> {
    let url = place.shown();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let reply = place.call().await?;
        if emptied(&reply) {
            return Ok(());
        }
        if attempts >= patience.attempts || is_no(reply.status) {
            let message = place.plain(&server_message(&reply.body));
            return Err(ResetError::Refused { url, status: reply.status, message, attempts });
        }
        tokio::time::sleep(patience.pause).await;
    }
}

/// Whether the server says that it did: a success, and no `{"success": false}`.
fn emptied(reply: &EndpointReply) -> bool {
    let denied = || serde_json::from_slice::<Value>(&reply.body).is_ok_and(|json| json.get("success") == Some(&Value::Bool(false)));
    reply.is_success() && !denied()
}

/// Statuses that waiting does not change: not authorized, no such endpoint, another method, another place.
fn is_no(status: u16) -> bool {
    (300..400).contains(&status) || matches!(status, 401 | 403 | 404 | 405 | 501)
}
