//! The reference: the least code that reads the same streams over the same sockets with the same parser of heads. It counts events and keeps
//! nothing: no stamps, no texts, no limits, no records.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use memchr::memmem::Finder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::account::{Account, Meter, held_kb};
use crate::task::Load;

/// Reads the load.
pub fn read(url: &str, load: &Load) -> Account {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(load.threads).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut account = Account { idle_kb: held_kb(), ..Account::default() };
        let all_stand = Arc::new(Barrier::new(load.streams as usize + 1));
        let mut streams = JoinSet::new();
        for number in 0..load.streams {
            streams.spawn(stream(url.trim_start_matches("http://").to_owned(), *load, number, Arc::clone(&all_stand)));
        }
        all_stand.wait().await;
        let meter = Meter::start();
        tokio::time::sleep(Duration::from_micros(load.first_us + 2 * load.spread_us())).await;
        account.begun_kb = held_kb();
        while let Some(read) = streams.join_next().await {
            let (read, reads) = read.unwrap().unwrap();
            account.reads += reads;
            account.requests += u64::from(load.answers);
            // The end of an answer takes two events more, of which neither is a token.
            account.events += read - 2 * u64::from(load.answers);
        }
        meter.read(&mut account);
        account.end_kb = held_kb();
        account
    })
}

/// All answers of a stream, after one that only opens its connection: how many events they had, and how many reads.
async fn stream(address: String, load: Load, number: u32, all_stand: Arc<Barrier>) -> io::Result<(u64, u64)> {
    let mut connection = Connection::open(&address).await?;
    let finder = Finder::new(b"data: ");
    connection.answer(&request(&load, 1), &finder).await?;
    all_stand.wait().await;
    let start = Instant::now() + Duration::from_micros(load.spread_us() * u64::from(number) / u64::from(load.streams));
    let request = request(&load, load.events);
    let (mut events, before) = (0, connection.reads);
    for answer in 0..load.answers {
        if load.spread_us() > 0 {
            sleep_until(start + Duration::from_micros(load.every_us * u64::from(answer))).await;
        }
        events += connection.answer(&request, &finder).await?;
    }
    Ok((events, connection.reads - before))
}

fn request(load: &Load, events: u32) -> Vec<u8> {
    let emission = serde_json::to_string(&load.emission()).unwrap();
    let body = format!(
        "{{\"model\":\"emitter\",\"stream\":true,\"max_tokens\":{events},\"emit\":{emission},\
         \"messages\":[{{\"role\":\"user\",\"content\":\"What time is it?\"}}]}}"
    );
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What was read and not looked at stands between `start` and `end`.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    reads: u64,
}

impl Connection {
    async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 8 * 1024], start: 0, end: 0, reads: 0 })
    }

    /// Asks, and counts the events of the answer.
    async fn answer(&mut self, request: &[u8], finder: &Finder<'_>) -> io::Result<u64> {
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
                    let chunk = &self.buffer[self.start + digits..self.start + digits + size];
                    events += finder.find_iter(chunk).count() as u64;
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
