//! Where a server will listen: its host and port, a free one where none is said, and whether somebody listens there already.

use std::net::TcpListener;
use std::time::Duration;

use tokio::net::TcpStream;

use super::error::LifeError;
use super::listeners::Listeners;
use crate::endpoint::is_this_machine;
use crate::template::host_and_port;

/// How long a host may take to say that nobody listens.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub host: String,
    pub port: u16,
}

impl Spot {
    pub fn of(url: &str) -> Option<Self> {
        host_and_port(url).map(|(host, port)| Self { host, port })
    }

    /// Refuses a spot at which somebody answers, by name where the operating system tells.
    pub async fn refuse_taken(&self) -> Result<(), LifeError> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        match tokio::time::timeout(ANSWERS_WITHIN, connecting).await {
            Ok(Ok(_)) => {
                let by = if self.is_here() { Listeners::now().owners(self.port).join(", ") } else { String::new() };
                let by = if by.is_empty() { by } else { format!(" by {by}") };
                Err(LifeError::Occupied { place: format!("{}:{}", self.host, self.port), by })
            }
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    /// A remark where the server listens for the whole network, though its URL is for this machine alone.
    pub fn exposure(&self) -> Option<String> {
        (self.is_here() && Listeners::now().is_open(self.port)).then(|| {
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

/// A port that nobody listens on at this moment.
pub(super) fn free(host: &str) -> Result<u16, LifeError> {
    // A host that is not this machine has ports of its own; one that is free here is as good a guess as any.
    let bound = TcpListener::bind((host, 0)).or_else(|_| TcpListener::bind(("127.0.0.1", 0)));
    let fault = |source| LifeError::Port { host: host.to_owned(), source };
    Ok(bound.map_err(fault)?.local_addr().map_err(fault)?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_spot_that_is_taken_is_refused_with_who_is_there_and_a_free_one_is_not() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let spot = Spot::of(&url).unwrap();
        let refused = spot.refuse_taken().await.unwrap_err().to_string();
        assert!(refused.contains(&format!("127.0.0.1:{}", spot.port)) && refused.contains("leave `server.command` out"), "{refused}");
        if cfg!(target_os = "linux") {
            assert!(refused.contains(&format!("pid {}", std::process::id())), "{refused}");
        }
        assert_eq!(spot.exposure(), None);
        drop(listener);
        assert!(spot.refuse_taken().await.is_ok());
    }
}
