//! Where a server will listen: its host and port, a free one where none is said, and whether somebody listens there already.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::ToSocketAddrs;
use std::ops::Range;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

use super::error::ServerLaunchError;
use super::listeners::ListeningSockets;
use crate::servers::endpoint::is_this_machine;
use crate::vocabulary::template::host_and_port;

/// How long a host may take to say that nobody listens.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListenAddress {
    pub host: String,
    pub port: u16,
}

impl ListenAddress {
    pub fn of(url: &str) -> Option<Self> {
        host_and_port(url).map(|(host, port)| Self { host, port })
    }

    /// Refuses a spot at which somebody answers, by name where the operating system tells.
    pub async fn refuse_taken(&self) -> Result<(), ServerLaunchError> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        match tokio::time::timeout(ANSWERS_WITHIN, connecting).await {
            Ok(Ok(_)) => {
                let by = if self.is_here() { ListeningSockets::now().owners(self.port).join(", ") } else { String::new() };
                let by = if by.is_empty() { by } else { format!(" by {by}") };
                Err(ServerLaunchError::Occupied { place: format!("{}:{}", self.host, self.port), by })
            }
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    /// A remark where the server listens for the whole network, though its URL is for this machine alone.
    pub fn exposure(&self) -> Option<String> {
        (self.is_here() && ListeningSockets::now().is_open(self.port)).then(|| {
            format!(
                "the server listens on all interfaces at port {}, though its URL is for this machine alone: anybody on the network can use \
                 it; add `--host {{host}}` to its command",
                self.port
            )
        })
    }

    fn is_here(&self) -> bool {
        is_this_machine(&self.host)
    }
}

/// Ports that no operating system gives to whoever asks for any (Linux takes those from 32768 on, others from 49152 on), and that are no node ports
/// of Kubernetes: one that is free now is hardly taken by somebody else before the server takes it.
const NOT_GIVEN_OUT: Range<u16> = 20_000..30_000;

/// So many are tried before any is taken that the operating system gives.
const TRIES: u32 = 100;

/// A port that nobody listens on at this moment.
pub(super) fn free(host: &str) -> Result<u16, ServerLaunchError> {
    // A host that is not this machine has ports of its own; one that is free here is as good a guess as any.
    let host = if bound(host, 0).is_ok() { host } else { "127.0.0.1" };
    let random = RandomState::new();
    let draw = |number: u32| {
        let place = random.hash_one(number) % NOT_GIVEN_OUT.len() as u64;
        NOT_GIVEN_OUT.start + u16::try_from(place).unwrap_or_default()
    };
    if let Some(port) = (0..TRIES).map(draw).find(|port| bound(host, *port).is_ok()) {
        return Ok(port);
    }
    let fault = |source| ServerLaunchError::Port { host: host.to_owned(), source };
    Ok(bound(host, 0).and_then(|socket| socket.local_addr()).map_err(fault)?.port())
}

/// Takes a port and does not listen on it: a socket that listens may live on for a moment in a process that is just being started.
fn bound(host: &str, port: u16) -> io::Result<TcpSocket> {
    let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // As servers do: what has just ended leaves connections that wait.
        socket.set_reuseaddr(true)?;
        match socket.bind(address) {
            Ok(()) => return Ok(socket),
            Err(refused) => error = refused,
        }
    }
    Err(error)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_spot_that_is_taken_is_refused_with_who_is_there_and_a_free_one_is_not() {
        // Not one that the operating system gives to the next who asks for any.
        let listener = TcpListener::bind(("127.0.0.1", free("127.0.0.1").unwrap())).unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let spot = ListenAddress::of(&url).unwrap();
        let refused = spot.refuse_taken().await.unwrap_err().to_string();
        assert!(refused.contains(&format!("127.0.0.1:{}", spot.port)) && refused.contains("leave `server.command` out"), "{refused}");
        if cfg!(target_os = "linux") {
            assert!(refused.contains(&format!("pid {}", std::process::id())), "{refused}");
        }
        assert_eq!(spot.exposure(), None);
        // Taken by nobody, and refused to whoever connects.
        let free = bound("127.0.0.1", free("127.0.0.1").unwrap()).unwrap();
        let spot = ListenAddress { host: "127.0.0.1".to_owned(), port: free.local_addr().unwrap().port() };
        assert!(spot.refuse_taken().await.is_ok());
    }

    #[test]
    fn a_free_port_is_none_that_is_given_to_whoever_asks_for_any() {
        for host in ["127.0.0.1", "no.such.host.invalid"] {
            let ports: HashSet<u16> = (0..20).map(|_| free(host).unwrap()).collect();
            assert!(ports.iter().all(|port| NOT_GIVEN_OUT.contains(port)) && ports.len() > 10, "{ports:?}");
        }
    }
}
