//! The closed parts of a long run's journal: lines in, tables out. In come journals of a bounded size, one after the other; each becomes a
//! table beside it, many times smaller, and goes. Out come all their records again, in order, a few at a time.
//!
//! A part is a whole table or it is not there, and as long as it is not, its lines are. One thread makes a part while the next journal
//! grows, at the lowest priority: what measures comes first. Must not know what a run is.

use std::path::PathBuf;
use std::thread::JoinHandle;

use fs_err as fs;

use super::error::StoreError;
use super::files::{partial_path, remove_if_there, sync_folder_of};
use super::frame::{TableSlice, read_part, rows_of};
use super::inside::stay_inside;
use super::journal::read_journal;
use super::layout::RunPaths;
use super::parquet::{BATCH, write_records};
use super::request_columns::{REQUEST_COLUMNS, from_table};
use crate::records::record::RequestRecord;

/// The closed parts of a journal that is being written.
#[derive(Debug)]
pub(super) struct JournalSegments {
    paths: RunPaths,
    closed: u32,
    making: Option<JoinHandle<Result<(), StoreError>>>,
}

impl JournalSegments {
    pub fn new(paths: RunPaths) -> Self {
        Self { paths, closed: 0, making: None }
    }

    /// Takes the journal, all of which is on disk, away from its place, and begins to make a table of it. Waits for the table before it.
    pub fn take(&mut self) -> Result<(), StoreError> {
        self.settle()?;
        self.closed += 1;
        let (lines, table) = (self.paths.closed_journal(self.closed), self.paths.journal_part(self.closed));
        fs::rename(self.paths.journal(), &lines)?;
        sync_folder_of(&lines)?;
        let make = move || {
            step_back();
            write_records(&table, read_journal(&lines)?)?;
            Ok(remove_if_there(&lines)?)
        };
        self.making = Some(std::thread::Builder::new().name("journal".to_owned()).spawn(make)?);
        Ok(())
    }

    /// Waits until every part is a table.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        let Some(making) = self.making.take() else { return Ok(()) };
        making.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// All records of the parts, in order. They must be settled.
    pub fn records(&self) -> SegmentRecords {
        let parts: Vec<PathBuf> = (1..=self.closed).map(|number| self.paths.journal_part(number)).collect();
        SegmentRecords { parts: parts.into_iter(), current: None, read: Vec::new().into_iter() }
    }

    /// Removes what is a copy by now.
    pub fn remove(&self) -> std::io::Result<()> {
        (1..=self.closed).try_for_each(|number| remove_if_there(&self.paths.journal_part(number)))
    }
}

impl Drop for JournalSegments {
    /// Nothing writes into the folder of a run that nobody holds any more.
    fn drop(&mut self) {
        if let Some(making) = self.making.take() {
            let _ = making.join();
        }
    }
}

/// The lowest priority for the calling thread, where the operating system has one for threads.
fn step_back() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 19);
}

/// The records of all parts.
#[derive(Debug)]
pub(super) struct SegmentRecords {
    parts: std::vec::IntoIter<PathBuf>,
    /// The part that is being read, how many rows it has, and how many of them were read.
    current: Option<(PathBuf, usize, usize)>,
    read: std::vec::IntoIter<RequestRecord>,
}

impl SegmentRecords {
    /// Whether there are rows that have not been read.
    fn find(&mut self) -> Result<bool, StoreError> {
        while self.current.as_ref().is_none_or(|(_, rows, next)| next >= rows) {
            let Some(part) = self.parts.next() else { return Ok(false) };
            let rows = rows_of(&part, None)?;
            self.current = Some((part, rows, 0));
        }
        Ok(true)
    }

    fn refill(&mut self) -> Result<(), StoreError> {
        let (true, Some((path, _, next))) = (self.find()?, &mut self.current) else { return Ok(()) };
        let names: Vec<String> = REQUEST_COLUMNS.iter().map(|column| column.name.to_owned()).collect();
        let rows = read_part(path, &TableSlice { names: &names, from: *next, rows: BATCH })?;
        let records = from_table(&rows).map_err(|source| StoreError::Table { path: path.clone(), source: Box::new(source) })?;
        *next += BATCH;
        self.read = records.into_iter();
        Ok(())
    }
}

impl Iterator for SegmentRecords {
    type Item = Result<RequestRecord, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.as_slice().is_empty()
            && let Err(error) = self.refill()
        {
            return Some(Err(error));
        }
        self.read.next().map(Ok)
    }
}

/// How many records the closed parts of a journal have that was left behind, in whatever state.
pub(super) fn closed_records(paths: &RunPaths) -> Result<usize, StoreError> {
    let mut records = 0;
    for number in 1.. {
        let (lines, table) = (paths.closed_journal(number), paths.journal_part(number));
        if !lines.exists() && !table.exists() {
            break;
        }
        stay_inside(paths.root(), &[&lines, &table])?;
        // Where both are there, the lines are a copy.
        records += if table.exists() { rows_of(&table, None)? } else { read_journal(&lines)?.flatten().count() };
    }
    Ok(records)
}

/// Removes what a crash between the last steps of sealing may have left of them.
pub(super) fn remove_closed(paths: &RunPaths) -> std::io::Result<()> {
    for number in 1.. {
        let (lines, table) = (paths.closed_journal(number), paths.journal_part(number));
        if !lines.exists() && !table.exists() {
            break;
        }
        [lines, partial_path(&table), table].iter().try_for_each(|path| remove_if_there(path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::store::fixture::{header, manifest, record, rich_record, run_record};
    use crate::records::store::{SweepPaths, SweepWriter, read_sweep};

    fn records(count: u64) -> Vec<RequestRecord> {
        (0..count).map(|number| if number % 3 == 0 { rich_record(number) } else { record(number) }).collect()
    }

    /// A run of so many records whose journal is closed at so many bytes.
    fn sealed(count: u64, limit: u64) -> (tempfile::TempDir, Vec<u8>, u64) {
        let folder = tempfile::tempdir().unwrap();
        let writer = SweepWriter::open(folder.path(), &manifest(&["a"]), "").unwrap();
        let mut run = writer.begin("a").unwrap();
        run.close_journals_at(limit);
        let mut largest = 0;
        for record in records(count) {
            run.append(&record).unwrap();
            largest = largest.max(run.journal_bytes());
        }
        run.seal(&run_record(header("a"), count)).unwrap();
        let table = fs::read(SweepPaths::new(folder.path()).run("a").unwrap().requests()).unwrap();
        (folder, table, largest)
    }

    #[test]
    fn a_journal_in_parts_seals_to_the_same_bytes_as_one_in_a_piece_and_leaves_nothing() {
        let count = 3 * BATCH as u64 + 10;
        let (_whole, one, _) = sealed(count, u64::MAX);
        let (folder, parts, largest) = sealed(count, 1);
        assert!(one == parts, "{} and {} bytes", one.len(), parts.len());
        let (_, _, whole) = sealed(count, u64::MAX);
        assert!(largest < whole / 2, "the journal was never much longer than a row group: {largest} of {whole}");
        let names: Vec<_> =
            fs::read_dir(SweepPaths::new(folder.path()).run("a").unwrap().dir()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(read_sweep(folder.path()).unwrap().runs[0].requests.rows() as u64, count);
    }

    #[test]
    fn whatever_a_crash_leaves_of_a_journal_in_parts_is_counted_once_and_cleared_away() {
        let count = 2 * BATCH as u64 + 10;
        let folder = tempfile::tempdir().unwrap();
        let writer = SweepWriter::open(folder.path(), &manifest(&["a"]), "").unwrap();
        let mut run = writer.begin("a").unwrap();
        run.close_journals_at(1);
        for record in records(count) {
            run.append(&record).unwrap();
        }
        run.leave().unwrap();
        drop(writer);
        let paths = SweepPaths::new(folder.path()).run("a").unwrap();
        let told = || read_sweep(folder.path()).unwrap().notes[0].clone();
        assert!(told().contains(&format!("requests in its journal: {count})")), "{}", told());
        // Killed while the second part was being made: its lines are still there, first beside half a table, then beside the whole.
        let lines: String = records(2 * BATCH as u64)[BATCH..].iter().map(|record| serde_json::to_string(record).unwrap() + "\n").collect();
        fs::write(paths.closed_journal(2), &lines).unwrap();
        assert!(told().contains(&format!(": {count})")), "{}", told());
        let table = fs::read(paths.journal_part(2)).unwrap();
        fs::remove_file(paths.journal_part(2)).unwrap();
        fs::write(partial_path(&paths.journal_part(2)), &table[..table.len() / 2]).unwrap();
        assert!(told().contains(&format!(": {count})")), "{}", told());
        // Killed before the next journal was begun.
        fs::remove_file(paths.journal()).unwrap();
        assert!(told().contains(&format!(": {})", 2 * BATCH)), "{}", told());
        let again = SweepWriter::open(folder.path(), &manifest(&["a"]), "").unwrap();
        assert!(again.unfinished() == ["a"] && !paths.dir().exists());
    }

    #[test]
    fn what_is_left_beside_a_sealed_run_goes_when_the_folder_is_opened_and_is_not_adopted() {
        let (folder, table, _) = sealed(5, u64::MAX);
        let paths = SweepPaths::new(folder.path()).run("a").unwrap();
        for scrap in [paths.closed_journal(1), paths.journal_part(1), partial_path(&paths.journal_part(1)), paths.journal_part(2)] {
            fs::write(scrap, &table).unwrap();
        }
        let other = tempfile::tempdir().unwrap();
        let mut writer = SweepWriter::open(other.path(), &manifest(&["a"]), "").unwrap();
        assert_eq!(writer.adopt(folder.path()).unwrap(), 1);
        drop(SweepWriter::open(folder.path(), &manifest(&["a"]), "").unwrap());
        for folder in [other.path(), folder.path()] {
            let run = SweepPaths::new(folder).run("a").unwrap();
            assert_eq!(fs::read_dir(run.dir()).unwrap().count(), 2, "{}", run.dir().display());
        }
    }
}
