//! Connections that can be broken on purpose: a handler that holds a [`ConnectionBreaker`] can make the peer see a reset in mid-stream.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Breaks the connection that it came with.
#[derive(Debug, Clone, Default)]
pub(super) struct ConnectionBreaker(Arc<AtomicBool>);

impl ConnectionBreaker {
    /// From now on nothing more is written, and closing the connection resets it.
    pub(super) fn strike(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Accepts connections with a breaker each, without Nagle's delay.
#[derive(Debug)]
pub(super) struct BreakableListener(pub(super) TcpListener);

impl Listener for BreakableListener {
    type Io = BreakableConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BreakableConnection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // A connection that refuses this works all the same, only later.
        let _ = stream.set_nodelay(true);
        (BreakableConnection { stream, breaker: ConnectionBreaker::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for ConnectionBreaker {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.io().breaker.clone()
    }
}

/// A connection with its breaker.
#[derive(Debug)]
pub(super) struct BreakableConnection {
    stream: TcpStream,
    breaker: ConnectionBreaker,
}

impl BreakableConnection {
    /// The stream, or an error once the breaker has struck. With no time to linger, closing it sends a reset instead of an end.
    fn whole(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if self.breaker.0.load(Ordering::Relaxed) {
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(Pin::new(&mut self.stream))
    }
}

impl Drop for BreakableConnection {
    fn drop(&mut self) {
        // Where the breaker struck behind the last write.
        let _ = self.whole().map(|_| ());
    }
}

impl AsyncRead for BreakableConnection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for BreakableConnection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.whole()?.poll_write(context, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?.poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?.poll_shutdown(context)
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.whole()?.poll_write_vectored(context, bytes)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
