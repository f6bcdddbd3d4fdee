//! The same wire in HTTP/2, where a scenario asks for it: a server that speaks it does exactly what the test says.

use bench::servers::client::{HttpExchange, Target};
use bench::vocabulary::session::{ChatMessage, MessageRole};
use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::{DONE, ROLE, STOP, TOKEN, failure, prompt, target};

/// A server's end of one connection.
struct Peer(Connection<TcpStream, Bytes>);

/// A request whose body was read whole.
struct Asked {
    request: http::Request<()>,
    body: String,
    respond: SendResponse<Bytes>,
}

async fn listen(fields: Value) -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let Value::Object(mut all) = fields else { panic!("fields are an object") };
    all.insert("http_version".to_owned(), json!("2"));
    let target = target(&format!("http://{}", listener.local_addr().unwrap()), Value::Object(all));
    (listener, target)
}

impl Peer {
    async fn accept(listener: &TcpListener, builder: &Builder) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(builder.handshake(stream).await.unwrap())
    }

    /// The next request; none where the client has closed.
    async fn asked(&mut self) -> Option<Asked> {
        let (request, respond) = self.0.accept().await?.ok()?;
        let (parts, mut body) = request.into_parts();
        let body = self.drive(read(&mut body)).await;
        Some(Asked { request: http::Request::from_parts(parts, ()), body, respond })
    }

    /// Lets the connection work while something waits for it.
    async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            end = std::future::poll_fn(|cx| self.0.poll_closed(cx)) => panic!("the connection is over: {end:?}"),
        }
    }

    /// Writes out what was said.
    async fn flush(&mut self) {
        for _ in 0..10 {
            self.drive(tokio::task::yield_now()).await;
        }
    }

    /// Works until the client closes.
    async fn end(mut self) {
        let _ = std::future::poll_fn(|cx| self.0.poll_closed(cx)).await;
    }
}

async fn read(body: &mut RecvStream) -> String {
    let mut whole = Vec::new();
    while let Some(Ok(part)) = body.data().await {
        body.flow_control().release_capacity(part.len()).unwrap();
        whole.extend_from_slice(&part);
    }
    String::from_utf8(whole).unwrap()
}

/// Begins an event stream.
fn begin(asked: &mut Asked) -> SendStream<Bytes> {
    let head = http::Response::builder().header("content-type", "text/event-stream").body(()).unwrap();
    asked.respond.send_response(head, false).unwrap()
}

fn say(stream: &mut SendStream<Bytes>, text: &str, end: bool) {
    stream.send_data(Bytes::copy_from_slice(text.as_bytes()), end).unwrap();
}

/// A whole answer in order.
fn answer(asked: &mut Asked) {
    let mut stream = begin(asked);
    say(&mut stream, &format!("{ROLE}{TOKEN}{TOKEN}{STOP}{DONE}"), true);
}

#[tokio::test]
async fn an_answer_is_heard_read_by_read_each_with_its_own_stamp() {
    let (listener, target) = listen(json!({})).await;
    let (hear, heard) = oneshot::channel();
    let server = async {
        let mut peer = Peer::accept(&listener, &Builder::new()).await;
        let mut asked = peer.asked().await.unwrap();
        assert_eq!(asked.request.uri().path(), "/v1/chat/completions");
        assert_eq!(asked.request.headers()["content-length"], asked.body.len().to_string());
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap()["messages"][2]["content"], "Who?");
        let mut stream = begin(&mut asked);
        say(&mut stream, &format!("{ROLE}{TOKEN}"), false);
        peer.drive(heard).await.unwrap();
        say(&mut stream, TOKEN, false);
        say(&mut stream, &format!("{STOP}{DONE}"), true);
        peer.end().await;
    };
    let client = async {
        let exchange = target.exchange(prompt(), Some(hear)).await;
        drop(target);
        exchange
    };
    let (exchange, ()) = tokio::join!(client, server);
    assert_eq!((&exchange.failure, exchange.answer.as_str(), exchange.carriage.reads.merged), (&None, "aa", 0));
    let [first, second] = exchange.token_events[..] else { panic!("two tokens: {exchange:?}") };
    assert!(exchange.sent <= first && exchange.headers.unwrap() <= first && first < second && second <= exchange.done, "{exchange:?}");
}

#[tokio::test]
async fn one_connection_carries_one_request_after_the_other() {
    let (listener, target) = listen(json!({})).await;
    let server = async {
        let mut peer = Peer::accept(&listener, &Builder::new()).await;
        let mut requests = 0;
        while let Some(mut asked) = peer.asked().await {
            answer(&mut asked);
            requests += 1;
        }
        requests
    };
    let client = async {
        assert_eq!(target.connect_ahead(1).await, 1);
        for _ in 0..3 {
            let exchange = target.exchange(prompt(), None).await;
            assert_eq!((exchange.failure, exchange.carriage.connect, exchange.carriage.dead), (None, None, 0));
        }
        drop(target);
    };
    assert_eq!(tokio::join!(server, client).0, 3);
}

#[tokio::test]
async fn a_request_longer_than_the_server_gives_leave_for_is_sent_as_it_gives_it() {
    let (listener, target) = listen(json!({})).await;
    let mut builder = Builder::new();
    builder.initial_window_size(1_000).initial_connection_window_size(70_000);
    let text = "novel ".repeat(50_000);
    let server = async {
        let mut peer = Peer::accept(&listener, &builder).await;
        let mut asked = peer.asked().await.unwrap();
        answer(&mut asked);
        peer.end().await;
        asked.body
    };
    let client = async {
        let long = bench::vocabulary::session::Prompt { messages: vec![ChatMessage::new(MessageRole::User, text.as_str())], ..prompt() };
        let exchange = target.exchange(long, None).await;
        drop(target);
        exchange
    };
    let (body, exchange) = tokio::join!(server, client);
    assert_eq!(exchange.failure, None);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["messages"][0]["content"], text);
    assert!(exchange.carriage.handover.0 > 0, "leave was waited for before `sent`");
}

#[tokio::test]
async fn a_server_that_refuses_a_long_request_before_it_has_heard_it_is_heard() {
    let (listener, target) = listen(json!({})).await;
    let server = async {
        let mut peer = Peer::accept(&listener, &Builder::new()).await;
        let (_unread, mut respond) = peer.0.accept().await.unwrap().unwrap();
        let head = http::Response::builder().status(413).body(()).unwrap();
        say(&mut respond.send_response(head, false).unwrap(), "too long", true);
        peer.end().await;
    };
    let client = async {
        let long = ChatMessage::new(MessageRole::User, "x".repeat(1 << 20));
        let exchange = target.exchange(bench::vocabulary::session::Prompt { messages: vec![long], ..prompt() }, None).await;
        drop(target);
        exchange
    };
    let (exchange, ()) = tokio::join!(client, server);
    assert_eq!(failure(&exchange), ("http_413".to_owned(), "too long"));
}

/// What becomes of a request whose answer the server ends in this way, behind a first one in order and as much of its own as this.
async fn broken(fields: Value, begun: bool, end: impl FnOnce(&mut Peer, SendResponse<Bytes>, Option<SendStream<Bytes>>)) -> HttpExchange {
    let (listener, target) = listen(fields).await;
    let server = async {
        let mut peer = Peer::accept(&listener, &Builder::new()).await;
        answer(&mut peer.asked().await.unwrap());
        let mut asked = peer.asked().await.unwrap();
        let stream = begun.then(|| begin(&mut asked));
        let stream = stream.map(|mut stream| {
            say(&mut stream, TOKEN, false);
            stream
        });
        peer.flush().await;
        end(&mut peer, asked.respond, stream);
        peer.end().await;
        // Where the request is sent again there is somebody to answer it.
        let Ok((stream, _)) = listener.accept().await else { return };
        let mut peer = Peer(Builder::new().handshake(stream).await.unwrap());
        answer(&mut peer.asked().await.unwrap());
        peer.end().await;
    };
    let client = async {
        assert_eq!(target.exchange(prompt(), None).await.failure, None);
        target.exchange(prompt(), None).await
    };
    tokio::select! {
        exchange = client => exchange,
        () = server => panic!("the server ended before the client"),
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_keeps_what_came() {
    let exchange = broken(json!({}), true, |_, _, stream| stream.unwrap().send_reset(Reason::INTERNAL_ERROR)).await;
    let (kind, detail) = failure(&exchange);
    assert_eq!((kind.as_str(), exchange.answer.as_str()), ("reset_mid_stream", "a"));
    assert!(detail.contains("internal error") && !detail.contains("http_version"), "{detail}");
}

#[tokio::test]
async fn a_stream_that_ends_without_its_marker_is_told_as_in_the_other_version() {
    let exchange = broken(json!({}), true, |_, _, stream| say(&mut stream.unwrap(), "", true)).await;
    assert_eq!((failure(&exchange).0.as_str(), exchange.token_events.len()), ("truncated", 1));
}

#[tokio::test]
async fn a_request_refused_on_a_used_connection_fails_or_is_sent_again_and_counted_as_asked() {
    let refuse = |_: &mut Peer, mut respond: SendResponse<Bytes>, _| respond.send_reset(Reason::REFUSED_STREAM);
    let exchange = broken(json!({}), false, refuse).await;
    assert_eq!((failure(&exchange).0.as_str(), exchange.carriage.resent), ("reset_mid_stream", 0));
    let exchange = broken(json!({ "on_dead_connection": "resend" }), false, refuse).await;
    assert_eq!((exchange.failure, exchange.carriage.resent, exchange.token_events.len()), (None, 1, 2));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_is_found_and_replaced() {
    let (listener, target) = listen(json!({})).await;
    let (idle, is_idle) = oneshot::channel();
    let (closed, is_closed) = oneshot::channel();
    let server = async {
        let mut peer = Peer::accept(&listener, &Builder::new()).await;
        answer(&mut peer.asked().await.unwrap());
        peer.drive(is_idle).await.unwrap();
        peer.0.abrupt_shutdown(Reason::NO_ERROR);
        peer.end().await;
        closed.send(()).unwrap();
        let mut peer = Peer::accept(&listener, &Builder::new()).await;
        answer(&mut peer.asked().await.unwrap());
        peer.end().await;
    };
    let client = async {
        assert_eq!(target.exchange(prompt(), None).await.failure, None);
        idle.send(()).unwrap();
        is_closed.await.unwrap();
        let second = target.exchange(prompt(), None).await;
        drop(target);
        second
    };
    let (second, ()) = tokio::join!(client, server);
    assert_eq!((second.failure, second.carriage.dead, second.carriage.resent), (None, 1, 0));
    assert!(second.carriage.connect.is_some());
}

#[tokio::test]
async fn a_server_that_speaks_only_the_older_version_is_told_apart() {
    let (listener, target) = listen(json!({})).await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream
    };
    let (exchange, _stream) = tokio::join!(target.exchange(prompt(), None), server);
    let (kind, detail) = failure(&exchange);
    assert_eq!(kind, "malformed_stream");
    assert!(detail.contains("does the server speak HTTP/2? If not, leave `http_version` out"), "{detail}");
}
