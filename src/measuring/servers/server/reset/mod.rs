//! Empties the server's caches before a cell: the endpoints and commands of `[server] reset`, in order.
//!
//! Whether the caches are really empty afterwards is not known here: that is what the [canary](super::Canary) is for.

mod command;
mod endpoint;

use std::time::Duration;

use reqwest::Method;

use self::command::ResetProgram;
use self::endpoint::{ResetRetryPolicy, empty};
use super::endpoint_request::{EndpointRequest, EndpointRequestError, asked_servers};
use crate::servers::endpoint::{EndpointError, ServerEndpoint};
use crate::vocabulary::spec::reset::ResetStep;
use crate::vocabulary::spec::server::ServerSpec;
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::template::{TemplateContext, UnknownFieldError};

/// The most that a command may take.
const COMMAND: Duration = Duration::from_mins(1);

/// Why the caches may not be empty. Texts hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    #[error("cannot reset the server's caches: {0}")]
    Endpoint(#[from] EndpointError),
    #[error("`{url}` in `server.reset` is neither a path such as `/reset_prefix_cache` nor a URL")]
    Url { url: String },
    #[error("`{url}` did not empty the cache, asked {}: status {status}: {message}{}", times(*attempts), hint(*status))]
    Refused { url: String, status: u16, message: String, attempts: u32 },
    #[error("a command in `server.reset` is empty; write the program and its arguments")]
    NoProgram,
    #[error("a command in `server.reset` cannot be filled in: {0}")]
    Field(#[from] UnknownFieldError),
    #[error("cannot start `{program}` of `server.reset`: {source}; is it installed, and on the `PATH`?")]
    Start { program: String, source: std::io::Error },
    #[error("cannot follow `{program}` of `server.reset`: {source}")]
    Follow { program: String, source: std::io::Error },
    #[error("`{program}` of `server.reset` did not empty the cache: it ended with {status}{}", said(output))]
    Command { program: String, status: String, output: String },
    #[error("`{program}` of `server.reset` did not end within {limit_s} s and was killed{}", said(output))]
    Endless { program: String, limit_s: u64, output: String },
}

impl From<EndpointRequestError> for ResetError {
    fn from(error: EndpointRequestError) -> Self {
        match error {
            EndpointRequestError::Url { url } => Self::Url { url },
            EndpointRequestError::Endpoint(error) => Self::Endpoint(error),
        }
    }
}

fn times(attempts: u32) -> String {
    if attempts == 1 { "once".to_owned() } else { format!("{attempts} times") }
}

fn hint(status: u16) -> &'static str {
    match status {
        404 => "; vLLM has its reset endpoint only when it runs with `VLLM_SERVER_DEV_MODE=1`",
        _ => "",
    }
}

/// The last lines of an output.
fn said(output: &str) -> String {
    if output.is_empty() { ", without a word".to_owned() } else { format!("; its last lines: {output}") }
}

/// Takes every step of `[server] reset`, in order. Does nothing where there are none: with `restart` and `salt`, caches are empty without.
///
/// # Errors
/// At the first endpoint that cannot be reached, refuses, or is still busy after ten attempts within about five seconds; at the first
/// command that cannot be started, fails, or does not end within a minute.
pub async fn reset(spec: &ServerSpec, target: &TargetSpec) -> Result<(), ResetError> {
    reset_with(spec, target, ResetRetryPolicy::USUAL, COMMAND).await
}

async fn reset_with(spec: &ServerSpec, target: &TargetSpec, patience: ResetRetryPolicy, limit: Duration) -> Result<(), ResetError> {
    if spec.reset.steps().is_empty() {
        return Ok(());
    }
    let endpoints = ServerEndpoint::open_all(target)?;
    let template = TemplateContext::new(target, &spec.args);
    for step in spec.reset.steps() {
        match step {
            ResetStep::Endpoint(place) => {
                for endpoint in asked_servers(place, &endpoints) {
                    empty(&EndpointRequest::at(place, Method::POST, endpoint, target)?, patience).await?;
                }
            }
            ResetStep::Command(command) => ResetProgram::of(command, &template)?.run(limit, endpoints[0].secrets()).await?,
        }
    }
    Ok(())
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
        let patience = ResetRetryPolicy { attempts: 3, pause: Duration::from_millis(1) };
        let result = tokio::select! {
            biased;
            result = reset_with(&server, &target, patience, COMMAND) => result,
            () = serve => unreachable!("the server never ends"),
        };
        (result, taken)
    }

    #[tokio::test]
    async fn a_path_is_asked_of_each_server_and_a_url_once() {
        let listeners = [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
        let urls = listeners.each_ref().map(|listener| format!("http://{}", listener.local_addr().unwrap()));
        let target: TargetSpec = serde_json::from_value(serde_json::json!({ "url": urls[0], "urls": urls })).unwrap();
        let steps = serde_json::json!({ "reset": ["/reset_prefix_cache", format!("{}/clear", urls[1])] });
        let server: ServerSpec = serde_json::from_value(steps).unwrap();
        let serve = async {
            let mut asked = Vec::new();
            for (number, path) in [(0, "/reset_prefix_cache"), (1, "/reset_prefix_cache"), (1, "/clear")] {
                let (mut stream, _) = listeners[number].accept().await.unwrap();
                let mut head = vec![0; 4096];
                let length = stream.read(&mut head).await.unwrap();
                asked.push(String::from_utf8_lossy(&head[..length]).starts_with(&format!("POST {path} ")));
                stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            }
            asked
        };
        let (result, asked) = tokio::join!(reset(&server, &target), serve);
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(asked, [true; 3]);
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
