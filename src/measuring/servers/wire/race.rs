//! Which of a name's addresses is connected to: the first that answers, each tried a moment after the one before (RFC 8305), so that an
//! address family that leads nowhere costs that moment and not the whole limit.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

/// How much later the next address is tried while the one before is silent: RFC 8305 recommends 250 ms.
const MOMENT: Duration = Duration::from_millis(250);

/// Connects to the first address that answers; the last error where none does.
pub(super) async fn connect(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut last_error = None;
    loop {
        match waiting.next() {
            Some(address) => trying.push(TcpStream::connect(address)),
            None if trying.is_empty() => {
                return Err(last_error.unwrap_or_else(|| io::Error::other("the name has no address")));
            }
            None => {}
        }
        let moment = if waiting.len() == 0 { Duration::MAX } else { MOMENT };
        match tokio::time::timeout(moment, trying.next()).await {
            Ok(Some(Ok(stream))) => return Ok(stream),
            Ok(Some(Err(error))) => last_error = Some(error),
            Ok(None) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// Taken, so that nobody else gets it, and refused to whoever connects.
    fn nobody() -> TcpSocket {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        socket
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_passed_over_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let dead = nobody();
        assert_eq!(connect(vec![dead.local_addr().unwrap(), there]).await.unwrap().peer_addr().unwrap(), there);
    }

    #[tokio::test]
    async fn where_all_refuse_that_is_the_error() {
        let dead = [nobody(), nobody()];
        assert_eq!(
            connect(dead.iter().map(|dead| dead.local_addr().unwrap()).collect()).await.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
        assert!(connect(vec![]).await.is_err());
    }
}
