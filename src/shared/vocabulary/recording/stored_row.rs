//! Where a row of a file stands, kept instead of the row: in go a file and a place, out come its bytes again.

use std::path::Path;

use super::error::RecordingError;
use super::row_scanner::RowPlace;
use crate::foundation::named_file::NamedFile;

/// Bytes of the longest row: a conversation of a million tokens has a tenth of it.
pub(super) const LONGEST_ROW: usize = 64 << 20;

/// The place of a row, 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredRow {
    offset: u64,
    bytes: u32,
}

impl StoredRow {
    /// Of a row that is not longer than the longest.
    pub fn of(place: RowPlace) -> Self {
        Self { offset: place.offset, bytes: u32::try_from(place.bytes).unwrap_or(u32::MAX) }
    }

    /// The byte at which it begins.
    pub fn offset(self) -> u64 {
        self.offset
    }

    /// The row's bytes; of a file that has become shorter, that it has changed.
    pub fn read(self, what: NamedFile, file: &Path) -> Result<Vec<u8>, RecordingError> {
        let bytes = what.read_part(file, self.offset, self.bytes).map_err(std::io::Error::from)?;
        if bytes.len() == self.bytes as usize { Ok(bytes) } else { Err(RecordingError::Changed { file: file.to_owned() }) }
    }
}
