//! The least code of all: the same runtime, its sockets, `httparse` for heads and chunk sizes, and no HTTP stack.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Counter, ENDING, body};
use crate::streams::{Answer, Reader};
use crate::task::Load;

#[derive(Debug, Clone)]
pub struct Sockets {
    address: String,
    load: Load,
    counter: Counter,
}

impl Reader for Sockets {
    type Stream = Connection;

    fn new(url: &str, load: &Load) -> Self {
        Self { address: url.trim_start_matches("http://").to_owned(), load: *load, counter: Counter::new() }
    }

    async fn open(&self, _number: u32) -> Connection {
        Connection::open(&self.address, &self.load).await.unwrap()
    }

    async fn answer(&self, stream: &mut Connection, events: u32) -> Answer {
        let before = stream.reads;
        let events = stream.answer(events, &self.counter).await.unwrap() - ENDING;
        Answer { events, reads: stream.reads - before, failed: 0 }
    }
}

/// What was read and not looked at stands between `start` and `end`.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// For the first answer's one token, and for the others.
    requests: [(u32, Vec<u8>); 2],
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    reads: u64,
}

impl Connection {
    async fn open(address: &str, load: &Load) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let requests = [1, load.events].map(|events| (events, request(load, events)));
        Ok(Self { stream, requests, buffer: vec![0; 8 * 1024], start: 0, end: 0, reads: 0 })
    }

    /// Asks, and counts the events of the answer.
    async fn answer(&mut self, events: u32, counter: &Counter) -> io::Result<u64> {
        let (_, request) = self.requests.iter().find(|(asked, _)| *asked == events).unwrap();
        self.stream.write_all(request).await?;
        while !self.head()? {
            self.more().await?;
        }
        let mut events = 0;
        loop {
            match httparse::parse_chunk_size(&self.buffer[self.start..self.end]) {
                Ok(httparse::Status::Complete((digits, size))) => {
                    let size = usize::try_from(size).unwrap();
                    while self.end - self.start < digits + size + 2 {
                        self.more().await?;
                    }
                    events += counter.count(&self.buffer[self.start + digits..self.start + digits + size]);
                    self.start += digits + size + 2;
                    if size == 0 {
                        return Ok(events);
                    }
                }
                Ok(httparse::Status::Partial) => self.more().await?,
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Takes the head, where it is whole.
    fn head(&mut self) -> io::Result<bool> {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut head = httparse::Response::new(&mut headers);
        match head.parse(&self.buffer[self.start..self.end]).map_err(io::Error::other)? {
            httparse::Status::Complete(length) if head.code == Some(200) => {
                self.start += length;
                Ok(true)
            }
            httparse::Status::Complete(_) => Err(io::ErrorKind::InvalidData.into()),
            httparse::Status::Partial => Ok(false),
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        match self.stream.read(&mut self.buffer[self.end..]).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.reads += 1;
                self.end += read;
                Ok(())
            }
        }
    }
}

fn request(load: &Load, events: u32) -> Vec<u8> {
    let body = body(load, events);
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
