//! `journal.jsonl`: a request record a line, as they came; and `texts.jsonl`, which is read alike. In: a path. Out: records in their order,
//! and whether the last line is torn.
//!
//! Records are handed on one at a time, so that a journal of any length needs no memory.

use std::io::{BufRead, Read};
use std::marker::PhantomData;
use std::path::Path;

use fs_err::File;
use serde::de::{DeserializeOwned, Error};

use super::error::StoreError;
use crate::foundation::named_file::{BinarySize, NamedFile};
use crate::records::record::{RequestRecord, RequestText};

/// Bytes of the longest line: a request of a million tokens, each with its time, takes a tenth of it.
const LONGEST_LINE: u64 = 128 << 20;

/// A journal being read: an iterator over its records.
#[derive(Debug)]
pub struct JournalReader<T = RequestRecord> {
    lines: std::io::BufReader<File>,
    path: std::path::PathBuf,
    line: usize,
    buffer: Vec<u8>,
    torn: bool,
    ended: bool,
    records: PhantomData<T>,
}

/// Opens a journal.
pub fn read_journal(path: &Path) -> Result<JournalReader, StoreError> {
    open(path)
}

/// Opens the texts of a run, whole or torn.
pub fn read_texts(path: &Path) -> Result<JournalReader<RequestText>, StoreError> {
    open(path)
}

fn open<T>(path: &Path) -> Result<JournalReader<T>, StoreError> {
    NamedFile::Saved.regular(path)?;
    let lines = std::io::BufReader::with_capacity(1 << 16, File::open(path)?);
    Ok(JournalReader { lines, path: path.to_owned(), line: 0, buffer: Vec::new(), torn: false, ended: false, records: PhantomData })
}

impl<T> JournalReader<T> {
    /// Whether the last line has no end: the writer was killed while it wrote it. Known once the iterator has ended.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.torn
    }
}

impl<T: DeserializeOwned> Iterator for JournalReader<T> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        self.buffer.clear();
        match self.lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.buffer) {
            Ok(0) => {
                self.ended = true;
                return None;
            }
            Ok(_) => {}
            Err(error) => {
                self.ended = true;
                return Some(Err(error.into()));
            }
        }
        self.line += 1;
        if self.buffer.len() as u64 >= LONGEST_LINE {
            self.ended = true;
            let source = serde_json::Error::custom(format_args!("it is longer than {}", BinarySize(LONGEST_LINE)));
            return Some(Err(StoreError::JournalLine { path: self.path.clone(), line: self.line, source }));
        }
        if self.buffer.last() != Some(&b'\n') {
            self.torn = true;
            self.ended = true;
            return None;
        }
        let record = serde_json::from_slice(&self.buffer);
        Some(record.map_err(|source| StoreError::JournalLine { path: self.path.clone(), line: self.line, source }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::store::fixture::{record, rich_record};

    #[test]
    fn a_torn_last_line_is_recognised_and_the_lines_before_it_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let lines = [record(0), rich_record(1)].map(|r| serde_json::to_string(&r).unwrap() + "\n").concat();
        for cut in 0..=lines.len() {
            fs_err::write(&path, &lines.as_bytes()[..cut]).unwrap();
            let mut journal = read_journal(&path).unwrap();
            let records: Vec<_> = journal.by_ref().map(Result::unwrap).collect();
            let whole = lines.as_bytes()[..cut].split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(records, [record(0), rich_record(1)][..whole]);
            assert_eq!(journal.is_torn(), cut > 0 && lines.as_bytes()[cut - 1] != b'\n');
        }
    }

    #[test]
    fn a_line_that_is_no_record_is_named_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        fs_err::write(&path, serde_json::to_string(&record(0)).unwrap() + "\n{\"request\": 1}\n").unwrap();
        let fault = read_journal(&path).unwrap().nth(1).unwrap().unwrap_err();
        assert!(fault.to_string().starts_with("line 2 of `"), "{fault}");
    }
}
