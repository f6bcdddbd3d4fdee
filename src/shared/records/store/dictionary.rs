//! The head of a dictionary page: the first bytes of a column in; what they promise out. The reader of Parquet keeps this to itself, and
//! makes room for all of it.
//!
//! The notation is Thrift's compact protocol, of which such a head needs little: whole numbers, truths, and structures of these.
//! Source: <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>, and `parquet.thrift` for the numbers of fields.

/// What a page's head promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct DictionaryHeader {
    pub values: usize,
    /// Bytes once it is unpacked.
    pub size: usize,
    /// Bytes as it is saved.
    pub packed: usize,
}

/// The head was damaged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DictionaryHeaderError;

const DICTIONARY_PAGE: i64 = 2;
/// Fields of the head: its kind of page, its two sizes, and the head of a dictionary.
const KIND: i64 = 1;
const SIZE: i64 = 2;
const PACKED: i64 = 3;
const DICTIONARY: i64 = 7;
/// Of a dictionary's head.
const VALUES: i64 = 1;
/// Structures within structures; a head has one.
const MOST_DEEP: u32 = 4;

/// What a dictionary page at the start of `column` promises; none where the column starts with another page.
pub(super) fn dictionary(column: &[u8]) -> Result<Option<DictionaryHeader>, DictionaryHeaderError> {
    let mut head = DictionaryHeaderParser { bytes: column, promise: DictionaryHeader::default(), kind: None };
    // A page that is none of these may hold what is not understood here; its kind comes first.
    let read = head.structure(0, 0);
    if head.kind.is_some_and(|kind| kind != DICTIONARY_PAGE) {
        return Ok(None);
    }
    read.map(|()| Some(head.promise))
}

struct DictionaryHeaderParser<'a> {
    bytes: &'a [u8],
    promise: DictionaryHeader,
    kind: Option<i64>,
}

impl DictionaryHeaderParser<'_> {
    /// `within` is the number of the field that holds this structure; 0 is the head itself.
    fn structure(&mut self, within: i64, depth: u32) -> Result<(), DictionaryHeaderError> {
        let mut field = 0_i64;
        loop {
            let byte = self.byte()?;
            if byte == 0 {
                return Ok(());
            }
            // Beyond 15 fields further on, the number is written out.
            field = if byte >> 4 == 0 { self.number()? } else { field + i64::from(byte >> 4) };
            match byte & 0x0f {
                // Truths stand in the kind of the field.
                1 | 2 => {}
                4..=6 => {
                    let number = self.number()?;
                    self.field(within, field, number)?;
                    if self.kind.is_some_and(|kind| kind != DICTIONARY_PAGE) {
                        return Ok(());
                    }
                }
                12 if depth < MOST_DEEP => self.structure(field, depth + 1)?,
                _ => return Err(DictionaryHeaderError),
            }
        }
    }

    fn field(&mut self, within: i64, field: i64, number: i64) -> Result<(), DictionaryHeaderError> {
        let count = || usize::try_from(number).map_err(|_| DictionaryHeaderError);
        match (within, field) {
            (0, KIND) => self.kind = Some(number),
            (0, SIZE) => self.promise.size = count()?,
            (0, PACKED) => self.promise.packed = count()?,
            (DICTIONARY, VALUES) => self.promise.values = count()?,
            _ => {}
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, DictionaryHeaderError> {
        let (first, rest) = self.bytes.split_first().ok_or(DictionaryHeaderError)?;
        self.bytes = rest;
        Ok(*first)
    }

    /// Seven bits a byte, the lowest first; the lowest bit of all is the sign.
    fn number(&mut self) -> Result<i64, DictionaryHeaderError> {
        let mut bits = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            bits |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((bits >> 1).cast_signed() ^ -((bits & 1).cast_signed()));
            }
        }
        Err(DictionaryHeaderError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = include_bytes!("../../../../tests/fixtures/fuzz/base/sealed/requests.parquet");

    #[test]
    fn the_first_page_of_a_table_promises_a_dictionary_of_three_numbers_in_24_bytes() {
        assert_eq!(dictionary(&TABLE[4..]), Ok(Some(DictionaryHeader { values: 3, size: 24, packed: 29 })));
    }

    #[test]
    fn another_page_is_no_dictionary_and_a_damaged_head_is_no_page() {
        // Kind 0: a page of values, whatever follows.
        assert_eq!(dictionary(&[0x15, 0x00, 0xff]), Ok(None));
        for damaged in [&[][..], &[0x15], &[0x15, 0x04], &[0x15, 0x04, 0x15, 0x01, 0x00], &[0x1c; 64], &[0xff; 64], &[0x15, 0x04, 0x19]] {
            assert_eq!(dictionary(damaged), Err(DictionaryHeaderError), "{damaged:02x?}");
        }
    }

    #[test]
    fn numbers_of_any_length_are_read_as_they_were_written() {
        // 2^31 - 1 in zigzag is 2^32 - 2: the most values that a head can promise.
        let head = [0x15, 0x04, 0x15, 0x30, 0x15, 0x3a, 0x4c, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 0x00, 0x00, 0x00];
        assert_eq!(dictionary(&head), Ok(Some(DictionaryHeader { values: 2_147_483_647, size: 24, packed: 29 })));
    }
}
