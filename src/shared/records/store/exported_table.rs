//! A table for other programs, written a part after the other: Parquet, or CSV by RFC 4180.
//!
//! In: frames of one schema. Out: a file that is there as a whole or as it was. Must not know what its columns mean.

use std::io::{BufWriter, Write};
use std::path::Path;

use csv::Writer as CsvWriter;
use fs_err::{self as fs, File};
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Float64Chunked, Int64Chunked, ListChunked, PlSmallStr, PolarsError, Schema, StringChunked,
    UInt32Chunked,
};
use polars_io::prelude::{BatchedWriter, ParquetCompression, ParquetWriter};

use super::error::StoreError;
use super::files::{partial_path, remove_if_there};
use super::parquet::BATCH;
use super::table_error::TableError;

/// A row group of more bytes than this, as those of very long answers are, gets no further rows.
const BATCH_BYTES: usize = 1 << 26;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Zstandard; row groups of as many rows as those of runs.
    Parquet,
    /// A missing value is empty, an infinite one `inf`, a list `[1,2]`.
    Csv,
}

impl TableFormat {
    /// By a file's ending.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_string_lossy().to_ascii_lowercase().as_str() {
            "parquet" => Some(Self::Parquet),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// A table that is being written.
pub struct ExportedTable {
    writer: TableWriter,
}

enum TableWriter {
    Parquet(Box<RowGroupWriter>),
    Csv(Box<CsvWriter<BufWriter<File>>>),
}

/// Parts of small runs are put together: each row group costs kilobytes of the file's footer.
struct RowGroupWriter {
    table: BatchedWriter<BufWriter<File>>,
    pending: Option<DataFrame>,
}

impl RowGroupWriter {
    fn add(&mut self, rows: &DataFrame) -> Result<(), TableError> {
        if self.pending.as_ref().is_some_and(|pending| pending.height() + rows.height() > BATCH || pending.estimated_size() > BATCH_BYTES) {
            self.write_pending()?;
        }
        match &mut self.pending {
            Some(pending) => {
                pending.vstack_mut(rows)?;
            }
            None => self.pending = Some(rows.clone()),
        }
        Ok(())
    }

    fn write_pending(&mut self) -> Result<(), TableError> {
        let Some(mut rows) = self.pending.take() else { return Ok(()) };
        rows.rechunk_mut();
        Ok(self.table.write_batch(&rows)?)
    }
}

impl std::fmt::Debug for ExportedTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExportedTable").finish_non_exhaustive()
    }
}

impl ExportedTable {
    /// Writes the parts that `fill` hands over. What was there before is replaced when all of them are written, and stays where one is not.
    pub fn write<E: From<StoreError>>(
        path: &Path,
        format: TableFormat,
        schema: &Schema,
        fill: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let written = Self::create(path, format, schema).map_err(E::from).and_then(|mut table| {
            fill(&mut table)?;
            table.finish().map_err(|source| fault(path, source).into())
        });
        if let Err(error) = written {
            // Why it failed is told; a part that stays behind as well is not worth hiding that.
            let _ = remove_if_there(&partial_path(path));
            return Err(error);
        }
        fs::rename(partial_path(path), path).map_err(|error| StoreError::from(error).into())
    }

    fn create(path: &Path, format: TableFormat, schema: &Schema) -> Result<Self, StoreError> {
        let out = BufWriter::new(File::create(partial_path(path))?);
        let writer = match format {
            TableFormat::Parquet => {
                let options = ParquetWriter::new(out).with_compression(ParquetCompression::Zstd(None));
                let table = options.batched(schema).map_err(|source| fault(path, source.into()))?;
                TableWriter::Parquet(Box::new(RowGroupWriter { table, pending: None }))
            }
            TableFormat::Csv => {
                let mut table = CsvWriter::from_writer(out);
                table.write_record(schema.iter_names().map(PlSmallStr::as_str)).map_err(|error| fault(path, io_fault(error)))?;
                TableWriter::Csv(Box::new(table))
            }
        };
        Ok(Self { writer })
    }

    /// Adds rows, whose columns are those of the schema.
    pub fn add(&mut self, rows: &DataFrame) -> Result<(), TableError> {
        match &mut self.writer {
            TableWriter::Parquet(table) => table.add(rows),
            TableWriter::Csv(table) => add_as_text(table, rows),
        }
    }

    fn finish(self) -> Result<(), TableError> {
        match self.writer {
            TableWriter::Parquet(mut table) => {
                table.write_pending()?;
                // The end of the file is flushed.
                table.table.finish()?;
            }
            TableWriter::Csv(table) => {
                let mut out = table.into_inner().map_err(|error| PolarsError::from(error.into_error()))?;
                out.flush().map_err(PolarsError::from)?;
            }
        }
        Ok(())
    }
}

fn fault(path: &Path, source: TableError) -> StoreError {
    StoreError::Table { path: path.to_owned(), source: Box::new(source) }
}

fn io_fault(error: csv::Error) -> TableError {
    PolarsError::from(std::io::Error::from(error)).into()
}

fn add_as_text(table: &mut CsvWriter<impl Write>, rows: &DataFrame) -> Result<(), TableError> {
    let columns: Vec<TextColumn<'_>> = rows.columns().iter().map(TextColumn::of).collect::<Result<_, _>>()?;
    let mut field = Vec::new();
    for row in 0..rows.height() {
        for column in &columns {
            field.clear();
            column.append(row, &mut field)?;
            table.write_field(&field).map_err(io_fault)?;
        }
        table.write_record(None::<&[u8]>).map_err(io_fault)?;
    }
    Ok(())
}

/// A column whose values become texts, row by row.
enum TextColumn<'a> {
    /// The same in every row.
    Same(Vec<u8>),
    Integers(&'a Int64Chunked),
    Numbers(&'a Float64Chunked),
    Flags(&'a BooleanChunked),
    Texts(&'a StringChunked),
    Gaps(&'a ListChunked),
}

impl<'a> TextColumn<'a> {
    fn of(column: &'a Column) -> Result<Self, TableError> {
        if let Some(same) = column.as_scalar_column() {
            let one = same.clone().resize(1).into();
            let mut text = Vec::new();
            TextColumn::typed(&one)?.append(0, &mut text)?;
            return Ok(Self::Same(text));
        }
        Self::typed(column)
    }

    fn typed(column: &'a Column) -> Result<Self, TableError> {
        Ok(match column.dtype() {
            DataType::Int64 => Self::Integers(column.i64()?),
            DataType::Float64 => Self::Numbers(column.f64()?),
            DataType::Boolean => Self::Flags(column.bool()?),
            DataType::List(_) => Self::Gaps(column.list()?),
            _ => Self::Texts(column.str()?),
        })
    }

    fn append(&self, row: usize, field: &mut Vec<u8>) -> Result<(), TableError> {
        let written = match self {
            Self::Same(text) => {
                field.extend_from_slice(text);
                Ok(())
            }
            Self::Integers(values) => values.get(row).map_or(Ok(()), |value| write!(field, "{value}")),
            Self::Numbers(values) => values.get(row).map_or(Ok(()), |value| write!(field, "{value}")),
            Self::Flags(values) => values.get(row).map_or(Ok(()), |value| write!(field, "{value}")),
            Self::Texts(values) => {
                field.extend_from_slice(values.get(row).unwrap_or_default().as_bytes());
                Ok(())
            }
            Self::Gaps(lists) => match lists.get_as_series(row) {
                Some(gaps) => append_list(gaps.u32()?, field),
                None => Ok(()),
            },
        };
        Ok(written.map_err(PolarsError::from)?)
    }
}

fn append_list(values: &UInt32Chunked, field: &mut Vec<u8>) -> std::io::Result<()> {
    field.push(b'[');
    for (place, value) in values.iter().flatten().enumerate() {
        let before = if place == 0 { "" } else { "," };
        write!(field, "{before}{value}")?;
    }
    field.push(b']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use polars_io::SerReader;
    use polars_io::prelude::ParquetReader;

    use super::*;
    use crate::records::store::fixture::{record, rich_record};
    use crate::records::store::to_table;

    fn written(path: &Path, parts: &[DataFrame]) -> Result<(), StoreError> {
        let format = TableFormat::of(path).unwrap();
        ExportedTable::write(path, format, parts[0].schema(), |table| {
            parts.iter().try_for_each(|part| table.add(part).map_err(|source| fault(path, source)))
        })
    }

    #[test]
    fn parts_are_one_table_in_the_form_that_the_ending_asks_for() {
        let folder = tempfile::tempdir().unwrap();
        let parts = [to_table(&[record(0)]).unwrap(), to_table(&[rich_record(1)]).unwrap()];
        let (parquet, csv) = (folder.path().join("all.parquet"), folder.path().join("all.CSV"));
        written(&parquet, &parts).unwrap();
        let read = ParquetReader::new(File::open(&parquet).unwrap().into_file()).finish().unwrap();
        assert!(read.equals_missing(&to_table(&[record(0), rich_record(1)]).unwrap()));
        written(&csv, &parts).unwrap();
        let mut reader = csv::Reader::from_path(&csv).unwrap();
        assert_eq!(reader.headers().unwrap().iter().next(), Some("request"));
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        let place = parts[0].get_column_index("gaps_us").unwrap();
        let gaps = |row: &crate::records::record::RequestRecord| {
            format!("[{}]", row.gaps_us.iter().map(u32::to_string).collect::<Vec<_>>().join(","))
        };
        assert_eq!(rows.iter().map(|row| row[place].to_owned()).collect::<Vec<_>>(), [gaps(&record(0)), gaps(&rich_record(1))]);
        assert_eq!((TableFormat::of(Path::new("a.xlsx")), TableFormat::of(Path::new("parquet"))), (None, None));
    }

    #[test]
    fn a_table_that_fails_leaves_what_was_there_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.csv");
        written(&path, &[to_table(&[record(0)]).unwrap()]).unwrap();
        let before = fs::read(&path).unwrap();
        let failed: Result<(), StoreError> =
            ExportedTable::write(&path, TableFormat::Csv, &Schema::default(), |_| Err(std::io::Error::other("disk full").into()));
        assert!(failed.is_err());
        assert_eq!((fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()), (before, 1));
    }
}
