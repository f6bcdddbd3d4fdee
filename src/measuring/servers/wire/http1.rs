//! A connection that speaks HTTP/1.1: a request is written, and its answer read as it comes, by whoever awaits it; there is no task beside.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::arrival_sampler::SamplerHandle;
use super::body::BodyFraming;
use super::connection::RequestHeadEncoder;
use super::error::{WireError, WireErrorKind};
use super::head::{HeadParseStatus, LARGEST_HEAD, ResponseHead};
use super::spare::{self, READ};
use super::stamps::ArrivalStamp;
use super::stream::WireStream;
use crate::foundation::clock::Micros;

/// How many pieces of a request are offered to the kernel at once.
const SLICES: usize = 16;
/// A body up to this size is put together with the head before it is sent: one piece takes the kernel less than several.
const JOINED: usize = 4 * 1024;

/// An open connection in HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Http1Connection {
    stream: WireStream,
    /// What was read stands between `start` and `end`. A buffer is only there as long as something does.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    body: BodyFraming,
    /// The server keeps it open behind the answer.
    keep: bool,
    /// A byte of the answer has come.
    answered: bool,
    /// The peer sends no more.
    closed: bool,
    /// Why the request could not be written whole, until it is known what the server says to that.
    unwritten: Option<io::Error>,
}

impl Http1Connection {
    pub(super) fn new(stream: WireStream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            body: BodyFraming::Over,
            keep: true,
            answered: false,
            closed: false,
            unwritten: None,
        }
    }

    /// Whether any byte of the answer has come.
    pub(super) fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether the answer was read to its end and the connection stays.
    pub(super) fn can_serve_again(&self) -> bool {
        self.keep && self.body.is_over() && self.start == self.end && !self.closed
    }

    pub(super) fn watch(&self) -> &SamplerHandle {
        self.stream.watch()
    }

    pub(super) fn stands(&mut self) -> bool {
        self.stream.stands()
    }

    /// Writes a request, its head and its body in pieces. Comes back with the moment at which its last byte was handed to the kernel, or earlier where the
    /// server does not want to hear all of it: then its answer says why.
    pub(super) async fn write(&mut self, head: &impl RequestHeadEncoder, body: &[Bytes]) -> Result<Micros, WireError> {
        self.answered = false;
        let length = body.iter().map(Bytes::len).sum();
        let joined = length <= JOINED;
        let mut head = head.lines(if joined { length } else { 0 });
        let mut unwritten = UnsentRequest { head: &head, body, piece: 0 };
        if joined {
            for piece in body {
                head.extend_from_slice(piece);
            }
            unwritten = UnsentRequest { head: &head, body: &[], piece: 0 };
        }
        std::future::poll_fn(|cx| self.poll_written(cx, &mut unwritten)).await?;
        Ok(self.stream.handed_over())
    }

    /// The answer's head and when it came.
    pub(super) async fn head(&mut self) -> Result<(ResponseHead, ArrivalStamp), WireError> {
        loop {
            let malformed = |text| WireError::new(WireErrorKind::Malformed, text);
            match ResponseHead::parse(&self.buffer[self.start..self.end]).map_err(malformed)? {
                HeadParseStatus::Whole(length, head) => {
                    self.start += length;
                    self.body = head.body;
                    self.keep &= head.keep;
                    return Ok((head, self.stream.arrival()));
                }
                HeadParseStatus::Interim(length) => self.start += length,
                HeadParseStatus::Partial if self.end - self.start >= LARGEST_HEAD => return Err(malformed("message head is too large")),
                HeadParseStatus::Partial => {
                    if self.read().await? == 0 {
                        return Err(match self.unwritten.take() {
                            Some(error) => WireError::broken(&error),
                            None => WireError::new(WireErrorKind::Broken, "connection closed before message completed"),
                        });
                    }
                }
            }
        }
    }

    /// Waits for more of the body and says when it came; `None` at the body's end. The pieces are to be taken before it is called again.
    pub(super) async fn more(&mut self) -> Result<Option<ArrivalStamp>, WireError> {
        loop {
            if self.body.is_over() {
                self.rest();
                return Ok(None);
            }
            if self.start < self.end || self.read().await? > 0 {
                return Ok(Some(self.stream.arrival()));
            }
            self.body.close().map_err(|text| WireError::new(WireErrorKind::Broken, text))?;
        }
    }

    /// The next piece of the body among what was read.
    pub(super) fn piece(&mut self) -> Result<Option<&[u8]>, WireError> {
        let mut rest = &self.buffer[self.start..self.end];
        let piece = self.body.piece(&mut rest);
        self.start = self.end - rest.len();
        piece.map_err(|text| WireError::new(WireErrorKind::Malformed, text))
    }

    fn poll_written(&mut self, cx: &mut Context<'_>, unwritten: &mut UnsentRequest<'_>) -> Poll<Result<(), WireError>> {
        loop {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = unwritten.fill(&mut slices);
            let step = match count {
                0 => self.stream.poll_flush(cx).map_ok(|()| 0),
                _ => self.stream.poll_write(cx, &slices[..count]),
            };
            let failure = match step {
                Poll::Ready(Ok(_)) if count == 0 => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(written @ 1..)) => {
                    unwritten.advance(written);
                    continue;
                }
                // What the server sent before it stopped listening is still read.
                Poll::Ready(Ok(0)) => Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => Some(error),
                // A server that refuses a long request answers before it has read it.
                Poll::Pending => {
                    ready!(self.poll_read(cx)).map_err(|error| WireError::broken(&error))?;
                    None
                }
            };
            self.keep = false;
            self.unwritten = failure;
            return Poll::Ready(Ok(()));
        }
    }

    /// Reads once; 0 where the peer has closed.
    async fn read(&mut self) -> Result<usize, WireError> {
        std::future::poll_fn(|cx| self.poll_read(cx)).await.map_err(|error| WireError::broken(&error))
    }

    /// Nothing may come for a while.
    fn rest(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            spare::give_back(&mut self.buffer);
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.closed {
            return Poll::Ready(Ok(0));
        }
        if self.buffer.is_empty() {
            self.buffer = spare::take();
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            // Only a long head is not taken as it comes.
            self.buffer.resize(self.end + READ, 0);
        }
        let end = self.end + READ.min(self.buffer.len() - self.end);
        let Poll::Ready(read) = self.stream.poll_read(cx, &mut self.buffer[self.end..end]) else {
            self.rest();
            return Poll::Pending;
        };
        let read = read?;
        self.closed = read == 0;
        self.answered |= read > 0;
        self.end += read;
        Poll::Ready(Ok(read))
    }
}

/// What has not been written yet of a request.
struct UnsentRequest<'a> {
    head: &'a [u8],
    body: &'a [Bytes],
    /// So many bytes of the body's first piece are written.
    piece: usize,
}

impl<'a> UnsentRequest<'a> {
    /// Puts what comes next in the slices and says how many it took: none where all is written.
    fn fill(&self, slices: &mut [IoSlice<'a>]) -> usize {
        let first = self.body.first().map(|piece| &piece[self.piece..]);
        let rest = self.body.iter().skip(1).map(|piece| &piece[..]);
        let parts = std::iter::once(self.head).chain(first).chain(rest).filter(|part| !part.is_empty());
        let mut count = 0;
        for (slice, part) in slices.iter_mut().zip(parts) {
            *slice = IoSlice::new(part);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut written: usize) {
        let of_head = written.min(self.head.len());
        self.head = &self.head[of_head..];
        written -= of_head;
        while let Some(first) = self.body.first() {
            let left = first.len() - self.piece;
            if written < left {
                self.piece += written;
                return;
            }
            written -= left;
            (self.body, self.piece) = (&self.body[1..], 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_write_takes_all_bytes_are_written_once_and_in_order() {
        let body: Vec<Bytes> = (0..9_u8).map(|number| Bytes::from(vec![number; usize::from(number) % 4])).collect();
        let whole = [&b"head"[..], &body.concat()].concat();
        for at_once in 1..=whole.len() + 1 {
            let mut unwritten = UnsentRequest { head: b"head", body: &body, piece: 0 };
            let mut written = Vec::new();
            loop {
                let mut slices = [IoSlice::new(&[]); 3];
                let count = unwritten.fill(&mut slices);
                let offered: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
                if offered.is_empty() {
                    break;
                }
                let taken = at_once.min(offered.len());
                written.extend_from_slice(&offered[..taken]);
                unwritten.advance(taken);
            }
            assert_eq!(written, whole, "{at_once} bytes at once");
        }
    }
}
