//! Emptying a server's caches before a cell.

use bench::servers::server::reset;
use bench::vocabulary::spec::reset::{ResetSpec, ResetStep};
use bench::vocabulary::spec::server::ServerSpec;
use serde_json::json;

use super::socket::{Act, Socket, answer};
use super::spec;

const JSON: &str = "application/json";

fn places(reset: impl IntoIterator<Item = String>) -> ServerSpec {
    ServerSpec { reset: ResetSpec::Steps(reset.into_iter().map(ResetStep::Endpoint).collect()), ..ServerSpec::default() }
}

#[tokio::test]
async fn endpoints_are_called_in_order_and_only_our_own_server_gets_our_key() {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "sk-hush").unwrap();
    let mut own = Socket::serve([answer("200 OK", JSON, r#"{"success":true}"#), answer("200 OK", "text/plain", "")]).await;
    let mut other = Socket::serve([answer("200 OK", JSON, r#"{"status":"ok"}"#)]).await;
    let target = spec(&format!("{}/v1", own.url()), json!({ "api_key_file": key.path() }));
    let server = places([
        "/reset_prefix_cache?reset_external=true".to_owned(),
        format!("http://me:word@{}/cache/clear", other.host),
        format!("{}/flush", own.url()),
    ]);
    reset(&server, &target).await.unwrap();
    let first = own.received().unwrap();
    assert!(first.head.starts_with("POST /reset_prefix_cache?reset_external=true HTTP/1.1"), "{}", first.head);
    assert_eq!(first.header("authorization"), Some("Bearer sk-hush"));
    let second = other.received().unwrap();
    assert!(second.head.starts_with("POST /cache/clear HTTP/1.1"), "{}", second.head);
    assert_eq!(second.header("authorization"), Some("Basic bWU6d29yZA=="));
    assert_eq!(own.received().unwrap().header("authorization"), Some("Bearer sk-hush"));
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_an_error_with_a_hint_and_the_next_is_not_called() {
    let mut socket = Socket::serve([answer("404 Not Found", JSON, r#"{"detail":"Not Found"}"#)]).await;
    let server = places([format!("http://me:hush@{}/reset?key=hushhush", socket.host), "/second".to_owned()]);
    let error = reset(&server, &spec(&socket.url(), json!({}))).await.unwrap_err();
    let text = error.to_string();
    for part in [format!("`{}/reset`", socket.url()).as_str(), "404", "Not Found", "VLLM_SERVER_DEV_MODE"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!format!("{error:?} {text}").contains("hush"));
    assert!(socket.received().is_some() && socket.received().is_none());
}

#[tokio::test]
async fn what_cannot_be_called_is_an_error() {
    let nobody = Socket::serve([]).await.url();
    let unreachable = reset(&places(["/reset".to_owned()]), &spec(&nobody, json!({}))).await.unwrap_err().to_string();
    assert!(unreachable.contains("cannot connect") && unreachable.contains(&nobody), "{unreachable}");
    let socket = Socket::serve([vec![Act::Close]]).await;
    let broken = reset(&places(["/reset".to_owned()]), &spec(&socket.url(), json!({}))).await.unwrap_err().to_string();
    assert!(broken.contains("did not answer"), "{broken}");
    let no_url = reset(&places(["ftp://me:hush@h/x".to_owned()]), &spec(&nobody, json!({}))).await.unwrap_err().to_string();
    assert!(no_url.contains("`ftp://h/x`"), "{no_url}");
}

#[tokio::test]
async fn nothing_to_reset_asks_nobody() {
    reset(&places([]), &spec("http://127.0.0.1:1", json!({}))).await.unwrap();
}
