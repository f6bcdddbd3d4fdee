//! The least code over hyper, the HTTP stack that Rust's clients are built on.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Counter, ENDING, body};
use crate::streams::{Answer, Reader};
use crate::task::Load;

#[derive(Debug, Clone)]
pub struct Hyper {
    address: String,
    /// What is asked for, by the tokens of the answer.
    bodies: [(u32, Bytes); 2],
    counter: Counter,
}

impl Reader for Hyper {
    type Stream = SendRequest<Full<Bytes>>;

    fn new(url: &str, load: &Load) -> Self {
        let bodies = [1, load.events].map(|events| (events, body(load, events).into()));
        Self { address: url.trim_start_matches("http://").to_owned(), bodies, counter: Counter::new() }
    }

    async fn open(&self, _number: u32) -> Self::Stream {
        let socket = TcpStream::connect(&self.address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
        // Ends with the sender.
        tokio::spawn(connection);
        sender
    }

    async fn answer(&self, sender: &mut Self::Stream, events: u32) -> Answer {
        let (_, body) = self.bodies.iter().find(|(asked, _)| *asked == events).unwrap();
        let request = Request::builder().method(Method::POST).uri("/v1/chat/completions").header("host", "localhost");
        let request = request.header("content-type", "application/json").body(Full::new(body.clone())).unwrap();
        sender.ready().await.unwrap();
        let mut body = sender.send_request(request).await.unwrap().into_body();
        let (mut events, mut reads) = (0, 0);
        while let Some(frame) = body.frame().await {
            events += self.counter.count(frame.unwrap().data_ref().unwrap());
            reads += 1;
        }
        Answer { events: events - ENDING, reads, failed: 0 }
    }
}
