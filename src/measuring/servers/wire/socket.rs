//! A TCP socket that says when what it read had arrived, and when what it wrote was handed over.
//!
//! On Linux the kernel stamps each segment as it receives it (`SO_TIMESTAMPNS`) and tells the stamp of the last one that a read took bytes
//! from: a busy client does not age what it has not read yet. Elsewhere the moment of reading has to do.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::arrival_sampler::{ArrivalSampler, SamplerHandle};
use super::stamps::ArrivalStamp;
use super::system::{self, IdleConnectionState};
use crate::foundation::clock::{Clock, Micros};

/// A connected socket.
#[derive(Debug)]
pub(super) struct StampedSocket {
    stream: TcpStream,
    clock: Clock,
    watch: SamplerHandle,
    /// Nothing that was written awaits its first token any more.
    relaxed: bool,
    /// Of the last read.
    arrival: ArrivalStamp,
    /// When the last write began that took bytes.
    handed_over: Micros,
}

impl StampedSocket {
    pub(super) fn new(stream: TcpStream, sampler: &ArrivalSampler, clock: Clock) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        system::prepare(&stream);
        Ok(Self {
            watch: sampler.watch(&stream),
            relaxed: false,
            stream,
            clock,
            arrival: ArrivalStamp::default(),
            handed_over: clock.now(),
        })
    }

    /// Who looks at what has come while nobody reads it.
    pub(super) fn watch(&self) -> &SamplerHandle {
        &self.watch
    }

    pub(super) fn arrival(&self) -> ArrivalStamp {
        self.arrival
    }

    pub(super) fn handed_over(&self) -> Micros {
        self.handed_over
    }

    /// Whether the peer has neither closed the connection nor said anything, asked of the kernel itself.
    pub(super) fn silence(&self) -> IdleConnectionState {
        system::silence(&self.stream)
    }

    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let mut received = None;
            let tried = self.stream.try_io(Interest::READABLE, || {
                let receive = |bytes: &mut [u8]| system::receive(&self.stream, bytes);
                let got = if self.relaxed { receive(bytes)? } else { self.watch.read(bytes, receive)? };
                // A read that emptied the socket: told to the runtime as if the next one had been tried, which saves that call.
                let emptied = got.emptied;
                received = Some(got);
                if emptied { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (received, tried) {
                (Some(got), _) => {
                    self.arrival = ArrivalStamp::of(got.stamp, self.clock);
                    self.watch.was_read(self.arrival);
                    if !self.relaxed && !self.watch.is_awaited() {
                        self.relaxed = true;
                        self.watch.renounce();
                    }
                    return Poll::Ready(Ok(got.bytes));
                }
                (None, Err(error)) if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                    return Poll::Ready(Err(error));
                }
                _ => {}
            }
        }
    }

    /// The stamp is of the call's beginning: no answer can come before it.
    fn note_write(&mut self, began: Micros, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(1..))) {
            (self.handed_over, self.relaxed) = (began, false);
        }
        written
    }
}

impl Drop for StampedSocket {
    /// Before the system may give its number to another.
    fn drop(&mut self) {
        self.watch.end();
    }
}

impl AsyncRead for StampedSocket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(self.get_mut().poll_receive(cx, buf.initialize_unfilled()))?;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for StampedSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let began = this.clock.now();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.note_write(began, written)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let began = this.clock.now();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.note_write(began, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The kernel stamps only as long as any socket asks for it, and begins a moment later: this one asks from before the first connection until
/// after the last.
#[derive(Debug)]
pub(super) struct KernelTimestamping {
    _socket: Option<system::Asking>,
}

impl KernelTimestamping {
    pub(super) fn ask() -> Self {
        Self { _socket: system::ask() }
    }
}
