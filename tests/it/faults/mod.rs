//! What a real network and a real server can do to a request, each once: a server at the level of its socket does it, and the client
//! must say exactly what happened.

mod connections;
mod failures;
mod heads;
mod http2;
mod lookups;
mod matrix;
mod put_off;
mod resets;
pub mod socket;
mod streams;
mod timeouts;
mod tls;

use bench::foundation::clock::Clock;
use bench::servers::client::{HttpExchange, HttpTarget, Target};
use bench::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use bench::vocabulary::spec::target::TargetSpec;
use serde_json::{Value, json};

const ROLE: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
const TOKEN: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// The `[target]` section of a server at this URL, with further fields.
fn spec(url: &str, fields: Value) -> TargetSpec {
    let mut spec = serde_json::Map::from_iter([("url".to_owned(), json!(url)), ("model".to_owned(), json!("tiny"))]);
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    spec.extend(fields);
    serde_json::from_value(Value::Object(spec)).unwrap()
}

fn target(url: &str, fields: Value) -> Target {
    Target::Http(HttpTarget::new(&spec(url, fields), Clock::real()).unwrap())
}

fn prompt() -> Prompt {
    let messages = vec![
        ChatMessage::new(MessageRole::User, "Read this."),
        ChatMessage::new(MessageRole::Assistant, "Done."),
        ChatMessage::new(MessageRole::User, "Who?"),
    ];
    Prompt { session: 3, turn: 1, messages, max_tokens: 12, exact_length: false, user_id: None }
}

/// Sends the prompt once to a server at this URL.
async fn ask(url: &str, fields: Value) -> HttpExchange {
    target(url, fields).exchange(prompt(), None).await
}

/// Kind and sentence of the failure that the exchange must have been.
fn failure(exchange: &HttpExchange) -> (String, &str) {
    let failure = exchange.failure.as_ref().expect("the exchange should have failed");
    (failure.kind.name(), &failure.detail)
}
