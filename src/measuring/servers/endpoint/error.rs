//! Why a server could not be spoken to, or did not answer as it should. Texts hold no secret.

use std::path::PathBuf;

use super::cause::{HttpErrorCause, HttpErrorKind};

/// A fault of an address, of credentials, or of a small whole exchange with a server.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("`{url}` cannot be used as a server's address; {hint}")]
    Url { url: String, hint: &'static str },
    #[error("more than one of `api_key_env`, `api_key_file` and `api_key_command` is given; keep one")]
    TwoKeys,
    #[error("the environment variable `{name}` is not set; set it to the API key, or take `api_key_env` out")]
    KeyVariable { name: String },
    #[error("cannot read the API key from `{path}`: {source}")]
    KeyFile { path: PathBuf, source: std::io::Error },
    #[error("`api_key_command` was not run, and only a sweep runs it; use `api_key_env` or `api_key_file` here")]
    KeyCommand,
    #[error("the API key is empty; check what `api_key_env` or `api_key_file` names")]
    EmptyKey,
    #[error("the header `{name}` cannot be sent: its name or its value has characters that HTTP does not allow")]
    Header { name: String },
    #[error("the API key has characters that HTTP does not allow in a header")]
    Key,
    #[error("`target.{field}` names `{}`, which cannot be used: {reason}", path.display())]
    Certificate { field: &'static str, path: PathBuf, reason: String },
    #[error("no HTTP client could be made: {reason}")]
    Client { reason: String },
    #[error("{}", unanswered(url, cause))]
    Unanswered { url: String, cause: HttpErrorCause },
    #[error("`{url}` answered with status {status}: {message}")]
    Status { url: String, status: u16, message: String },
    #[error("`{url}` answered with something else than expected: {reason}")]
    Reply { url: String, reason: String },
}

/// What to do about a server whose certificate is not trusted.
pub const UNTRUSTED: &str = "does it speak `https`? A certificate that no known authority signed is trusted by `target.ca_file = \"FILE.pem\"`, or \
                                    unchecked by `target.insecure = true`; `SSL_CERT_FILE` stands for the system's";

fn unanswered(url: &str, cause: &HttpErrorCause) -> String {
    match cause.kind {
        HttpErrorKind::Connect => format!("cannot connect to `{url}`: {cause}; is the server running, and is the URL right?"),
        HttpErrorKind::Tls => format!("no TLS connection to `{url}`: {cause}; {UNTRUSTED}"),
        HttpErrorKind::Broken | HttpErrorKind::Malformed => format!("`{url}` did not answer: {cause}"),
    }
}
