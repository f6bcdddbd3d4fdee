//! Servers that have too much to do, and say when to come again; and several servers that share the sessions.

use bench::vocabulary::session::Prompt;
use serde_json::json;

use super::socket::{Act, Socket, stream, write};
use super::{DONE, TOKEN, ask, failure, prompt, target};

/// A refusal for load that asks for this pause.
fn refusal(pause: &str) -> Vec<Act> {
    let body = r#"{"error":{"message":"slow down"}}"#;
    let head = format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: {pause}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    vec![write(head + body)]
}

fn answer() -> Vec<Act> {
    stream(&format!("{TOKEN}{DONE}"))
}

#[tokio::test]
async fn a_request_that_is_put_off_has_failed_and_says_how_it_could_wait() {
    let socket = Socket::serve([refusal("7"), answer()]).await;
    let exchange = ask(&socket.url(), json!({})).await;
    let expected = "slow down; it asks for a pause of 7 s, which `target.retry_after = \"honour\"` keeps";
    assert_eq!(failure(&exchange), ("http_429".to_owned(), expected));
    assert_eq!((exchange.carriage.rate_limited, exchange.carriage.retries), (1, 0));
}

#[tokio::test]
async fn a_pause_is_kept_and_the_times_count_from_the_first_sending() {
    let socket = Socket::serve([refusal("0"), refusal("0"), answer()]).await;
    let exchange = ask(&socket.url(), json!({ "retry_after": "honour" })).await;
    assert_eq!((exchange.failure.as_ref(), exchange.answer.as_str()), (None, "a"));
    assert_eq!((exchange.carriage.rate_limited, exchange.carriage.retries), (2, 2));
    // Two pauses of 10 ms, the least there is.
    assert!(exchange.token_events[0].since(exchange.sent).0 >= 20_000, "{exchange:?}");
    assert!(exchange.headers.unwrap() >= exchange.sent);
}

#[tokio::test]
async fn a_pause_beyond_the_limits_is_not_waited_for() {
    let socket = Socket::serve([refusal("3600"), answer()]).await;
    let exchange = ask(&socket.url(), json!({ "retry_after": "honour" })).await;
    let (kind, detail) = failure(&exchange);
    assert_eq!((kind.as_str(), exchange.carriage.retries), ("http_429", 0));
    assert!(detail.ends_with("it asks for a pause of 3600 s, which the request's limits do not leave"), "{detail}");
}

#[tokio::test]
async fn a_session_stays_with_one_of_several_servers() {
    let mut sockets = [Socket::answering(|_| answer()).await, Socket::answering(|_| answer()).await];
    let urls = [sockets[0].url(), sockets[1].url()];
    let target = target(&urls[0], json!({ "urls": urls }));
    for (session, turn) in [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (4, 0)] {
        let exchange = target.exchange(Prompt { session, turn, ..prompt() }, None).await;
        assert_eq!(exchange.failure, None);
    }
    let [first, second] = sockets.each_mut().map(|socket| std::iter::from_fn(|| socket.received()).count());
    assert_eq!((first, second), (4, 2));
    let [bench::servers::client::Target::Http(http)] = [target] else { panic!("it is a server") };
    let counts: Vec<(u64, u64)> = http.site_counts().iter().map(|site| (site.requests, site.failed)).collect();
    assert_eq!(counts, [(4, 0), (2, 0)]);
    assert_eq!((http.site_count(), http.shown_url(3)), (2, format!("{}/v1/chat/completions", urls[1]).as_str()));
}
