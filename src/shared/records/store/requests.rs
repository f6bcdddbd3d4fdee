//! The request rows of a saved run, of which columns are read when somebody asks for them: gaps between tokens are most of the bytes, and
//! few figures need them.
//!
//! In: a sealed table's file, whose hash is checked when it is opened, or a table in memory. Out: some of its columns, a part of the rows at
//! a time, so that whoever adds up needs no memory for all of them. Must not know what columns mean.

use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;

use super::error::StoreError;
use super::frame::{TableSlice, read_part, rows_of};
use super::parquet::{BATCH, read_table};
use super::request_columns::{REQUEST_COLUMNS, from_table};
use super::saved_column::known_columns;
use super::table_error::TableError;
use crate::records::record::RequestRecord;

/// Rows that are read at once: a few row groups.
const PART: usize = 262_144;

/// A row per request in order of completion, with the columns of [`REQUEST_COLUMNS`].
#[derive(Debug, Clone)]
pub struct SavedRequests {
    source: RequestRowSource,
    rows: usize,
}

#[derive(Debug, Clone)]
enum RequestRowSource {
    File(PathBuf),
    Held(DataFrame),
}

impl SavedRequests {
    /// Opens a sealed table. Where no hash tells what was sealed, as before version 1.3 of the format, all of it is read once and checked.
    pub(super) fn open(path: &Path, hash: Option<&str>) -> Result<Self, StoreError> {
        let rows = if hash.is_some() { rows_of(path, hash)? } else { read_table(path, None)?.height() };
        Ok(Self { source: RequestRowSource::File(path.to_owned()), rows })
    }

    /// Rows that are in memory.
    #[must_use]
    pub fn held(table: DataFrame) -> Self {
        Self { rows: table.height(), source: RequestRowSource::Held(table) }
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// All columns.
    pub fn table(&self) -> Result<DataFrame, StoreError> {
        match &self.source {
            RequestRowSource::File(path) => read_table(path, None),
            RequestRowSource::Held(table) => Ok(table.clone()),
        }
    }

    /// All rows as records, for what must look at single requests.
    pub fn records(&self) -> Result<Vec<RequestRecord>, StoreError> {
        from_table(&self.table()?).map_err(|source| self.fault(source))
    }

    fn fault(&self, source: TableError) -> StoreError {
        let path = match &self.source {
            RequestRowSource::File(path) => path.clone(),
            RequestRowSource::Held(_) => PathBuf::from("memory"),
        };
        StoreError::Table { path, source: Box::new(source) }
    }

    /// Hands on the named columns, in their order and with their types checked, a part of the rows after the other.
    pub fn columns<E: From<StoreError>>(&self, names: &[&str], each: impl FnMut(&DataFrame) -> Result<(), E>) -> Result<(), E> {
        self.parts(names, PART, each)
    }

    /// Hands on all columns, a row group after the other.
    pub fn row_groups<E: From<StoreError>>(&self, each: impl FnMut(&DataFrame) -> Result<(), E>) -> Result<(), E> {
        self.parts(&REQUEST_COLUMNS.map(|column| column.name), BATCH, each)
    }

    fn parts<E: From<StoreError>>(&self, names: &[&str], rows: usize, mut each: impl FnMut(&DataFrame) -> Result<(), E>) -> Result<(), E> {
        let mut wanted: Vec<_> = REQUEST_COLUMNS.iter().filter(|column| names.contains(&column.name)).collect();
        if wanted.iter().all(|column| column.is_later()) {
            // An older file has none of them, and yet as many rows as it has.
            wanted.extend(REQUEST_COLUMNS.first());
        }
        match &self.source {
            RequestRowSource::Held(table) => each(&known_columns(table, wanted).map_err(|source| self.fault(source))?),
            RequestRowSource::File(path) => {
                let names: Vec<String> = wanted.iter().map(|column| column.name.to_owned()).collect();
                for from in (0..self.rows.max(1)).step_by(rows) {
                    let part = read_part(path, &TableSlice { names: &names, from, rows })?;
                    each(&known_columns(&part, wanted.iter().copied()).map_err(|source| self.fault(source))?)?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::store::fixture::{record, rich_record};
    use crate::records::store::parquet::write_records;
    use crate::records::store::to_table;

    #[test]
    fn columns_come_in_parts_that_are_the_whole_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.parquet");
        let rows = 300_000;
        write_records(&path, (0..rows).map(|number| Ok(record(number)))).unwrap();
        let saved = SavedRequests::open(&path, None).unwrap();
        let (mut seen, mut sum, mut parts) = (0, 0, 0);
        let add = |part: &DataFrame| {
            assert_eq!(part.get_column_names(), ["request", "failure"]);
            let numbers = part.column("request").unwrap().i64().unwrap();
            (seen, sum, parts) = (seen + part.height(), sum + numbers.iter().flatten().sum::<i64>(), parts + 1);
            Ok::<_, StoreError>(())
        };
        saved.columns(&["failure", "request"], add).unwrap();
        assert_eq!((seen as u64, sum.cast_unsigned(), parts), (rows, rows * (rows - 1) / 2, 2));
    }

    #[test]
    fn a_column_that_a_file_of_an_earlier_version_lacks_is_missing_in_each_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.parquet");
        let mut older = to_table(&[record(0), rich_record(1)]).unwrap().drop_many(["first_answer_us", "first_event_source"]);
        polars_io::prelude::ParquetWriter::new(fs_err::File::create(&path).unwrap()).finish(&mut older).unwrap();
        let saved = SavedRequests::open(&path, None).unwrap();
        for names in [&["first_answer_us", "first_event_source"][..], &["first_answer_us", "first_event_source", "turn"]] {
            let count = |part: &DataFrame| {
                assert!(names.iter().all(|name| part.column(name).unwrap().len() == 2));
                assert_eq!(part.column("first_answer_us").unwrap().null_count(), 2);
                assert_eq!(part.column("first_event_source").unwrap().null_count(), 2);
                Ok::<_, StoreError>(())
            };
            saved.columns(names, count).unwrap();
        }
    }

    #[test]
    fn a_table_in_memory_gives_the_same_columns() {
        let saved = SavedRequests::held(to_table(&[record(0), rich_record(1)]).unwrap());
        let mut seen = Vec::new();
        let add = |part: &DataFrame| {
            seen.extend(part.column("prompt_tokens").unwrap().i64().unwrap().iter());
            Ok::<_, StoreError>(())
        };
        saved.columns(&["prompt_tokens"], add).unwrap();
        assert_eq!((seen, saved.rows()), (vec![None, Some(131_072)], 2));
    }
}
