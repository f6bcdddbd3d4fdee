//! What the pages of a table promise, held against the size of its file, before anything is made room for.
//!
//! In: a file that nobody vouches for. Out: nothing, or that it is damaged. The reader of Parquet makes room for as many values as a page's
//! head promises, also for less than none; and what cannot be had ends the program. One column of a row group is in memory at a time.

use std::io::{Cursor, Read, Seek, SeekFrom};

use polars_buffer::Buffer;
use polars_parquet::parquet::metadata::{ColumnChunkMetadata, RowGroupMetadata};
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::parquet::read::{PageReader, read_metadata_with_size};

use super::dictionary::{DictionaryHeader, dictionary};
use super::table_error::TableError;

/// A page may promise so many values, and more where it is large: ours are of a megabyte.
const VALUES_OF_A_PAGE: usize = 1 << 24;
/// A page may be so many bytes once it is unpacked, and more where it is large.
const BYTES_OF_A_PAGE: usize = 1 << 26;
/// For each byte of a page, so many values and bytes.
const PAGE_FOR_EACH_BYTE: usize = 1 << 10;
/// All pages of a file may promise so many values or bytes for each byte of the file. Equal gaps between tokens are packed to little.
const FILE_FOR_EACH_BYTE: usize = 1 << 14;
/// Bytes of the footer: a table of a hundred million rows has 6 MB.
const FOOTER: u64 = 1 << 26;
/// Bytes of one column of a row group, as saved. Ours are of some megabytes.
const COLUMN: u64 = 1 << 30;
/// The columns of a file: ours have about twenty.
const MOST_COLUMNS: usize = 10_000;

/// Refuses a file that promises more than can be in it.
pub(super) fn refuse_empty_promises(file: &mut (impl Read + Seek)) -> Result<(), TableError> {
    let length = file.seek(SeekFrom::End(0)).map_err(|_| TableError::Damaged)?;
    refuse_a_large_footer(file, length)?;
    let table = read_metadata_with_size(file, length).map_err(|_| TableError::Damaged)?;
    let scale = usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(FILE_FOR_EACH_BYTE);
    let mut left =
        PageBudget { saved: length, values: scale.saturating_add(VALUES_OF_A_PAGE), bytes: scale.saturating_add(BYTES_OF_A_PAGE) };
    let too_many = |group: &RowGroupMetadata| group.num_rows() > left.values || group.parquet_columns().len() > MOST_COLUMNS;
    if table.num_rows > left.values || table.row_groups.iter().any(too_many) {
        return Err(TableError::Damaged);
    }
    table.row_groups.iter().flat_map(RowGroupMetadata::parquet_columns).try_for_each(|column| fits(column, file, &mut left))?;
    // The rest is the footer: what is in no column, a hole for one, nobody wrote.
    if left.saved > FOOTER { Err(TableError::Damaged) } else { Ok(()) }
}

/// The last eight bytes say how long the footer is.
fn refuse_a_large_footer(file: &mut (impl Read + Seek), length: u64) -> Result<(), TableError> {
    let mut tail = [0; 4];
    let read = file.seek(SeekFrom::Start(length.saturating_sub(8))).and_then(|_| file.read_exact(&mut tail));
    if read.is_err() || u64::from(u32::from_le_bytes(tail)) > FOOTER { Err(TableError::Damaged) } else { Ok(()) }
}

/// What the columns that were not looked at yet may have.
struct PageBudget {
    /// Bytes in the file.
    saved: u64,
    values: usize,
    bytes: usize,
}

impl PageBudget {
    fn take(&mut self, page: DictionaryHeader) -> Result<(), TableError> {
        let more = page.packed.saturating_mul(PAGE_FOR_EACH_BYTE);
        let fits = page.values <= VALUES_OF_A_PAGE.saturating_add(more) && page.size <= BYTES_OF_A_PAGE.saturating_add(more);
        match (self.values.checked_sub(page.values), self.bytes.checked_sub(page.size)) {
            (Some(values), Some(bytes)) if fits => {
                (self.values, self.bytes) = (values, bytes);
                Ok(())
            }
            _ => Err(TableError::Damaged),
        }
    }
}

/// Reads the heads of a column's pages, which hold what they promise.
fn fits(column: &ColumnChunkMetadata, file: &mut (impl Read + Seek), left: &mut PageBudget) -> Result<(), TableError> {
    let damaged = |_| TableError::Damaged;
    let bytes = saved(column, file, left)?;
    if let Some(promise) = dictionary(&bytes).map_err(|_| TableError::Damaged)? {
        left.take(promise)?;
    }
    let length = bytes.len();
    let mut pages = PageReader::new(Cursor::new(Buffer::from_vec(bytes)), column, Vec::new(), length);
    pages.read_dict().map_err(damaged)?;
    for page in pages {
        match page.map_err(damaged)? {
            CompressedPage::Data(page) => {
                left.take(DictionaryHeader { values: page.num_values(), size: page.uncompressed_size(), packed: page.compressed_size() })?;
            }
            CompressedPage::Dict(_) => return Err(TableError::Damaged),
        }
    }
    Ok(())
}

/// A column of a row group as it is saved. No byte of a file is of two columns.
fn saved(column: &ColumnChunkMetadata, file: &mut (impl Read + Seek), left: &mut PageBudget) -> Result<Vec<u8>, TableError> {
    let range = column.byte_range();
    let length = range.end - range.start;
    left.saved = left.saved.checked_sub(length).filter(|_| length <= COLUMN).ok_or(TableError::Damaged)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(|_| TableError::Damaged)?);
    let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| file.take(length).read_to_end(&mut bytes));
    if read.is_ok_and(|read| read as u64 == length) { Ok(bytes) } else { Err(TableError::Damaged) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A byte before the table itself: see the fuzz targets.
    const LESS_THAN_NONE: &[u8] = include_bytes!("../../../../tests/fixtures/fuzz/tables/found_less_than_no_values");
    const WHOLE: &[u8] = include_bytes!("../../../../tests/fixtures/fuzz/base/sealed/requests.parquet");

    fn looked_at(bytes: &[u8]) -> Result<(), TableError> {
        refuse_empty_promises(&mut Cursor::new(bytes))
    }

    #[test]
    fn a_page_of_less_than_no_values_is_refused_before_room_is_made_for_it() {
        assert!(looked_at(WHOLE).is_ok());
        assert!(matches!(looked_at(&LESS_THAN_NONE[1..]), Err(TableError::Damaged)));
        assert!(looked_at(b"PAR1").is_err() && looked_at(b"").is_err());
    }

    #[test]
    fn pages_have_so_much_room_each_and_together() {
        let room = || PageBudget { saved: 0, values: VALUES_OF_A_PAGE, bytes: BYTES_OF_A_PAGE };
        let page = |values, size, packed| DictionaryHeader { values, size, packed };
        assert!(room().take(page(VALUES_OF_A_PAGE, BYTES_OF_A_PAGE, 0)).is_ok());
        assert!(room().take(page(VALUES_OF_A_PAGE + 1, 0, 0)).is_err());
        assert!(room().take(page(0, BYTES_OF_A_PAGE + 1, 0)).is_err());
        // A large page may hold more, but not more than is left to the file.
        let mut file = PageBudget { saved: 0, values: VALUES_OF_A_PAGE + 1, bytes: 0 };
        assert!(file.take(page(VALUES_OF_A_PAGE + 1, 0, 1)).is_ok());
        assert!(file.take(page(1, 0, 1)).is_err());
        assert!(room().take(page(usize::MAX, usize::MAX, usize::MAX)).is_err());
    }

    #[test]
    fn a_footer_longer_than_any_table_needs_is_not_read() {
        let mut bytes = WHOLE.to_vec();
        let at = bytes.len() - 8;
        bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(looked_at(&bytes), Err(TableError::Damaged)));
    }
}
