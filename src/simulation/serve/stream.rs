//! One answer as server-sent events: a role-only event first (chat), an event a token, the usage last, then `[DONE]`; or what is to go
//! wrong instead.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};

use super::breakable_connection::ConnectionBreaker;
use super::completion::{CompletionHeader, usage};
use super::completion_request::{ServedApi, UsageEvents};
use crate::simulation::engine::driver::{EngineReply, EngineReplyReceiver};
use crate::simulation::engine::{EngineAnswer, EngineFault};
use crate::vocabulary::spec::engine::EngineFaultKind;

/// An accepted answer on its way to the client.
pub(super) struct AnswerStream {
    pub(super) header: CompletionHeader,
    pub(super) usage: UsageEvents,
    pub(super) prompt_tokens: u64,
    pub(super) answer: EngineAnswer,
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
            if self.header.api == ServedApi::Chat {
                return Some(Ok(event(&self.role()).into()));
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
                    let end = self.header.chunk(&self.header.api.piece("", Some("stop")));
                    return Some(Ok((event(&end) + &self.tail(0)).into()));
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
        let answer = self.answer.with_fault(self.fault, cached_tokens);
        let end = self.sent_tokens + stamps.len() as u64;
        for index in self.sent_tokens..end {
            let finish = (last && index + 1 == end).then_some("length");
            let mut chunk = self.header.chunk(&self.header.api.piece(answer.word(index), finish));
            self.add_usage(&mut chunk, index + 1);
            text += &event(&chunk);
        }
        self.sent_tokens = end;
        if last {
            self.stage = AnswerStreamStage::Over;
            text += &self.tail(cached_tokens);
        }
        Some(Ok(text.into()))
    }

    fn role(&self) -> Value {
        let choice = json!({ "index": 0, "delta": { "role": "assistant", "content": "" }, "logprobs": null, "finish_reason": null });
        let mut chunk = self.header.chunk(&choice);
        self.add_usage(&mut chunk, 0);
        chunk
    }

    fn add_usage(&self, chunk: &mut Value, output_tokens: u64) {
        if self.usage == UsageEvents::Continuous {
            chunk["usage"] = usage(self.prompt_tokens, output_tokens, None);
        }
    }

    /// What ends a stream: the usage, where it was asked for, and the mark.
    fn tail(&self, cached_tokens: u64) -> String {
        let hidden = self.fault.is_some_and(|fault| fault.kind == EngineFaultKind::NoUsage);
        let mut text = String::new();
        if self.usage != UsageEvents::No && !hidden {
            let mut last = self.header.chunk(&Value::Null);
            last["choices"] = json!([]);
            last["usage"] = usage(self.prompt_tokens, self.sent_tokens, Some(cached_tokens));
            text += &event(&last);
        }
        text + "data: [DONE]\n\n"
    }
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}
