//! Where clients meet: a host and a port, as they were typed or as a launcher tells them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// A host, or an address of one, and a port of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingAddress {
    host: String,
    port: u16,
}

/// What is no address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no place to meet: it takes `HOST:PORT`, such as `node1:29500` or `[::1]:29500`")]
pub struct AddressError(String);

impl MeetingAddress {
    #[must_use]
    pub fn new(host: String, port: u16) -> Self {
        Self { host, port }
    }

    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether only this machine can come there. A name counts as what it stands for: nobody is asked but for `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let is_v4 = self.host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
        let is_v6 = self.host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
        is_v4 || is_v6 || self.host.eq_ignore_ascii_case("localhost")
    }

    /// What the name stands for now.
    pub(super) async fn resolved(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect())
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn with_port(&self, port: u16) -> Self {
        Self { host: self.host.clone(), port }
    }
}

impl FromStr for MeetingAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fault = || AddressError(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(fault)?;
        let port = port.parse().map_err(|_| fault())?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = |host: &str| !host.is_empty() && !host.contains([':', '/', '[', ']']) && !host.contains(char::is_whitespace);
        match bare {
            Some(address) if address.parse::<Ipv6Addr>().is_ok() => Ok(Self { host: address.to_owned(), port }),
            None if is_host(host) => Ok(Self { host: host.to_owned(), port }),
            _ => Err(fault()),
        }
    }
}

impl fmt::Display for MeetingAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') { write!(f, "[{}]:{}", self.host, self.port) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_a_host_and_a_port_and_come_back_as_they_were_typed() {
        for text in ["node1:29500", "10.0.0.7:1", "[::1]:29500", "bench-0.bench:0"] {
            assert_eq!(text.parse::<MeetingAddress>().unwrap().to_string(), text);
        }
        for text in ["node1", ":29500", "node1:x", "node1:70000", "http://node1:80", "::1:80", "[node1]:80", "a b:1", ""] {
            let fault = text.parse::<MeetingAddress>().unwrap_err();
            assert!(fault.to_string().contains(&format!("`{text}`")), "{fault}");
        }
    }

    #[test]
    fn only_what_never_leaves_the_machine_is_loopback() {
        let is_loopback = |text: &str| text.parse::<MeetingAddress>().unwrap().is_loopback();
        assert!(["127.0.0.1:1", "127.8.0.1:1", "localhost:1", "[::1]:1"].iter().all(|text| is_loopback(text)));
        assert!(!["0.0.0.0:1", "10.0.0.7:1", "node1:1", "[::]:1"].iter().any(|text| is_loopback(text)));
    }
}
