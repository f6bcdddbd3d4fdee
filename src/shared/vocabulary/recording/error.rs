//! Why a recording cannot be sent again. Messages name file and line.

use std::path::{Path, PathBuf};

use super::row_scanner::{RowPlace, RowScanError};
use super::time_unit_check::TimeUnitMismatch;

/// A fault of a file that was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The message holds the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("`{}:{line}`: {reason}", file.display())]
    Row { file: PathBuf, line: u64, reason: String },
    #[error("`{}` holds nothing to send: {wanted}", file.display())]
    Empty { file: PathBuf, wanted: &'static str },
    /// Nobody told the unit of its times, and they look like another one than they are taken for.
    #[error("`{}`: {doubt}", file.display())]
    Unit { file: PathBuf, doubt: TimeUnitMismatch },
    #[error("`{}` has changed since it was read: start again", file.display())]
    Changed { file: PathBuf },
}

/// The same before it is known which file it is of.
#[derive(Debug)]
pub(super) enum RowError {
    Io(std::io::Error),
    Row { line: u64, reason: String },
    Unit(TimeUnitMismatch),
}

impl RowError {
    pub fn at(place: RowPlace, reason: String) -> Self {
        Self::Row { line: place.line, reason }
    }

    pub fn of(self, file: &Path) -> RecordingError {
        let file = file.to_owned();
        match self {
            Self::Io(error) => RecordingError::Io(error),
            Self::Row { line, reason } => RecordingError::Row { file, line, reason },
            Self::Unit(doubt) => RecordingError::Unit { file, doubt },
        }
    }
}

impl From<RowScanError> for RowError {
    fn from(error: RowScanError) -> Self {
        match error {
            RowScanError::Io(error) => Self::Io(error),
            RowScanError::Malformed { line, reason } => Self::Row { line, reason },
        }
    }
}

/// What the parser says of a row, without its own count of lines: it sees only one.
pub(super) fn in_words(error: &serde_json::Error, example: &str) -> String {
    let message = error.to_string();
    let reason = message.split(" at line ").next().unwrap_or_default();
    format!("{reason} (column {}); a row is such as `{example}`", error.column())
}
