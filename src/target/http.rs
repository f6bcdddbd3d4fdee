//! An OpenAI-compatible server over HTTP: sends a prompt, stamps what comes back, and says exactly how it failed where it did.
//!
//! `sent` is taken immediately before the request is handed over, so opening a connection lies inside the time to first token, as for
//! a user. Nothing is retried. Only in real time: sockets do not wait for a paused clock.

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode, Url};
use tokio::sync::oneshot;

use super::body::{BodyWriter, RESERVED};
use super::deadline::{Deadline, Limits};
use super::listener::{Heard, Listener};
use super::spec::{Api, TargetSpec};
use super::{Exchange, Line, Prepared, Script, TargetError};
use crate::clock::{Clock, Micros};
use crate::endpoint::{Cause, CauseKind, Endpoint, read, server_message};
use crate::record::{Failure, FailureKind};
use crate::session::Prompt;

const USER_ID: HeaderName = HeaderName::from_static("x-user-id");
/// How much of an error's body is read.
const ERROR_BODY: usize = 64 * 1024;
/// How long the end of a body is waited for after `[DONE]`, so that its connection can be used again.
const LINGER: Micros = Micros(10_000);

/// A server to be measured. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpTarget {
    pub(super) endpoint: Endpoint,
    pub(super) model: String,
    url: Url,
    bodies: BodyWriter,
    limits: Limits,
    clock: Clock,
}

impl HttpTarget {
    /// Checks address, credentials and extra fields; opens no connection yet.
    pub fn new(spec: &TargetSpec, clock: Clock) -> Result<Self, TargetError> {
        if let Some(field) = RESERVED.into_iter().find(|field| spec.body.contains_key(*field)) {
            return Err(TargetError::Body { field: field.to_owned() });
        }
        let endpoint = Endpoint::open(spec)?;
        let path = match spec.api {
            Api::Chat => "chat/completions",
            Api::Completions => "completions",
        };
        let url = endpoint.address().api(path);
        Ok(Self { endpoint, model: spec.model.clone(), url, bodies: BodyWriter::new(spec), limits: Limits::new(spec), clock })
    }

    /// The server, for what is asked of it beside prompts.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Does what can be done before the prompt is due: writes the body.
    #[must_use]
    pub fn prepare(&self, prompt: Prompt) -> Prepared {
        Prepared { body: self.bodies.whole(&prompt), prompt }
    }

    /// A conversation of which nothing has been said yet.
    #[must_use]
    pub fn script(&self) -> Script {
        Script::written(self.bodies.api())
    }

    /// The same as [`HttpTarget::prepare`] where the prompt's messages are written already.
    #[must_use]
    pub fn extend(&self, prompt: Prompt, said: &Script, asked: &Line) -> Prepared {
        Prepared { body: self.bodies.extended(&prompt, said, asked), prompt }
    }

    /// Sends a prepared prompt and listens to the answer. `first_token` is told at the first token-bearing event, and dropped where
    /// none comes.
    pub async fn send(&self, prepared: Prepared, first_token: Option<oneshot::Sender<()>>) -> Exchange {
        let mut request = self.endpoint.request(Method::POST, self.url.clone(), None);
        *request.body_mut() = Some(reqwest::Body::wrap(prepared.body.sending()));
        if let Some(user) = prepared.prompt.user_id {
            request.headers_mut().insert(USER_ID, HeaderValue::from(user));
        }
        let mut listener = Listener::new(self.endpoint.secrets(), first_token);
        let outcome = self.converse(request, &mut listener).await;
        let mut exchange = listener.exchange;
        if let Err(failure) = outcome {
            exchange.done = self.clock.now();
            if matches!(failure.kind, FailureKind::Connect | FailureKind::Tls) {
                exchange.sent = exchange.done;
            }
            exchange.failure = Some(failure);
        }
        exchange
    }

    /// One request and its answer, up to the stamp `done` where it succeeds.
    async fn converse(&self, request: Request, listener: &mut Listener<'_>) -> Result<(), Failure> {
        let sent = self.clock.now();
        listener.exchange.sent = sent;
        let deadline = self.limits.before_first_token(sent);
        let answered = self.clock.before(deadline.at, self.endpoint.client().execute(request)).await;
        let headers = self.clock.now();
        let mut response = answered.ok_or_else(|| deadline.missed())?.map_err(|error| broken(&error))?;
        listener.exchange.headers = Some(headers);
        self.check_head(&mut response, deadline).await?;
        loop {
            let deadline = match listener.last_event_after_token() {
                Some(last_event) => self.limits.after_event(sent, last_event),
                None => self.limits.before_first_token(sent),
            };
            let came = self.clock.before(deadline.at, response.chunk()).await;
            let at = self.clock.now();
            let bytes = came.filter(|_| at <= deadline.at).ok_or_else(|| deadline.missed())?.map_err(|error| broken(&error))?;
            let Some(bytes) = bytes else {
                listener.exchange.done = at;
                return listener.end(at);
            };
            if listener.hear(at, &bytes)? == Heard::Done {
                listener.exchange.done = at;
                listener.judge(Heard::Done)?;
                self.linger(&mut response, at).await;
                return Ok(());
            }
        }
    }

    /// Whether the head promises an event stream; otherwise the server's own words are the best explanation there is.
    async fn check_head(&self, response: &mut Response, deadline: Deadline) -> Result<(), Failure> {
        let status = response.status();
        if status == StatusCode::OK {
            let Some(detail) = unstreamed(response.headers()) else { return Ok(()) };
            return Err(Failure { kind: FailureKind::MalformedStream, detail });
        }
        // A body that breaks or stalls still leaves the status.
        let body = self.clock.before(deadline.at, read(response, ERROR_BODY)).await.and_then(Result::ok).unwrap_or_default();
        let message = self.endpoint.secrets().plain(&server_message(&body));
        let detail = if message.is_empty() { status.canonical_reason().unwrap_or("no message").to_lowercase() } else { message };
        Err(Failure { kind: FailureKind::Http(status.as_u16()), detail })
    }

    /// Reads on to the body's end where that comes at once: only then can the connection be used again.
    async fn linger(&self, response: &mut Response, done: Micros) {
        let end = async { while let Ok(Some(_)) = response.chunk().await {} };
        // Where the end does not come the connection is closed, which costs the next request a new one.
        let _ = self.clock.before(done + LINGER, end).await;
    }
}

/// Why a head with status 200 does not begin an event stream; `None` where it does. A missing content type is let pass.
fn unstreamed(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(|text| text.trim().to_ascii_lowercase());
    if let Some(encoding) = text(CONTENT_ENCODING).filter(|encoding| !encoding.is_empty() && encoding != "identity") {
        return Some(format!(
            "the answer is compressed with `{encoding}`, which was not asked for; switch compression off in the server or proxy"
        ));
    }
    let kind = text(CONTENT_TYPE).filter(|kind| !kind.starts_with("text/event-stream"))?;
    let kind = kind.split(';').next().unwrap_or_default();
    Some(format!("the server answered with `{kind}` instead of an event stream; is the URL that of an OpenAI-compatible server?"))
}

fn broken(error: &reqwest::Error) -> Failure {
    let cause = Cause::of(error);
    let (kind, detail) = match cause.kind {
        CauseKind::Connect => (FailureKind::Connect, format!("no connection: {cause}")),
        CauseKind::Tls => (FailureKind::Tls, format!("no TLS connection: {cause}")),
        CauseKind::Broken => (FailureKind::ResetMidStream, format!("the connection broke: {cause}")),
        CauseKind::Malformed => (FailureKind::MalformedStream, format!("the answer is not HTTP: {cause}")),
    };
    Failure { kind, detail }
}
