//! What the HTTP/2 library reads and writes through: one read at a time, and only when it is let. So all that the library has come to know
//! since then came with that read, and has its stamp.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::spare::READ;
use super::stamps::ArrivalStamp;
use super::stream::WireStream;
use crate::foundation::clock::Micros;

/// A stream behind a gate that its [`ReadPermit`] opens.
#[derive(Debug)]
pub(super) struct GatedStream {
    stream: WireStream,
    state: Arc<Mutex<ReadPermitState>>,
}

/// Opens the gate, and knows what passed.
#[derive(Debug)]
pub(super) struct ReadPermit(Arc<Mutex<ReadPermitState>>);

#[derive(Debug)]
struct ReadPermitState {
    /// A read may pass.
    open: bool,
    /// One has passed since the gate was opened.
    passed: bool,
    /// What was to be written is not all written.
    congested: bool,
    /// Of the last read.
    arrival: ArrivalStamp,
    /// Of the last write.
    handed_over: Micros,
}

/// A stream's gate, shut, and its permit.
pub(super) fn gate(stream: WireStream) -> (GatedStream, ReadPermit) {
    let state =
        ReadPermitState { open: false, passed: false, congested: false, arrival: stream.arrival(), handed_over: stream.handed_over() };
    let state = Arc::new(Mutex::new(state));
    (GatedStream { stream, state: Arc::clone(&state) }, ReadPermit(state))
}

impl ReadPermit {
    /// Lets one read pass, or none.
    pub(super) fn set(&self, open: bool) {
        let mut state = lock(&self.0);
        (state.open, state.passed) = (open, false);
    }

    /// Whether a read has passed since.
    pub(super) fn has_passed(&self) -> bool {
        lock(&self.0).passed
    }

    /// Whether the kernel takes no more for now.
    pub(super) fn is_congested(&self) -> bool {
        lock(&self.0).congested
    }

    /// When what was read last had arrived.
    pub(super) fn arrival(&self) -> ArrivalStamp {
        lock(&self.0).arrival
    }

    /// When what was written last was handed to the kernel.
    pub(super) fn handed_over(&self) -> Micros {
        lock(&self.0).handed_over
    }
}

fn lock(state: &Mutex<ReadPermitState>) -> MutexGuard<'_, ReadPermitState> {
    // Nothing that may panic happens under the lock.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GatedStream {
    fn note<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let mut state = lock(&self.state);
        state.congested = written.is_pending();
        state.handed_over = self.stream.handed_over();
        written
    }
}

impl AsyncRead for GatedStream {
    /// Where none may pass it pends without a waker: whoever keeps the gate asks again.
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !lock(&this.state).open {
            return Poll::Pending;
        }
        let length = buf.remaining().min(READ);
        let read = ready!(this.stream.poll_read(cx, buf.initialize_unfilled_to(length)))?;
        buf.advance(read);
        let mut state = lock(&this.state);
        (state.open, state.passed, state.arrival) = (false, true, this.stream.arrival());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for GatedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = this.stream.poll_write(cx, slices);
        this.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = this.stream.poll_flush(cx);
        this.note(flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // It is closed when it is dropped.
        Poll::Ready(Ok(()))
    }
}
