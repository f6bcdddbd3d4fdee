//! What stands behind an HTTP client's error: kind and a few words, without the URL (it may hold a key).

use std::error::Error;
use std::fmt;
use std::io;

/// Where in an exchange it broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// No connection came about.
    Connect,
    /// A connection, but no TLS session on it.
    Tls,
    /// The connection broke or was closed before the answer was whole.
    Broken,
    /// What came was not HTTP.
    Malformed,
}

/// Why an exchange broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpErrorCause {
    pub kind: HttpErrorKind,
    text: String,
}

impl HttpErrorCause {
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        let chain = || std::iter::successors(error.source(), |&error| error.source());
        let kind = if chain().any(is_tls) {
            HttpErrorKind::Tls
        } else if error.is_connect() {
            HttpErrorKind::Connect
        } else if chain().any(is_malformed) {
            HttpErrorKind::Malformed
        } else {
            HttpErrorKind::Broken
        };
        let text = if error.is_timeout() {
            "no answer within the limit".to_owned()
        } else {
            // The innermost cause says most; only a builder's error has none.
            chain().last().map_or_else(|| "the request could not be built".to_owned(), ToString::to_string)
        };
        Self { kind, text }
    }
}

impl fmt::Display for HttpErrorCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// TLS faults come inside IO errors, wrapped once or twice, where `source` does not lead. A peer that hangs up in the middle of the
/// handshake has only a text to be told by.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner) || inner.to_string() == "tls handshake eof")
}

fn is_malformed(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let is_parse = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse);
    is_parse || matches!(kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput))
}
