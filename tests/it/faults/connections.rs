//! What requests go out on, and when what comes back came: connections opened ahead, used again, fresh, found closed, lost; and stamps that
//! hold while the client is busy.

use std::io::{Read, Write};
use std::sync::mpsc;
use std::time::Instant;

use bench::foundation::clock::{Clock, Micros};
use bench::servers::client::{HttpExchange, HttpTarget, Target};
use serde_json::{Value, json};

use super::socket::{Act, Socket, chunk, end, stream, stream_head};
use super::{DONE, TOKEN, ask, failure, prompt, spec, target};

/// How long the client is kept from reading.
const BUSY: Micros = Micros(30_000);

/// How far two clocks of a machine may be apart.
const CLOCKS_APART: Micros = Micros(50);

/// A server in a thread of its own, asked by a client whose thread is busy from before the first event is written until long after the last
/// one was. The moments just before and just after each write, and the exchange.
async fn while_busy(events: usize) -> (Vec<(Micros, Micros)>, HttpExchange) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let clock = Clock::real();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let target = Target::Http(HttpTarget::new(&spec(&url, json!({})), clock).unwrap());
    let (asked, was_asked) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let (wrote, written) = mpsc::channel();
    let (read, was_read) = tokio::sync::oneshot::channel();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let mut request = vec![0; 64 * 1024];
        assert!(stream.read(&mut request).unwrap() > 0);
        write_chunk(&mut stream, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n", None);
        asked.send(()).unwrap();
        may_go.recv().unwrap();
        for _ in 0..events {
            let before = clock.now();
            write_chunk(&mut stream, "", Some(TOKEN));
            wrote.send((before, clock.now())).unwrap();
        }
        may_go.recv().unwrap();
        write_chunk(&mut stream, "", Some(DONE));
        stream.write_all(b"0\r\n\r\n").unwrap();
    });
    let busy = async {
        while was_asked.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
        let moments: Vec<_> = written.iter().take(events).collect();
        let start = Instant::now();
        while start.elapsed().as_micros() < u128::from(BUSY.0) {
            std::hint::spin_loop();
        }
        // The end must not be read with the tokens: a read has the stamp of its last segment.
        was_read.await.unwrap();
        go.send(()).unwrap();
        moments
    };
    let (exchange, moments) = tokio::join!(target.exchange(prompt(), Some(read)), busy);
    server.join().unwrap();
    assert_eq!(exchange.failure, None);
    (moments, exchange)
}

fn write_chunk(stream: &mut std::net::TcpStream, head: &str, chunk: Option<&str>) {
    let chunk = chunk.map(|text| format!("{:x}\r\n{text}\r\n", text.len())).unwrap_or_default();
    stream.write_all(format!("{head}{chunk}").as_bytes()).unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_busy_client_does_not_age_a_token() {
    // The kernel begins to stamp a moment after the first socket of a machine has asked for it, which a target that is there does.
    let _asking = target("http://127.0.0.1:1", json!({}));
    let mut soonest = Micros(u64::MAX);
    let mut stamped = 0;
    for _ in 0..50 {
        let (moments, exchange) = while_busy(1).await;
        if exchange.carriage.reads.unstamped > 0 {
            continue;
        }
        let ((before, after), stamp) = (moments[0], exchange.token_events[0]);
        // A busy kernel delivers later than the write returns, but nowhere near as late as it is read.
        assert!(before <= stamp + CLOCKS_APART && stamp <= after + Micros(BUSY.0 / 4), "{stamp:?}: not between {before:?} and {after:?}");
        let lag = exchange.carriage.reads.lags_us[0];
        assert!(u64::from(lag) >= BUSY.0 - 1000, "the moment of reading was {lag} µs late");
        assert_eq!(exchange.carriage.reads.merged, 0);
        (soonest, stamped) = (soonest.min(stamp.since(after)), stamped + 1);
        if stamped == 10 {
            break;
        }
    }
    // What delays a delivery differs from one to the next; a stamp that were late by itself would be late in all of ten.
    assert!(stamped == 10 && soonest <= Micros(200), "of {stamped} tokens the soonest is told {soonest:?} after its write");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn events_that_are_read_together_are_told_and_never_look_early() {
    let (moments, exchange) = while_busy(3).await;
    assert_eq!((exchange.token_events.len(), exchange.carriage.reads.merged), (3, 1));
    for ((before, _), stamp) in moments.iter().zip(&exchange.token_events) {
        assert!(*stamp + CLOCKS_APART >= *before, "{stamp:?} is before {before:?}");
    }
}

#[tokio::test]
async fn a_connection_opened_ahead_costs_the_request_nothing() {
    let socket = Socket::serve([stream(&format!("{TOKEN}{DONE}")), stream(&format!("{TOKEN}{DONE}"))]).await;
    let target = target(&socket.url(), json!({}));
    assert_eq!(target.connect_ahead(1).await, 1);
    target.exchange(prompt(), None).await;
    let second = target.exchange(prompt(), None).await;
    assert_eq!((second.carriage.connect, second.carriage.connected), (None, true));
    assert_eq!(socket.connections(), 1);
}

#[tokio::test]
async fn the_time_of_a_connection_is_told_and_lies_before_sent() {
    let socket = Socket::serve([stream(&format!("{TOKEN}{DONE}"))]).await;
    let exchange = ask(&socket.url(), json!({})).await;
    let connect = exchange.carriage.connect.unwrap();
    assert!(connect <= exchange.carriage.handover && exchange.carriage.handover <= exchange.sent, "{exchange:?}");
}

#[tokio::test]
async fn fresh_connections_are_one_a_request() {
    let answer = || stream(&format!("{TOKEN}{DONE}"));
    let mut socket = Socket::serve([answer(), answer(), answer()]).await;
    let target = target(&socket.url(), json!({ "connection": "fresh" }));
    assert_eq!(target.connect_ahead(5).await, 0);
    for connections in 1..=3 {
        let exchange = target.exchange(prompt(), None).await;
        assert!(exchange.failure.is_none() && exchange.carriage.connect.is_some());
        assert_eq!(socket.connections(), connections);
        assert_eq!(socket.received().unwrap().header("connection"), Some("close"));
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_found_and_replaced() {
    let closing = vec![stream_head(), chunk(&format!("{TOKEN}{DONE}")), end(), Act::Close];
    let socket = Socket::serve([closing, stream(&format!("{TOKEN}{DONE}"))]).await;
    let target = target(&socket.url(), json!({}));
    assert_eq!(target.exchange(prompt(), None).await.failure, None);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let second = target.exchange(prompt(), None).await;
    assert_eq!((second.failure, second.carriage.dead, second.carriage.resent), (None, 1, 0));
    assert!(second.carriage.connect.is_some());
}

/// A first answer in order, then a connection that closes on the second request without a word.
async fn lost(fields: Value) -> (HttpExchange, usize) {
    let answer = || stream(&format!("{TOKEN}{DONE}"));
    let socket = Socket::serve([answer(), vec![Act::Close], answer()]).await;
    let target = target(&socket.url(), fields);
    assert_eq!(target.exchange(prompt(), None).await.failure, None);
    (target.exchange(prompt(), None).await, socket.connections())
}

#[tokio::test]
async fn a_request_lost_on_a_used_connection_fails_or_is_sent_again_and_counted_as_asked() {
    let (exchange, connections) = lost(json!({})).await;
    assert_eq!((failure(&exchange).0.as_str(), exchange.carriage.resent, connections), ("reset_mid_stream", 0, 1));
    let (exchange, connections) = lost(json!({ "on_dead_connection": "resend" })).await;
    assert_eq!((exchange.failure, exchange.carriage.resent, connections), (None, 1, 2));
    assert_eq!(exchange.token_events.len(), 1);
}

#[tokio::test]
async fn a_request_lost_on_a_new_connection_is_never_sent_again() {
    for first in [vec![Act::Close], vec![stream_head(), Act::Close]] {
        let socket = Socket::serve([first, stream(DONE)]).await;
        let exchange = ask(&socket.url(), json!({ "on_dead_connection": "resend" })).await;
        assert_eq!((failure(&exchange).0.as_str(), exchange.carriage.resent), ("reset_mid_stream", 0));
        assert_eq!(socket.connections(), 1);
    }
}

#[tokio::test]
async fn a_server_that_refuses_a_long_request_before_it_has_read_it_is_heard() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(&format!("http://{}", listener.local_addr().unwrap()), json!({ "first_token_timeout": 10 }));
    let long = bench::vocabulary::session::ChatMessage::new(bench::vocabulary::session::MessageRole::User, "x".repeat(30 << 20));
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let answer = b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 8\r\n\r\ntoo long";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
        stream
    };
    let asked = target.exchange(bench::vocabulary::session::Prompt { messages: vec![long], ..prompt() }, None);
    let (exchange, _stream) = tokio::join!(asked, server);
    assert_eq!(failure(&exchange), ("http_413".to_owned(), "too long"));
}
