//! How TLS sessions with a server are begun, as its scenario says: whom to trust, and who is asking. In go the paths of PEM files; out comes one
//! configuration, for the measured connections and for what is asked beside them.
//!
//! Without a word the system's certificates are trusted, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`. `ca_file` trusts its own beside them, also a
//! server's own certificate that nobody signed. `insecure` trusts everybody.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::EndpointError;
use crate::foundation::named_file::NamedFile;
use crate::vocabulary::spec::target::{HttpVersion, TargetSpec};

/// The configuration of a target's sessions.
pub(crate) fn tls_config(spec: &TargetSpec) -> Result<ClientConfig, EndpointError> {
    let fault = |error: Error| EndpointError::Client { reason: error.to_string() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(spec, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(fault)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match (&spec.client_certificate, &spec.client_key) {
        (Some(certificate), Some(key)) => {
            let (chain, secret) = (certificates("client_certificate", certificate)?, private_key(key)?);
            let unusable = |error: Error| unread("client_key", key, error.to_string());
            builder.with_client_auth_cert(chain, secret).map_err(unusable)?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![match spec.http_version {
        HttpVersion::One => b"http/1.1".to_vec(),
        HttpVersion::Two => b"h2".to_vec(),
    }];
    Ok(config)
}

fn verifier(spec: &TargetSpec, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, EndpointError> {
    let fault = |error: Error| EndpointError::Client { reason: error.to_string() };
    if spec.insecure {
        return Ok(Arc::new(CertificateExceptions { provider: Arc::clone(provider), trusted: Vec::new(), system: None }));
    }
    let Some(path) = &spec.ca_file else { return Ok(Arc::new(Verifier::new(Arc::clone(provider)).map_err(fault)?)) };
    let trusted = certificates("ca_file", path)?;
    let system = Verifier::new_with_extra_roots(trusted.iter().cloned(), Arc::clone(provider));
    let system = system.map_err(|error| unread("ca_file", path, error.to_string()))?;
    Ok(Arc::new(CertificateExceptions { provider: Arc::clone(provider), trusted, system: Some(system) }))
}

/// Lets certificates pass that no authority signed.
#[derive(Debug)]
struct CertificateExceptions {
    provider: Arc<CryptoProvider>,
    /// Servers' own, that are trusted as they are.
    trusted: Vec<CertificateDer<'static>>,
    /// Who decides on all others; `None` where all are let pass.
    system: Option<Verifier>,
}

impl ServerCertVerifier for CertificateExceptions {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(system) = &self.system else { return Ok(ServerCertVerified::assertion()) };
        if self.trusted.iter().any(|certificate| certificate == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        system.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The certificates in a PEM file; one at least.
fn certificates(field: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, EndpointError> {
    let bytes = read(field, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(unread(field, path, "it holds no certificate in the PEM form (`-----BEGIN CERTIFICATE-----`)".to_owned())),
        Err(error) => Err(unread(field, path, error.to_string())),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, EndpointError> {
    let bytes = read("client_key", path)?;
    let unusable = |_| unread("client_key", path, "it holds no private key in the PEM form (`-----BEGIN PRIVATE KEY-----`)".to_owned());
    PrivateKeyDer::from_pem_slice(&bytes).map_err(unusable)
}

fn read(field: &'static str, path: &Path) -> Result<Vec<u8>, EndpointError> {
    NamedFile::Certificates.read(path).map_err(|error| unread(field, path, error.reason.to_string()))
}

fn unread(field: &'static str, path: &Path, reason: String) -> EndpointError {
    EndpointError::Certificate { field, path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(fields: serde_json::Value) -> Result<ClientConfig, String> {
        tls_config(&serde_json::from_value(fields).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn files_that_hold_nothing_of_use_are_named_with_their_field() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hush").unwrap();
        let no_certificate = config(json!({ "ca_file": file.path() })).unwrap_err();
        assert!(no_certificate.contains("`target.ca_file`") && no_certificate.contains("BEGIN CERTIFICATE"), "{no_certificate}");
        assert!(config(json!({ "ca_file": "no/such/file.pem" })).unwrap_err().contains("no/such/file.pem"));
        let server = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/tls/server.pem");
        let no_key = config(json!({ "client_certificate": server, "client_key": file.path() })).unwrap_err();
        assert!(no_key.contains("`target.client_key`") && !no_key.contains("hush"), "{no_key}");
    }

    #[test]
    fn the_version_of_http_is_offered() {
        let offered = |version: &str| config(json!({ "insecure": true, "http_version": version })).unwrap().alpn_protocols;
        assert_eq!(offered("1.1"), [b"http/1.1".to_vec()]);
        assert_eq!(offered("2"), [b"h2".to_vec()]);
    }
}
