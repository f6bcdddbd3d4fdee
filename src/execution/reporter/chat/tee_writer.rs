//! One text that goes to one file or to several with the same bytes.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use fs_err::{self as fs, File};

/// A text file being written, and its copies.
#[derive(Debug)]
pub(super) struct TeeWriter {
    files: Vec<BufWriter<File>>,
}

impl TeeWriter {
    /// Makes the files, in place of what was there.
    pub(super) fn create<'a>(paths: impl Iterator<Item = &'a Path>) -> io::Result<Self> {
        let create = |path: &Path| {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder)?;
            }
            Ok(BufWriter::new(File::create(path)?))
        };
        Ok(Self { files: paths.map(create).collect::<io::Result<_>>()? })
    }

    /// Writes a piece that can be read at once by whoever looks into the file.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        for file in &mut self.files {
            file.write_all(text.as_bytes())?;
            file.flush()?;
        }
        Ok(())
    }

    /// Brings all of it to disk.
    pub(super) fn finish(self) -> io::Result<()> {
        self.files.iter().try_for_each(|file| file.get_ref().sync_all())
    }
}
