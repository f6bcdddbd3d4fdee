//! One answer as server-sent events: what opens it, an event a token, and what closes it, as its API has them; or what is to go wrong instead.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::answer_format::{AnswerEnd, AnswerHeader};
use super::breakable_connection::ConnectionBreaker;
use crate::engine::EngineFault;
use crate::engine::driver::{EngineReply, EngineReplyReceiver};
use crate::vocabulary::spec::engine::EngineFaultKind;

/// An accepted answer on its way to the client.
pub(super) struct AnswerStream {
    pub(super) header: AnswerHeader,
    pub(super) replies: EngineReplyReceiver,
    pub(super) fault: Option<EngineFault>,
    pub(super) breaker: ConnectionBreaker,
    pub(super) stage: AnswerStreamStage,
    pub(super) sent_tokens: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerStreamStage {
    Head,
    Tokens,
    Over,
}

impl AnswerStream {
    /// The response, whose body is written as the tokens come. When the client goes, the body is dropped, and the engine is told.
    pub(super) fn into_response(self) -> Response {
        let events = stream::unfold(self, async |mut answering| answering.next().await.map(|bytes| (bytes, answering)));
        let headers = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
        (headers, Body::from_stream(events)).into_response()
    }

    /// The next bytes of the body.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.stage == AnswerStreamStage::Head {
            self.stage = AnswerStreamStage::Tokens;
            let opening = self.header.opening();
            if !opening.is_empty() {
                return Some(Ok(opening.into()));
            }
        }
        if self.stage == AnswerStreamStage::Over {
            return None;
        }
        if let Some(fault) = self.fault.filter(|fault| self.sent_tokens >= fault.after_tokens) {
            match fault.kind {
                EngineFaultKind::Stall => std::future::pending().await,
                EngineFaultKind::Reset => {
                    // A body that is not ready is a reason to flush: what was sent before must reach the client.
                    tokio::task::yield_now().await;
                    self.stage = AnswerStreamStage::Over;
                    self.breaker.strike();
                    return Some(Err(io::ErrorKind::ConnectionReset.into()));
                }
                EngineFaultKind::MalformedEvent => {
                    self.fault = None;
                    return Some(Ok(Bytes::from_static(b"data: {\"id\": \"chatcmpl-broken\", \"choices\": [{\n\n")));
                }
                EngineFaultKind::NoToken => {
                    self.stage = AnswerStreamStage::Over;
                    let end = AnswerEnd { tokens: 0, cached_tokens: 0, is_cut: false, hides_usage: false };
                    return Some(Ok(self.header.closing(&end).into()));
                }
                EngineFaultKind::Status | EngineFaultKind::NoUsage | EngineFaultKind::WrongAnswer => {}
            }
        }
        self.tokens().await
    }

    async fn tokens(&mut self) -> Option<io::Result<Bytes>> {
        let Some(EngineReply::Tokens { stamps, cached_tokens, last }) = self.replies.next().await else {
            // The engine is being stopped.
            self.stage = AnswerStreamStage::Over;
            return Some(Err(io::ErrorKind::ConnectionAborted.into()));
        };
        let mut text = String::new();
        let header = self.header.with_fault(self.fault, cached_tokens);
        let end = self.sent_tokens + stamps.len() as u64;
        for index in self.sent_tokens..end {
            text += &header.token(index, last && index + 1 == end);
        }
        self.sent_tokens = end;
        if last {
            self.stage = AnswerStreamStage::Over;
            let hides_usage = self.fault.is_some_and(|fault| fault.kind == EngineFaultKind::NoUsage);
            text += &header.closing(&AnswerEnd { tokens: end, cached_tokens, is_cut: true, hides_usage });
        }
        Some(Ok(text.into()))
    }
}
