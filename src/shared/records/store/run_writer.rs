//! One run being saved: request records in as they come, then the run record, then nothing more.
//!
//! While the run lives there is only its journal: one file, or, of a long run, closed parts and the file that grows. Sealing turns it into `requests.parquet` beside `server_metrics.parquet`, and `run.json` comes last: it exists exactly
//! when the run is whole.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use fs_err::{self as fs, File, OpenOptions};

use super::client_rows::ClientRowNumbers;
use super::error::StoreError;
use super::files::{partial_path, remove_if_there, sync_folder_of, write_whole};
use super::frame::hash_of;
use super::journal::read_journal;
use super::layout::{RunPaths, file_name};
use super::parquet::{RowGroupCounter, write_records};
use super::samples::SampleWriter;
use super::segments::JournalSegments;
use super::texts::TextWriter;
use crate::records::record::{RequestRecord, RequestText, RunRecord, ServerSample};

/// How long a record may be known to the operating system only: what a power cut may take. A crash of this program takes none of it.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// A journal of so many bytes is closed at the end of its row group, and becomes a table a fraction of its size.
const CLOSE_AT: u64 = 32 << 20;

/// A run being saved.
#[derive(Debug)]
pub struct RunWriter {
    paths: RunPaths,
    journal: BufWriter<JournalFile>,
    /// The row group that the next record belongs to. Parts end where row groups do, so that sealing makes the same table of any parts.
    group: RowGroupCounter,
    close_at: u64,
    segments: JournalSegments,
    /// When the oldest record that is not on disk yet was written; `None` where all are.
    unsynced_since: Option<Instant>,
    samples: SampleWriter,
    texts: TextWriter,
}

impl RunWriter {
    pub(super) fn create(paths: RunPaths) -> Result<Self, StoreError> {
        fs::create_dir_all(paths.dir())?;
        let journal = begin_journal(&paths)?;
        let samples = SampleWriter::new(paths.server_metrics());
        let texts = TextWriter::new(paths.texts());
        let segments = JournalSegments::new(paths.clone());
        Ok(Self { paths, journal, group: RowGroupCounter::default(), close_at: CLOSE_AT, segments, unsynced_since: None, samples, texts })
    }

    #[cfg(test)]
    pub(super) fn close_journals_at(&mut self, bytes: u64) {
        self.close_at = bytes;
    }

    /// The length of the journal that grows, as far as it was handed to the operating system.
    #[cfg(test)]
    pub(super) fn journal_bytes(&self) -> u64 {
        self.journal.get_ref().bytes
    }

    #[must_use]
    pub fn paths(&self) -> &RunPaths {
        &self.paths
    }

    /// Adds a request to the journal. After the next [`RunWriter::flush`] a crash of the program no longer loses it; after a second, at the
    /// next request or [`RunWriter::sync_if_due`], a power cut does not either.
    pub fn append(&mut self, record: &RequestRecord) -> Result<(), StoreError> {
        let fault = |source| StoreError::Json { path: self.paths.journal(), source };
        serde_json::to_writer(&mut self.journal, record).map_err(fault)?;
        self.journal.write_all(b"\n")?;
        self.unsynced_since.get_or_insert_with(Instant::now);
        if self.group.is_full_with(record) {
            self.group = RowGroupCounter::default();
            self.close_if_long()?;
        }
        self.sync_if_due()
    }

    fn close_if_long(&mut self) -> Result<(), StoreError> {
        self.journal.flush()?;
        if self.journal.get_ref().bytes >= self.close_at {
            self.sync()?;
            self.segments.take()?;
            self.journal = begin_journal(&self.paths)?;
        }
        Ok(())
    }

    /// Adds what was said in a request, as safe from a crash of the program as its record.
    pub fn said(&mut self, text: &RequestText) -> Result<(), StoreError> {
        self.texts.append(text)?;
        self.unsynced_since.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Hands what was added to the operating system. To be called before anything is waited for.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        Ok(self.journal.flush()?)
    }

    /// Adds what the server and its machine told. It is on disk when the run is sealed, not before: a crash loses it.
    pub fn watched(&mut self, samples: &[ServerSample]) -> Result<(), StoreError> {
        self.samples.append(samples)
    }

    /// Brings the journal to disk where a record has waited for it for the interval. To be called every now and then while nothing comes.
    pub fn sync_if_due(&mut self) -> Result<(), StoreError> {
        if self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_INTERVAL) {
            self.sync()?;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.journal.flush()?;
        self.journal.get_ref().file.sync_data()?;
        self.texts.sync()?;
        self.unsynced_since = None;
        Ok(())
    }

    /// Makes the run whole: the tables, then `run.json`, each on disk before the next; then the journal, now a copy, goes.
    pub fn seal(mut self, record: &RunRecord) -> Result<(), StoreError> {
        self.journal.flush()?;
        self.segments.settle()?;
        let rows = || Ok::<_, StoreError>(self.segments.records().chain(read_journal(&self.paths.journal())?));
        if record.clients.is_empty() {
            write_records(&self.paths.requests(), rows()?)?;
        } else {
            let numbers = ClientRowNumbers::of(&record.header, rows()?)?;
            write_records(&self.paths.requests(), numbers.renumber(rows()?))?;
        }
        self.samples.finish()?;
        self.texts.sync()?;
        let notes = record.notes.iter().cloned().chain(self.texts.note()).collect();
        let record = &RunRecord { tables: Self::hashes(&self.paths)?, notes, ..record.clone() };
        let path = self.paths.record();
        write_whole(&path, |out| {
            serde_json::to_writer_pretty(&mut *out, record).map_err(|source| StoreError::Json { path: path.clone(), source })?;
            out.write_all(b"\n").map_err(StoreError::from)
        })?;
        remove_if_there(&self.paths.journal())?;
        Ok(self.segments.remove()?)
    }

    /// The hashes of the tables that are there, by their names.
    fn hashes(paths: &RunPaths) -> Result<BTreeMap<String, String>, StoreError> {
        let tables = [paths.requests(), paths.server_metrics(), paths.texts()].into_iter().filter(|table| table.exists());
        tables.map(|table| Ok((file_name(&table), hash_of(&table)?))).collect()
    }

    /// Leaves the run unfinished, with its journal on disk: it was interrupted, and will be done again.
    pub fn leave(mut self) -> Result<(), StoreError> {
        self.sync()?;
        self.segments.settle()?;
        remove_if_there(&partial_path(&self.paths.server_metrics()))?;
        Ok(())
    }
}

/// A file, and how long it is.
#[derive(Debug)]
struct JournalFile {
    file: File,
    bytes: u64,
}

impl Write for JournalFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Begins a journal where none is.
fn begin_journal(paths: &RunPaths) -> Result<BufWriter<JournalFile>, StoreError> {
    let file = OpenOptions::new().write(true).create_new(true).open(paths.journal())?;
    sync_folder_of(&paths.journal())?;
    Ok(BufWriter::with_capacity(1 << 16, JournalFile { file, bytes: 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::store::SweepWriter;
    use crate::records::store::fixture::{manifest, record};

    #[test]
    fn a_record_waits_for_the_disk_no_longer_than_the_interval() {
        let folder = tempfile::tempdir().unwrap();
        let writer = SweepWriter::open(folder.path(), &manifest(&["a"]), "").unwrap();
        let mut run = writer.begin("a").unwrap();
        run.append(&record(0)).unwrap();
        let first = run.unsynced_since.expect("it was just written");
        run.append(&record(1)).unwrap();
        assert_eq!(run.unsynced_since, Some(first), "the oldest counts");
        run.sync_if_due().unwrap();
        assert!(run.unsynced_since.is_some() || first.elapsed() >= SYNC_INTERVAL);
        run.unsynced_since = first.checked_sub(SYNC_INTERVAL);
        run.sync_if_due().unwrap();
        assert_eq!(run.unsynced_since, None);
    }
}
