//! Connections that never come about, and connections that break.

use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::socket::{Act, Socket, chunk, stream, stream_head, write};
use super::{DONE, ROLE, STOP, TOKEN, ask, failure, prompt, target};
use crate::dead_address::DeadAddress;

#[tokio::test]
async fn nobody_there_is_connect_and_never_sent() {
    let (sender, receiver) = oneshot::channel();
    let dead = DeadAddress::take();
    let exchange = target(&dead.url(), json!({})).exchange(prompt(), Some(sender)).await;
    let (kind, detail) = failure(&exchange);
    assert_eq!(kind, "connect");
    assert!(detail.contains("refused"), "{detail}");
    assert_eq!((exchange.sent, exchange.headers, exchange.first_event), (exchange.done, None, None));
    assert!(receiver.await.is_err(), "the sender is dropped");
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_within_its_limit_is_connect() {
    // The TCP connection stands at once, but the server never says a word of TLS.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let exchange = ask(&format!("https://{}", silent.local_addr().unwrap()), json!({ "connect_timeout": 0.03 })).await;
    let (kind, detail) = failure(&exchange);
    assert_eq!(kind, "connect");
    assert!(detail.contains("within the limit"), "{detail}");
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let (exchange, _stream) = tokio::join!(ask(&url, json!({})), server);
    let (kind, detail) = failure(&exchange);
    assert_eq!(kind, "tls", "{detail}");
    assert_eq!(exchange.sent, exchange.done);
}

#[tokio::test]
async fn a_peer_that_hangs_up_on_tls_is_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // All of the greeting is read first: unread bytes would turn the end into a reset.
        let mut greeting = [0; 5];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut greeting).await.unwrap();
        let mut rest = vec![0; usize::from(u16::from_be_bytes([greeting[3], greeting[4]]))];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut rest).await.unwrap();
    };
    let (exchange, ()) = tokio::join!(ask(&url, json!({})), server);
    assert_eq!(failure(&exchange).0, "tls");
}

#[tokio::test]
async fn a_reset_in_the_midst_of_an_answer_keeps_what_came() {
    let (told, heard) = oneshot::channel();
    let socket = Socket::serve([vec![stream_head(), chunk(TOKEN), Act::Await(heard), Act::Reset]]).await;
    let (sender, receiver) = oneshot::channel();
    let target = target(&socket.url(), json!({}));
    let reset_after_token = async {
        receiver.await.unwrap();
        told.send(()).unwrap();
    };
    let (exchange, ()) = tokio::join!(target.exchange(prompt(), Some(sender)), reset_after_token);
    assert_eq!(failure(&exchange).0, "reset_mid_stream");
    assert_eq!((exchange.token_events.len(), exchange.answer.as_str()), (1, "a"));
    assert!(exchange.headers.is_some() && exchange.done >= exchange.token_events[0]);
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_a_reset_and_is_not_tried_again() {
    for act in [Act::Close, Act::Reset] {
        let mut socket = Socket::serve([vec![act], stream(DONE)]).await;
        let exchange = ask(&socket.url(), json!({})).await;
        assert_eq!(failure(&exchange).0, "reset_mid_stream");
        assert!(exchange.headers.is_none() && exchange.sent < exchange.done);
        assert!(socket.received().is_some() && socket.received().is_none(), "one request, no retry");
    }
}

#[tokio::test]
async fn a_body_cut_short_is_a_reset_even_after_a_finish_reason() {
    for text in [TOKEN.to_owned(), format!("{TOKEN}{STOP}")] {
        let socket = Socket::serve([vec![stream_head(), chunk(&text), Act::Close]]).await;
        assert_eq!(failure(&ask(&socket.url(), json!({})).await).0, "reset_mid_stream");
    }
}

#[tokio::test]
async fn bytes_that_are_no_http_are_malformed() {
    let socket = Socket::serve([vec![write("hello there\r\n\r\n"), Act::Hold]]).await;
    assert_eq!(failure(&ask(&socket.url(), json!({})).await).0, "malformed_stream");
    let socket = Socket::serve([vec![stream_head(), write("zz\r\n"), Act::Hold]]).await;
    assert_eq!(failure(&ask(&socket.url(), json!({})).await).0, "malformed_stream");
}

#[tokio::test]
async fn the_end_of_a_stream_decides() {
    let cases = [
        (format!("{ROLE}{TOKEN}"), Some("truncated")),
        (String::new(), Some("truncated")),
        (format!("{ROLE}{STOP}"), Some("no_token")),
        (format!("{ROLE}{DONE}"), Some("no_token")),
        (format!("{TOKEN}data: not json\n\n"), Some("malformed_stream")),
        (format!("{TOKEN}data: {{\"error\":{{\"message\":\"engine died\"}}}}\n\n{DONE}"), Some("error_event")),
        ("data: {\"object\":\"error\",\"message\":\"too long\"}\n\n".to_owned(), Some("error_event")),
        (format!("{TOKEN}{STOP}"), None),
        (format!("{TOKEN}{DONE}"), None),
    ];
    for (text, expected) in cases {
        let socket = Socket::serve([stream(&text)]).await;
        let exchange = ask(&socket.url(), json!({})).await;
        assert_eq!(exchange.failure.as_ref().map(|failure| failure.kind.name()).as_deref(), expected, "{text}");
    }
}

#[tokio::test]
async fn a_stream_without_length_that_closes_after_its_finish_reason_is_a_success() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let socket = Socket::serve([vec![write(format!("{head}{TOKEN}{STOP}")), Act::Close]]).await;
    let exchange = ask(&socket.url(), json!({})).await;
    assert_eq!(exchange.failure, None);
    let socket = Socket::serve([vec![write(format!("{head}{TOKEN}data: {{\"choi")), Act::Close]]).await;
    assert_eq!(failure(&ask(&socket.url(), json!({})).await).0, "truncated");
}
