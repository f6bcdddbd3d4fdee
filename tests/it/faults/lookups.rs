//! Small whole exchanges before any load: the model's limit and the token rule.

use bench::foundation::clock::Clock;
use bench::records::record::TokenRule;
use bench::servers::client::HttpTarget;
use bench::workloads::tokens::{self, TokenCountError};
use serde_json::{Value, json};

use super::socket::{Act, Socket, answer};
use super::spec;

const JSON: &str = "application/json";
const MODELS: &str = r#"{"object":"list","data":[{"id":"tiny","max_model_len":32768,"parent":null},
    {"id":"lora","max_model_len":null,"parent":"tiny"},{"id":"other"}]}"#;

async fn limit(status: &str, body: &str, model: &str) -> Option<u64> {
    let mut socket = Socket::serve([answer(status, JSON, body)]).await;
    let target = HttpTarget::new(&spec(&format!("{}/v1", socket.url()), json!({ "model": model })), Clock::real()).unwrap();
    let limit = target.model_limit().await;
    assert!(socket.received().unwrap().head.starts_with("GET /v1/models "));
    limit
}

#[tokio::test]
async fn the_models_limit_is_looked_up_also_through_its_parent() {
    assert_eq!(limit("200 OK", MODELS, "tiny").await, Some(32_768));
    assert_eq!(limit("200 OK", MODELS, "lora").await, Some(32_768));
    assert_eq!(limit("200 OK", MODELS, "other").await, None);
}

#[tokio::test]
async fn a_list_of_models_is_a_source_and_no_gate() {
    assert_eq!(limit("200 OK", MODELS, "an alias of the proxy").await, None);
    let refusals = [
        ("401 Unauthorized", r#"{"error":"no key"}"#),
        ("403 Forbidden", ""),
        ("404 Not Found", r#"{"detail":"Not Found"}"#),
        ("502 Bad Gateway", "<h1>502</h1>"),
        ("200 OK", "[]"),
        ("200 OK", r#"{"data":[]}"#),
        ("200 OK", "<html>"),
    ];
    for (status, body) in refusals {
        assert_eq!(limit(status, body, "tiny").await, None, "{status} {body}");
    }
}

#[tokio::test]
async fn the_only_model_is_known_beside_its_adapters() {
    let list = async |body: &str| {
        let socket = Socket::serve([answer("200 OK", JSON, body)]).await;
        HttpTarget::new(&spec(&socket.url(), json!({})), Clock::real()).unwrap().models().await.remove(0)
    };
    let one = list(r#"{"data":[{"id":"tiny"},{"id":"lora","parent":"tiny"}]}"#).await;
    assert_eq!((one.only(), one.holds("lora"), one.holds("nope")), (Some("tiny"), true, false));
    let several = list(MODELS).await;
    assert_eq!((several.only(), several.names().collect::<Vec<_>>()), (None, vec!["tiny", "lora", "other"]));
}

#[test]
fn fields_of_the_workload_are_refused_in_the_body() {
    for field in ["messages", "prompt", "stream"] {
        let error = HttpTarget::new(&spec("http://h", json!({ "body": { field: 1 } })), Clock::real()).unwrap_err();
        assert!(error.to_string().contains(&format!("`{field}`")), "{error}");
    }
}

#[tokio::test]
async fn the_servers_own_token_counts_are_used_where_it_has_them() {
    let counts = [5, 131_072].map(|count| answer("200 OK", JSON, &json!({ "count": count, "tokens": [] }).to_string()));
    let mut socket = Socket::serve(counts).await;
    let counter = tokens::choose(&spec(&format!("{}/v1", socket.url()), json!({})), false).await.unwrap();
    assert_eq!(counter.rule(), TokenRule::Server);
    assert_eq!(counter.count("Read \"this\".").await.unwrap(), 131_072);
    socket.received().unwrap();
    let request = socket.received().unwrap();
    assert!(request.head.starts_with("POST /tokenize "), "{}", request.head);
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body, json!({ "model": "tiny", "prompt": "Read \"this\".", "add_special_tokens": false }));
}

#[tokio::test]
async fn without_such_an_endpoint_tokens_are_estimated() {
    let cases = [
        ("404 Not Found", r#"{"detail":"Not Found"}"#),
        ("405 Method Not Allowed", ""),
        ("200 OK", r#"{"tokens":[]}"#),
        ("200 OK", "<html>"),
    ];
    for (status, body) in cases {
        let socket = Socket::serve([answer(status, JSON, body)]).await;
        let counter = tokens::choose(&spec(&socket.url(), json!({})), false).await.unwrap();
        assert_eq!(counter.rule(), TokenRule::Estimate { characters_per_token: 4.0 });
        assert_eq!(counter.count("12345678 ").await.unwrap(), 3);
    }
}

#[tokio::test]
async fn no_server_an_ill_one_and_an_unknown_model_are_errors() {
    let unknown = r#"{"error":{"message":"The model `tiny` does not exist.","param":"model","code":404}}"#;
    for (acts, part) in [
        (answer("404 Not Found", JSON, unknown), "does not exist"),
        (answer("500 Internal Server Error", JSON, ""), "500"),
        (vec![Act::Close], "did not answer"),
    ] {
        let socket = Socket::serve([acts]).await;
        let error = tokens::choose(&spec(&socket.url(), json!({})), false).await.unwrap_err();
        assert!(matches!(error, TokenCountError::Server(_)) && error.to_string().contains(part), "{error}");
    }
    let gone = Socket::serve([]).await.url();
    let error = tokens::choose(&spec(&gone, json!({})), false).await.unwrap_err().to_string();
    assert!(error.contains("cannot connect") && error.contains(&gone), "{error}");
}

#[tokio::test]
async fn a_simulated_run_asks_nobody_and_a_named_tokenizer_must_be_there() {
    let nobody = spec("http://127.0.0.1:1", json!({ "tokenizer": "no/such/tokenizer.json" }));
    assert_eq!(tokens::choose(&nobody, true).await.unwrap().rule(), TokenRule::Simulated);
    assert!(matches!(tokens::choose(&nobody, false).await.unwrap_err(), TokenCountError::File { .. }));
}
