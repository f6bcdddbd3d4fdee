//! A connection that speaks HTTP/2 (RFC 9113), with one stream at a time. The library that cuts the frames is driven by whoever awaits the
//! answer; there is no task beside. It reads once, and what came is taken before it reads again, so that every piece has its read's stamp.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};

use super::arrival_sampler::SamplerHandle;
use super::error::{WireError, WireErrorKind};
use super::gated_stream::{GatedStream, ReadPermit, gate};
use super::head::{LARGEST_HEAD, ResponseHead};
use super::stamps::ArrivalStamp;
use super::stream::WireStream;
use crate::foundation::clock::Micros;

/// How much a server may send ahead of what was read: so much that it never waits for leave.
const WINDOW: u32 = 1 << 20;

/// An open connection in HTTP/2.
#[derive(Debug)]
pub(crate) struct Http2Connection {
    driver: Connection<GatedStream, Bytes>,
    permit: ReadPermit,
    watch: SamplerHandle,
    requests: SendRequest<Bytes>,
    answer: Http2AnswerState,
    /// A piece of the body that was not asked for yet, and the one that was.
    next: Option<Bytes>,
    piece: Bytes,
    /// The request was written whole.
    written: bool,
    heard: Http2LatestAnswer,
    /// The connection is at its end.
    closed: bool,
}

/// How much of an answer has come.
#[derive(Debug)]
enum Http2AnswerState {
    Awaited(ResponseFuture),
    /// Its head, which nobody has asked for yet.
    Headed(Box<Result<http::Response<RecvStream>, h2::Error>>),
    /// Head and perhaps some of the body.
    Begun(RecvStream),
    Broken(h2::Error),
    /// All of it, or none was asked for.
    Over,
}

/// Which answers have begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Http2LatestAnswer {
    Nothing,
    /// To an earlier request on the connection.
    Earlier,
    /// To this one.
    This,
}

impl Http2Connection {
    /// Greets the server, and does not wait for its greeting.
    pub(super) async fn begin(stream: WireStream) -> Result<Self, WireError> {
        let watch = stream.watch().clone();
        let (gate, permit) = gate(stream);
        let mut builder = Builder::new();
        builder.enable_push(false).initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
        builder.max_header_list_size(u32::try_from(LARGEST_HEAD).unwrap_or(u32::MAX));
        let (requests, driver) = builder.handshake(gate).await.map_err(|error| fault(&error))?;
        Ok(Self {
            driver,
            permit,
            watch,
            requests,
            answer: Http2AnswerState::Over,
            next: None,
            piece: Bytes::new(),
            written: false,
            heard: Http2LatestAnswer::Nothing,
            closed: false,
        })
    }

    pub(super) fn watch(&self) -> &SamplerHandle {
        &self.watch
    }

    pub(super) fn is_answered(&self) -> bool {
        self.heard == Http2LatestAnswer::This
    }

    pub(super) fn can_serve_again(&self) -> bool {
        matches!(self.answer, Http2AnswerState::Over) && self.next.is_none() && self.written && !self.closed
    }

    /// Takes in what the server has said meanwhile: that it closes, or nothing of weight.
    pub(super) fn stands(&mut self) -> bool {
        let mut idle = Context::from_waker(Waker::noop());
        while self.drive(&mut idle, Http2ReadMode::Once) {}
        !self.closed && matches!(self.requests.poll_ready(&mut idle), Poll::Ready(Ok(())))
    }

    /// See [`super::HttpConnection::write`].
    pub(super) async fn write(&mut self, head: http::Request<()>, body: &[Bytes]) -> Result<Micros, WireError> {
        self.written = false;
        if self.heard == Http2LatestAnswer::This {
            self.heard = Http2LatestAnswer::Earlier;
        }
        std::future::poll_fn(|cx| self.poll(cx, |this, idle| this.requests.poll_ready(idle))).await?.map_err(|error| self.told(&error))?;
        let (answer, mut stream) = self.requests.send_request(head, body.is_empty()).map_err(|error| self.told(&error))?;
        self.answer = Http2AnswerState::Awaited(answer);
        for (number, piece) in (1..).zip(body) {
            if !self.write_piece(&mut stream, piece.clone(), number == body.len()).await? {
                return Ok(self.permit.handed_over());
            }
        }
        self.written = std::future::poll_fn(|cx| self.poll_flush(cx)).await;
        Ok(self.permit.handed_over())
    }

    pub(super) async fn head(&mut self) -> Result<(ResponseHead, ArrivalStamp), WireError> {
        std::future::poll_fn(|cx| self.poll(cx, Self::poll_answer)).await?;
        match std::mem::replace(&mut self.answer, Http2AnswerState::Over) {
            Http2AnswerState::Headed(answer) => match *answer {
                Ok(answer) => self.begun(answer),
                Err(error) => {
                    let fault = self.told(&error);
                    self.answer = Http2AnswerState::Broken(error);
                    Err(fault)
                }
            },
            _ => Err(self.cut_short()),
        }
    }

    /// See [`super::HttpConnection::more`].
    pub(super) async fn more(&mut self) -> Result<Option<ArrivalStamp>, WireError> {
        let more = std::future::poll_fn(|cx| self.poll(cx, Self::poll_piece)).await?;
        match &self.answer {
            _ if more => Ok(Some(self.permit.arrival())),
            Http2AnswerState::Broken(error) => Err(self.told(error)),
            _ => Ok(None),
        }
    }

    /// The next piece of what came with the last read. What broke the answer behind it is told when more is asked for.
    pub(super) fn piece(&mut self) -> Option<&[u8]> {
        let _ = self.poll_piece(&mut Context::from_waker(Waker::noop()));
        self.piece = self.next.take()?;
        Some(&self.piece)
    }

    fn begun(&mut self, answer: http::Response<RecvStream>) -> Result<(ResponseHead, ArrivalStamp), WireError> {
        let (parts, body) = answer.into_parts();
        self.heard = Http2LatestAnswer::This;
        self.answer = Http2AnswerState::Begun(body);
        let head = ResponseHead::of(&parts).map_err(|text| WireError::new(WireErrorKind::Malformed, text))?;
        Ok((head, self.permit.arrival()))
    }

    /// Writes as much at a time as the server gives leave for; false where it answers before it has heard all.
    async fn write_piece(&mut self, stream: &mut SendStream<Bytes>, mut piece: Bytes, last: bool) -> Result<bool, WireError> {
        loop {
            let room = std::future::poll_fn(|cx| self.poll(cx, |this, idle| this.poll_room(stream, piece.len(), idle))).await?;
            let Some(room) = room else { return Ok(false) };
            let part = piece.split_to(room.min(piece.len()));
            stream.send_data(part, last && piece.is_empty()).map_err(|error| self.told(&error))?;
            if piece.is_empty() {
                return Ok(true);
            }
        }
    }

    /// How many bytes may be written; none where nobody wants them any more, which the answer explains.
    fn poll_room(&mut self, stream: &mut SendStream<Bytes>, wanted: usize, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        if wanted == 0 {
            return Poll::Ready(Some(0));
        }
        if self.poll_answer(cx).is_ready() {
            return Poll::Ready(None);
        }
        stream.reserve_capacity(wanted);
        match stream.capacity() {
            0 => stream.poll_capacity(cx).map(|room| room.and_then(Result::ok)),
            room => Poll::Ready(Some(room)),
        }
    }

    /// Hands everything to the kernel; false where the server answers, or closes, while it takes no more.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            self.drive(cx, Http2ReadMode::No);
            if self.closed || !self.permit.is_congested() {
                return Poll::Ready(!self.closed);
            }
            let read = self.drive(cx, Http2ReadMode::Once);
            if self.poll_answer(&mut Context::from_waker(Waker::noop())).is_ready() {
                return Poll::Ready(false);
            }
            if !read {
                return Poll::Pending;
            }
        }
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Http2AnswerState::Awaited(answer) = &mut self.answer {
            let answer = std::task::ready!(Pin::new(answer).poll(cx));
            self.answer = Http2AnswerState::Headed(Box::new(answer));
        }
        Poll::Ready(())
    }

    /// Whether there is a next piece of the body; none at its end, and where it is broken.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while self.next.is_none() {
            let Http2AnswerState::Begun(body) = &mut self.answer else { return Poll::Ready(false) };
            match std::task::ready!(body.poll_data(cx)) {
                Some(Ok(piece)) => {
                    // It fails only where more is given back than was taken.
                    let _ = body.flow_control().release_capacity(piece.len());
                    self.next = Some(piece).filter(|piece| !piece.is_empty());
                }
                Some(Err(error)) => self.answer = Http2AnswerState::Broken(error),
                None => self.answer = Http2AnswerState::Over,
            }
        }
        Poll::Ready(true)
    }

    /// Looks whether what is waited for is there, and reads on until it is.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut look: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, WireError>> {
        // Nothing comes about but by driving, which is done here, and by whoever can be woken.
        let mut idle = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(found) = look(self, &mut idle) {
                return Poll::Ready(Ok(found));
            }
            if self.closed {
                return Poll::Ready(Err(self.cut_short()));
            }
            if !self.drive(cx, Http2ReadMode::Once) && !self.closed {
                return look(self, &mut idle).map(Ok);
            }
        }
    }

    /// Writes what is to be written and reads at most once; whether it has read.
    fn drive(&mut self, cx: &mut Context<'_>, read: Http2ReadMode) -> bool {
        if self.closed {
            return false;
        }
        self.permit.set(read == Http2ReadMode::Once);
        // Why it ended is told to whoever waits for an answer.
        self.closed = Pin::new(&mut self.driver).poll(cx).is_ready();
        self.permit.has_passed()
    }

    fn cut_short(&self) -> WireError {
        self.doubted(WireError::new(WireErrorKind::Broken, "connection closed before message completed"))
    }

    fn told(&self, error: &h2::Error) -> WireError {
        self.doubted(fault(error))
    }

    /// A server that speaks only HTTP/1.1 closes, or answers what is no frame.
    fn doubted(&self, fault: WireError) -> WireError {
        match self.heard {
            Http2LatestAnswer::Nothing => {
                WireError::new(fault.kind, &format!("{fault}; does the server speak HTTP/2? If not, leave `http_version` out"))
            }
            Http2LatestAnswer::Earlier | Http2LatestAnswer::This => fault,
        }
    }
}

/// Whether the driver may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Http2ReadMode {
    Once,
    No,
}

/// What the library found wrong itself is no HTTP/2; anything else is a break.
fn fault(error: &h2::Error) -> WireError {
    match error.get_io() {
        Some(error) => WireError::broken(error),
        None if error.is_library() => WireError::new(WireErrorKind::Malformed, &error.to_string()),
        None => WireError::new(WireErrorKind::Broken, &error.to_string()),
    }
}
