//! TLS on a socket: certificates are trusted as the system trusts them (or `SSL_CERT_FILE` says), the server is told the name it is asked
//! for, and the version of HTTP is agreed on.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
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
    /// Loads what the system trusts.
    pub(super) fn new(host: &str, version: WireHttpVersion) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.and_then(BuilderVerifierExt::with_platform_verifier).map_err(|error| error.to_string())?;
        let mut config = builder.with_no_client_auth();
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
