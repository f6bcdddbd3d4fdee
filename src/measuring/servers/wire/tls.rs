//! TLS on a socket: the server is told the name it is asked for, and the version of HTTP is agreed on. Whom to trust is the caller's to say.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::connection::WireHttpVersion;
use super::socket::StampedSocket;

/// How a TLS session with one server is begun.
#[derive(Clone)]
pub(super) struct TlsClient {
    connector: TlsConnector,
    version: WireHttpVersion,
    name: ServerName<'static>,
}

impl TlsClient {
    pub(super) fn new(host: &str, version: WireHttpVersion, config: &ClientConfig) -> Result<Self, String> {
        let mut config = config.clone();
        config.alpn_protocols = vec![protocol(version).to_vec()];
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), version, name })
    }

    pub(super) async fn begin(&self, socket: StampedSocket) -> io::Result<TlsStream<StampedSocket>> {
        let stream = self.connector.connect(self.name.clone(), socket).await?;
        // A server that agrees on nothing speaks HTTP/1.1.
        if self.version == WireHttpVersion::Two && stream.get_ref().1.alpn_protocol() != Some(protocol(WireHttpVersion::Two)) {
            let reason = rustls::Error::General("the server does not offer HTTP/2; leave `http_version` out".to_owned());
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(stream)
    }
}

/// The version's name in TLS (RFC 7301).
fn protocol(version: WireHttpVersion) -> &'static [u8] {
    match version {
        WireHttpVersion::One => b"http/1.1",
        WireHttpVersion::Two => b"h2",
    }
}

impl std::fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}
