//! Whole answers: what is sent, what is stamped, and that a connection serves again.

use bench::records::record::TokenUsage;
use bench::vocabulary::session::Prompt;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::socket::{Act, Socket, chunk, end, stream, stream_head};
use super::{DONE, ROLE, TOKEN, ask, prompt, target};

const CHAT: &str = include_str!("../../fixtures/engine/vllm_stream.sse");
const CONTINUOUS: &str = include_str!("../../fixtures/engine/vllm_stream_continuous_usage.sse");
const COMPLETIONS: &str = include_str!("../../fixtures/engine/vllm_completions.sse");

#[tokio::test]
async fn a_recorded_chat_answer_is_counted_as_the_engine_meant_it() {
    let mut socket = Socket::serve([stream(CHAT)]).await;
    let exchange = ask(&socket.url(), json!({})).await;
    assert_eq!(exchange.failure, None);
    // Twelve tokens, one of them half a character in an empty delta.
    assert_eq!(exchange.token_events.len(), 12);
    assert_eq!(exchange.usage, Some(TokenUsage { prompt_tokens: 28, output_tokens: 12, reasoning_tokens: None, cached_tokens: Some(0) }));
    assert!(exchange.answer.starts_with("ze\u{fffd}levelcounted"));
    let stamps = [exchange.sent, exchange.headers.unwrap(), exchange.first_event.unwrap(), exchange.token_events[0], exchange.done];
    assert!(stamps.is_sorted(), "{stamps:?}");
    let request = socket.received().unwrap();
    assert!(request.head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{}", request.head);
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!((&body["model"], &body["stream"], &body["max_tokens"]), (&json!("tiny"), &json!(true), &json!(12)));
    assert_eq!(body["messages"][2], json!({ "role": "user", "content": "Who?" }));
}

#[tokio::test]
async fn a_recorded_completion_is_counted_as_the_engine_meant_it() {
    let mut socket = Socket::serve([stream(COMPLETIONS)]).await;
    let exchange = ask(&format!("{}/v1/", socket.url()), json!({ "api": "completions" })).await;
    assert_eq!(exchange.failure, None);
    assert_eq!((exchange.token_events.len(), exchange.answer.as_str()), (3, "jd , LI"));
    assert_eq!(exchange.usage, Some(TokenUsage { prompt_tokens: 2, output_tokens: 3, reasoning_tokens: None, cached_tokens: Some(0) }));
    let request = socket.received().unwrap();
    assert!(request.head.starts_with("POST /v1/completions HTTP/1.1"), "{}", request.head);
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["prompt"], "Read this.\n\nDone.\n\nWho?\n\n");
}

#[tokio::test]
async fn continuous_usage_tells_the_tokens_of_the_first_event() {
    let socket = Socket::serve([stream(CONTINUOUS)]).await;
    let exchange = ask(&socket.url(), json!({ "body": { "stream_options": { "continuous_usage_stats": true } } })).await;
    assert_eq!((exchange.failure, exchange.token_events.len(), exchange.first_event_tokens), (None, 3, Some(1)));
    assert_eq!(exchange.usage.unwrap().output_tokens, 3);
}

#[tokio::test]
async fn the_first_token_is_told_while_the_answer_goes_on() {
    let (told, heard) = oneshot::channel();
    let rest = format!("{TOKEN}{DONE}");
    let socket = Socket::serve([vec![stream_head(), chunk(ROLE), chunk(TOKEN), Act::Await(heard), chunk(&rest), end()]]).await;
    let (sender, receiver) = oneshot::channel();
    let target = target(&socket.url(), json!({}));
    // The server sends the second token only once the first was told: were it told at the end, this would time out.
    let go_on = async {
        receiver.await.unwrap();
        told.send(()).unwrap();
    };
    let (exchange, ()) = tokio::join!(target.exchange(prompt(), Some(sender)), go_on);
    assert_eq!(exchange.failure, None);
    assert_eq!(exchange.token_events.len(), 2);
    assert!(exchange.token_events[0] < exchange.token_events[1]);
}

#[tokio::test]
async fn a_user_number_is_sent_where_it_is_asked_for() {
    let mut socket = Socket::serve([stream(CHAT), stream(CHAT)]).await;
    let target = target(&socket.url(), json!({ "headers": { "X-Tenant": "night" } }));
    target.exchange(Prompt { user_id: Some(41), ..prompt() }, None).await;
    target.exchange(prompt(), None).await;
    let (first, second) = (socket.received().unwrap(), socket.received().unwrap());
    assert_eq!((first.header("x-user-id"), first.header("x-tenant")), (Some("41"), Some("night")));
    assert_eq!((second.header("x-user-id"), second.header("x-tenant")), (None, Some("night")));
}

#[tokio::test]
async fn a_connection_whose_answer_ended_is_used_again() {
    let late_end = vec![stream_head(), chunk(CHAT), end()];
    let socket = Socket::serve([stream(CHAT), late_end, stream(CHAT)]).await;
    let target = target(&socket.url(), json!({}));
    for _ in 0..3 {
        assert_eq!(target.exchange(prompt(), None).await.failure, None);
    }
    assert_eq!(socket.connections(), 1);
}

#[tokio::test]
async fn an_answer_is_over_at_done_even_where_the_connection_stays_open() {
    let socket = Socket::serve([vec![stream_head(), chunk(CHAT), Act::Hold], stream(CHAT)]).await;
    let target = target(&socket.url(), json!({ "idle_timeout": 600, "total_timeout": 600 }));
    for connections in [1, 2] {
        assert_eq!(target.exchange(prompt(), None).await.failure, None);
        assert_eq!(socket.connections(), connections);
    }
}

#[tokio::test]
async fn what_is_prepared_is_what_is_sent() {
    let mut socket = Socket::serve([stream(CHAT)]).await;
    let target = target(&socket.url(), json!({}));
    let long = "word \"quoted\"\n".repeat(40_000);
    let prepared = target.prepare(Prompt {
        messages: vec![bench::vocabulary::session::ChatMessage::new(bench::vocabulary::session::MessageRole::User, long.as_str())],
        ..prompt()
    });
    assert_eq!(prepared.prompt().turn, 1);
    assert_eq!(target.send(prepared, None).await.failure, None);
    let body: Value = serde_json::from_str(&socket.received().unwrap().body).unwrap();
    assert_eq!(body["messages"][0]["content"], long.as_str());
}
