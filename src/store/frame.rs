//! A table's file and its hash: what was sealed is what is read, and a damaged file is an error, never a panic.
//!
//! In: a path and, where the run's record tells it, the hash of what was sealed. Out: a frame whose columns nobody has looked at yet.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fs_err::File;
use polars::prelude::DataFrame;
use polars_io::SerReader;
use polars_io::prelude::ParquetReader;

use super::error::StoreError;
use super::table::TableError;

/// The BLAKE3 hash of a file, in hexadecimal.
pub(super) fn hash_of(path: &Path) -> Result<String, StoreError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Reads a file that `hash` says what was sealed in it; runs before version 1.3 of the format have none.
pub(super) fn read_frame(path: &Path, hash: Option<&str>) -> Result<DataFrame, StoreError> {
    if let Some(hash) = hash
        && hash_of(path)? != hash
    {
        return Err(StoreError::Changed { path: path.to_owned() });
    }
    let file = File::open(path)?.into_file();
    let fault = |source| StoreError::Table { path: path.to_owned(), source: Box::new(source) };
    // The reader of Parquet panics on some footers that no writer writes.
    let read = catch_unwind(AssertUnwindSafe(|| ParquetReader::new(file).finish()));
    read.map_err(|_| fault(TableError::Damaged))?.map_err(|error| fault(error.into()))
}
