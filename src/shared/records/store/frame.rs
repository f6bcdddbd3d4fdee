//! A table's file and its hash: what was sealed is what is read, and a damaged file is an error, never a panic.
//!
//! In: a path and, where the run's record tells it, the hash of what was sealed. Out: a frame whose columns nobody has looked at yet.

use std::io::{Cursor, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fs_err::{self as fs, File};
use polars::error::PolarsError;
use polars::prelude::DataFrame;
use polars_io::SerReader;
use polars_io::mmap::MmapBytesReader;
use polars_io::prelude::{ParallelStrategy, ParquetReader};

use super::error::StoreError;
use super::pages::refuse_empty_promises;
use super::table_error::TableError;
use crate::foundation::named_file::NamedFile;

/// A file of at most so many bytes is read as a whole, once, for its hash and for what is in it.
const SMALL: u64 = 1 << 20;

/// Fewer rows than this are not worth more than one thread.
const SEVERAL_THREADS: usize = 50_000;

/// The BLAKE3 hash of a file, in hexadecimal.
pub(super) fn hash_of(path: &Path) -> Result<String, StoreError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Reads a file that `hash` says what was sealed in it; runs before version 1.3 of the format have none.
pub(super) fn read_frame(path: &Path, hash: Option<&str>) -> Result<DataFrame, StoreError> {
    vouched_for(path, hash)?;
    guarded(path, || ParquetReader::new(File::open(path)?.into_file()).finish())
}

/// How many rows a sealed file has, after its hash was checked and its pages were looked at. Nothing is unpacked.
pub(super) fn rows_of(path: &Path, hash: Option<&str>) -> Result<usize, StoreError> {
    match vouched_for(path, hash)? {
        Some(bytes) => guarded(path, || rows_in(Cursor::new(bytes))),
        None => guarded(path, || rows_in(File::open(path)?.into_file())),
    }
}

/// Refuses a file that is not what was sealed, and one that promises more than it can hold: a hash says what was sealed, not by whom.
/// Comes with the bytes of a small file, which is read once.
fn vouched_for(path: &Path, hash: Option<&str>) -> Result<Option<Vec<u8>>, StoreError> {
    NamedFile::Saved.regular(path)?;
    if fs::metadata(path)?.len() > SMALL {
        // Pages first: a file may be a hole of terabytes, which it would take hours to hash.
        looked_at(path, &mut File::open(path)?)?;
        if let Some(hash) = hash {
            unchanged(path, hash, &hash_of(path)?)?;
        }
        return Ok(None);
    }
    let bytes = fs::read(path)?;
    if let Some(hash) = hash {
        unchanged(path, hash, blake3::hash(&bytes).to_hex().as_str())?;
    }
    looked_at(path, &mut Cursor::new(&bytes))?;
    Ok(Some(bytes))
}

fn looked_at(path: &Path, file: &mut (impl Read + Seek)) -> Result<(), StoreError> {
    let looked = catch_unwind(AssertUnwindSafe(|| refuse_empty_promises(file))).unwrap_or(Err(TableError::Damaged));
    looked.map_err(|source| StoreError::Table { path: path.to_owned(), source: Box::new(source) })
}

/// Some columns of some rows.
pub(super) struct TableSlice<'a> {
    pub names: &'a [String],
    /// From 0.
    pub from: usize,
    /// At most.
    pub rows: usize,
}

/// Reads a part of a file whose hash was checked: those of the columns that it has.
pub(super) fn read_part(path: &Path, part: &TableSlice<'_>) -> Result<DataFrame, StoreError> {
    guarded(path, || {
        let mut reader = ParquetReader::new(File::open(path)?.into_file());
        let rows = reader.num_rows()?;
        let known = reader.schema()?;
        let names = part.names.iter().filter(|name| known.contains(name.as_str())).cloned().collect();
        let parallel = if rows < SEVERAL_THREADS { ParallelStrategy::None } else { ParallelStrategy::Auto };
        reader.with_columns(Some(names)).with_slice(Some((part.from, part.rows))).read_parallel(parallel).finish()
    })
}

fn rows_in(source: impl MmapBytesReader) -> Result<usize, PolarsError> {
    ParquetReader::new(source).num_rows()
}

fn unchanged(path: &Path, sealed: &str, found: &str) -> Result<(), StoreError> {
    if found == sealed { Ok(()) } else { Err(StoreError::Changed { path: path.to_owned() }) }
}

/// The reader of Parquet panics on some footers that no writer writes.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, PolarsError>) -> Result<T, StoreError> {
    let fault = |source| StoreError::Table { path: path.to_owned(), source: Box::new(source) };
    let read = catch_unwind(AssertUnwindSafe(read));
    read.map_err(|_| fault(TableError::Damaged))?.map_err(|error| fault(error.into()))
}
