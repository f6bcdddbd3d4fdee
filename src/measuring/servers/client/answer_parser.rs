//! What an answer's bytes mean, purely: buffers and the moments they came go in, an [`HttpExchange`] grows, and a [`RequestFailure`] comes out where
//! the stream is none. Knows no socket, so that recorded streams can be replayed with any stamps.

use tokio::sync::oneshot;

use super::HttpExchange;
use super::api::{self, AnswerEvent, AnswerFinish, ApiEvent, PromptCounts, TokenKind, UsageCountError};
use super::event_template::TokenEventTemplate;
use super::silent::{SilentEvent, SilentEvents};
use super::sse::{EventTooLongError, SseDecoder, SseEvent};
use crate::foundation::clock::Micros;
use crate::records::record::{FailureKind, RequestFailure};
use crate::servers::endpoint::{SecretValues, server_message};
use crate::vocabulary::spec::target_api::TargetApi;

/// Whether an answer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerProgress {
    /// Something may follow.
    More,
    /// `[DONE]` came, or what an API has in its place: whatever follows is no part of the answer.
    Done,
}

/// Listens to one answer.
#[derive(Debug)]
pub(super) struct AnswerParser<'a> {
    pub(super) exchange: HttpExchange,
    api: TargetApi,
    decoder: SseDecoder,
    alike: TokenEventTemplate,
    silent: SilentEvents,
    /// What was told of the prompt before the answer's counts.
    prompt: PromptCounts,
    secrets: &'a SecretValues,
    first_token: Option<oneshot::Sender<()>>,
    /// Events so far, of any kind.
    events: u64,
    last_event: Option<Micros>,
    /// A `finish_reason` came, or what an API calls it.
    finished: bool,
}

impl<'a> AnswerParser<'a> {
    pub(super) fn new(api: TargetApi, secrets: &'a SecretValues, first_token: Option<oneshot::Sender<()>>) -> Self {
        Self {
            exchange: HttpExchange::default(),
            api,
            decoder: SseDecoder::default(),
            alike: TokenEventTemplate::default(),
            silent: SilentEvents::default(),
            prompt: PromptCounts::default(),
            secrets,
            first_token,
            events: 0,
            last_event: None,
            finished: false,
        }
    }

    /// When the last event came, once there has been a token.
    pub(super) fn last_event_after_token(&self) -> Option<Micros> {
        self.last_event.filter(|_| !self.exchange.token_events.is_empty())
    }

    /// Takes one network buffer: all its events share the stamp.
    pub(super) fn hear(&mut self, at: Micros, mut bytes: &[u8]) -> Result<AnswerProgress, RequestFailure> {
        // Taken out for the loop: an event borrows the decoder while the rest of the listener is written.
        let mut decoder = std::mem::take(&mut self.decoder);
        let heard = loop {
            match decoder.next_event(&mut bytes) {
                Ok(Some(event)) => match self.take(at, event) {
                    Ok(AnswerProgress::More) => {}
                    heard => break heard,
                },
                Ok(None) => break Ok(AnswerProgress::More),
                Err(EventTooLongError) => break Err(malformed(EventTooLongError.to_string())),
            }
        };
        self.decoder = decoder;
        heard
    }

    /// The stream closed in order: what was heard is judged.
    pub(super) fn end(&mut self, at: Micros) -> Result<(), RequestFailure> {
        let mut decoder = std::mem::take(&mut self.decoder);
        let done = match decoder.finish() {
            // The end of the stream may have cut an event anywhere: what cannot be read was never sent whole.
            Ok(Some(event)) if event.is_error || is_done(event.data) || ApiEvent::read(self.api, event.data).is_ok() => {
                self.take(at, event)?
            }
            _ => AnswerProgress::More,
        };
        self.judge(done)
    }

    /// Whether the answer is one, now that it is over.
    pub(super) fn judge(&mut self, heard: AnswerProgress) -> Result<(), RequestFailure> {
        self.silent.settle(&mut self.exchange);
        if heard == AnswerProgress::More && !self.finished {
            let detail = format!("the stream closed after {} events with {}", self.events, api::ending(self.api));
            return Err(RequestFailure { kind: FailureKind::Truncated, detail });
        }
        if self.exchange.token_events.is_empty() {
            let detail = format!("the answer ended in order after {} events, none of which carried a token", self.events);
            return Err(RequestFailure { kind: FailureKind::NoToken, detail });
        }
        if self.exchange.usage.is_some_and(|usage| usage.output_tokens == 0) {
            let name = api::output_count(self.api);
            let came = format!("`{name}` is 0 after {} events with tokens", self.exchange.token_events.len());
            return Err(wrong_usage(self.api, self.events, &came));
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, at: Micros, SseEvent { data, is_error }: SseEvent<'_>) -> Result<AnswerProgress, RequestFailure> {
        self.events += 1;
        self.last_event = Some(at);
        self.exchange.first_event.get_or_insert(at);
        if is_error {
            return Err(RequestFailure { kind: FailureKind::ErrorEvent, detail: self.told(&server_message(data)) });
        }
        if is_done(data) {
            return Ok(AnswerProgress::Done);
        }
        // Learned from an event that was counted as a token.
        if let Some((kind, token)) = self.alike.token(data) {
            self.exchange.token_events.push(at);
            self.exchange.reasoning_events += u64::from(kind == TokenKind::Reasoning);
            text_of(&mut self.exchange, kind).push_str(token);
            return Ok(AnswerProgress::More);
        }
        self.read(at, data)
    }

    /// Reads an event that is like none before it. Apart, so that what is done for every token stays small.
    #[inline(never)]
    fn read(&mut self, at: Micros, data: &[u8]) -> Result<AnswerProgress, RequestFailure> {
        let read = ApiEvent::read(self.api, data).map_err(|error| malformed(self.unreadable(&error)))?;
        let event = read.told();
        if let Some(message) = event.error() {
            return Err(RequestFailure { kind: FailureKind::ErrorEvent, detail: self.told(&message) });
        }
        self.count(at, event)?;
        // An answer of one token has no further event by its template.
        if self.exchange.token_events.len() > 1 {
            self.alike.learn(data, event.only_token());
        }
        match event.finish() {
            Some(AnswerFinish::GivenUp(reason)) => {
                let reason = self.secrets.plain(reason);
                let detail = format!("the server gave the answer up: `finish_reason` is `{reason}`");
                return Err(RequestFailure { kind: FailureKind::ErrorEvent, detail });
            }
            Some(AnswerFinish::Whole) => self.finished = true,
            Some(AnswerFinish::Over) => return Ok(AnswerProgress::Done),
            None => {}
        }
        Ok(AnswerProgress::More)
    }

    fn count(&mut self, at: Micros, chunk: &dyn AnswerEvent<'_>) -> Result<(), RequestFailure> {
        let usage = chunk.usage(&mut self.prompt).map_err(|UsageCountError(count)| wrong_usage(self.api, self.events, &count))?;
        let exchange = &mut self.exchange;
        let is_first = exchange.token_events.is_empty();
        let (mut texts, mut reasoning) = (0, 0);
        chunk.each_text(&mut |kind, text| {
            texts += 1;
            reasoning += usize::from(kind == TokenKind::Reasoning);
            text_of(exchange, kind).push_str(text);
            if is_first {
                exchange.first_event_text.push_str(text);
            }
        });
        // A count that only comes at the end tells nothing of the event that it comes with.
        let counted_before = exchange.usage.map_or(u64::MAX, |usage| usage.output_tokens);
        if texts == 0 && chunk.is_silent(!is_first) {
            let is_counted = usage.is_some_and(|usage| usage.output_tokens > counted_before);
            let is_reasoning = exchange.first_answer.is_none() && exchange.reasoning_events > 0;
            let event = SilentEvent { at, ends: chunk.finish().is_some(), is_reasoning };
            if is_counted {
                event.enter(exchange);
            } else {
                self.silent.note(event);
            }
        } else if texts > 0 {
            exchange.token_events.push(at);
            if reasoning == texts {
                exchange.reasoning_events += 1;
            } else {
                exchange.first_answer.get_or_insert(at);
            }
        }
        if is_first && !exchange.token_events.is_empty() {
            exchange.first_event_tokens = usage.and_then(|usage| u32::try_from(usage.output_tokens).ok()).filter(|&n| n > 0);
            if let Some(first_token) = self.first_token.take() {
                // Nobody may be waiting any more.
                let _ = first_token.send(());
            }
        }
        if let Some(mut usage) = usage {
            // Usage beside the choices leaves out what is cached; once told it holds.
            let before = exchange.usage.unwrap_or_default();
            usage.cached_tokens = usage.cached_tokens.or(before.cached_tokens);
            usage.reasoning_tokens = usage.reasoning_tokens.or(before.reasoning_tokens);
            exchange.usage = Some(usage);
        }
        Ok(())
    }

    /// The server's own words; a sentence also where there are none.
    fn told(&self, message: &str) -> String {
        let plain = self.secrets.plain(message);
        if plain.is_empty() { format!("event {} of the stream is an error without a message", self.events) } else { plain }
    }

    /// Says where and how, but not what: the event may hold a piece of the answer.
    fn unreadable(&self, error: &serde_json::Error) -> String {
        let how = if error.is_data() { "is JSON, but no chunk of an answer" } else { "is not JSON" };
        format!("event {} of the stream {how}", self.events)
    }
}

/// Where the text of a token belongs.
fn text_of(exchange: &mut HttpExchange, kind: TokenKind) -> &mut String {
    match kind {
        TokenKind::Answer => &mut exchange.answer,
        TokenKind::Reasoning => &mut exchange.reasoning,
        TokenKind::ToolCall => &mut exchange.tool_calls,
    }
}

fn is_done(data: &[u8]) -> bool {
    data.trim_ascii() == b"[DONE]"
}

/// A server that cannot count is not believed, and what the request measured would be wrong by the same count.
fn wrong_usage(api: TargetApi, event: u64, count: &str) -> RequestFailure {
    // Only where usage has to be asked for can it be left out.
    let asked = api.own_fields().contains(&"stream_options");
    let cure = if asked { "; with `target.body.stream_options.include_usage = false` the token rule counts" } else { "" };
    malformed(format!("`usage` in event {event} of the stream cannot be: {count}{cure}"))
}

fn malformed(detail: String) -> RequestFailure {
    RequestFailure { kind: FailureKind::MalformedStream, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::TokenUsage;

    const STREAM: &str = include_str!("../../../../tests/fixtures/engine/vllm_stream.sse");
    const CONTINUOUS: &str = include_str!("../../../../tests/fixtures/engine/vllm_stream_continuous_usage.sse");
    const RESPONSES: &str = include_str!("../../../../tests/fixtures/engine/responses.sse");
    const MESSAGES: &str = include_str!("../../../../tests/fixtures/engine/messages.sse");

    fn played(stream: &str) -> (HttpExchange, Result<(), RequestFailure>) {
        played_by(TargetApi::Chat, stream)
    }

    /// Plays a stream event by event, the n-th (from 1) at n × 1,000 µs.
    fn played_by(api: TargetApi, stream: &str) -> (HttpExchange, Result<(), RequestFailure>) {
        let secrets = SecretValues::default();
        let mut listener = AnswerParser::new(api, &secrets, None);
        let mut at = 0;
        let verdict = 'verdict: {
            for event in stream.split_inclusive("\n\n") {
                at += 1000;
                match listener.hear(Micros(at), event.as_bytes()) {
                    Ok(AnswerProgress::More) => {}
                    Ok(AnswerProgress::Done) => break 'verdict listener.judge(AnswerProgress::Done),
                    Err(failure) => break 'verdict Err(failure),
                }
            }
            listener.end(Micros(at))
        };
        (listener.exchange, verdict)
    }

    fn failure(stream: &str) -> RequestFailure {
        played(stream).1.unwrap_err()
    }

    #[test]
    fn a_recorded_answer_of_twelve_tokens_has_twelve_token_events_one_of_them_without_text() {
        // Event 1 is the role, event 3 an empty delta (half a character), event 14 the usage, event 15 `[DONE]`.
        let (exchange, verdict) = played(STREAM);
        assert_eq!(verdict, Ok(()));
        assert_eq!(exchange.first_event, Some(Micros(1000)));
        let expected: Vec<Micros> = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map(|n| Micros(n * 1000)).into();
        assert_eq!(exchange.token_events, expected);
        assert_eq!(
            exchange.usage,
            Some(TokenUsage { prompt_tokens: 28, output_tokens: 12, reasoning_tokens: None, cached_tokens: Some(0) })
        );
        assert_eq!(exchange.first_event_tokens, None);
        assert!(exchange.answer.starts_with("ze\u{fffd}levelcounted"), "{}", exchange.answer);
        assert!(exchange.answer.ends_with(" aspicklestandardreturn itera"), "{}", exchange.answer);
    }

    #[test]
    fn typed_events_make_the_same_exchange_in_both_apis() {
        for (api, stream, first) in [(TargetApi::Responses, RESPONSES, 5), (TargetApi::Messages, MESSAGES, 4)] {
            let (exchange, verdict) = played_by(api, stream);
            assert_eq!(verdict, Ok(()), "{api:?}");
            assert_eq!((exchange.token_events.len(), exchange.reasoning_events), (10, 4), "{api:?}");
            assert_eq!(exchange.token_events[..2], [Micros(first * 1000), Micros((first + 1) * 1000)], "{api:?}");
            assert_eq!(exchange.first_answer, Some(exchange.token_events[4]), "{api:?}");
            assert_eq!(
                (exchange.answer.as_str(), exchange.reasoning.as_str()),
                ("Hello \"there\"! Good day.", "The user greets."),
                "{api:?}"
            );
            let usage = exchange.usage.unwrap();
            assert_eq!((usage.prompt_tokens, usage.output_tokens, usage.cached_tokens), (25, 10, Some(16)), "{api:?}");
        }
    }

    #[test]
    fn what_a_real_engine_sends_is_the_same_answer_in_both_apis() {
        let recorded = [
            (TargetApi::Responses, include_str!("../../../../tests/fixtures/engine/vllm_responses.sse"), 5),
            (TargetApi::Messages, include_str!("../../../../tests/fixtures/engine/vllm_messages.sse"), 3),
        ];
        for (api, stream, first) in recorded {
            let (exchange, verdict) = played_by(api, stream);
            assert_eq!((verdict, exchange.answer.as_str()), (Ok(()), "\n\n connectnettleHAVECre okailPARATOR"), "{api:?}");
            let expected: Vec<Micros> = (first..first + 8).map(|n| Micros(n * 1000)).collect();
            assert_eq!((exchange.token_events, exchange.first_answer), (expected.clone(), Some(expected[0])), "{api:?}");
            let usage = exchange.usage.unwrap();
            assert_eq!((usage.prompt_tokens, usage.output_tokens, usage.cached_tokens), (43, 8, Some(0)), "{api:?}");
        }
    }

    #[test]
    fn typed_streams_that_break_off_or_report_an_error_are_failures() {
        for (api, stream, last, error) in [
            (
                TargetApi::Responses,
                RESPONSES,
                "event: response.completed",
                r#"{"type":"error","code":"server_error","message":"out of memory"}"#,
            ),
            (
                TargetApi::Messages,
                MESSAGES,
                "event: message_delta",
                r#"{"type":"error","error":{"type":"api_error","message":"out of memory"}}"#,
            ),
        ] {
            let begun = &stream[..stream.find(last).unwrap()];
            let cut = played_by(api, begun).1.unwrap_err();
            assert_eq!(cut.kind, FailureKind::Truncated);
            assert!(cut.detail.ends_with(api::ending(api)), "{}", cut.detail);
            for name in ["event: error\n", ""] {
                let failed = played_by(api, &format!("{begun}{name}data: {error}\n\n")).1.unwrap_err();
                assert_eq!((failed.kind, failed.detail.as_str()), (FailureKind::ErrorEvent, "out of memory"));
            }
            let nothing =
                stream.split_inclusive("\n\n").filter(|event| !event.contains("_delta") && !event.contains(".delta")).collect::<String>();
            assert_eq!(played_by(api, &nothing).1.map_err(|failure| failure.kind), Err(FailureKind::NoToken));
        }
    }

    #[test]
    fn continuous_usage_tells_the_tokens_of_the_first_event() {
        let (exchange, verdict) = played(CONTINUOUS);
        assert_eq!(verdict, Ok(()));
        // The empty delta in between is a token: the count grows with it.
        assert_eq!(exchange.token_events, [Micros(2000), Micros(3000), Micros(4000)]);
        assert_eq!(exchange.first_event_tokens, Some(1));
        assert_eq!(
            exchange.usage,
            Some(TokenUsage { prompt_tokens: 28, output_tokens: 3, reasoning_tokens: None, cached_tokens: Some(0) })
        );
        let later: String = CONTINUOUS.split_inclusive("\n\n").skip(3).collect();
        assert_eq!(played(&later).0.first_event_tokens, Some(3));
    }

    #[test]
    fn events_of_one_read_share_its_stamp() {
        let secrets = SecretValues::default();
        let mut listener = AnswerParser::new(TargetApi::Chat, &secrets, None);
        assert_eq!(listener.hear(Micros(7), STREAM.as_bytes()), Ok(AnswerProgress::Done));
        assert_eq!(listener.judge(AnswerProgress::Done), Ok(()));
        assert_eq!(listener.exchange.token_events, [Micros(7); 12]);
    }

    #[test]
    fn the_first_token_is_told_once_and_at_the_token() {
        let secrets = SecretValues::default();
        let (sender, mut receiver) = oneshot::channel();
        let mut listener = AnswerParser::new(TargetApi::Chat, &secrets, Some(sender));
        let (role, rest) = STREAM.split_at(STREAM.find("\n\n").unwrap() + 2);
        listener.hear(Micros(1), role.as_bytes()).unwrap();
        assert!(receiver.try_recv().is_err());
        assert_eq!(listener.last_event_after_token(), None);
        listener.hear(Micros(2), rest.as_bytes()).unwrap();
        assert_eq!(receiver.try_recv(), Ok(()));
    }

    #[test]
    fn the_end_of_a_stream_is_judged() {
        let token = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n";
        let stop = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
        assert_eq!(played(&format!("{token}data: [DONE]\n\n")).1, Ok(()));
        assert_eq!(played(&format!("{token}{stop}")).1, Ok(()));
        assert_eq!(played(&format!("{token}data: [DONE]")).1, Ok(()));
        assert_eq!(played(&format!("{token}{stop}data: {{\"choi")).1, Ok(()));
        assert_eq!(failure(token).kind, FailureKind::Truncated);
        assert_eq!(failure(&format!("{token}data: {{\"choi")).kind, FailureKind::Truncated);
        assert_eq!(failure("").kind, FailureKind::Truncated);
        assert_eq!(failure(stop).kind, FailureKind::NoToken);
        assert_eq!(failure("data: [DONE]\n\n").kind, FailureKind::NoToken);
    }

    #[test]
    fn an_event_that_cannot_be_read_is_named_and_not_quoted() {
        let no_json = failure("data: hush\n\n");
        assert_eq!(no_json.kind, FailureKind::MalformedStream);
        assert_eq!(no_json.detail, "event 1 of the stream is not JSON");
        let no_chunk = failure("data: {\"choices\":\"hush\"}\n\n");
        assert_eq!(no_chunk.detail, "event 1 of the stream is JSON, but no chunk of an answer");
    }

    #[test]
    fn errors_inside_a_stream_are_failures_and_keep_what_came_before() {
        let token = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
        let (exchange, verdict) = played(&format!("{token}data: {{\"error\":{{\"message\":\"out of\\nmemory\",\"code\":500}}}}\n\n"));
        assert_eq!(verdict, Err(RequestFailure { kind: FailureKind::ErrorEvent, detail: "out of memory".into() }));
        assert_eq!(exchange.token_events, [Micros(1000)]);
        let silent = failure("data: {\"error\":{\"message\":\" \\n\",\"code\":500}}\n\n");
        assert_eq!(silent.detail, "event 1 of the stream is an error without a message");
        let given_up = failure("data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"abort\"}]}\n\n");
        assert_eq!(given_up.kind, FailureKind::ErrorEvent);
    }
}
