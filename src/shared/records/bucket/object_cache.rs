//! What was read from buckets, each content once, by its hash: names of objects in, files on this machine out. A file whose content is not its hash
//! is fetched again.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::bucket_folder::BucketFolder;
use super::cache::objects_folder;
use super::error::BucketError;

/// The folder of contents.
#[derive(Debug, Clone)]
pub(super) struct ObjectCache {
    folder: PathBuf,
}

impl ObjectCache {
    pub fn open() -> Result<Self, BucketError> {
        Self::at(objects_folder()?)
    }

    pub fn at(folder: PathBuf) -> Result<Self, BucketError> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// A folder for a while, on the same file system.
    pub fn scratch(&self) -> Result<tempfile::TempDir, BucketError> {
        Ok(tempfile::tempdir_in(&self.folder)?)
    }

    /// The file with this content, where it was read before and is undamaged.
    pub fn find(&self, hash: &str) -> Result<Option<PathBuf>, BucketError> {
        if !is_hash(hash) {
            return Ok(None);
        }
        let path = self.folder.join(hash);
        Ok((path.is_file() && hash_of(&path)? == hash).then_some(path))
    }

    /// Fetches an object; its file, and its hash. `None` where there is no such object.
    pub async fn fetch(&self, from: &BucketFolder, name: &str) -> Result<Option<(PathBuf, String)>, BucketError> {
        let partial = tempfile::NamedTempFile::new_in(&self.folder)?;
        let Some(hash) = from.download(name, partial.path()).await? else { return Ok(None) };
        let path = self.folder.join(&hash);
        partial.persist(&path).map_err(|error| error.error)?;
        Ok(Some((path, hash)))
    }
}

/// Puts a file that the cache holds into its place, without a second copy where the file system allows that.
pub(super) fn place(content: &Path, target: &Path) -> Result<(), BucketError> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    if target.exists() {
        fs::remove_file(target)?;
    }
    if std::fs::hard_link(content, target).is_err() {
        fs::copy(content, target)?;
    }
    Ok(())
}

/// The BLAKE3 hash of a file, in hexadecimal.
pub(super) fn hash_of(path: &Path) -> Result<String, BucketError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(fs::File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Whether a text that came from a bucket is a hash, and so a plain file name.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())
}
