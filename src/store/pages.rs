//! What the pages of a table promise, held against the size of its file, before anything is made room for.
//!
//! In: the bytes of a file that nobody vouches for. Out: nothing, or that it is damaged. The reader of Parquet makes room for as many
//! values as a page's head promises, also for less than none; and what cannot be had ends the program.

use std::io::Cursor;

use polars_buffer::Buffer;
use polars_parquet::parquet::metadata::{ColumnChunkMetadata, RowGroupMetadata};
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::parquet::read::{get_page_iterator, read_metadata};

use super::table::TableError;

/// Of values and bytes there may be so many in any file, and so many more for each of its bytes: far more than compression leaves room for.
const ALWAYS: usize = 1 << 20;
const FOR_EACH_BYTE: usize = 1 << 10;
/// The columns of a file: ours have about twenty.
const MOST_COLUMNS: usize = 10_000;

/// Refuses a file that promises more than can be in it.
pub(super) fn refuse_empty_promises(bytes: Vec<u8>) -> Result<(), TableError> {
    let most = bytes.len().saturating_mul(FOR_EACH_BYTE).saturating_add(ALWAYS);
    let bytes = Buffer::from_vec(bytes);
    let file = read_metadata(&mut Cursor::new(bytes.clone())).map_err(|_| TableError::Damaged)?;
    let columns = || file.row_groups.iter().flat_map(RowGroupMetadata::parquet_columns);
    if file.num_rows > most || columns().count() > MOST_COLUMNS || file.row_groups.iter().any(|group| group.num_rows() > most) {
        return Err(TableError::Damaged);
    }
    columns().try_for_each(|column| fits(column, &bytes, most))
}

/// Reads the heads of a column's pages, which hold what they promise.
fn fits(column: &ColumnChunkMetadata, bytes: &Buffer<u8>, most: usize) -> Result<(), TableError> {
    let damaged = |_| TableError::Damaged;
    if usize::try_from(column.num_values()).map_err(|_| TableError::Damaged)? > most {
        return Err(TableError::Damaged);
    }
    let mut pages = get_page_iterator(column, Cursor::new(bytes.clone()), Vec::new(), most).map_err(damaged)?;
    let (mut values, mut size) = (0_usize, 0_usize);
    let mut add = |more_values: usize, more_bytes: usize| {
        values = values.saturating_add(more_values);
        size = size.saturating_add(more_bytes);
        if values > most || size > most { Err(TableError::Damaged) } else { Ok(()) }
    };
    // What the dictionary promises is not told to us; it stands at the head, once.
    pages.read_dict().map_err(damaged)?;
    for page in pages {
        match page.map_err(damaged)? {
            CompressedPage::Data(page) => add(page.num_values(), page.uncompressed_size())?,
            CompressedPage::Dict(_) => return Err(TableError::Damaged),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A byte before the table itself: see the fuzz targets.
    const LESS_THAN_NONE: &[u8] = include_bytes!("../../tests/fixtures/fuzz/tables/found_less_than_no_values");
    const WHOLE: &[u8] = include_bytes!("../../tests/fixtures/fuzz/base/sealed/requests.parquet");

    #[test]
    fn a_page_of_less_than_no_values_is_refused_before_room_is_made_for_it() {
        assert!(refuse_empty_promises(WHOLE.to_vec()).is_ok());
        assert!(matches!(refuse_empty_promises(LESS_THAN_NONE[1..].to_vec()), Err(TableError::Damaged)));
        assert!(refuse_empty_promises(b"PAR1".to_vec()).is_err());
    }
}
