//! `requests.parquet`: request records in, batch by batch, and one table out. Zstandard, columns in the table's order, one thread, so
//! that the same records give the same bytes.

use std::io::Write;
use std::path::Path;

use polars::prelude::DataFrame;
use polars_io::prelude::{ParquetCompression, ParquetWriter};

use super::error::StoreError;
use super::files::write_whole;
use super::frame::read_frame;
use super::request_columns::{REQUEST_COLUMNS, to_table};
use super::saved_column::{known_columns, schema};
use super::table_error::TableError;
use crate::records::record::RequestRecord;

/// Rows of a row group, and so the records that are in memory at once; few in tests, which are to meet several of them.
pub(super) const BATCH: usize = if cfg!(test) { 1024 } else { 65_536 };

/// Gaps between tokens of a row group, beyond which it gets no further row: rows of very long answers are fewer at once, and memory is bounded.
const BATCH_GAPS: usize = 8_388_608;

/// Writes the records as they come; the file is there only when all of it is on disk.
pub(super) fn write_records(path: &Path, records: impl Iterator<Item = Result<RequestRecord, StoreError>>) -> Result<u64, StoreError> {
    let mut rows = 0;
    write_whole(path, |out| {
        rows = write_batches(path, out, records)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(rows)
}

fn write_batches(
    path: &Path,
    out: &mut impl Write,
    mut records: impl Iterator<Item = Result<RequestRecord, StoreError>>,
) -> Result<u64, StoreError> {
    let fault = |source: TableError| StoreError::Table { path: path.to_owned(), source: Box::new(source) };
    let options = ParquetWriter::new(out).with_compression(ParquetCompression::Zstd(None)).set_parallel(false);
    let mut writer = options.batched(&schema(&REQUEST_COLUMNS)).map_err(|source| fault(source.into()))?;
    let mut rows = 0;
    loop {
        let batch = next_batch(&mut records)?;
        if batch.is_empty() {
            break;
        }
        rows += batch.len() as u64;
        let table = to_table(&batch).map_err(fault)?;
        writer.write_batch(&table).map_err(|source| fault(source.into()))?;
    }
    writer.finish().map_err(|source| fault(source.into()))?;
    Ok(rows)
}

/// Counts the rows of a group while they come.
#[derive(Debug, Default)]
pub(super) struct RowGroupCounter {
    rows: usize,
    gaps: usize,
}

impl RowGroupCounter {
    /// Takes one more row; whether the group is full with it.
    pub fn is_full_with(&mut self, record: &RequestRecord) -> bool {
        self.rows += 1;
        self.gaps += record.gaps_us.len();
        self.rows >= BATCH || self.gaps >= BATCH_GAPS
    }
}

fn next_batch(records: &mut impl Iterator<Item = Result<RequestRecord, StoreError>>) -> Result<Vec<RequestRecord>, StoreError> {
    let (mut batch, mut group) = (Vec::new(), RowGroupCounter::default());
    while let Some(record) = records.next().transpose()? {
        let is_full = group.is_full_with(&record);
        batch.push(record);
        if is_full {
            break;
        }
    }
    Ok(batch)
}

/// Reads a table back, with its hash, where there is one, and its columns checked.
pub(super) fn read_table(path: &Path, hash: Option<&str>) -> Result<DataFrame, StoreError> {
    let table = read_frame(path, hash)?;
    known_columns(&table, &REQUEST_COLUMNS).map_err(|source| StoreError::Table { path: path.to_owned(), source: Box::new(source) })
}
