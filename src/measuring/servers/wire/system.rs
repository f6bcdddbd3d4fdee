//! What is asked of the system about a socket beyond reading and writing: when its bytes came, and what it holds.

use std::time::Duration;

/// What a read brought: bytes, and the kernel's stamp of their last segment in wall time.
pub(super) struct StampedRead {
    pub(super) bytes: usize,
    pub(super) stamp: Option<Duration>,
    /// There was room for more: the socket held no more.
    pub(super) emptied: bool,
}

/// What an idle connection says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdleConnectionState {
    /// Nothing.
    Kept,
    /// Something that nobody has asked for.
    Broken,
    /// That it is closed.
    Over,
}

#[cfg(target_os = "linux")]
pub(super) use linux::{Asking, ask, peek, prepare, receive, silence};
#[cfg(not(target_os = "linux"))]
pub(super) use others::{Asking, ask, prepare, receive, silence};

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{self, IoSliceMut};
    use std::os::fd::{AsRawFd, OwnedFd, RawFd};
    use std::time::Duration;

    use nix::errno::Errno;
    use nix::sys::socket::{AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recv, recvmsg, setsockopt, socket, sockopt};
    use tokio::net::TcpStream;

    use super::{IdleConnectionState, StampedRead};

    /// Room for the control messages of a read, aligned as their headers ask for.
    #[repr(align(8))]
    struct Control([u8; 64]);

    pub(in super::super) type Asking = OwnedFd;

    pub(in super::super) fn ask() -> Option<Asking> {
        let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).ok()?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).ok()?;
        Some(socket)
    }

    /// Asks for stamps, and for an end of connections whose peer has vanished. What is refused is done without: a read then has no stamp.
    pub(in super::super) fn prepare(stream: &TcpStream) {
        let _ = setsockopt(stream, sockopt::ReceiveTimestampns, &true);
        let _ = setsockopt(stream, sockopt::KeepAlive, &true);
        let _ = setsockopt(stream, sockopt::TcpKeepIdle, &15);
        let _ = setsockopt(stream, sockopt::TcpKeepInterval, &15);
        let _ = setsockopt(stream, sockopt::TcpKeepCount, &3);
        let _ = setsockopt(stream, sockopt::TcpUserTimeout, &30_000);
    }

    pub(in super::super) fn receive(stream: &TcpStream, bytes: &mut [u8]) -> io::Result<StampedRead> {
        message(stream.as_raw_fd(), bytes, MsgFlags::empty())
    }

    /// How many bytes lie unread, as far as `room` is long, and the stamp of the last segment of them. Nothing is taken, and nothing copied.
    pub(in super::super) fn peek(socket: RawFd, room: &mut [u8]) -> io::Result<StampedRead> {
        message(socket, room, MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC | MsgFlags::MSG_DONTWAIT)
    }

    fn message(socket: RawFd, bytes: &mut [u8], flags: MsgFlags) -> io::Result<StampedRead> {
        let (mut control, room) = (Control([0; 64]), bytes.len());
        let mut slices = [IoSliceMut::new(bytes)];
        let message = recvmsg::<()>(socket, &mut slices, Some(&mut control.0), flags)?;
        let stamp = message.cmsgs().ok().and_then(|mut messages| {
            messages.find_map(|message| match message {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
                _ => None,
            })
        });
        Ok(StampedRead { bytes: message.bytes, stamp, emptied: 0 < message.bytes && message.bytes < room })
    }

    pub(in super::super) fn silence(stream: &TcpStream) -> IdleConnectionState {
        match recv(stream.as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EAGAIN | Errno::EINTR) => IdleConnectionState::Kept,
            Ok(1..) => IdleConnectionState::Broken,
            Ok(0) | Err(_) => IdleConnectionState::Over,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod others {
    use std::io;
    use std::task::{Context, Poll, Waker};

    use tokio::io::ReadBuf;
    use tokio::net::TcpStream;

    use super::{IdleConnectionState, StampedRead};

    pub(in super::super) type Asking = ();

    pub(in super::super) fn ask() -> Option<Asking> {
        None
    }

    pub(in super::super) fn prepare(_: &TcpStream) {}

    pub(in super::super) fn receive(stream: &TcpStream, bytes: &mut [u8]) -> io::Result<StampedRead> {
        let room = bytes.len();
        stream.try_read(bytes).map(|bytes| StampedRead { bytes, stamp: None, emptied: 0 < bytes && bytes < room })
    }

    pub(in super::super) fn silence(stream: &TcpStream) -> IdleConnectionState {
        let mut byte = [0];
        match stream.poll_peek(&mut Context::from_waker(Waker::noop()), &mut ReadBuf::new(&mut byte)) {
            Poll::Pending => IdleConnectionState::Kept,
            Poll::Ready(Ok(1..)) => IdleConnectionState::Broken,
            Poll::Ready(_) => IdleConnectionState::Over,
        }
    }
}
