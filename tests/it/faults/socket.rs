//! A server at the level of its socket: takes requests and does to the connection exactly what the test says.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bench::foundation::clock::{Clock, Micros};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// One thing that the server does in answer to a request.
#[derive(Debug)]
pub enum Act {
    Write(Vec<u8>),
    /// Writes the same again and again, as long as anybody takes it.
    Forever(Vec<u8>),
    /// Writes the same so many times, each this long after the one before, and says when: just before and just after each.
    Paced(Vec<u8>, u32, Duration, Clock, mpsc::UnboundedSender<[Micros; 2]>),
    /// Waits for the test to say so.
    Await(oneshot::Receiver<()>),
    /// Closes the connection in order.
    Close,
    /// Closes it with a reset.
    Reset,
    /// Does nothing more, and keeps the connection open.
    Hold,
}

/// What came in.
#[derive(Debug)]
pub struct Received {
    pub head: String,
    pub body: String,
}

impl Received {
    /// The value of a header, if it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(found, _)| found.eq_ignore_ascii_case(name)))
            .map(|(_, value)| value)
    }
}

/// A running server. It ends with the test.
#[derive(Debug)]
pub struct Socket {
    pub host: String,
    requests: mpsc::UnboundedReceiver<Received>,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

/// What is done in answer to a request.
type Answering = Arc<dyn Fn(&Received) -> Vec<Act> + Send + Sync>;

impl Socket {
    /// Serves the n-th request, on whatever connection, with the n-th answer.
    pub async fn serve(answers: impl IntoIterator<Item = Vec<Act>>) -> Self {
        let answers: Mutex<VecDeque<Vec<Act>>> = Mutex::new(answers.into_iter().collect());
        Self::answering(move |_| answers.lock().unwrap().pop_front().unwrap_or_default()).await
    }

    /// Serves each request by what it says.
    pub async fn answering(answer: impl Fn(&Received) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let answer: Answering = Arc::new(answer);
        let (sender, requests) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                open.spawn(converse(stream, Arc::clone(&answer), sender.clone()));
            }
        });
        Self { host, requests, connections, _tasks: tasks }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    /// The next request that came, in order; `None` where no more has come so far.
    pub fn received(&mut self) -> Option<Received> {
        self.requests.try_recv().ok()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn converse(mut stream: TcpStream, answer: Answering, requests: mpsc::UnboundedSender<Received>) {
    stream.set_nodelay(true).unwrap();
    while let Some(request) = read(&mut stream).await {
        let acts = answer(&request);
        let _ = requests.send(request);
        for act in acts {
            match act {
                Act::Write(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                }
                Act::Forever(bytes) => {
                    while stream.write_all(&bytes).await.is_ok() {}
                    return;
                }
                Act::Paced(bytes, times, pause, clock, written) => {
                    let mut beat = tokio::time::interval(pause);
                    for _ in 0..times {
                        beat.tick().await;
                        let before = clock.now();
                        let _ = stream.write_all(&bytes).await;
                        let _ = written.send([before, clock.now()]);
                    }
                }
                Act::Await(signal) => {
                    let _ = signal.await;
                }
                Act::Close => return,
                Act::Reset => {
                    stream.set_zero_linger().unwrap();
                    return;
                }
                Act::Hold => std::future::pending().await,
            }
        }
    }
}

/// Head and body of one request; `None` at the end of the connection.
async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let mut received = Received { head, body: String::new() };
            let length: usize = received.header("content-length").map_or(0, |length| length.parse().unwrap());
            let mut body = bytes.split_off(end + 4);
            let have = body.len();
            body.resize(length, 0);
            stream.read_exact(&mut body[have..]).await.ok()?;
            received.body = String::from_utf8(body).unwrap();
            return Some(received);
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Writes text as it is.
pub fn write(text: impl Into<Vec<u8>>) -> Act {
    Act::Write(text.into())
}

/// The head of an event stream in chunked encoding.
pub fn stream_head() -> Act {
    write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n")
}

/// One chunk of a chunked body.
pub fn chunk(text: &str) -> Act {
    write(format!("{:x}\r\n{text}\r\n", text.len()))
}

/// The end of a chunked body.
pub fn end() -> Act {
    write("0\r\n\r\n")
}

/// A whole event stream that ends in order.
pub fn stream(text: &str) -> Vec<Act> {
    vec![stream_head(), chunk(text), end()]
}

/// A whole answer with a status, a content type and a body.
pub fn answer(status: &str, kind: &str, body: &str) -> Vec<Act> {
    vec![write(format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))]
}
