//! Why a file could not be fetched. Texts hold no secret: URLs are shown without their queries.

use std::time::Duration;

use crate::servers::endpoint::EndpointError;

/// A file that was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    #[error("`{url}` was tried {attempts} times, the last time: {why}; run again to go on")]
    GaveUp { url: String, attempts: u32, why: String },
    #[error("`{url}` asks to be left alone for {} s; run again then", wait.as_secs())]
    LongWait { url: String, wait: Duration },
    #[error("`{url}` answered with status {status}: {message}")]
    Refused { url: String, status: u16, message: String },
    #[error("`{url}` has more than {limit} bytes; allow more with `--max-bytes`")]
    TooLarge { url: String, limit: u64 },
    #[error("`{url}` was redirected more than {limit} times")]
    Redirects { url: String, limit: usize },
    #[error("`{url}` was redirected to what is no HTTP address")]
    RedirectTo { url: String },
    #[error("`{url}` comes without a length and not in chunks, so that a part could not be told from the whole; name another mirror")]
    EndUnknown { url: String },
    #[error("`{url}` comes encoded as `{encoding}`, which was not asked for; name another mirror")]
    Encoded { url: String, encoding: String },
    #[error("{0}")]
    Client(String),
}

impl From<EndpointError> for DownloadError {
    fn from(error: EndpointError) -> Self {
        Self::Client(error.to_string())
    }
}

/// How a try ended that did not bring the file.
#[derive(Debug)]
pub(super) enum DownloadAttemptError {
    Missing,
    /// It may work another time; `after` is what the server asks to wait.
    Again {
        why: String,
        after: Option<Duration>,
    },
    /// It will not.
    Stop(DownloadError),
}

impl From<DownloadError> for DownloadAttemptError {
    fn from(error: DownloadError) -> Self {
        Self::Stop(error)
    }
}
