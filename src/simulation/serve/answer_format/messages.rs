//! Answers of Anthropic's Messages: a message that starts, a block of content that grows by deltas, and the reason of the end with the counts.

use serde_json::{Value, json};

use super::{AnswerEnd, AnswerHeader, typed_event};

pub fn opening(header: &AnswerHeader) -> String {
    let mut message = message(header, &json!([]), &Value::Null);
    message["usage"] = json!({ "input_tokens": header.prompt_tokens, "output_tokens": 0 });
    let start = typed_event(&json!({ "type": "message_start", "message": message }));
    start + &typed_event(&json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }))
}

pub fn token(header: &AnswerHeader, index: u64) -> String {
    let delta = json!({ "type": "text_delta", "text": header.answer.word(index) });
    typed_event(&json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
}

pub fn closing(header: &AnswerHeader, end: &AnswerEnd) -> String {
    let mut last = json!({ "type": "message_delta", "delta": { "stop_reason": stop_reason(end), "stop_sequence": null } });
    if !end.hides_usage {
        last["usage"] = usage(header, end);
    }
    let events = [json!({ "type": "content_block_stop", "index": 0 }), last, json!({ "type": "message_stop" })];
    events.iter().map(typed_event).collect()
}

pub fn whole(header: &AnswerHeader, end: &AnswerEnd) -> Value {
    let content = json!([{ "type": "text", "text": header.answer.text(end.tokens) }]);
    let mut whole = message(header, &content, &json!(stop_reason(end)));
    if !end.hides_usage {
        whole["usage"] = usage(header, end);
    }
    whole
}

fn message(header: &AnswerHeader, content: &Value, stop_reason: &Value) -> Value {
    json!({
        "id": format!("msg_{:016x}", header.number),
        "type": "message",
        "role": "assistant",
        "content": content,
        "model": &*header.model,
        "stop_reason": stop_reason,
        "stop_sequence": null,
    })
}

fn stop_reason(end: &AnswerEnd) -> &'static str {
    if end.is_cut { "max_tokens" } else { "end_turn" }
}

/// What was read from the cache stands apart from the rest of the prompt.
fn usage(header: &AnswerHeader, end: &AnswerEnd) -> Value {
    json!({
        "input_tokens": header.prompt_tokens - end.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": end.cached_tokens,
        "output_tokens": end.tokens,
    })
}
