//! The endpoints: each reads its body, asks the engine, and writes what came back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::json;

use super::answer_format::{AnswerEnd, AnswerHeader};
use super::breakable_connection::ConnectionBreaker;
use super::catalogue;
use super::completion_request::{CompletionRequest, UsageEvents};
use super::error::ApiError;
use super::metrics;
use super::stream::{AnswerStream, AnswerStreamStage};
use crate::engine::driver::{EngineHandle, EnginePrompt, EngineReply, EngineReplyReceiver};
use crate::engine::{BlockHashChain, EngineFault};
use crate::vocabulary::spec::engine::EngineFaultKind;
use crate::vocabulary::spec::target_api::TargetApi;

/// A prompt of a million tokens is some 6 MB.
const BODY_BYTES: usize = 64 << 20;

/// What every endpoint needs.
#[derive(Debug)]
pub(super) struct EngineServerState {
    pub(super) engine: EngineHandle,
    pub(super) model: Arc<str>,
    pub(super) block_tokens: u64,
    pub(super) context_limit: u64,
    /// When the server started, in seconds since the Unix epoch.
    pub(super) started: i64,
    pub(super) answers: AtomicU64,
}

type Shared = State<Arc<EngineServerState>>;

pub(super) fn router(served: EngineServerState) -> Router {
    let asked = |api: TargetApi| {
        post(move |State(served): Shared, ConnectInfo(breaker): ConnectInfo<ConnectionBreaker>, body: Bytes| async move {
            answer(&served, breaker, api, &body).await
        })
    };
    TargetApi::ALL
        .into_iter()
        .fold(Router::new(), |router, api| router.route(&format!("/v1/{}", api.path()), asked(api)))
        .route("/v1/models", get(models))
        .route("/health", get(|| async { StatusCode::OK }))
        .route("/version", get(|| async { Json(catalogue::version()) }))
        .route("/metrics", get(metrics_page))
        .route("/tokenize", post(tokenize))
        .route("/reset_prefix_cache", post(reset))
        .fallback(|| async { (StatusCode::NOT_FOUND, Json(json!({ "detail": "Not Found" }))) })
        .method_not_allowed_fallback(|| async { (StatusCode::METHOD_NOT_ALLOWED, Json(json!({ "detail": "Method Not Allowed" }))) })
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(Arc::new(served))
}

async fn answer(served: &EngineServerState, breaker: ConnectionBreaker, api: TargetApi, body: &[u8]) -> Result<Response, ApiError> {
    let ask = CompletionRequest::read(api, body, &served.model)?;
    let mut prompt = BlockHashChain::new(served.block_tokens);
    prompt.extend(&ask.tokens);
    let mut replies = served.engine.ask(EnginePrompt::Tokens(prompt), ask.max_tokens);
    let (prompt_tokens, answer, fault) = match replies.next().await {
        Some(EngineReply::Accepted { prompt_tokens, answer, fault }) => (prompt_tokens, answer, fault),
        Some(EngineReply::Refused(refusal)) => return Err(ApiError::too_long(&refusal)),
        Some(EngineReply::Tokens { .. }) | None => return Err(ApiError::Stopped),
    };
    if let Some(fault) = fault.filter(|fault| fault.kind == EngineFaultKind::Status) {
        return Err(ApiError::fault(&fault));
    }
    let number = served.answers.fetch_add(1, Ordering::Relaxed);
    let usage = ask.stream.unwrap_or(UsageEvents::Last);
    let header = AnswerHeader { api, number, created: now_s(), model: Arc::clone(&served.model), prompt_tokens, answer, usage };
    if ask.stream.is_some() {
        let stage = AnswerStreamStage::Head;
        return Ok(AnswerStream { header, replies, fault, breaker, stage, sent_tokens: 0 }.into_response());
    }
    whole(&header, replies, fault, &breaker).await
}

/// The answer as one object, when it is complete. Faults inside a stream strike in its place.
async fn whole(
    header: &AnswerHeader,
    mut replies: EngineReplyReceiver,
    fault: Option<EngineFault>,
    breaker: &ConnectionBreaker,
) -> Result<Response, ApiError> {
    let kind = fault.map(|fault| fault.kind);
    match kind {
        Some(EngineFaultKind::Stall) => std::future::pending().await,
        Some(EngineFaultKind::Reset) => {
            breaker.strike();
            let broken = stream::iter([Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))]);
            return Ok(Body::from_stream(broken).into_response());
        }
        Some(EngineFaultKind::MalformedEvent) => {
            return Ok(([(header::CONTENT_TYPE, "application/json")], "{\"id\": \"chatcmpl-broken\", \"choices\": [{").into_response());
        }
        Some(EngineFaultKind::NoToken) => {
            let end = AnswerEnd { tokens: 0, cached_tokens: 0, is_cut: false, hides_usage: false };
            return Ok(Json(header.whole(&end)).into_response());
        }
        Some(EngineFaultKind::NoUsage | EngineFaultKind::Status | EngineFaultKind::WrongAnswer) | None => {}
    }
    let mut tokens = 0;
    loop {
        let Some(EngineReply::Tokens { stamps, cached_tokens, last }) = replies.next().await else { return Err(ApiError::Stopped) };
        tokens += stamps.len() as u64;
        if last {
            let header = header.with_fault(fault, cached_tokens);
            let end = AnswerEnd { tokens, cached_tokens, is_cut: true, hides_usage: kind == Some(EngineFaultKind::NoUsage) };
            return Ok(Json(header.whole(&end)).into_response());
        }
    }
}

async fn models(State(served): Shared) -> Response {
    Json(catalogue::models(&served.model, served.started, served.context_limit)).into_response()
}

async fn tokenize(State(served): Shared, body: Bytes) -> Result<Response, ApiError> {
    Ok(Json(catalogue::tokenize(&body, &served.model, served.context_limit)?).into_response())
}

async fn metrics_page(State(served): Shared) -> Result<Response, ApiError> {
    let snapshot = served.engine.observe().await.ok_or(ApiError::Stopped)?;
    let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((headers, metrics::page(&served.model, &snapshot)).into_response())
}

/// Empties the device's cache and all tiers.
async fn reset(State(served): Shared) -> Result<StatusCode, ApiError> {
    if served.engine.reset().await { Ok(StatusCode::OK) } else { Err(ApiError::Stopped) }
}

pub(super) fn now_s() -> i64 {
    jiff::Timestamp::now().as_second()
}
