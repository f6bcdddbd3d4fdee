//! An address at which nobody listens, for as long as a test wants: a port that was merely given back may be the next process's, and a listener
//! that was dropped lives on in any child that is just being started.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// Taken, so that nobody else gets it, and refused to whoever connects.
pub struct DeadAddress {
    pub address: SocketAddr,
    _socket: TcpSocket,
}

impl DeadAddress {
    pub fn take() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // A server of this test may listen there later.
        socket.set_reuseaddr(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { address: socket.local_addr().unwrap(), _socket: socket }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
