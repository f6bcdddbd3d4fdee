//! A server on loopback whose every token is the moment at which it was written: microseconds of the system's monotonic clock.
//!
//! It reads `max_tokens` and the field `emit` of a request and computes nothing. Its own cost is kept small, so that the client is what is
//! measured: one write an event, no framework between. Not an engine; only what a chat completion needs on the wire.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until};

/// How many connections may wait to be taken: what finds no room tries again a second later, and that would be measured.
const WAITING: u32 = 4096;

/// The largest request that is read.
const LARGEST_REQUEST: usize = 64 << 20;

/// When the events of an answer are written, after its request was read: the field `emit` of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmissionTiming {
    /// Until the first one, in microseconds.
    pub first_us: u64,
    /// From one to the next, in microseconds; 0 for one after the other, each in a write of its own.
    pub gap_us: u64,
}

#[derive(Deserialize)]
struct EmitterRequestBody {
    max_tokens: u32,
    #[serde(default)]
    emit: EmissionTiming,
}

/// Microseconds of the clock that stamps are in: the system's monotonic one, the same for every process.
pub fn now_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or_default() * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or_default() / 1_000
}

/// Opens a port on loopback, on the current runtime.
///
/// # Errors
/// Where there is none.
pub fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = socket.listen(WAITING)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Answers whoever comes, for ever.
///
/// # Errors
/// Where no connection can be taken any more.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        // A client that goes away in the midst of an answer is nobody's fault.
        tokio::spawn(async move { converse(stream).await.unwrap_or_default() });
    }
}

async fn converse(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::with_capacity(16 << 10);
    while let Some(request) = read(&mut stream, &mut buffer).await? {
        match request {
            EmitterRequest::Answer(asked) => answer(&mut stream, &asked).await?,
            EmitterRequest::Unknown => stream.write_all(NO_SUCH_PATH.as_bytes()).await?,
        }
    }
    Ok(())
}

enum EmitterRequest {
    Answer(EmitterRequestBody),
    Unknown,
}

/// The next request of a connection; `None` where it is closed.
async fn read(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<Option<EmitterRequest>> {
    loop {
        if let Some((request, whole)) = parse(buffer)? {
            buffer.advance(whole);
            return Ok(Some(request));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// A whole request at the buffer's start, and its length.
fn parse(buffer: &[u8]) -> io::Result<Option<(EmitterRequest, usize)>> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(buffer).map_err(|_| bad("no HTTP request"))? else { return Ok(None) };
    let length = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok()).unwrap_or(0);
    if length > LARGEST_REQUEST {
        return Err(bad("a request of more than 64 MiB"));
    }
    let whole = start + length;
    let Some(body) = buffer.get(start..whole) else { return Ok(None) };
    let request = match head.path {
        Some("/v1/chat/completions") => EmitterRequest::Answer(serde_json::from_slice(body)?),
        _ => EmitterRequest::Unknown,
    };
    Ok(Some((request, whole)))
}

const NO_SUCH_PATH: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// One answer; the head goes with the first event, the end with the last, and every event in a write of its own.
async fn answer(stream: &mut TcpStream, asked: &EmitterRequestBody) -> io::Result<()> {
    let begun = Instant::now();
    let mut bytes = String::with_capacity(1024);
    for event in 0..asked.max_tokens {
        let offset = asked.emit.first_us + u64::from(event) * asked.emit.gap_us;
        if offset > 0 {
            sleep_until(begun + Duration::from_micros(offset)).await;
        }
        bytes.clear();
        if event == 0 {
            bytes.push_str(HEAD);
        }
        chunk(&mut bytes, &token(now_us()));
        if event + 1 == asked.max_tokens {
            chunk(&mut bytes, &end(asked.max_tokens));
            bytes.push_str("0\r\n\r\n");
        }
        stream.write_all(bytes.as_bytes()).await?;
    }
    Ok(())
}

/// As long as what a vLLM server sends for a token.
fn token(written_us: u64) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-0123456789abcdef0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
         \"model\":\"emitter\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{written_us} \"}},\"logprobs\":null,\
         \"finish_reason\":null,\"token_ids\":null}}]}}\n\n"
    )
}

fn end(tokens: u32) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-0123456789abcdef0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
         \"model\":\"emitter\",\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"length\"}}],\
         \"usage\":{{\"prompt_tokens\":1,\"completion_tokens\":{tokens},\"total_tokens\":{}}}}}\n\ndata: [DONE]\n\n",
        tokens + 1
    )
}

/// A chunk of HTTP's own.
fn chunk(bytes: &mut String, data: &str) {
    use std::fmt::Write;
    let _ = write!(bytes, "{:x}\r\n{data}\r\n", data.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_once_it_is_whole_and_no_further() {
        let body = r#"{"max_tokens":3,"emit":{"gap_us":7}}"#;
        let text = format!("POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        for cut in 0..text.len() {
            assert!(parse(&text.as_bytes()[..cut]).unwrap().is_none(), "cut at {cut}");
        }
        let two = format!("{text}GET /models HTTP/1.1\r\n\r\n");
        let (request, whole) = parse(two.as_bytes()).unwrap().unwrap();
        let EmitterRequest::Answer(asked) = request else { panic!("no answer was asked for") };
        assert_eq!((whole, asked.max_tokens, asked.emit), (text.len(), 3, EmissionTiming { first_us: 0, gap_us: 7 }));
        assert!(matches!(parse(&two.as_bytes()[whole..]), Ok(Some((EmitterRequest::Unknown, 24)))));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        assert!(parse(b"\0\0\0\0 hello \r\n\r\n").is_err());
        assert!(parse(b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n").is_err());
    }
}
