//! Opens connections to one server: looks its name up, connects, and begins a TLS session where the address asks for one. No proxies.

use std::time::Duration;

use super::connection::{Connection, Version};
use super::fault::{Fault, FaultKind};
use super::http1::Http1;
use super::http2::Http2;
use super::lookout::Lookout;
use super::race;
use super::socket::{Socket, Stamping};
use super::stream::Stream;
use super::tls::Tls;
use crate::clock::Clock;

/// Where a server is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// A name or an address, IPv6 without brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    pub(crate) version: Version,
}

/// How connections to one server are opened.
#[derive(Debug)]
pub(crate) struct Connector {
    host: String,
    port: u16,
    tls: Option<Tls>,
    version: Version,
    limit: Duration,
    clock: Clock,
    lookout: Lookout,
    _stamping: Stamping,
}

impl Connector {
    /// Opens no connection yet; the error is a text. Each connection must stand within `limit`.
    pub(crate) fn new(place: Place<'_>, limit: Duration, clock: Clock) -> Result<Self, String> {
        let tls = if place.tls { Some(Tls::new(place.host, place.version)?) } else { None };
        Ok(Self {
            host: place.host.to_owned(),
            port: place.port,
            tls,
            version: place.version,
            limit,
            clock,
            lookout: Lookout::new(clock),
            _stamping: Stamping::ask(),
        })
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) async fn open(&self) -> Result<Connection, Fault> {
        let limited = tokio::time::timeout(self.limit, self.establish()).await;
        limited.unwrap_or_else(|_| Err(Fault::new(FaultKind::Connect, "no answer within the limit")))
    }

    async fn establish(&self) -> Result<Connection, Fault> {
        let connecting = |error: std::io::Error| Fault::connecting(&error);
        let addresses = tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(connecting)?.collect();
        let socket = Socket::new(race::connect(addresses).await.map_err(connecting)?, &self.lookout, self.clock).map_err(connecting)?;
        let stream = match &self.tls {
            None => Stream::Plain(socket),
            Some(tls) => Stream::Tls(Box::new(tls.begin(socket).await.map_err(connecting)?)),
        };
        Ok(match self.version {
            Version::One => Connection::One(Box::new(Http1::new(stream))),
            Version::Two => Connection::Two(Box::new(Http2::begin(stream).await?)),
        })
    }
}
