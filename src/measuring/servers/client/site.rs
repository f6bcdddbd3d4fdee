//! One of the servers that share a target's sessions: its address, its connections, and what it had to do. In go the `[target]` section and
//! the endpoint of this one; what is sent is not known here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Url;

use super::TargetError;
use super::request::HeadWriter;
use crate::foundation::clock::Clock;
use crate::servers::endpoint::{EndpointError, ServerEndpoint, shown};
use crate::servers::wire::{ConnectionPool, KeepAlivePolicy, ServerAddress, ServerConnector, WireHttpVersion};
use crate::vocabulary::spec::target::{ConnectionReuse, HttpVersion, TargetSpec};

/// One of the servers.
#[derive(Debug)]
pub(super) struct TargetSite {
    pub(super) endpoint: ServerEndpoint,
    /// As it may be shown.
    pub(super) shown_url: String,
    pub(super) heads: HeadWriter,
    pub(super) pool: ConnectionPool,
    /// Requests that were sent to it and those of them that failed: which server they concern nobody else knows.
    requests: AtomicU64,
    failed: AtomicU64,
}

/// What one of several servers had to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteCounts {
    /// Where prompts are sent, as it may be shown.
    pub url: String,
    pub requests: u64,
    pub failed: u64,
}

impl TargetSite {
    pub(super) fn new(spec: &TargetSpec, endpoint: ServerEndpoint, clock: Clock) -> Result<Self, TargetError> {
        let url = endpoint.address().api(spec.api.path());
        Ok(Self {
            heads: HeadWriter::new(&url, endpoint.headers(), spec.connection).map_err(|reason| EndpointError::Client { reason })?,
            pool: pool(spec, &endpoint, &url, clock)?,
            shown_url: shown(&url),
            endpoint,
            requests: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        })
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failure(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> SiteCounts {
        SiteCounts {
            url: self.shown_url.clone(),
            requests: self.requests.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

fn pool(spec: &TargetSpec, endpoint: &ServerEndpoint, url: &Url, clock: Clock) -> Result<ConnectionPool, TargetError> {
    let place = ServerAddress {
        host: url.host_str().unwrap_or_default().trim_matches(['[', ']']),
        port: url.port_or_known_default().unwrap_or_default(),
        tls: endpoint.tls(),
        version: match spec.http_version {
            HttpVersion::One => WireHttpVersion::One,
            HttpVersion::Two => WireHttpVersion::Two,
        },
    };
    let limit = Duration::try_from_secs_f64(spec.connect_timeout.0).unwrap_or(Duration::MAX);
    let connector = ServerConnector::new(place, limit, clock).map_err(|reason| EndpointError::Client { reason })?;
    let keep = match spec.connection {
        ConnectionReuse::Reuse => KeepAlivePolicy::Open,
        ConnectionReuse::Fresh => KeepAlivePolicy::Never,
    };
    Ok(ConnectionPool::new(connector, keep))
}
