//! `texts.jsonl`: what was said in each request, a line each, of a sweep that was asked to keep it. In: texts as requests end, and a path.
//! Out: the file, which grows with the journal and stays when the run is sealed; and its lines.
//!
//! Bounded: what is beyond the limit is left out and counted, so that no sweep fills a disk with words.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use fs_err::{File, OpenOptions};

use super::error::StoreError;
use crate::records::record::RequestText;

/// The most that is kept of one run, in bytes.
const LIMIT: u64 = 1 << 30;

/// The file of one run being written.
#[derive(Debug)]
pub(super) struct TextWriter {
    path: PathBuf,
    /// Made at the first text: a run without any has no file.
    out: Option<BufWriter<File>>,
    written: u64,
    limit: u64,
    left_out: u64,
}

impl TextWriter {
    pub fn new(path: PathBuf) -> Self {
        Self { path, out: None, written: 0, limit: LIMIT, left_out: 0 }
    }

    /// Adds a line. When this returns, a crash of the program no longer loses it.
    pub fn append(&mut self, text: &RequestText) -> Result<(), StoreError> {
        let mut line = serde_json::to_vec(text).map_err(|source| StoreError::Json { path: self.path.clone(), source })?;
        line.push(b'\n');
        if self.written + line.len() as u64 > self.limit {
            self.left_out += 1;
            return Ok(());
        }
        let out = match &mut self.out {
            Some(out) => out,
            None => self.out.insert(BufWriter::new(OpenOptions::new().write(true).create_new(true).open(&self.path)?)),
        };
        out.write_all(&line)?;
        out.flush()?;
        self.written += line.len() as u64;
        Ok(())
    }

    /// Brings what was written to disk.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        if let Some(out) = &mut self.out {
            out.flush()?;
            out.get_ref().sync_data()?;
        }
        Ok(())
    }

    /// A remark for people where something was left out.
    pub fn note(&self) -> Option<String> {
        let Self { left_out, limit, .. } = self;
        (*left_out > 0).then(|| format!("the texts of {left_out} requests were not kept: `texts.jsonl` holds at most {limit} bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::{RecordedMessage, RecordedText};
    use crate::records::store::read_texts;

    fn text(request: u64) -> RequestText {
        let messages = vec![RecordedMessage { role: "user".into(), said: RecordedText::of("why?") }];
        RequestText { request, session: 3, turn: 1, messages, answer: RecordedText::of("because\n\u{1b}ä") }
    }

    #[test]
    fn a_torn_last_line_is_cut_and_the_lines_before_it_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts.jsonl");
        let mut writer = TextWriter::new(path.clone());
        for request in 0..2 {
            writer.append(&text(request)).unwrap();
        }
        writer.sync().unwrap();
        let bytes = fs_err::read(&path).unwrap();
        for cut in 0..=bytes.len() {
            fs_err::write(&path, &bytes[..cut]).unwrap();
            let mut lines = read_texts(&path).unwrap();
            let read: Vec<RequestText> = lines.by_ref().map(Result::unwrap).collect();
            let whole = bytes[..cut].split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(read, [text(0), text(1)][..whole]);
            assert_eq!(lines.is_torn(), cut > 0 && bytes[cut - 1] != b'\n');
        }
    }

    #[test]
    fn what_is_beyond_the_limit_is_left_out_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts.jsonl");
        let line = serde_json::to_vec(&text(0)).unwrap().len() as u64 + 1;
        let mut writer = TextWriter { limit: 2 * line, ..TextWriter::new(path.clone()) };
        assert_eq!(writer.note(), None);
        for request in 0..5 {
            writer.append(&text(request)).unwrap();
        }
        assert_eq!(read_texts(&path).unwrap().count(), 2);
        assert!(writer.note().unwrap().starts_with("the texts of 3 requests were not kept"), "{:?}", writer.note());
    }

    #[test]
    fn a_run_without_texts_has_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts.jsonl");
        TextWriter::new(path.clone()).sync().unwrap();
        assert!(!path.exists());
    }
}
