//! Answers of OpenAI's Responses: an item of output that is added, grows by deltas and is done, between events that hold the response as it stands.

use serde_json::{Value, json};

use super::{AnswerEnd, AnswerHeader, typed_event};

/// So many events stand before the first token.
const OPENING: u64 = 4;

pub fn opening(header: &AnswerHeader) -> String {
    let begun = response(header, "in_progress", &json!([]), &Value::Null);
    let item = json!({ "type": "message", "id": item_id(header), "role": "assistant", "status": "in_progress", "content": [] });
    let events = [
        json!({ "type": "response.created", "response": begun }),
        json!({ "type": "response.in_progress", "response": begun }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": item }),
        json!({ "type": "response.content_part.added", "item_id": item_id(header), "output_index": 0, "content_index": 0, "part": part("") }),
    ];
    numbered(0, events)
}

pub fn token(header: &AnswerHeader, index: u64) -> String {
    let event = json!({
        "content_index": 0,
        "delta": header.answer.word(index),
        "item_id": item_id(header),
        "logprobs": [],
        "output_index": 0,
        "sequence_number": OPENING + index,
        "type": "response.output_text.delta",
    });
    typed_event(&event)
}

pub fn closing(header: &AnswerHeader, end: &AnswerEnd) -> String {
    let text = header.answer.text(end.tokens);
    let id = item_id(header);
    let events = [
        json!({ "type": "response.output_text.done", "item_id": id, "output_index": 0, "content_index": 0, "text": text, "logprobs": [] }),
        json!({ "type": "response.content_part.done", "item_id": id, "output_index": 0, "content_index": 0, "part": part(&text) }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item(header, &text) }),
        json!({ "type": "response.completed", "response": whole(header, end) }),
    ];
    numbered(OPENING + end.tokens, events)
}

pub fn whole(header: &AnswerHeader, end: &AnswerEnd) -> Value {
    let usage = json!({
        "input_tokens": header.prompt_tokens,
        "input_tokens_details": { "cached_tokens": end.cached_tokens },
        "output_tokens": end.tokens,
        "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": header.prompt_tokens + end.tokens,
    });
    let output = json!([item(header, &header.answer.text(end.tokens))]);
    let usage = if end.hides_usage { Value::Null } else { usage };
    let mut whole = response(header, if end.is_cut { "incomplete" } else { "completed" }, &output, &usage);
    if end.is_cut {
        whole["incomplete_details"] = json!({ "reason": "max_output_tokens" });
    }
    whole
}

fn response(header: &AnswerHeader, status: &str, output: &Value, usage: &Value) -> Value {
    json!({
        "id": format!("resp_{:016x}", header.number),
        "object": "response",
        "created_at": header.created,
        "status": status,
        "error": null,
        "incomplete_details": null,
        "model": &*header.model,
        "output": output,
        "store": false,
        "usage": usage,
    })
}

fn item(header: &AnswerHeader, text: &str) -> Value {
    json!({ "type": "message", "id": item_id(header), "role": "assistant", "status": "completed", "content": [part(text)] })
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

fn item_id(header: &AnswerHeader) -> String {
    format!("msg_{:016x}", header.number)
}

/// The events in order, the first of them with this number.
fn numbered(first: u64, events: impl IntoIterator<Item = Value>) -> String {
    let number = |(number, mut event): (u64, Value)| {
        event["sequence_number"] = json!(number);
        typed_event(&event)
    };
    (first..).zip(events).map(number).collect()
}
