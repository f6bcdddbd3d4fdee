//! Answers that are no stream: error statuses, and a 200 of another kind.

use serde_json::json;

use super::socket::{Act, Socket, answer, stream, stream_head, write};
use super::{DONE, TOKEN, ask, failure};

#[tokio::test]
async fn an_error_status_is_named_with_the_servers_own_words() {
    let cases = [
        (
            "404 Not Found",
            r#"{"error":{"message":"The model `nope` does not exist.","code":404}}"#,
            "http_404",
            "The model `nope` does not exist.",
        ),
        ("400 Bad Request", r#"{"detail":"no\n\tmessages\u001b[0m"}"#, "http_400", "no messages [0m"),
        ("502 Bad Gateway", "<h1>\r\n502</h1>", "http_502", "<h1> 502</h1>"),
        ("503 Service Unavailable", "", "http_503", "service unavailable"),
        ("204 No Content", "", "http_204", "no content"),
    ];
    for (status, body, kind, detail) in cases {
        let socket = Socket::serve([answer(status, "application/json", body)]).await;
        let exchange = ask(&socket.url(), json!({})).await;
        assert_eq!(failure(&exchange), (kind.to_owned(), detail));
        assert!(exchange.headers.is_some() && exchange.first_event.is_none());
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut socket =
        Socket::serve([vec![write("HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")], stream(DONE)]).await;
    assert_eq!(failure(&ask(&socket.url(), json!({})).await), ("http_302".to_owned(), "redirected to `/elsewhere`: found"));
    assert!(socket.received().is_some() && socket.received().is_none());
}

#[tokio::test]
async fn a_long_message_is_shortened_and_the_key_is_masked() {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "sk-hush-hush\n").unwrap();
    let body = format!(r#"{{"error":{{"message":"bad key sk-hush-hush and {}"}}}}"#, "x".repeat(1000));
    let mut socket = Socket::serve([answer("401 Unauthorized", "application/json", &body)]).await;
    let exchange = ask(&socket.url(), json!({ "api_key_file": key.path() })).await;
    let (kind, detail) = failure(&exchange);
    assert_eq!(kind, "http_401");
    assert!(detail.starts_with("bad key *** and xxx") && detail.chars().count() == 301, "{detail}");
    assert_eq!(socket.received().unwrap().header("authorization"), Some("Bearer sk-hush-hush"));
}

#[tokio::test]
async fn a_status_counts_even_where_its_body_never_ends() {
    let head = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 100\r\n\r\nhalf";
    for (last, fields) in [(Act::Hold, json!({ "first_token_timeout": 0.1 })), (Act::Reset, json!({}))] {
        let socket = Socket::serve([vec![write(head), last]]).await;
        assert_eq!(failure(&ask(&socket.url(), fields).await), ("http_500".to_owned(), "internal server error"));
    }
}

#[tokio::test]
async fn a_200_that_is_no_event_stream_is_malformed() {
    for kind in ["application/json", "text/html; charset=utf-8"] {
        let socket = Socket::serve([answer("200 OK", kind, "{}")]).await;
        let exchange = ask(&socket.url(), json!({})).await;
        let (name, detail) = failure(&exchange);
        assert_eq!(name, "malformed_stream");
        assert!(detail.contains(&format!("`{}`", kind.split(';').next().unwrap())), "{detail}");
    }
}

#[tokio::test]
async fn a_200_that_is_an_error_in_json_is_an_error_with_the_servers_words() {
    let body = r#"{"error":{"message":"this request has 5000 tokens and the context has 4096","type":"invalid_request_error"}}"#;
    for body in [body, r#"{"object":"error","message":"this request has 5000 tokens and the context has 4096","code":400}"#] {
        let socket = Socket::serve([answer("200 OK", "application/json", body)]).await;
        let exchange = ask(&socket.url(), json!({})).await;
        assert_eq!(failure(&exchange), ("error_event".to_owned(), "this request has 5000 tokens and the context has 4096"));
    }
}

#[tokio::test]
async fn a_field_that_a_server_refuses_can_be_left_out_or_renamed_as_its_failure_says() {
    let refusal = r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#;
    let mut socket = Socket::serve([answer("422 Unprocessable Entity", "application/json", refusal), stream(DONE)]).await;
    let exchange = ask(&socket.url(), json!({})).await;
    let (kind, detail) = failure(&exchange);
    assert!(kind == "http_422" && detail.ends_with("; `target.omit = [\"stream_options\"]` leaves it out"), "{detail}");
    ask(&socket.url(), json!({ "omit": ["stream_options"], "rename": { "max_tokens": "max_completion_tokens" } })).await;
    let (refused, taken) = (socket.received().unwrap().body, socket.received().unwrap().body);
    assert!(refused.contains("\"stream_options\":{") && refused.contains("\"max_tokens\":12"), "{refused}");
    assert!(!taken.contains("stream_options") && taken.contains("\"max_completion_tokens\":12"), "{taken}");
}

#[tokio::test]
async fn a_compressed_stream_that_nobody_asked_for_is_malformed() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\u{1f}x";
    let mut socket = Socket::serve([vec![write(head)]]).await;
    let exchange = ask(&socket.url(), json!({})).await;
    let (kind, detail) = failure(&exchange);
    assert_eq!(kind, "malformed_stream");
    assert!(detail.contains("`gzip`"), "{detail}");
    assert_eq!(socket.received().unwrap().header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_stream_without_a_content_type_is_read() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let body = super::socket::chunk(&format!("{TOKEN}{DONE}"));
    let socket = Socket::serve([vec![write(head), body, super::socket::end()]]).await;
    assert_eq!(ask(&socket.url(), json!({})).await.failure, None);
    let socket = Socket::serve([vec![stream_head(), super::socket::end()]]).await;
    assert_eq!(failure(&ask(&socket.url(), json!({})).await).0, "truncated");
}
