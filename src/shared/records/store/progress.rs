//! How far a sweep's folder has come, without reading its runs: whether a process writes there, and what is sealed.

use std::collections::BTreeSet;
use std::fs::TryLockError;
use std::io;
use std::path::Path;

use super::error::StoreError;
use super::layout::SweepPaths;
use super::reader::read_manifest;

/// A sweep's folder at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepProgress {
    /// Whether a process writes there.
    pub is_running: bool,
    /// The sealed runs, by their ids.
    pub sealed: BTreeSet<String>,
    /// How many are planned.
    pub planned: usize,
}

/// Looks at a folder. Its lock is taken for a moment where nobody holds it, shared with whoever looks as well.
///
/// # Errors
/// Where it holds no sweep, or cannot be read.
pub fn sweep_progress(dir: &Path) -> Result<SweepProgress, StoreError> {
    let paths = SweepPaths::new(dir);
    // Before the runs are looked at: what is sealed in between is then seen at the next look, and not lost.
    let is_running = is_locked(&paths)?;
    let manifest = read_manifest(&paths)?;
    let mut sealed = BTreeSet::new();
    for run in &manifest.runs {
        if paths.run(&run.id)?.record().exists() {
            sealed.insert(run.id.clone());
        }
    }
    Ok(SweepProgress { is_running, sealed, planned: manifest.runs.len() })
}

pub(super) fn is_locked(paths: &SweepPaths) -> Result<bool, StoreError> {
    let file = match std::fs::File::open(paths.lock()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::store::SweepWriter;
    use crate::records::store::fixture::{header, manifest, record, run_record};

    #[test]
    fn a_folder_is_running_as_long_as_somebody_holds_its_lock_and_tells_what_is_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let writer = SweepWriter::open(folder.path(), &manifest(&["a", "b"]), "name = \"x\"\n").unwrap();
        let mut run = writer.begin("a").unwrap();
        run.append(&record(0)).unwrap();
        assert_eq!(sweep_progress(folder.path()).unwrap().sealed.len(), 0);
        run.seal(&run_record(header("a"), 1)).unwrap();
        let found = sweep_progress(folder.path()).unwrap();
        assert_eq!((found.is_running, found.sealed, found.planned), (true, BTreeSet::from(["a".to_owned()]), 2));
        drop(writer);
        assert!(!sweep_progress(folder.path()).unwrap().is_running);
    }
}
