//! Every fault over both APIs, each on a connection of its own: exactly one kind, a sentence, no hang, and never a success. What only looks
//! like a fault is a success.

use std::time::Duration;

use serde_json::{Value, json};

use super::socket::{Act, Socket, answer, chunk, end, stream, stream_head, write};
use super::{DONE, ask, prompt, spec, target};
use bench::foundation::clock::{Clock, Micros};
use bench::servers::client::{HttpTarget, Target};
use bench::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Only what hangs takes so long.
const NEVER: Duration = Duration::from_mins(10);

/// The two APIs, and how a token, an end and a count look in each.
#[derive(Debug, Clone, Copy)]
enum Api {
    Chat,
    Completions,
}

impl Api {
    fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
        }
    }

    fn event(self, text: &str, finish: &str, rest: &str) -> String {
        match self {
            Self::Chat => {
                format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{text}}},\"finish_reason\":{finish}}}]{rest}}}\n\n")
            }
            Self::Completions => format!("data: {{\"choices\":[{{\"index\":0,\"text\":{text},\"finish_reason\":{finish}}}]{rest}}}\n\n"),
        }
    }

    fn token(self) -> String {
        self.event("\"a\"", "null", "")
    }

    fn stop(self) -> String {
        self.event("\"\"", "\"stop\"", "")
    }
}

/// What the server does, and which kind of failure that is; none for a success.
struct Case {
    name: &'static str,
    acts: Vec<Act>,
    /// Limits that the fault runs into.
    fields: Value,
    kind: Option<&'static str>,
}

fn case(name: &'static str, acts: Vec<Act>, kind: impl Into<Option<&'static str>>) -> Case {
    Case { name, acts, fields: json!({}), kind: kind.into() }
}

fn limited(name: &'static str, acts: Vec<Act>, limit: &str, kind: &'static str) -> Case {
    Case { fields: json!({ limit: 0.1 }), ..case(name, acts, kind) }
}

fn statuses() -> Vec<Case> {
    let refused = |head: &str| vec![write(format!("HTTP/1.1 {head}\r\ncontent-length: 7\r\n\r\nnot now"))];
    let cases = [
        ("400", "400 Bad Request", "http_400"),
        ("401", "401 Unauthorized", "http_401"),
        ("404", "404 Not Found", "http_404"),
        ("408", "408 Request Timeout", "http_408"),
        ("413", "413 Payload Too Large", "http_413"),
        ("429 with Retry-After", "429 Too Many Requests\r\nretry-after: 1", "http_429"),
        ("500", "500 Internal Server Error", "http_500"),
        ("502", "502 Bad Gateway", "http_502"),
        ("503 with Retry-After", "503 Service Unavailable\r\nretry-after: 1", "http_503"),
        ("504", "504 Gateway Timeout", "http_504"),
        ("a redirect to another host", "307 Temporary Redirect\r\nlocation: http://127.0.0.1:9/", "http_307"),
    ];
    cases.into_iter().map(|(name, head, kind)| case(name, refused(head), kind)).collect()
}

fn silences(api: Api) -> Vec<Case> {
    let comments = || (0..5).map(|_| chunk(": keep-alive\n\n"));
    vec![
        limited("accepted and silent", vec![Act::Hold], "first_token_timeout", "timeout_first_token"),
        limited("a head and silence", vec![stream_head(), Act::Hold], "first_token_timeout", "timeout_first_token"),
        limited(
            "comments and nothing else",
            [stream_head()].into_iter().chain(comments()).chain([Act::Hold]).collect(),
            "first_token_timeout",
            "timeout_first_token",
        ),
        limited("silence in mid-stream", vec![stream_head(), chunk(&api.token()), Act::Hold], "idle_timeout", "timeout_idle"),
        limited(
            "comments without end",
            vec![stream_head(), Act::Forever(chunk_bytes(": keep-alive\n\n"))],
            "first_token_timeout",
            "timeout_first_token",
        ),
        limited("tokens without end", vec![stream_head(), Act::Forever(chunk_bytes(&api.token()))], "total_timeout", "timeout_total"),
        limited("tokens and no end", vec![stream_head(), chunk(&api.token().repeat(5000)), Act::Hold], "total_timeout", "timeout_total"),
    ]
}

fn chunk_bytes(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

fn broken_connections(api: Api) -> Vec<Case> {
    vec![
        case("a reset before the head", vec![Act::Reset], "reset_mid_stream"),
        case("a close before the head", vec![Act::Close], "reset_mid_stream"),
        case("half a head", vec![write("HTTP/1.1 200 OK\r\ncontent-ty"), Act::Close], "reset_mid_stream"),
        case("a reset before the first token", vec![stream_head(), Act::Reset], "reset_mid_stream"),
        case("a close before the first token", vec![stream_head(), Act::Close], "reset_mid_stream"),
        case("a reset in mid-stream", vec![stream_head(), chunk(&api.token()), Act::Reset], "reset_mid_stream"),
        case("a close in mid-stream", vec![stream_head(), chunk(&api.token()), Act::Close], "reset_mid_stream"),
        case("a chunk that is no chunk", vec![stream_head(), chunk(&api.token()), write("xyz\r\n"), Act::Hold], "malformed_stream"),
        case("no HTTP at all", vec![write("SSH-2.0-OpenSSH_9.7\r\n"), Act::Close], "malformed_stream"),
    ]
}

fn wrong_bodies(api: Api) -> Vec<Case> {
    let token = api.token();
    let zipped = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\u{8b}";
    vec![
        case("a page instead of a stream", answer("200 OK", "text/html", "<html>welcome</html>"), "malformed_stream"),
        case("gzip that nobody asked for", vec![write(zipped), Act::Close], "malformed_stream"),
        case("no JSON in mid-stream", stream(&format!("{token}data: {{\"choices\"\n\n{token}{DONE}")), "malformed_stream"),
        case("an event of 17 MiB", stream(&format!("data: \"{}\"\n\n{DONE}", "x".repeat(17 << 20))), "malformed_stream"),
        case("an error event", stream(&format!("{token}data: {{\"error\":{{\"message\":\"out of memory\"}}}}\n\n{DONE}")), "error_event"),
        wrong_usage(api, "a count below zero", "{\"prompt_tokens\":9,\"completion_tokens\":-1}"),
        wrong_usage(api, "a count in words", "{\"prompt_tokens\":9,\"completion_tokens\":\"many\"}"),
        wrong_usage(api, "a count beyond every model", "{\"prompt_tokens\":9,\"completion_tokens\":18446744073709551615}"),
        wrong_usage(api, "a count of no tokens beside some", "{\"prompt_tokens\":9,\"completion_tokens\":0}"),
        case("no token", stream(&format!("{}{DONE}", api.stop())), "no_token"),
        case("an empty stream", stream(""), "truncated"),
        case("neither an end marker nor a finish reason", stream(&token), "truncated"),
    ]
}

fn wrong_usage(api: Api, name: &'static str, usage: &str) -> Case {
    case(name, stream(&format!("{}{DONE}", api.event("\"a\"", "null", &format!(",\"usage\":{usage}")))), "malformed_stream")
}

fn unusual_and_fine(api: Api) -> Vec<Case> {
    let (token, stop) = (api.token(), api.stop());
    let unicode = api.event("\"\u{1F600}\"", "null", "");
    let split = unicode.find('\u{1F600}').unwrap() + 2;
    let pieces = |bytes: &[u8]| write([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat());
    let head = |version: &str| write(format!("HTTP/{version} 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{token}{stop}{DONE}"));
    let usage = |usage: &str| api.event("\"a\"", "null", &format!(",\"usage\":{usage}"));
    vec![
        case("a finish reason and no end marker", stream(&format!("{token}{stop}")), None),
        case("an end marker and no finish reason", stream(&format!("{token}{DONE}")), None),
        case(
            "a character cut in two",
            vec![stream_head(), pieces(&unicode.as_bytes()[..split]), pieces(&unicode.as_bytes()[split..]), chunk(DONE), end()],
            None,
        ),
        case(
            "an event cut in three",
            {
                let (one, rest) = token.split_at(9);
                let (two, three) = rest.split_at(7);
                vec![stream_head(), chunk(one), chunk(two), chunk(three), chunk(DONE), end()]
            },
            None,
        ),
        case("an event of 10 MB", stream(&format!("{}{DONE}", api.event(&format!("\"{}\"", "x".repeat(10_000_000)), "null", ""))), None),
        case("HTTP/1.0", vec![head("1.0"), Act::Close], None),
        case("a stream without a length", vec![head("1.1"), Act::Close], None),
        case("usage beside choices", stream(&format!("{}{DONE}", usage("{\"prompt_tokens\":9,\"completion_tokens\":1}"))), None),
        case("no usage", stream(&format!("{token}{stop}{DONE}")), None),
        case("usage of null", stream(&format!("{}{DONE}", usage("null"))), None),
        case("comments between events", stream(&format!(": a\n\n{token}: b\n\n{DONE}")), None),
    ]
}

fn cases(api: Api) -> Vec<Case> {
    [statuses(), silences(api), broken_connections(api), wrong_bodies(api), unusual_and_fine(api)].into_iter().flatten().collect()
}

#[tokio::test]
async fn every_fault_is_one_failure_with_a_sentence_and_nothing_hangs() {
    for api in [Api::Chat, Api::Completions] {
        for Case { name, acts, mut fields, kind } in cases(api) {
            let socket = Socket::serve([acts]).await;
            fields["api"] = api.name().into();
            let exchange = tokio::time::timeout(NEVER, ask(&socket.url(), fields)).await;
            let exchange = exchange.unwrap_or_else(|_| panic!("{name} over {} hangs", api.name()));
            let failure = exchange.failure.as_ref();
            assert_eq!(failure.map(|failure| failure.kind.name()).as_deref(), kind, "{name} over {}: {failure:?}", api.name());
            assert!(failure.is_none_or(|failure| failure.detail.len() > 3 && failure.detail.len() < 500), "{name}: {failure:?}");
            assert!(exchange.done >= exchange.sent, "{name}");
            assert_eq!(socket.connections(), 1, "{name}: nothing is sent again");
        }
    }
}

#[tokio::test]
async fn counts_that_cannot_be_are_not_believed_and_the_cure_is_named() {
    let text = format!("{}{DONE}", Api::Chat.event("\"a\"", "null", ",\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":-1}"));
    let exchange = ask(&Socket::serve([stream(&text)]).await.url(), json!({})).await;
    let said = "`usage` in event 1 of the stream cannot be: `completion_tokens` is -1; \
                with `target.body.stream_options.include_usage = false` the token rule counts";
    assert_eq!(exchange.failure.unwrap().detail, said);
    for usage in ["{\"prompt_tokens\":-4,\"completion_tokens\":1}", "{\"prompt_tokens\":\"many\"}", "7"] {
        let text = format!("{}{DONE}", Api::Chat.event("\"a\"", "null", &format!(",\"usage\":{usage}")));
        let socket = Socket::serve([stream(&text)]).await;
        let exchange = ask(&socket.url(), json!({})).await;
        assert_eq!(exchange.usage, None, "{usage}");
        assert_eq!(exchange.failure.unwrap().kind.name(), "malformed_stream", "{usage}");
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_is_connect() {
    let exchange = ask("http://no-such-host.invalid", json!({ "connect_timeout": 5 })).await;
    assert_eq!(exchange.failure.unwrap().kind.name(), "connect");
}

#[tokio::test]
async fn a_good_answer_goes_its_way_beside_every_fault_at_once() {
    let holds = || vec![stream_head(), chunk(&Api::Chat.token()), Act::Hold];
    let faults = (0..20).map(|number| match number % 4 {
        0 => vec![Act::Hold],
        1 => holds(),
        2 => vec![Act::Reset],
        _ => answer("500 Internal Server Error", "text/plain", "no"),
    });
    let bad = Socket::serve(faults).await;
    let good = Socket::serve([stream(&format!("{}{DONE}", Api::Chat.token().repeat(50)))]).await;
    let limits = json!({ "first_token_timeout": 1, "idle_timeout": 1 });
    let failing: tokio::task::JoinSet<_> = (0..20)
        .map(|_| {
            let (url, limits) = (bad.url(), limits.clone());
            async move { ask(&url, limits).await }
        })
        .collect();
    let exchange = target(&good.url(), json!({})).exchange(prompt(), None).await;
    assert_eq!((exchange.failure, exchange.token_events.len()), (None, 50));
    assert!(failing.join_all().await.iter().all(|exchange| exchange.failure.is_some()));
}

/// A prompt that no socket's buffers hold.
fn long_prompt() -> Prompt {
    Prompt { messages: vec![ChatMessage::new(MessageRole::User, "word ".repeat(6_000_000))], ..prompt() }
}

/// A server that takes one connection, reads the head of its request and nothing more, answers with `early`, and stays.
async fn half_deaf(early: &'static str) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 64];
        stream.read_exact(&mut head).await.unwrap();
        stream.write_all(early.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    (url, serving)
}

#[tokio::test]
async fn a_reader_whose_window_is_full_is_a_timeout_as_any_other_silence() {
    for (limit, kind) in [("total_timeout", "timeout_total"), ("first_token_timeout", "timeout_first_token")] {
        let (url, _serving) = half_deaf("").await;
        let exchange = tokio::time::timeout(NEVER, target(&url, json!({ limit: 0.3 })).exchange(long_prompt(), None)).await.unwrap();
        let failure = exchange.failure.expect("nothing was answered");
        assert_eq!(failure.kind.name(), kind, "{failure:?}");
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_was_taken_is_that_answer() {
    let refused = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 8\r\nconnection: close\r\n\r\ntoo long";
    let (url, _serving) = half_deaf(refused).await;
    let exchange = tokio::time::timeout(NEVER, target(&url, json!({})).exchange(long_prompt(), None)).await.unwrap();
    let failure = exchange.failure.expect("it was refused");
    assert_eq!(failure.kind.name(), "http_413", "{failure:?}");
}

#[tokio::test]
async fn an_address_from_which_nothing_ever_comes_back_is_connect() {
    // What is sent to a listener whose queue is full is dropped, as by a network without a route.
    let full = tokio::net::TcpSocket::new_v4().unwrap();
    full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = full.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let waits = Duration::from_millis(200);
    let queue: Vec<_> = std::iter::from_fn(|| std::net::TcpStream::connect_timeout(&address, waits).ok()).take(64).collect();
    assert!(queue.len() < 64, "the queue is never full");
    let exchange = tokio::time::timeout(NEVER, ask(&format!("http://{address}"), json!({ "connect_timeout": 0.1 }))).await.unwrap();
    assert_eq!(exchange.failure.unwrap().kind.name(), "connect");
    assert_eq!(exchange.sent, exchange.done);
}

/// How far two clocks of a machine may be apart, and a packet of a busy kernel from its write; and half of the packets.
const APART: Micros = Micros(5_000);
const MOST_APART: Micros = Micros(1_000);

/// The server says when it wrote each token, and the client when it came. A client that its other streams hold up would tell later times:
/// it reads all of them on one thread, and what they hold up is read late, but its stamps are those of the kernel.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_token_of_a_good_stream_is_told_at_the_moment_it_was_written_beside_every_fault_at_once() {
    const TOKENS: u32 = 40;
    let clock = Clock::real();
    let (written, mut stamps) = tokio::sync::mpsc::unbounded_channel();
    let token = chunk_bytes(&Api::Chat.token());
    let paced = Act::Paced(token, TOKENS, Duration::from_millis(20), clock, written);
    let good = Socket::serve([vec![stream_head(), paced, chunk(DONE), end()]]).await;
    let mut failing = tokio::task::JoinSet::new();
    for Case { acts, fields, kind, .. } in cases(Api::Chat).into_iter().filter(|case| case.kind.is_some()) {
        failing.spawn(async move {
            let socket = Socket::serve([acts]).await;
            let told = ask(&socket.url(), fields).await.failure.map(|failure| failure.kind.name());
            assert_eq!(told.as_deref(), kind);
        });
    }
    let target = Target::Http(HttpTarget::new(&spec(&good.url(), json!({})), clock).unwrap());
    let exchange = target.exchange(prompt(), None).await;
    assert_eq!((exchange.failure, exchange.token_events.len()), (None, TOKENS as usize));
    let mut written = Vec::new();
    while let Ok(moments) = stamps.try_recv() {
        written.push(moments);
    }
    // Where the machine is so busy that several tokens are read at once, all have the last one's stamp: never that of the reading.
    let is_told = |number: usize, came: Micros, apart: Micros| {
        let is_moment = |[before, after]: &[Micros; 2]| came + apart >= *before && came <= *after + apart;
        written[number..].iter().any(is_moment)
    };
    let tokens = || exchange.token_events.iter().enumerate();
    for (number, came) in tokens() {
        assert!(is_told(number, *came, APART), "token {number} is told at {came:?}, and these were written: {written:?}");
    }
    let at_once = tokens().filter(|(number, came)| is_told(*number, **came, MOST_APART)).count();
    assert!(2 * at_once >= exchange.token_events.len(), "{at_once} tokens are told at once");
    failing.join_all().await;
}
