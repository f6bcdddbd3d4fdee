//! What can go wrong between asking for a connection and the end of an answer: kind and a few words, without the URL.

use std::error::Error;
use std::fmt;
use std::io;

/// Where in an exchange it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireErrorKind {
    /// No connection came about.
    Connect,
    /// A connection, but no TLS session on it.
    Tls,
    /// The connection broke or was closed before the answer was whole.
    Broken,
    /// What came was not HTTP.
    Malformed,
}

/// Why an exchange went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WireError {
    pub(crate) kind: WireErrorKind,
    text: String,
}

impl WireError {
    pub(super) fn new(kind: WireErrorKind, text: &str) -> Self {
        Self { kind, text: text.to_owned() }
    }

    /// Of a connection that does not come about.
    pub(super) fn connecting(error: &io::Error) -> Self {
        Self::of(error, WireErrorKind::Connect)
    }

    /// Of one that stood.
    pub(super) fn broken(error: &io::Error) -> Self {
        Self::of(error, WireErrorKind::Broken)
    }

    fn of(error: &io::Error, otherwise: WireErrorKind) -> Self {
        let kind = if is_tls(error) { WireErrorKind::Tls } else { otherwise };
        Self { kind, text: error.to_string() }
    }
}

impl fmt::Display for WireError {
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
