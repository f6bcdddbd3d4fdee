//! Empties the server's caches before a cell: a POST to each endpoint of `[server] reset`, in order, until it says that it did.
//!
//! A status of 2xx is not enough: vLLM answers 200 with `{"success": false}` while blocks are still held, by a request or by an offload
//! that is just ending, and SGLang answers 400. So whatever is not an outright no is asked again, for a few seconds. Whether the caches
//! are really empty is not known here: that is what the canary of the cold-cache contract is for.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::place::{Place, PlaceError};
use super::spec::{ResetStep, ServerSpec};
use crate::endpoint::{Endpoint, EndpointError, Reply, server_message};
use crate::target::spec::TargetSpec;

/// How often and how long a busy server is asked.
#[derive(Debug, Clone, Copy)]
struct Patience {
    attempts: u32,
    pause: Duration,
}

const PATIENCE: Patience = Patience { attempts: 10, pause: Duration::from_millis(500) };

/// Why the caches may not be empty. Texts hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    #[error("cannot reset the server's caches: {0}")]
    Endpoint(#[from] EndpointError),
    #[error("`{url}` in `server.reset` is neither a path such as `/reset_prefix_cache` nor a URL")]
    Url { url: String },
    #[error("`{url}` did not empty the cache, asked {attempts} times: status {status}: {message}{}", hint(*status))]
    Refused { url: String, status: u16, message: String, attempts: u32 },
}

impl From<PlaceError> for ResetError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Url { url } => Self::Url { url },
            PlaceError::Endpoint(error) => Self::Endpoint(error),
        }
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        404 => "; vLLM has its reset endpoint only when it runs with `VLLM_SERVER_DEV_MODE=1`",
        _ => "",
    }
}

/// Empties the caches behind every endpoint of the `[server]` section, in order.
///
/// # Errors
/// At the first endpoint that cannot be reached, refuses, or is still busy after ten attempts within about five seconds.
pub async fn reset(spec: &ServerSpec, target: &TargetSpec) -> Result<(), ResetError> {
    reset_with(spec, target, PATIENCE).await
}

async fn reset_with(spec: &ServerSpec, target: &TargetSpec, patience: Patience) -> Result<(), ResetError> {
    if spec.reset.is_nothing() {
        return Ok(());
    }
    let endpoint = Endpoint::open(target)?;
    for step in spec.reset.steps() {
        // Commands are not run yet.
        let ResetStep::Endpoint(place) = step else { continue };
        let place = Place::at(place, Method::POST, &endpoint, target)?;
        empty(&place, patience).await?;
    }
    Ok(())
}

/// Asks the cache at a place until it says that it is empty.
async fn empty(place: &Place, patience: Patience) -> Result<(), ResetError> {
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
fn emptied(reply: &Reply) -> bool {
    let denied = || serde_json::from_slice::<Value>(&reply.body).is_ok_and(|json| json.get("success") == Some(&Value::Bool(false)));
    reply.is_success() && !denied()
}

/// Statuses that waiting does not change: not authorized, no such endpoint, another method, another place.
fn is_no(status: u16) -> bool {
    (300..400).contains(&status) || matches!(status, 401 | 403 | 404 | 405 | 501)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Resets at a server that gives these replies, one a connection, and says how many of them were taken.
    async fn replied(replies: &[(&str, &str)]) -> (Result<(), ResetError>, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = serde_json::json!({ "url": format!("http://{}", listener.local_addr().unwrap()) });
        let target: TargetSpec = serde_json::from_value(target).unwrap();
        let server: ServerSpec = serde_json::from_value(serde_json::json!({ "reset": ["/reset_prefix_cache"] })).unwrap();
        let mut taken = 0;
        let serve = async {
            for (status, body) in replies {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await.unwrap();
                taken += 1;
                let reply = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
            std::future::pending::<()>().await;
        };
        let patience = Patience { attempts: 3, pause: Duration::from_millis(1) };
        let result = tokio::select! {
            biased;
            result = reset_with(&server, &target, patience) => result,
            () = serve => unreachable!("the server never ends"),
        };
        (result, taken)
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again() {
        let busy = ("200 OK", r#"{"success": false}"#);
        let (result, asked) = replied(&[busy, ("400 Bad Request", "requests are running"), ("200 OK", r#"{"success": true}"#)]).await;
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(asked, 3);
    }

    #[tokio::test]
    async fn a_server_that_stays_busy_is_an_error_and_no_silent_success() {
        let busy = ("200 OK", r#"{"success": false}"#);
        let (result, asked) = replied(&[busy; 4]).await;
        assert!(matches!(result, Err(ResetError::Refused { status: 200, attempts: 3, .. })), "{result:?}");
        assert_eq!(asked, 3);
    }

    #[tokio::test]
    async fn a_flat_no_is_not_asked_again() {
        let (result, asked) = replied(&[("404 Not Found", ""); 2]).await;
        assert!(matches!(result, Err(ResetError::Refused { status: 404, attempts: 1, .. })), "{result:?}");
        assert_eq!(asked, 1);
    }
}
