//! Request bodies: a conversation's pieces between the other fields that an API has, made before the request is due.
//!
//! The pieces of the history are shared with the turns before; what is copied is a few hundred bytes around them.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::api::{FieldValue, LengthConstraint, request_format, string};
use super::encoded_conversation::{EncodedConversation, EncodedMessage};
use crate::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::spec::target_api::TargetApi;

/// A field that a scenario's `target.body` sets and must not: the conversation is the workload's, and only streams can be measured.
pub(super) fn reserved_field(spec: &TargetSpec) -> Option<&'static str> {
    ["messages", "prompt", "stream"].iter().chain(spec.api.conversation_fields()).copied().find(|name| spec.body.contains_key(*name))
}

/// What is asked is put together with what follows it below this size: one piece fewer to be sent.
const JOINED: usize = 4096;

/// A request's body, in pieces that are sent one after the other. Cloning copies no text.
#[derive(Debug, Clone, Default)]
pub struct RequestBody {
    pieces: Vec<Bytes>,
}

impl RequestBody {
    /// In the order in which they are sent; none is empty.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// Bytes of all pieces together.
    pub fn length(&self) -> usize {
        self.pieces().iter().map(Bytes::len).sum()
    }
}

/// Writes request bodies for one target.
#[derive(Debug, Clone)]
pub(super) struct BodyWriter {
    api: TargetApi,
    /// What stands before the messages.
    opening: Bytes,
    /// What stands behind them.
    tail: Bytes,
    /// Where an answer may be shorter.
    up_to: BodyPrefix,
    /// Where its length is forced.
    exactly: BodyPrefix,
}

impl BodyWriter {
    pub(super) fn new(spec: &TargetSpec) -> Self {
        let conversation = &request_format(spec.api).conversation;
        let prefix = |length| BodyPrefix::new(spec, length, true);
        Self {
            api: spec.api,
            opening: conversation.head().into(),
            tail: conversation.tail().into(),
            up_to: prefix(LengthConstraint::UpTo),
            exactly: prefix(LengthConstraint::Exactly),
        }
    }

    pub(super) fn api(&self) -> TargetApi {
        self.api
    }

    /// The body of a conversation that nothing was written of before.
    pub(super) fn whole(&self, prompt: &Prompt) -> RequestBody {
        let mut script = EncodedConversation::written(self.api);
        script.say_all(&prompt.messages);
        self.around(prompt, &script, Bytes::new())
    }

    /// The body of what has been said and what is asked now, which are `prompt`'s messages.
    pub(super) fn extended(&self, prompt: &Prompt, said: &EncodedConversation, asked: &EncodedMessage) -> RequestBody {
        self.around(prompt, said, said.placed(asked))
    }

    fn around(&self, prompt: &Prompt, said: &EncodedConversation, asked: Bytes) -> RequestBody {
        let prefix = if prompt.exact_length { &self.exactly } else { &self.up_to };
        let system = said.system();
        let mut pieces = Vec::with_capacity(said.pieces().len() + 5);
        if system.len() < JOINED {
            let mut head = prefix.write(prompt.max_tokens, system.len() + self.opening.len());
            head.extend_from_slice(system);
            head.extend_from_slice(&self.opening);
            pieces.push(head.into());
        } else {
            pieces.extend([prefix.write(prompt.max_tokens, 0).into(), system.clone(), self.opening.clone()]);
        }
        pieces.extend_from_slice(said.pieces());
        if asked.len() < JOINED {
            pieces.push([&*asked, &*self.tail].concat().into());
        } else {
            pieces.extend([asked, self.tail.clone()]);
        }
        RequestBody { pieces }
    }
}

/// The body of a small request whose answer comes whole: a user's one message, and up to so many tokens of answer. With the target's further fields, but for
/// those about streams.
#[must_use]
pub fn unstreamed_body(spec: &TargetSpec, text: &str, max_tokens: u32) -> Vec<u8> {
    let conversation = &request_format(spec.api).conversation;
    let mut script = EncodedConversation::written(spec.api);
    script.say_all(&[ChatMessage::new(MessageRole::User, text)]);
    let mut body = BodyPrefix::new(spec, LengthConstraint::UpTo, false).write(max_tokens, 0);
    body.extend(conversation.head());
    body.extend(script.pieces().concat());
    body.extend(conversation.tail());
    body
}

/// Everything that stands before the conversation: what we ask for, and over it what the scenario adds; with places for the number of
/// tokens, which alone differs between requests.
#[derive(Debug, Clone)]
struct BodyPrefix {
    texts: Vec<Vec<u8>>,
}

impl BodyPrefix {
    fn new(spec: &TargetSpec, length: LengthConstraint, is_streamed: bool) -> Self {
        let mut fields = Map::new();
        fields.insert("model".into(), json!(spec.model));
        if is_streamed {
            fields.insert("stream".into(), json!(true));
        }
        let mut lengths = Vec::new();
        for (name, value) in (request_format(spec.api).fields)(length) {
            // What the scenario sets itself is no place.
            if value == FieldValue::Length && !spec.body.contains_key(name) {
                lengths.push(name);
            }
            fields.insert(name.into(), if let FieldValue::Fixed(value) = value { value } else { Value::Null });
        }
        merge(&mut fields, &spec.body);
        if !is_streamed {
            fields.retain(|name, _| !name.starts_with("stream"));
        }
        for path in &spec.omit {
            take_out(&mut fields, path);
        }
        let mut texts = vec![b"{".to_vec()];
        for (name, value) in &fields {
            let text = texts.last_mut().expect("there is a first");
            string(text, spec.rename.get(name).unwrap_or(name));
            text.push(b':');
            if lengths.contains(&name.as_str()) {
                texts.push(b",".to_vec());
            } else {
                text.extend_from_slice(value.to_string().as_bytes());
                text.push(b',');
            }
        }
        Self { texts }
    }

    /// With room for so many bytes behind it.
    fn write(&self, max_tokens: u32, room: usize) -> Vec<u8> {
        let length: usize = self.texts.iter().map(|text| text.len() + 10).sum();
        let mut bytes = Vec::with_capacity(length + room);
        for (place, text) in self.texts.iter().enumerate() {
            if place > 0 {
                bytes.extend_from_slice(max_tokens.to_string().as_bytes());
            }
            bytes.extend_from_slice(text);
        }
        bytes
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

/// Removes a field by its dotted path, and the table around it where nothing is left in it.
fn take_out(fields: &mut Map<String, Value>, path: &str) {
    if fields.remove(path).is_some() {
        return;
    }
    let Some((name, rest)) = path.split_once('.') else { return };
    let Some(Value::Object(inner)) = fields.get_mut(name) else { return };
    take_out(inner, rest);
    if inner.is_empty() {
        fields.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vocabulary::session::{ChatMessage, MessageRole};

    fn prompt(texts: &[(MessageRole, &str)]) -> Prompt {
        let messages = texts.iter().map(|(role, text)| ChatMessage::new(*role, *text)).collect();
        Prompt { session: 0, turn: 0, messages, max_tokens: 16, exact_length: false, user_id: None }
    }

    fn spec(spec: Value) -> TargetSpec {
        serde_json::from_value(spec).unwrap()
    }

    fn written(fields: Value, prompt: &Prompt) -> Value {
        serde_json::from_slice(&BodyWriter::new(&spec(fields)).whole(prompt).pieces().concat()).unwrap()
    }

    /// The body as serde writes it in one go from the whole prompt.
    fn in_one_go(spec: &TargetSpec, prompt: &Prompt) -> String {
        let mut fields = Map::new();
        let forced: &[&str] = if prompt.exact_length { &[] } else { &["min_tokens", "ignore_eos"] };
        fields.insert("model".into(), json!(spec.model));
        fields.insert("stream".into(), json!(true));
        for name in spec.api.own_fields().iter().filter(|name| !forced.contains(name)) {
            let value = match *name {
                "model" => continue,
                "stream_options" => json!({"include_usage": true}),
                "temperature" => json!(0),
                "store" => json!(false),
                "ignore_eos" => json!(true),
                _ => json!(prompt.max_tokens),
            };
            fields.insert((*name).into(), value);
        }
        merge(&mut fields, &spec.body);
        let (first, rest) = prompt.messages.split_first().unwrap();
        let field = spec
            .api
            .conversation_fields()
            .first()
            .filter(|_| first.role == MessageRole::System && spec.api.conversation_fields().len() > 1);
        let messages = if let Some(field) = field {
            fields.insert((*field).into(), json!(&*first.text));
            rest.iter()
        } else {
            prompt.messages.iter()
        };
        let role = |role| if spec.api == TargetApi::Messages && role == MessageRole::System { MessageRole::User } else { role };
        let message = |message: &ChatMessage| json!({"role": role(message.role), "content": &*message.text});
        match spec.api {
            TargetApi::Chat | TargetApi::Messages => fields.insert("messages".into(), messages.map(message).collect()),
            TargetApi::Responses => fields.insert("input".into(), messages.map(message).collect()),
            TargetApi::Completions => {
                let text: String = messages.flat_map(|message| [&*message.text, "\n\n"]).collect();
                fields.insert("prompt".into(), json!(text))
            }
        };
        serde_json::to_string(&fields).unwrap()
    }

    /// The body of every turn of a conversation, extended from turn to turn. A turn that fails is asked and not said.
    fn turn_by_turn(
        spec: &TargetSpec,
        opening: &[ChatMessage],
        turns: &[(ChatMessage, ChatMessage, bool)],
        exact_length: bool,
    ) -> Vec<(Prompt, RequestBody)> {
        let writer = BodyWriter::new(spec);
        let mut script = EncodedConversation::written(spec.api);
        script.say_all(opening);
        let mut history = opening.to_vec();
        let mut bodies = Vec::new();
        for (ask, answer, fails) in turns {
            let messages = history.iter().chain([ask]).cloned().collect();
            let prompt = Prompt { session: 0, turn: 0, messages, max_tokens: 7, exact_length, user_id: None };
            let asked = script.line(ask);
            bodies.push((prompt.clone(), writer.extended(&prompt, &script, &asked)));
            if !fails {
                script.say(&asked);
                script.say(&script.line(answer));
                history.extend([ask.clone(), answer.clone()]);
            }
        }
        bodies
    }

    fn message(role: MessageRole) -> impl Strategy<Value = ChatMessage> {
        // Short and empty texts, texts that must be escaped, and some longer than what is put together.
        let text = prop_oneof![
            "\\PC{0,40}",
            "[\"\\\\\n\t\u{1}a-z\u{e4}\u{1f600}]{0,60}",
            (9000_usize..20_000).prop_map(|n| "long \n".repeat(n / 6))
        ];
        text.prop_map(move |text| ChatMessage::new(role, text))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_body_that_is_extended_is_the_body_that_is_built_whole(
            opening in prop::collection::vec(message(MessageRole::System), 0..4),
            turns in prop::collection::vec((message(MessageRole::User), message(MessageRole::Assistant), prop::bool::weighted(0.2)), 1..6),
            api in prop::sample::select(TargetApi::ALL.to_vec()),
            exact_length in any::<bool>(),
            extras in prop::sample::select(vec!["{}", r#"{"max_tokens": 3}"#, r#"{"min_tokens": null, "top_k": 1}"#, r#"{"stream_options": {"x": "\"y"}}"#]),
        ) {
            let extras: Value = serde_json::from_str(extras).unwrap();
            let spec = spec(json!({"api": api, "body": extras, "model": "a \"model\""}));
            for (prompt, body) in turn_by_turn(&spec, &opening, &turns, exact_length) {
                let expected = in_one_go(&spec, &prompt);
                prop_assert_eq!(&body.pieces().concat(), expected.as_bytes());
                prop_assert_eq!(&BodyWriter::new(&spec).whole(&prompt).pieces().concat(), expected.as_bytes());
                prop_assert_eq!(body.length(), expected.len());
                prop_assert!(body.pieces().iter().all(|piece| !piece.is_empty()));
            }
        }
    }

    #[test]
    fn a_long_history_is_shared_by_the_turns_and_never_copied() {
        let document = "some words of a document ".repeat(20_000);
        let turn = |ask: &str| {
            (ChatMessage::new(MessageRole::User, ask), ChatMessage::new(MessageRole::Assistant, "an answer ".repeat(20)), false)
        };
        let turns = [turn(&document), turn("who?"), turn("why?"), turn("when?")];
        let bodies = turn_by_turn(&spec(json!({})), &[], &turns, false);
        for pair in bodies.windows(2).skip(1) {
            let before: Vec<*const u8> = pair[0].1.pieces().iter().map(|piece| piece.as_ptr()).collect();
            let new: usize = pair[1].1.pieces().iter().filter(|piece| !before.contains(&piece.as_ptr())).map(Bytes::len).sum();
            assert!(pair[1].1.length() > 500_000 && new < 2000, "{new} of {} bytes are new", pair[1].1.length());
        }
    }

    #[test]
    fn many_short_messages_are_few_pieces() {
        let turns = vec![(ChatMessage::new(MessageRole::User, "yes?"), ChatMessage::new(MessageRole::Assistant, "no"), false); 300];
        let (_, last) = turn_by_turn(&spec(json!({})), &[], &turns, false).pop().unwrap();
        assert!(last.pieces().len() <= 4, "{}", last.pieces().len());
    }

    #[test]
    fn a_chat_body_asks_for_a_greedy_stream_with_usage() {
        let prompt = prompt(&[(MessageRole::System, "Be brief."), (MessageRole::User, "Say \"ä\"\n")]);
        let expected = json!({
            "model": "tiny", "stream": true, "stream_options": {"include_usage": true}, "temperature": 0, "max_tokens": 16,
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say \"ä\"\n"}],
        });
        assert_eq!(written(json!({"model": "tiny"}), &prompt), expected);
    }

    #[test]
    fn responses_take_instructions_and_items_and_messages_a_system_text() {
        let conversation = prompt(&[
            (MessageRole::System, "Be brief."),
            (MessageRole::User, "Who?"),
            (MessageRole::Assistant, "I."),
            (MessageRole::User, "Why?"),
        ]);
        let said =
            json!([{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "I."}, {"role": "user", "content": "Why?"}]);
        let expected = json!({
            "model": "default", "stream": true, "store": false, "temperature": 0, "max_output_tokens": 16, "ignore_eos": true,
            "instructions": "Be brief.", "input": said,
        });
        assert_eq!(written(json!({"api": "responses"}), &Prompt { exact_length: true, ..conversation.clone() }), expected);
        let expected =
            json!({"model": "default", "stream": true, "temperature": 0, "max_tokens": 16, "system": "Be brief.", "messages": said});
        assert_eq!(written(json!({"api": "messages"}), &conversation), expected);
    }

    #[test]
    fn a_small_request_has_the_target_s_fields_and_is_no_stream() {
        let spec = spec(json!({
            "model": "m", "omit": ["temperature"], "rename": {"max_tokens": "max_completion_tokens"}, "body": {"top_k": 1, "stream_options": {"x": 1}},
        }));
        let body: Value = serde_json::from_slice(&unstreamed_body(&spec, "Hello", 1)).unwrap();
        assert_eq!(body, json!({"model": "m", "max_completion_tokens": 1, "top_k": 1, "messages": [{"role": "user", "content": "Hello"}]}));
    }

    #[test]
    fn an_exact_length_is_forced_from_both_sides() {
        let body = written(json!({}), &Prompt { exact_length: true, ..prompt(&[(MessageRole::User, "x")]) });
        assert_eq!((&body["max_tokens"], &body["min_tokens"], &body["ignore_eos"]), (&json!(16), &json!(16), &json!(true)));
    }

    #[test]
    fn what_the_scenario_adds_wins_and_leaves_usage_asked_for() {
        let extras = json!({"body": {"temperature": 0.7, "top_k": 1, "stream_options": {"continuous_usage_stats": true}}});
        let body = written(extras, &prompt(&[(MessageRole::User, "x")]));
        assert_eq!((&body["temperature"], &body["top_k"]), (&json!(0.7), &json!(1)));
        assert_eq!(body["stream_options"], json!({"include_usage": true, "continuous_usage_stats": true}));
    }

    #[test]
    fn fields_that_a_server_refuses_are_left_out_or_sent_by_another_name() {
        let extras = json!({
            "omit": ["stream_options", "temperature", "ignore_eos", "guided.x"],
            "rename": { "max_tokens": "max_completion_tokens" },
            "body": { "guided": { "x": 1 }, "top_k": 1 },
        });
        let body = written(extras, &Prompt { exact_length: true, ..prompt(&[(MessageRole::User, "x")]) });
        let expected = json!({
            "model": "default", "stream": true, "max_completion_tokens": 16, "min_tokens": 16, "top_k": 1,
            "messages": [{"role": "user", "content": "x"}],
        });
        assert_eq!(body, expected);
        let body = written(json!({ "omit": ["stream_options.include_usage"] }), &prompt(&[(MessageRole::User, "x")]));
        assert_eq!((body.get("stream_options"), &body["max_tokens"]), (None, &json!(16)));
    }

    #[test]
    fn a_completions_prompt_begins_with_the_turn_before_and_its_answer() {
        let spec = json!({"api": "completions"});
        let first = written(spec.clone(), &prompt(&[(MessageRole::User, "Read \"this\".")]));
        assert_eq!(first["prompt"], "Read \"this\".\n\n");
        assert_eq!(first.get("messages"), None);
        let second = written(
            spec,
            &prompt(&[(MessageRole::User, "Read \"this\"."), (MessageRole::Assistant, "Done."), (MessageRole::User, "Who?")]),
        );
        assert_eq!(second["prompt"], "Read \"this\".\n\nDone.\n\nWho?\n\n");
    }
}
