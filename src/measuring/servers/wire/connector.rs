//! Opens connections to one server: looks its name up, connects, and begins a TLS session where the address asks for one. No proxies.

use std::time::Duration;

use super::arrival_sampler::ArrivalSampler;
use super::connection::{HttpConnection, WireHttpVersion};
use super::error::{WireError, WireErrorKind};
use super::http1::Http1Connection;
use super::http2::Http2Connection;
use super::race;
use super::socket::{KernelTimestamping, StampedSocket};
use super::stream::WireStream;
use super::tls::TlsClient;
use crate::foundation::clock::Clock;

/// Where a server is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerAddress<'a> {
    /// A name or an address, IPv6 without brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// How TLS sessions are begun, where the address asks for them.
    pub(crate) tls: Option<&'a rustls::ClientConfig>,
    pub(crate) version: WireHttpVersion,
}

/// How connections to one server are opened.
#[derive(Debug)]
pub(crate) struct ServerConnector {
    host: String,
    port: u16,
    tls: Option<TlsClient>,
    version: WireHttpVersion,
    limit: Duration,
    clock: Clock,
    sampler: ArrivalSampler,
    _stamping: KernelTimestamping,
}

impl ServerConnector {
    /// Opens no connection yet; the error is a text. Each connection must stand within `limit`.
    pub(crate) fn new(place: ServerAddress<'_>, limit: Duration, clock: Clock) -> Result<Self, String> {
        let tls = place.tls.map(|config| TlsClient::new(place.host, place.version, config)).transpose()?;
        Ok(Self {
            host: place.host.to_owned(),
            port: place.port,
            tls,
            version: place.version,
            limit,
            clock,
            sampler: ArrivalSampler::new(clock),
            _stamping: KernelTimestamping::ask(),
        })
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) async fn open(&self) -> Result<HttpConnection, WireError> {
        let limited = tokio::time::timeout(self.limit, self.establish()).await;
        limited.unwrap_or_else(|_| Err(WireError::new(WireErrorKind::Connect, "no answer within the limit")))
    }

    async fn establish(&self) -> Result<HttpConnection, WireError> {
        let connecting = |error: std::io::Error| WireError::connecting(&error);
        let addresses = tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(connecting)?.collect();
        let socket =
            StampedSocket::new(race::connect(addresses).await.map_err(connecting)?, &self.sampler, self.clock).map_err(connecting)?;
        let stream = match &self.tls {
            None => WireStream::Plain(socket),
            Some(tls) => WireStream::Tls(Box::new(tls.begin(socket).await.map_err(connecting)?)),
        };
        Ok(match self.version {
            WireHttpVersion::One => HttpConnection::One(Box::new(Http1Connection::new(stream))),
            WireHttpVersion::Two => HttpConnection::Two(Box::new(Http2Connection::begin(stream).await?)),
        })
    }
}
