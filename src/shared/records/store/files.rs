//! Whole files or none: written beside their place, brought to disk, and only then renamed. Nothing here knows what is written.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use fs_err::{self as fs, File};

/// What a file is called until it is whole. One process writes a sweep at a time, so the name needs no randomness.
pub(super) fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// Writes `path` so that after a crash it is there as a whole or not at all.
pub(super) fn write_whole<E: From<io::Error>>(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>) -> Result<(), E> {
    let pending = PendingFile::create(path)?;
    let mut out = pending.writer()?;
    fill(&mut out)?;
    out.flush()?;
    drop(out);
    pending.settle()?;
    Ok(())
}

/// Writes what can be made again, as a report: however the program ends, it is there as a whole or as it was. A power cut may lose it.
pub fn write_derived(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    fs::write(partial_path(path), bytes)?;
    fs::rename(partial_path(path), path)
}

/// A file that is being written beside its place.
#[derive(Debug)]
pub(super) struct PendingFile {
    path: PathBuf,
    file: File,
}

impl PendingFile {
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::create(partial_path(path))? })
    }

    pub fn writer(&self) -> io::Result<BufWriter<File>> {
        Ok(BufWriter::new(self.file.try_clone()?))
    }

    /// Brings it to disk and to its place. What was written must have been flushed.
    pub fn settle(self) -> io::Result<()> {
        self.file.sync_all()?;
        drop(self.file);
        fs::rename(partial_path(&self.path), &self.path)?;
        sync_folder_of(&self.path)
    }
}

/// Brings a folder's list of names to disk: without it a rename may be lost in a power cut.
#[cfg(unix)]
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Elsewhere folders cannot be opened as files; the file system orders its own journal.
#[cfg(not(unix))]
pub(super) fn sync_folder_of(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes a file that may be absent.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_writing_fails_never_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_whole(&path, |out| out.write_all(b"old")).unwrap();
        let fault = write_whole(&path, |out| {
            out.write_all(b"ne")?;
            Err(io::Error::other("disk full"))
        });
        assert!(fault.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        write_whole(&path, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(!partial_path(&path).exists());
    }
}
