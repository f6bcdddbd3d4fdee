//! A server over HTTP: sends a prompt, stamps what comes back, and says exactly how it failed where it did.
//!
//! `sent` is when the last byte of the request was handed to the kernel; what came before, a connection that had to be opened among it, is
//! told beside it. Events have the time at which their last byte reached this machine, where the kernel tells it. Nothing is retried,
//! unless the scenario asks for that, and then it is counted. Only in real time: sockets do not wait for a paused clock.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;

use reqwest::StatusCode;
use tokio::sync::oneshot;

use super::answer_parser::{AnswerParser, AnswerProgress};
use super::api::ApiEvent;
use super::body::{BodyWriter, reserved_field};
use super::deadline::{DeadlineTimer, RequestDeadline, RequestTimeouts};
use super::refused_field::{refused_field, sent_fields};
use super::site::{SiteCounts, TargetSite};
use super::{EncodedConversation, EncodedMessage, HttpExchange, PreparedRequest, TargetError, retry_after};
use crate::foundation::clock::{Clock, Micros};
use crate::records::record::{FailureKind, RequestFailure};
use crate::servers::endpoint::{SecretValues, ServerEndpoint, server_message, without_secrets};
use crate::servers::wire::{HttpConnection, PooledConnection, ResponseHead, WireError, WireErrorKind};
use crate::vocabulary::session::Prompt;
use crate::vocabulary::spec::target::{OnDeadConnection, RetryAfterPolicy, TargetSpec};
use crate::vocabulary::spec::target_api::TargetApi;

/// How much of an error's body is read.
const ERROR_BODY: usize = 64 * 1024;
/// How long the end of a body is waited for after `[DONE]`, so that its connection can be used again.
const LINGER: Micros = Micros(10_000);

/// A server to be measured. Cheap to clone; clones share their connections, and what all requests look at is the same memory to them.
#[derive(Debug, Clone)]
pub struct HttpTarget(Arc<HttpTargetState>);

#[derive(Debug)]
struct HttpTargetState {
    model: String,
    /// Where prompts are sent: several servers share the sessions. One at least.
    sites: Vec<TargetSite>,
    bodies: BodyWriter,
    on_dead_connection: OnDeadConnection,
    retry_after: RetryAfterPolicy,
    limits: RequestTimeouts,
    clock: Clock,
    /// Names of the fields that bodies have, as they are sent.
    fields: Vec<String>,
}

impl HttpTarget {
    /// Checks address, credentials and extra fields; opens no connection yet.
    pub fn new(spec: &TargetSpec, clock: Clock) -> Result<Self, TargetError> {
        if let Some(field) = reserved_field(spec) {
            return Err(TargetError::Body { field: field.to_owned() });
        }
        let endpoints = ServerEndpoint::open_all(spec)?.into_iter();
        let sites = endpoints.map(|endpoint| TargetSite::new(spec, endpoint, clock)).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(HttpTargetState {
            sites,
            model: spec.model.clone(),
            bodies: BodyWriter::new(spec),
            on_dead_connection: spec.on_dead_connection,
            retry_after: spec.retry_after,
            limits: RequestTimeouts::new(spec),
            clock,
            fields: sent_fields(spec),
        })))
    }

    /// The servers, for what is asked of them beside prompts, in the order of `target.urls`: session `k` is sent to number `k` modulo
    /// their count.
    pub fn endpoints(&self) -> impl Iterator<Item = &ServerEndpoint> {
        self.0.sites.iter().map(|site| &site.endpoint)
    }

    /// The server of a session, for what is asked of it beside prompts.
    pub fn endpoint(&self, session: u64) -> &ServerEndpoint {
        &self.site(session).endpoint
    }

    /// How many servers share the sessions.
    pub fn site_count(&self) -> u64 {
        self.0.sites.len() as u64
    }

    /// Where the prompts of a session are sent, as it may be shown.
    pub fn shown_url(&self, session: u64) -> &str {
        &self.site(session).shown_url
    }

    /// What each of several servers had to do so far; nothing where there is one.
    pub fn site_counts(&self) -> Vec<SiteCounts> {
        let sites = self.0.sites.iter().filter(|_| self.0.sites.len() > 1);
        sites.map(TargetSite::counts).collect()
    }

    /// The secrets of all servers, each with what stands for it.
    pub fn masked(&self) -> Vec<(String, String)> {
        self.0.sites.iter().flat_map(|site| site.endpoint.secrets().masked()).collect()
    }

    /// The server that a session stays with.
    fn site(&self, session: u64) -> &TargetSite {
        &self.0.sites[self.place(session)]
    }

    /// Its place in `target.urls`, from 0.
    fn place(&self, session: u64) -> usize {
        usize::try_from(session % self.site_count()).unwrap_or(0)
    }

    /// The model's name, as the scenario has it.
    pub(super) fn model(&self) -> &str {
        &self.0.model
    }

    /// Opens so many connections before the load and says how many there are: none where each request has its own.
    pub async fn connect_ahead(&self, count: usize) -> usize {
        let sites = &self.0.sites;
        let each = count.div_ceil(sites.len());
        let opened = sites.iter().map(|site| site.pool.open_ahead(each));
        futures_util::future::join_all(opened).await.into_iter().sum()
    }

    /// Does what can be done before the prompt is due: writes the body.
    #[must_use]
    pub fn prepare(&self, prompt: Prompt) -> PreparedRequest {
        PreparedRequest { body: self.0.bodies.whole(&prompt), prompt, leaves_after: None }
    }

    /// A conversation of which nothing has been said yet.
    #[must_use]
    pub fn script(&self) -> EncodedConversation {
        EncodedConversation::written(self.0.bodies.api())
    }

    /// The same as [`HttpTarget::prepare`] where the prompt's messages are written already.
    #[must_use]
    pub fn extend(&self, prompt: Prompt, said: &EncodedConversation, asked: &EncodedMessage) -> PreparedRequest {
        PreparedRequest { body: self.0.bodies.extended(&prompt, said, asked), prompt, leaves_after: None }
    }

    /// Sends a prepared prompt and listens to the answer. `first_token` is told at the first token-bearing event, and dropped where
    /// none comes.
    pub async fn send(&self, prepared: &PreparedRequest, first_token: Option<oneshot::Sender<()>>) -> HttpExchange {
        let site = self.site(prepared.prompt.session);
        site.count_request();
        let mut listener = AnswerParser::new(self.0.bodies.api(), site.endpoint.secrets(), first_token);
        let place = u32::try_from(self.place(prepared.prompt.session)).unwrap_or(u32::MAX);
        listener.exchange.carriage.server = (self.site_count() > 1).then_some(place);
        let outcome = self.converse(prepared, &mut listener).await;
        let mut exchange = listener.exchange;
        if let Err(failure) = outcome {
            site.count_failure();
            exchange.done = self.0.clock.now();
            if matches!(failure.kind, FailureKind::Connect | FailureKind::Tls) {
                exchange.sent = exchange.done;
            }
            exchange.failure = Some(failure);
        }
        exchange
    }

    /// Sends a prepared prompt and hands over the body of its answer as it comes, whatever it says: what listening costs is measured beside it.
    /// Comes back with how many reads it took. Without limits of time.
    ///
    /// # Errors
    /// Where there is no connection, or what came over it was not HTTP.
    pub async fn read(&self, prepared: &PreparedRequest, mut take: impl FnMut(&[u8])) -> Result<u64, RequestFailure> {
        let site = self.site(prepared.prompt.session);
        let head = site.heads.head(prepared.prompt.user_id, prepared.body.length());
        let PooledConnection { mut connection, .. } = site.pool.take().await.map_err(|fault| broken(&fault))?;
        connection.write(&head, prepared.body.pieces()).await.map_err(|fault| broken(&fault))?;
        connection.head().await.map_err(|fault| broken(&fault))?;
        connection.relax();
        let mut reads = 0;
        while connection.more().await.map_err(|fault| broken(&fault))?.is_some() {
            reads += 1;
            while let Some(piece) = connection.piece().map_err(|fault| broken(&fault))? {
                take(piece);
            }
        }
        site.pool.give_back(connection, None);
        Ok(reads)
    }

    /// One request and its answer, up to the stamp `done` where it succeeds.
    async fn converse(&self, prepared: &PreparedRequest, listener: &mut AnswerParser<'_>) -> Result<(), RequestFailure> {
        let site = self.site(prepared.prompt.session);
        let head = site.heads.head(prepared.prompt.user_id, prepared.body.length());
        let begun = self.0.clock.now();
        listener.exchange.sent = begun;
        let limits = self.0.limits.leaving(prepared.leaves_after);
        let deadline = limits.before_first_token(begun);
        let mut guard = DeadlineTimer::new(self.0.clock);
        loop {
            let taken = guard.before(deadline, site.pool.take()).await?.map_err(|fault| broken(&fault))?;
            let PooledConnection { mut connection, connect, dead, timer } = taken;
            guard.adopt(timer);
            let carriage = &mut listener.exchange.carriage;
            carriage.connected = true;
            carriage.dead += dead;
            if let Some(connect) = connect {
                carriage.connect = Some(carriage.connect.unwrap_or_default() + connect);
            }
            carriage.attempts += 1;
            let sent = guard.before(deadline, connection.write(&head, prepared.body.pieces())).await?.map_err(|fault| broken(&fault));
            let answered = match sent {
                Ok(sent) => {
                    // What a server has put off was sent when it was sent first.
                    if listener.exchange.carriage.retries == 0 {
                        listener.exchange.sent = sent;
                        listener.exchange.carriage.handover = sent.since(begun);
                    }
                    self.answer(site, &mut connection, &mut guard, listener, limits).await
                }
                Err(failure) => Err(failure),
            };
            let died = connect.is_none() && !connection.is_answered() && is_break(&answered);
            connection.relax();
            site.pool.give_back(connection, guard.leave());
            if died && self.0.on_dead_connection == OnDeadConnection::Resend && listener.exchange.carriage.resent == 0 {
                listener.exchange.carriage.resent = 1;
                continue;
            }
            let Some(until) = self.next_attempt(&answered, listener) else { return answered };
            self.0.clock.sleep_until(until).await;
            listener.exchange.carriage.retries += 1;
            listener.exchange.headers = None;
        }
    }

    /// When a request is sent again that the server put off; `None` where it is not, or not within its limits.
    fn next_attempt(&self, answered: &Result<(), RequestFailure>, listener: &AnswerParser<'_>) -> Option<Micros> {
        let refused = answered.as_ref().err().filter(|failure| matches!(failure.kind, FailureKind::Http(429 | 503)));
        refused.filter(|_| self.0.retry_after == RetryAfterPolicy::Honour)?;
        let until = self.0.clock.now() + listener.exchange.carriage.asked_pause?;
        (until < self.0.limits.before_first_token(listener.exchange.sent).at).then_some(until)
    }

    async fn answer(
        &self,
        site: &TargetSite,
        connection: &mut HttpConnection,
        guard: &mut DeadlineTimer,
        listener: &mut AnswerParser<'_>,
        limits: RequestTimeouts,
    ) -> Result<(), RequestFailure> {
        let sent = listener.exchange.sent;
        let deadline = limits.before_first_token(sent);
        let (head, arrival) = guard.before(deadline, connection.head()).await?.map_err(|fault| broken(&fault))?;
        listener.exchange.headers = Some(arrival.not_before(sent).at);
        let carriage = &mut listener.exchange.carriage;
        carriage.rate_limited += u32::from(head.status == StatusCode::TOO_MANY_REQUESTS.as_u16());
        carriage.asked_pause = head.retry_after.as_deref().and_then(|header| retry_after::pause(header, jiff::Timestamp::now()));
        let asked_pause = carriage.asked_pause;
        self.check_head(site, &head, connection, deadline).await.map_err(|failure| self.put_off(failure, asked_pause))?;
        loop {
            let deadline = match listener.last_event_after_token() {
                Some(last_event) => limits.after_event(sent, last_event),
                None => limits.before_first_token(sent),
            };
            let came = guard.before(deadline, connection.more()).await?.map_err(|fault| broken(&fault))?;
            let Some(arrival) = came.map(|arrival| arrival.not_before(sent)) else {
                let at = self.0.clock.now();
                listener.exchange.done = at;
                return listener.end(at);
            };
            if arrival.at > deadline.at {
                return Err(deadline.missed());
            }
            // Read just now.
            guard.note(arrival.at + arrival.lag.unwrap_or_default());
            let before = listener.exchange.token_events.len();
            let outcome = hear(connection, listener, arrival.at);
            let events = listener.exchange.token_events.len() - before;
            if before == 0 && events > 0 {
                connection.relax();
            }
            listener.exchange.carriage.reads.take(arrival.lag, events);
            if outcome? == AnswerProgress::Done {
                listener.exchange.done = arrival.at;
                listener.judge(AnswerProgress::Done)?;
                self.linger(connection).await;
                return Ok(());
            }
        }
    }

    /// Whether the head promises an event stream; otherwise the server's own words are the best explanation there is.
    async fn check_head(
        &self,
        site: &TargetSite,
        head: &ResponseHead,
        connection: &mut HttpConnection,
        deadline: RequestDeadline,
    ) -> Result<(), RequestFailure> {
        let secrets = site.endpoint.secrets();
        let is_ok = head.status == StatusCode::OK.as_u16();
        let unstreamed = if is_ok { unstreamed(head, secrets) } else { None };
        if is_ok && unstreamed.is_none() {
            return Ok(());
        }
        let is_json = head.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/json"));
        if let Some(detail) = unstreamed.clone().filter(|_| !is_json) {
            return Err(RequestFailure { kind: FailureKind::MalformedStream, detail });
        }
        // A body that breaks or stalls still leaves the status.
        let body = self.0.clock.before(deadline.at, read(connection)).await.and_then(Result::ok).unwrap_or_default();
        if let Some(detail) = unstreamed {
            let words = whole_error(&body).map(|message| secrets.plain(&message)).filter(|words| !words.is_empty());
            let kind = if words.is_some() { FailureKind::ErrorEvent } else { FailureKind::MalformedStream };
            return Err(RequestFailure { kind, detail: words.unwrap_or(detail) });
        }
        let message = secrets.plain(&server_message(&body));
        let cure = refused_field(head.status, &message, &self.0.fields).map(|cure| format!("; {cure}")).unwrap_or_default();
        let reason = || StatusCode::from_u16(head.status).ok().and_then(|status| status.canonical_reason()).unwrap_or("no message");
        let mut detail = if message.is_empty() { reason().to_lowercase() } else { message };
        if let Some(location) = head.location.as_deref().filter(|_| (300..400).contains(&head.status)) {
            detail = format!("redirected to `{}`: {detail}", secrets.plain(&without_secrets(location)));
        }
        Err(RequestFailure { kind: FailureKind::Http(head.status), detail: format!("{detail}{cure}") })
    }

    /// What a server that has too much to do says of a pause is told with its refusal.
    fn put_off(&self, mut failure: RequestFailure, asked_pause: Option<Micros>) -> RequestFailure {
        if let (FailureKind::Http(429 | 503), Some(pause)) = (failure.kind, asked_pause) {
            let cure = match self.0.retry_after {
                RetryAfterPolicy::Ignore => "which `target.retry_after = \"honour\"` keeps",
                RetryAfterPolicy::Honour => "which the request's limits do not leave",
            };
            let asked = format!("; it asks for a pause of {} s, {cure}", pause.as_secs_f64());
            failure.detail.push_str(&asked);
        }
        failure
    }

    /// Reads on to the body's end where that comes at once: only then can the connection be used again.
    async fn linger(&self, connection: &mut HttpConnection) {
        let mut end = pin!(async {
            while let Ok(Some(_)) = connection.piece() {}
            while let Ok(Some(_)) = connection.more().await {
                while let Ok(Some(_)) = connection.piece() {}
            }
        });
        // Nearly always it came with the rest.
        if futures_util::poll!(end.as_mut()).is_pending() {
            // Where the end does not come the connection is closed, which costs the next request a new one.
            let _ = self.0.clock.before(self.0.clock.now() + LINGER, end).await;
        }
    }
}

/// Takes all that a read brought: its events share the stamp.
fn hear(connection: &mut HttpConnection, listener: &mut AnswerParser<'_>, at: Micros) -> Result<AnswerProgress, RequestFailure> {
    while let Some(piece) = connection.piece().map_err(|fault| broken(&fault))? {
        if listener.hear(at, piece)? == AnswerProgress::Done {
            return Ok(AnswerProgress::Done);
        }
    }
    Ok(AnswerProgress::More)
}

/// Reads an error's body up to a limit; the rest is left unread.
async fn read(connection: &mut HttpConnection) -> Result<Vec<u8>, WireError> {
    let mut body = Vec::new();
    while connection.more().await?.is_some() {
        while let Some(piece) = connection.piece()? {
            body.extend_from_slice(&piece[..piece.len().min(ERROR_BODY - body.len())]);
            if body.len() == ERROR_BODY {
                return Ok(body);
            }
        }
    }
    Ok(body)
}

/// The message of an error that came whole, in place of a stream.
fn whole_error(body: &[u8]) -> Option<String> {
    // The form of errors is the same in all APIs, and this one knows all its dialects.
    let event = ApiEvent::read(TargetApi::Chat, body).ok()?;
    event.told().error().map(Cow::into_owned)
}

/// Why a head with status 200 does not begin an event stream; `None` where it does. A missing content type is let pass.
fn unstreamed(head: &ResponseHead, secrets: &SecretValues) -> Option<String> {
    // As the head has them: in lower case, where a secret in its own letters would not be found.
    let plain = |text: &str| secrets.in_lower_case().plain(text);
    if let Some(encoding) = head.content_encoding.as_deref().filter(|encoding| !encoding.is_empty() && *encoding != "identity") {
        let encoding = plain(encoding);
        return Some(format!(
            "the answer is compressed with `{encoding}`, which was not asked for; switch compression off in the server or proxy"
        ));
    }
    let kind = head.content_type.as_deref().filter(|kind| !kind.starts_with("text/event-stream"))?;
    let kind = plain(kind.split(';').next().unwrap_or_default());
    Some(format!("the server answered with `{kind}` instead of an event stream; is the URL that of an OpenAI-compatible server?"))
}

/// Whether the connection broke.
fn is_break(answered: &Result<(), RequestFailure>) -> bool {
    answered.as_ref().is_err_and(|failure| failure.kind == FailureKind::ResetMidStream)
}

fn broken(fault: &WireError) -> RequestFailure {
    let (kind, detail) = match fault.kind {
        WireErrorKind::Connect => (FailureKind::Connect, format!("no connection: {fault}")),
        WireErrorKind::Tls => (FailureKind::Tls, format!("no TLS connection: {fault}")),
        WireErrorKind::Broken => (FailureKind::ResetMidStream, format!("the connection broke: {fault}")),
        WireErrorKind::Malformed => (FailureKind::MalformedStream, format!("the answer is not HTTP: {fault}")),
    };
    RequestFailure { kind, detail }
}
