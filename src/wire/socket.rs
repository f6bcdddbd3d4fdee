//! A TCP socket that says when what it read had arrived, and when what it wrote was handed over.
//!
//! On Linux the kernel stamps each segment as it receives it (`SO_TIMESTAMPNS`) and tells the stamp of the last one that a read took bytes
//! from: a busy client does not age what it has not read yet. Elsewhere the moment of reading has to do.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::stamps::Arrival;
use crate::clock::{Clock, Micros};

/// A connected socket.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    clock: Clock,
    /// Of the last read.
    arrival: Arrival,
    /// When the last write began that took bytes.
    handed_over: Micros,
}

/// What a read brought: bytes, and the kernel's stamp of their last segment in wall time.
struct Received {
    bytes: usize,
    stamp: Option<Duration>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, clock: Clock) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        system::prepare(&stream);
        Ok(Self { stream, clock, arrival: Arrival::default(), handed_over: clock.now() })
    }

    pub(super) fn arrival(&self) -> Arrival {
        self.arrival
    }

    pub(super) fn handed_over(&self) -> Micros {
        self.handed_over
    }

    /// Whether the peer has neither closed the connection nor said anything, asked of the kernel itself.
    pub(super) fn silence(&self) -> Silence {
        system::silence(&self.stream)
    }

    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let mut received = None;
            let tried = self.stream.try_io(Interest::READABLE, || {
                let got = system::receive(&self.stream, bytes)?;
                // A read that filled only a part has emptied the socket: told to the runtime as if the next one had been tried, which
                // saves that call.
                let emptied = 0 < got.bytes && got.bytes < bytes.len();
                received = Some(got);
                if emptied { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (received, tried) {
                (Some(got), _) => {
                    self.arrival = Arrival::of(got.stamp, self.clock);
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
            self.handed_over = began;
        }
        written
    }
}

/// What an idle connection says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nothing.
    Kept,
    /// Something that nobody has asked for.
    Broken,
    /// That it is closed.
    Over,
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(self.get_mut().poll_receive(cx, buf.initialize_unfilled()))?;
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
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
pub(super) struct Stamping {
    _socket: Option<system::Asking>,
}

impl Stamping {
    pub(super) fn ask() -> Self {
        Self { _socket: system::ask() }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{self, IoSliceMut};
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::time::Duration;

    use nix::errno::Errno;
    use nix::sys::socket::{AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recv, recvmsg, setsockopt, socket, sockopt};
    use tokio::net::TcpStream;

    use super::{Received, Silence};

    /// Room for the control messages of a read, aligned as their headers ask for.
    #[repr(align(8))]
    struct Control([u8; 64]);

    pub(super) type Asking = OwnedFd;

    pub(super) fn ask() -> Option<Asking> {
        let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).ok()?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).ok()?;
        Some(socket)
    }

    /// Asks for stamps, and for an end of connections whose peer has vanished. What is refused is done without: a read then has no stamp.
    pub(super) fn prepare(stream: &TcpStream) {
        let _ = setsockopt(stream, sockopt::ReceiveTimestampns, &true);
        let _ = setsockopt(stream, sockopt::KeepAlive, &true);
        let _ = setsockopt(stream, sockopt::TcpKeepIdle, &15);
        let _ = setsockopt(stream, sockopt::TcpKeepInterval, &15);
        let _ = setsockopt(stream, sockopt::TcpKeepCount, &3);
        let _ = setsockopt(stream, sockopt::TcpUserTimeout, &30_000);
    }

    pub(super) fn receive(stream: &TcpStream, bytes: &mut [u8]) -> io::Result<Received> {
        let mut control = Control([0; 64]);
        let mut slices = [IoSliceMut::new(bytes)];
        let message = recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut control.0), MsgFlags::empty())?;
        let stamp = message.cmsgs().ok().and_then(|mut messages| {
            messages.find_map(|message| match message {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
                _ => None,
            })
        });
        Ok(Received { bytes: message.bytes, stamp })
    }

    pub(super) fn silence(stream: &TcpStream) -> Silence {
        match recv(stream.as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EAGAIN | Errno::EINTR) => Silence::Kept,
            Ok(1..) => Silence::Broken,
            Ok(0) | Err(_) => Silence::Over,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::task::{Context, Poll, Waker};

    use tokio::io::ReadBuf;
    use tokio::net::TcpStream;

    use super::{Received, Silence};

    pub(super) type Asking = ();

    pub(super) fn ask() -> Option<Asking> {
        None
    }

    pub(super) fn prepare(_: &TcpStream) {}

    pub(super) fn receive(stream: &TcpStream, bytes: &mut [u8]) -> io::Result<Received> {
        stream.try_read(bytes).map(|bytes| Received { bytes, stamp: None })
    }

    pub(super) fn silence(stream: &TcpStream) -> Silence {
        let mut byte = [0];
        match stream.poll_peek(&mut Context::from_waker(Waker::noop()), &mut ReadBuf::new(&mut byte)) {
            Poll::Pending => Silence::Kept,
            Poll::Ready(Ok(1..)) => Silence::Broken,
            Poll::Ready(_) => Silence::Over,
        }
    }
}
