//! Files from the web, whole or not at all: one request at a time, with a pause between them, a bounded number of retries, and a bound on
//! size. A file that breaks off is gone on with where the server can do so, else begun again; one whose end cannot be told is refused.
//!
//! In goes a URL, out come bytes. It must not know what they are.

mod error;
mod part;
mod policy;
mod request;

use std::time::Duration;

use error::DownloadAttemptError;
pub use error::DownloadError;
use part::PartialFile;
pub use policy::DownloadPolicy;
use request::DownloadClients;
use reqwest::Url;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

use super::event::{PrepareEvent, Tell};
use crate::servers::endpoint::shown;

/// Fetches files, one at a time.
#[derive(Debug)]
pub struct Downloader {
    clients: DownloadClients,
    pace: DownloadPolicy,
    max_bytes: u64,
    /// When the next request may go out.
    free: Option<Instant>,
}

impl Downloader {
    /// Files of at most `max_bytes`.
    pub fn new(pace: DownloadPolicy, max_bytes: u64) -> Self {
        Self { clients: DownloadClients::default(), pace, max_bytes, free: None }
    }

    /// Fetches a file; `bearer` goes to the URL's own server only. `None` where there is no such file.
    pub async fn fetch(&mut self, url: &Url, bearer: Option<&HeaderValue>, tell: &mut Tell<'_>) -> Result<Option<Vec<u8>>, DownloadError> {
        let mut part = PartialFile::new(self.max_bytes);
        for attempt in 1.. {
            self.take_turn().await;
            let ended = self.clients.attempt(url, bearer, self.pace.idle, &mut part, tell).await;
            self.free = Some(Instant::now() + self.pace.pause);
            let (why, asked) = match ended {
                Ok(()) => return Ok(Some(part.into_bytes())),
                Err(DownloadAttemptError::Missing) => return Ok(None),
                Err(DownloadAttemptError::Stop(error)) => return Err(error),
                Err(DownloadAttemptError::Again { why, after }) => (why, after),
            };
            let url = shown(url);
            if attempt >= self.pace.attempts {
                return Err(DownloadError::GaveUp { url, attempts: attempt, why });
            }
            let wait = self.pace.wait(attempt, asked);
            if wait > self.pace.longest_wait {
                return Err(DownloadError::LongWait { url, wait });
            }
            tell(PrepareEvent::Again { url: &url, why: &why, wait });
            rest(wait).await;
        }
        unreachable!("attempts are counted from 1 without end")
    }

    async fn take_turn(&mut self) {
        if let Some(free) = self.free.take() {
            rest(free.saturating_duration_since(Instant::now())).await;
        }
    }
}

async fn rest(wait: Duration) {
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
}
