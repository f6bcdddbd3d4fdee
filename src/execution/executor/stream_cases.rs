//! Streams that servers and proxies send, byte by byte with made-up times, and what is true of each: a token every 10 ms where nothing else is
//! said, the first one 10 ms after sending. From the bytes to the row that is saved.

use serde_json::{Value, json};

use super::row::{LoadSnapshot, ScheduledRequest};
use super::sequential_loop::{InFlightCounters, RequestResult};
use super::token_counts::{TokenCounts, TokenRuleCounts};
use crate::foundation::clock::Micros;
use crate::records::record::{FailureKind, FirstEventSource, RequestFailure, RequestPhase, RequestRecord, TokenSource};
use crate::servers::client::{HttpExchange, replay_at};
use crate::vocabulary::spec::target_api::TargetApi;

/// A stream as it is being written.
#[derive(Default)]
struct StreamScript {
    now: u64,
    pieces: Vec<(Micros, String)>,
}

impl StreamScript {
    fn raw(mut self, text: &str) -> Self {
        self.pieces.push((Micros(self.now), text.to_owned()));
        self
    }

    fn wait(mut self, milliseconds: u64) -> Self {
        self.now += milliseconds * 1000;
        self
    }

    fn event(self, event: &Value) -> Self {
        self.raw(&format!("data: {event}\n\n"))
    }

    /// So many words, one in 10 ms, as this field of the delta.
    fn words(self, count: u64, field: &str) -> Self {
        (0..count).fold(self, |stream, place| stream.wait(10).event(&delta(&json!({ field: format!("w{place} ") }))))
    }

    fn end(self, finish: &str, usage: Option<Value>) -> Self {
        let stream = self.event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}));
        let stream = match usage {
            Some(usage) => stream.event(&json!({"choices": [], "usage": usage})),
            None => stream,
        };
        stream.raw("data: [DONE]\n\n")
    }

    fn exchange(&self) -> HttpExchange {
        replay_at(TargetApi::Chat, self.pieces.iter().map(|(at, piece)| (*at, piece.as_bytes())))
    }

    /// The row; where the server counts nothing, by the estimate of four characters a token.
    fn row(&self) -> RequestRecord {
        let exchange = self.exchange();
        let estimate = |text: &str| text.chars().count().div_ceil(4) as u64;
        let counts = match (&exchange.usage, &exchange.failure) {
            (None, None) => TokenCounts::counted(
                200,
                &exchange,
                TokenRuleCounts {
                    answer: estimate(&exchange.answer),
                    reasoning: estimate(&exchange.reasoning),
                    tool_calls: estimate(&exchange.tool_calls),
                    first_event: estimate(&exchange.first_event_text),
                    is_estimate: true,
                },
            ),
            _ => TokenCounts::told(&exchange),
        };
        let at_send = LoadSnapshot::entering(&InFlightCounters::default());
        let sent = ScheduledRequest { session: 0, turn: 0, lane: 0, phase: RequestPhase::Measure, intended: Micros(0), at_send };
        RequestResult::of(sent, exchange, counts).record
    }
}

fn delta(delta: &Value) -> Value {
    json!({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn usage(tokens: u64) -> Value {
    json!({"prompt_tokens": 200, "completion_tokens": tokens, "total_tokens": 200 + tokens})
}

/// Milliseconds, to the microsecond.
#[expect(clippy::cast_possible_truncation, reason = "small times")]
fn ms(seconds: Option<f64>) -> Option<i64> {
    seconds.map(|seconds| (seconds * 1e6).round() as i64)
}

fn plain() -> StreamScript {
    StreamScript::default().words(40, "content").end("length", Some(usage(40)))
}

#[test]
fn plain_has_forty_tokens_at_ten_milliseconds_each() {
    let row = plain().row();
    assert_eq!((row.output_tokens, ms(row.tpot_s()), ms(row.ttft_s())), (Some(40), Some(10_000), Some(10_000)));
    assert_eq!((row.first_answer_us, row.token_events, row.token_reads), (Some(Micros(10_000)), Some(40), Some(40)));
    assert_eq!((row.first_event_tokens, row.first_event_source), (Some(1), Some(FirstEventSource::Events)));
    assert_eq!((row.reasoning_tokens, row.hidden_tokens, row.failure), (Some(0), None, None));
}

#[test]
fn reasoning_uncounted_is_forty_tokens_and_the_first_of_the_answer_is_the_thirty_seventh() {
    let row = StreamScript::default().words(36, "reasoning_content").words(4, "content").end("stop", None).row();
    assert_eq!((row.output_tokens, row.reasoning_tokens, row.token_source), (Some(40), Some(36), TokenSource::TokenRule));
    assert_eq!((ms(row.tpot_s()), ms(row.ttft_s())), (Some(10_000), Some(10_000)));
    assert_eq!(row.first_answer_us, Some(Micros(370_000)));
}

#[test]
fn only_reasoning_uncounted_is_forty_tokens_and_no_answer() {
    let row = StreamScript::default().words(40, "reasoning_content").end("length", None).row();
    assert_eq!((row.output_tokens, row.reasoning_tokens, row.first_answer_us), (Some(40), Some(40), None));
    assert_eq!((ms(row.tpot_s()), row.failure), (Some(10_000), None));
}

#[test]
fn hidden_reasoning_is_told_apart_and_divides_nothing() {
    let counts =
        json!({"prompt_tokens": 200, "completion_tokens": 40, "total_tokens": 240, "completion_tokens_details": {"reasoning_tokens": 36}});
    let row = StreamScript::default().wait(900).words(4, "content").end("stop", Some(counts)).row();
    assert_eq!((row.output_tokens, row.reasoning_tokens, row.hidden_tokens), (Some(4), Some(0), Some(36)));
    assert_eq!((ms(row.tpot_s()), ms(row.ttft_s())), (Some(10_000), Some(910_000)));
}

fn bundled(counts_each: bool) -> StreamScript {
    let mut sent = 0;
    [16, 8, 8, 8]
        .into_iter()
        .fold(StreamScript::default(), |stream, size| {
            sent += size;
            let words = (0..size).map(|place| format!("word{place} ")).collect::<Vec<_>>().concat();
            let mut event = delta(&json!({ "content": words }));
            if counts_each {
                event["usage"] = usage(sent);
            }
            stream.wait(80).event(&event)
        })
        .end("length", Some(usage(40)))
}

#[test]
fn bundled_tokens_take_ten_milliseconds_each_by_continuous_usage_and_by_the_share_of_the_text() {
    for (counts_each, source) in [(true, FirstEventSource::Usage), (false, FirstEventSource::TextShare)] {
        let row = bundled(counts_each).row();
        assert_eq!((row.output_tokens, row.token_events, row.first_event_tokens), (Some(40), Some(4), Some(16)));
        assert_eq!((row.first_event_source, ms(row.tpot_s())), (Some(source), Some(10_000)));
    }
}

#[test]
fn an_error_event_is_a_failure_with_its_words_wherever_they_stand() {
    let half = || StreamScript::default().words(20, "content");
    for (form, words) in [
        ("event: error\ndata: {\"message\": \"CUDA out of memory\", \"type\": \"server_error\"}\n\n", "CUDA out of memory"),
        ("event: error\ndata: {\"error\": {\"message\": \"CUDA out of memory\"}}\n\n", "CUDA out of memory"),
        ("event: error\ndata: CUDA out of memory\n\n", "CUDA out of memory"),
        ("event: error\n: migration limit reached\n\n", "migration limit reached"),
        (": migration limit reached\nevent:error\n\n", "migration limit reached"),
        ("error: {\"code\": 500, \"message\": \"no slot\"}\n\n", "no slot"),
        ("data: {\"detail\": \"no slot\"}\n\n", "no slot"),
        ("event: error\n\n", "event 21 of the stream is an error without a message"),
        ("event: error\ndata: [DONE]\n\n", "[DONE]"),
    ] {
        let row = half().raw(form).raw("data: [DONE]\n\n").row();
        assert_eq!(row.failure, Some(RequestFailure { kind: FailureKind::ErrorEvent, detail: words.to_owned() }), "{form}");
        assert_eq!(row.token_events, Some(20), "what came before is kept");
    }
}

#[test]
fn buffered_tokens_come_eight_in_a_read_and_have_the_times_of_the_proxy() {
    let mut stream = StreamScript::default();
    for _ in 0..5 {
        let event = |place| format!("data: {}\n\n", delta(&json!({"content": format!("w{place} ")})));
        let events = (0..8).map(event).collect::<Vec<String>>().concat();
        stream = stream.wait(80).raw(&events);
    }
    let row = stream.end("length", Some(usage(40))).row();
    assert_eq!((row.token_events, row.token_reads, ms(row.ttft_s())), (Some(40), Some(5), Some(80_000)));
    assert_eq!((row.gaps_us.iter().filter(|gap| **gap == 0).count(), ms(row.tpot_s())), (35, Some(8_205)));
}

#[test]
fn content_parts_are_tokens_some_of_them_of_reasoning() {
    let thinking = |stream: StreamScript, place: u64| {
        let part = json!([{"type": "thinking", "thinking": [{"type": "text", "text": format!("t{place} ")}]}]);
        stream.wait(10).event(&delta(&json!({ "content": part })))
    };
    let row = (0..20).fold(StreamScript::default(), thinking).words(20, "content").end("length", Some(usage(40))).row();
    assert_eq!((row.output_tokens, row.token_events, row.reasoning_tokens), (Some(40), Some(40), Some(20)));
    assert_eq!((ms(row.tpot_s()), row.first_answer_us, row.failure), (Some(10_000), Some(Micros(210_000)), None));
}

#[test]
fn refusals_function_calls_and_arguments_as_objects_are_answers() {
    let call = json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "look_up", "arguments": {"city": "Oslo"}}}]});
    let audio = json!({"audio": {"id": "a", "data": "UklGRg=="}});
    let legacy = json!({"function_call": {"name": "look_up", "arguments": ""}});
    for one in [call, audio, legacy, json!({"refusal": "I cannot"})] {
        let row = StreamScript::default().words(2, "reasoning").wait(10).event(&delta(&one)).end("stop", Some(usage(3))).row();
        assert_eq!((row.token_events, row.first_answer_us, row.failure), (Some(3), Some(Micros(30_000)), None), "{one}");
    }
}

#[test]
fn a_token_without_text_is_one_where_the_count_says_so() {
    // One token was asked for, and it is half a character: vLLM sends an empty delta with the finish.
    let role = delta(&json!({"role": "assistant", "content": ""}));
    let finish = json!({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "length"}]});
    let one = |counts| {
        let stream = StreamScript::default().event(&role).wait(30).event(&finish).event(&json!({"choices": [], "usage": counts}));
        stream.raw("data: [DONE]\n\n").row()
    };
    let row = one(usage(1));
    assert_eq!((row.failure.clone(), row.output_tokens, ms(row.ttft_s())), (None, Some(1), Some(30_000)));
    assert_eq!((row.first_answer_us, row.token_events, row.tpot_s()), (Some(Micros(30_000)), Some(1), None));
    assert_eq!(one(usage(0)).failure.map(|failure| failure.kind), Some(FailureKind::NoToken));
    let hidden = json!({"prompt_tokens": 200, "completion_tokens": 40, "completion_tokens_details": {"reasoning_tokens": 40}});
    assert_eq!(one(hidden).failure.map(|failure| failure.kind), Some(FailureKind::NoToken), "all of it is hidden reasoning");
}

#[test]
fn the_token_that_ends_an_answer_counts_where_the_server_counts_it() {
    let ended = |count| StreamScript::default().words(9, "content").wait(10).end("stop", Some(usage(count))).row();
    assert_eq!((ended(10).token_events, ms(ended(10).tpot_s())), (Some(10), Some(10_000)));
    assert_eq!((ended(9).token_events, ms(ended(9).tpot_s())), (Some(9), Some(10_000)));
    // More is missing than it can have been.
    assert_eq!(ended(12).token_events, Some(9));
}

#[test]
fn usage_beside_the_finish_makes_no_token_of_it() {
    let finish = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}], "usage": usage(40)});
    let row = StreamScript::default().words(40, "content").wait(10).event(&finish).raw("data: [DONE]\n\n").row();
    assert_eq!((row.token_events, row.last_token_us, ms(row.tpot_s())), (Some(40), Some(Micros(400_000)), Some(10_000)));
}

#[test]
fn an_answer_that_ends_early_has_the_tokens_that_came() {
    let row = StreamScript::default().words(12, "content").end("stop", Some(usage(12))).row();
    assert_eq!((row.output_tokens, ms(row.tpot_s()), row.failure), (Some(12), Some(10_000), None));
}
