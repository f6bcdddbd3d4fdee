//! A socket, plain or under TLS. With TLS the stamps are those of the socket's last read and write: a read hands out what its last record
//! held before the socket is read again.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::arrival_sampler::SamplerHandle;
use super::socket::StampedSocket;
use super::stamps::ArrivalStamp;
use super::system::IdleConnectionState;
use crate::foundation::clock::Micros;

#[derive(Debug)]
pub(super) enum WireStream {
    Plain(StampedSocket),
    Tls(Box<TlsStream<StampedSocket>>),
}

impl WireStream {
    fn socket(&self) -> &StampedSocket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Who looks at what has come while nobody reads it.
    pub(super) fn watch(&self) -> &SamplerHandle {
        self.socket().watch()
    }

    /// When what the last read brought had arrived.
    pub(super) fn arrival(&self) -> ArrivalStamp {
        self.socket().arrival()
    }

    /// When the last write was handed to the kernel.
    pub(super) fn handed_over(&self) -> Micros {
        self.socket().handed_over()
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_receive(cx, bytes),
            Self::Tls(stream) => {
                let mut buffer = ReadBuf::new(bytes);
                ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
                Poll::Ready(Ok(buffer.filled().len()))
            }
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match (self, slices) {
            (Self::Plain(socket), [one]) => Pin::new(socket).poll_write(cx, one),
            (Self::Plain(socket), _) => Pin::new(socket).poll_write_vectored(cx, slices),
            (Self::Tls(stream), _) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    /// Whether a connection on which nothing is under way still stands.
    pub(super) fn stands(&mut self) -> bool {
        if let Self::Tls(stream) = self {
            // Tickets for later sessions are no answer; they are read over.
            let mut byte = [0];
            let read = Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut ReadBuf::new(&mut byte));
            return read.is_pending() && self.socket().silence() != IdleConnectionState::Over;
        }
        self.socket().silence() == IdleConnectionState::Kept
    }
}
