//! What stops a reporter. Displays never fail: a closed terminal is no reason to lose a sweep.

use std::io;

use crate::records::store::StoreError;

/// Why a reporter could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ReporterError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The message holds the path.
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the chat workload of run `{run}` cannot be read back: {source}")]
    ChatSpec { run: String, source: serde_json::Error },
}
