//! Request bodies: a prompt becomes the JSON of `/v1/chat/completions` or `/v1/completions`, written once, before the request is due.
//!
//! A 128k-token history is half a megabyte a turn, so messages are written straight into the body and never copied on the way.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::spec::{Api, TargetSpec};
use crate::session::{Message, Prompt};

/// Fields that a scenario's `target.body` must not set: the conversation is the workload's, and only streams can be measured.
pub(super) const RESERVED: [&str; 3] = ["messages", "prompt", "stream"];

/// Writes request bodies for one target.
#[derive(Debug, Clone)]
pub(super) struct BodyWriter {
    api: Api,
    model: String,
    extras: Map<String, Value>,
}

impl BodyWriter {
    pub(super) fn new(spec: &TargetSpec) -> Self {
        Self { api: spec.api, model: spec.model.clone(), extras: spec.body.clone() }
    }

    pub(super) fn write(&self, prompt: &Prompt) -> Vec<u8> {
        let text: usize = prompt.messages.iter().map(|message| message.text.len()).sum();
        // An eighth for line feeds and quotes, which are escaped, and something for the other fields.
        let mut bytes = Vec::with_capacity(text + text / 8 + 64 * prompt.messages.len() + 1024);
        let body = Body { api: self.api, messages: &prompt.messages, fields: self.fields(prompt) };
        serde_json::to_writer(&mut bytes, &body).expect("string keys and plain values into memory cannot fail");
        bytes
    }

    /// Everything but the conversation: what we ask for, and over it what the scenario adds.
    fn fields(&self, prompt: &Prompt) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("model".into(), json!(self.model));
        fields.insert("stream".into(), json!(true));
        fields.insert("stream_options".into(), json!({ "include_usage": true }));
        fields.insert("temperature".into(), json!(0));
        fields.insert("max_tokens".into(), json!(prompt.max_tokens));
        if prompt.exact_length {
            fields.insert("min_tokens".into(), json!(prompt.max_tokens));
            fields.insert("ignore_eos".into(), json!(true));
        }
        merge(&mut fields, &self.extras);
        fields
    }
}

/// Lays `extras` over `fields`; objects are merged, so that an extra stream option does not undo `include_usage`.
fn merge(fields: &mut Map<String, Value>, extras: &Map<String, Value>) {
    for (name, extra) in extras {
        match (fields.get_mut(name), extra) {
            (Some(Value::Object(inner)), Value::Object(extra)) => merge(inner, extra),
            _ => {
                fields.insert(name.clone(), extra.clone());
            }
        }
    }
}

struct Body<'a> {
    api: Api,
    messages: &'a [Message],
    fields: Map<String, Value>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        match self.api {
            Api::Chat => map.serialize_entry("messages", &ChatMessages(self.messages))?,
            Api::Completions => map.serialize_entry("prompt", &Transcript(self.messages))?,
        }
        map.end()
    }
}

/// `[{"role": .., "content": ..}, ..]`
struct ChatMessages<'a>(&'a [Message]);

impl Serialize for ChatMessages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct ChatMessage<'a> {
            role: crate::session::Role,
            content: &'a str,
        }
        serializer.collect_seq(self.0.iter().map(|message| ChatMessage { role: message.role, content: &message.text }))
    }
}

/// The conversation as one text: every message's text followed by a blank line, without roles. Each turn's text begins with the whole
/// text of the turn before and the answer to it, so that a prefix cache can reuse both.
struct Transcript<'a>(&'a [Message]);

impl std::fmt::Display for Transcript<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for message in self.0 {
            f.write_str(&message.text)?;
            f.write_str("\n\n")?;
        }
        Ok(())
    }
}

impl Serialize for Transcript<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Role;

    fn prompt(texts: &[(Role, &str)]) -> Prompt {
        let messages = texts.iter().map(|(role, text)| Message::new(*role, *text)).collect();
        Prompt { session: 0, turn: 0, messages, max_tokens: 16, exact_length: false, user_id: None }
    }

    fn written(spec: Value, prompt: &Prompt) -> Value {
        let spec: TargetSpec = serde_json::from_value(spec).unwrap();
        serde_json::from_slice(&BodyWriter::new(&spec).write(prompt)).unwrap()
    }

    #[test]
    fn a_chat_body_asks_for_a_greedy_stream_with_usage() {
        let prompt = prompt(&[(Role::System, "Be brief."), (Role::User, "Say \"ä\"\n")]);
        let expected = json!({
            "model": "tiny", "stream": true, "stream_options": {"include_usage": true}, "temperature": 0, "max_tokens": 16,
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say \"ä\"\n"}],
        });
        assert_eq!(written(json!({"model": "tiny"}), &prompt), expected);
    }

    #[test]
    fn an_exact_length_is_forced_from_both_sides() {
        let body = written(json!({}), &Prompt { exact_length: true, ..prompt(&[(Role::User, "x")]) });
        assert_eq!((&body["max_tokens"], &body["min_tokens"], &body["ignore_eos"]), (&json!(16), &json!(16), &json!(true)));
    }

    #[test]
    fn what_the_scenario_adds_wins_and_leaves_usage_asked_for() {
        let extras = json!({"body": {"temperature": 0.7, "top_k": 1, "stream_options": {"continuous_usage_stats": true}}});
        let body = written(extras, &prompt(&[(Role::User, "x")]));
        assert_eq!((&body["temperature"], &body["top_k"]), (&json!(0.7), &json!(1)));
        assert_eq!(body["stream_options"], json!({"include_usage": true, "continuous_usage_stats": true}));
    }

    #[test]
    fn a_completions_prompt_begins_with_the_turn_before_and_its_answer() {
        let spec = json!({"api": "completions"});
        let first = written(spec.clone(), &prompt(&[(Role::User, "Read \"this\".")]));
        assert_eq!(first["prompt"], "Read \"this\".\n\n");
        assert_eq!(first.get("messages"), None);
        let second = written(spec, &prompt(&[(Role::User, "Read \"this\"."), (Role::Assistant, "Done."), (Role::User, "Who?")]));
        assert_eq!(second["prompt"], "Read \"this\".\n\nDone.\n\nWho?\n\n");
    }
}
