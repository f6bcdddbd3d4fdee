//! Answers of chat and of completions: chunks of choices, the usage last, then `[DONE]`.

use serde_json::{Value, json};

use super::{AnswerEnd, AnswerHeader, event};
use crate::serve::completion_request::UsageEvents;
use crate::vocabulary::spec::target_api::TargetApi;

/// A chat answer opens with its role.
pub fn opening(header: &AnswerHeader) -> String {
    if header.api != TargetApi::Chat {
        return String::new();
    }
    let choice = json!({ "index": 0, "delta": { "role": "assistant", "content": "" }, "logprobs": null, "finish_reason": null });
    let mut chunk = chunk(header, &choice);
    add_usage(header, &mut chunk, 0);
    event(&chunk)
}

pub fn token(header: &AnswerHeader, index: u64, is_last: bool) -> String {
    let mut chunk = chunk(header, &piece(header.api, header.answer.word(index), is_last.then_some("length")));
    add_usage(header, &mut chunk, index + 1);
    event(&chunk)
}

/// The usage, where it was asked for, and the mark.
pub fn closing(header: &AnswerHeader, end: &AnswerEnd) -> String {
    let mut text = String::new();
    if !end.is_cut {
        text += &event(&chunk(header, &piece(header.api, "", Some("stop"))));
    }
    if header.usage != UsageEvents::No && !end.hides_usage {
        let mut last = chunk(header, &Value::Null);
        last["choices"] = json!([]);
        last["usage"] = usage(header.prompt_tokens, end.tokens, Some(end.cached_tokens));
        text += &event(&last);
    }
    text + "data: [DONE]\n\n"
}

pub fn whole(header: &AnswerHeader, end: &AnswerEnd) -> Value {
    let (text, finish_reason) = (header.answer.text(end.tokens), if end.is_cut { "length" } else { "stop" });
    let (name, choice) = if header.api == TargetApi::Completions {
        ("text_completion", piece(header.api, &text, Some(finish_reason)))
    } else {
        let message = json!({ "role": "assistant", "content": text });
        let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason, "stop_reason": null });
        ("chat.completion", choice)
    };
    let mut whole = object(header, name, &choice);
    if !end.hides_usage {
        whole["usage"] = usage(header.prompt_tokens, end.tokens, Some(end.cached_tokens));
    }
    whole
}

/// One event of a stream.
fn chunk(header: &AnswerHeader, choice: &Value) -> Value {
    let name = if header.api == TargetApi::Completions { "text_completion" } else { "chat.completion.chunk" };
    object(header, name, choice)
}

fn object(header: &AnswerHeader, name: &str, choice: &Value) -> Value {
    let prefix = if header.api == TargetApi::Completions { "cmpl" } else { "chatcmpl" };
    json!({
        "id": format!("{prefix}-{:016x}", header.number),
        "object": name,
        "created": header.created,
        "model": &*header.model,
        "choices": [choice],
    })
}

/// A choice that carries a piece of the answer.
fn piece(api: TargetApi, text: &str, finish_reason: Option<&str>) -> Value {
    let mut piece = if api == TargetApi::Completions {
        json!({ "index": 0, "text": text })
    } else {
        json!({ "index": 0, "delta": { "content": text } })
    };
    piece["logprobs"] = Value::Null;
    piece["finish_reason"] = json!(finish_reason);
    if finish_reason.is_some() {
        piece["stop_reason"] = Value::Null;
    }
    piece["token_ids"] = Value::Null;
    piece
}

fn add_usage(header: &AnswerHeader, chunk: &mut Value, output_tokens: u64) {
    if header.usage == UsageEvents::Continuous {
        chunk["usage"] = usage(header.prompt_tokens, output_tokens, None);
    }
}

/// The usage object; `cached_tokens` stands only in the last one of an answer.
fn usage(prompt_tokens: u64, output_tokens: u64, cached_tokens: Option<u64>) -> Value {
    let mut usage =
        json!({ "prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens + output_tokens, "completion_tokens": output_tokens });
    match cached_tokens {
        Some(cached) => usage["prompt_tokens_details"] = json!({ "cached_tokens": cached }),
        None => usage["completion_tokens_details"] = Value::Null,
    }
    usage
}
