//! The folder of prepared documents: a folder a bucket, the manifest beside them, one process at a time.
//!
//! In go texts of exact lengths; out come files and the manifest that tells of each. What stands there already is known again by its
//! hashes. It must not know how a text was made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use fs_err::{self as fs, OpenOptions};

use super::atomic_file::{hash, read_if_there, write};
use super::buckets::LengthBuckets;
use super::error::PrepareError;
use super::library::json;
use super::manifest::{BucketDocument, DocumentSkipReason, DocumentsManifest, DocumentsRecipe, FORMAT, SourceRecord, TextSource};

/// A folder of prepared documents, locked for this process until it is dropped.
#[derive(Debug)]
pub struct DocumentStore {
    folder: PathBuf,
    manifest: DocumentsManifest,
    /// What is on disk.
    saved: Vec<u8>,
    _lock: FolderLock,
}

impl DocumentStore {
    /// Opens the folder, or makes it. Texts of another recipe are removed; what has changed is told then.
    pub fn open(folder: &Path, recipe: DocumentsRecipe) -> Result<(Self, Option<String>), PrepareError> {
        fs::create_dir_all(folder)?;
        let lock = lock(folder)?;
        let path = folder.join("manifest.json");
        let saved = read_if_there(&path)?.unwrap_or_default();
        let manifest = DocumentsManifest { format: FORMAT, recipe, documents: Vec::new() };
        let mut shelf = Self { folder: folder.to_owned(), manifest, saved, _lock: lock };
        if shelf.saved.is_empty() {
            return Ok((shelf, None));
        }
        let old = parse(&path, &shelf.saved)?;
        let changed = change(&old.recipe, &shelf.manifest.recipe);
        if changed.is_some() {
            shelf.remove(old.documents.iter().flat_map(|record| &record.cuts))?;
            shelf.save()?;
        } else {
            shelf.manifest.documents = old.documents;
        }
        Ok((shelf, changed))
    }

    pub fn manifest(&self) -> &DocumentsManifest {
        &self.manifest
    }

    /// Whether the source is as it was when it was prepared, and so is everything that was made of it.
    pub fn stands(&self, source: &TextSource, source_blake3: &str) -> Result<bool, PrepareError> {
        let Some(record) = self.record(source) else { return Ok(false) };
        if record.source_blake3.as_deref() != Some(source_blake3) {
            return Ok(false);
        }
        let still = |reason: &DocumentSkipReason, bucket: Option<u64>| match reason {
            DocumentSkipReason::BucketFull => bucket.is_some_and(|bucket| !self.has_room(bucket)),
            DocumentSkipReason::Duplicate { of } => self.cuts().any(|cut| cut.path == *of),
            _ => true,
        };
        if !record.left_out.iter().all(|left_out| still(&left_out.reason, left_out.bucket)) {
            return Ok(false);
        }
        for cut in &record.cuts {
            if !self.is_as_told(cut)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes away what was made of a source before.
    pub fn forget(&mut self, source: &TextSource) -> Result<(), PrepareError> {
        if let Some(at) = self.manifest.documents.iter().position(|record| record.source.is(source)) {
            let record = self.manifest.documents.remove(at);
            self.remove(record.cuts.iter())?;
        }
        Ok(())
    }

    /// Whether the bucket may have one more document.
    pub fn has_room(&self, bucket: u64) -> bool {
        let there = self.cuts().filter(|cut| cut.tokens == bucket).count() as u64;
        self.manifest.recipe.limit.is_none_or(|limit| there < limit)
    }

    /// Writes a text of exactly `bucket` tokens, unless the bucket has the same one.
    pub fn put(&self, source: &TextSource, bucket: u64, text: &str) -> Result<Result<BucketDocument, DocumentSkipReason>, PrepareError> {
        let blake3 = hash(text.as_bytes());
        if let Some(same) = self.cuts().find(|cut| cut.tokens == bucket && cut.blake3 == blake3) {
            return Ok(Err(DocumentSkipReason::Duplicate { of: same.path.clone() }));
        }
        let relative = self.place(source, bucket);
        let path = self.folder.join(&relative);
        match read_if_there(&path)? {
            Some(there) if hash(&there) != blake3 => return Err(PrepareError::InTheWay { path }),
            Some(_) => {}
            None => write(&path, text.as_bytes())?,
        }
        Ok(Ok(BucketDocument { tokens: bucket, path: relative, bytes: text.len() as u64, blake3 }))
    }

    /// Enters what was made of a source.
    pub fn enter(&mut self, record: SourceRecord) -> Result<(), PrepareError> {
        let order = record.source.order();
        let at = self.manifest.documents.partition_point(|other| other.source.order() < order);
        match self.manifest.documents.get_mut(at).filter(|other| other.source.is(&record.source)) {
            Some(there) => *there = record,
            None => self.manifest.documents.insert(at, record),
        }
        self.save()
    }

    /// Writes the manifest where it is not on disk already.
    pub fn save(&mut self) -> Result<(), PrepareError> {
        let bytes = json(&self.manifest)?;
        if bytes != self.saved {
            write(&self.folder.join("manifest.json"), &bytes)?;
            self.saved = bytes;
        }
        Ok(())
    }

    /// Documents of each bucket.
    pub fn count(&self) -> BTreeMap<u64, u64> {
        let mut counts: BTreeMap<u64, u64> = self.manifest.recipe.buckets.iter().map(|bucket| (*bucket, 0)).collect();
        for cut in self.cuts() {
            *counts.entry(cut.tokens).or_default() += 1;
        }
        counts
    }

    /// Text files in the buckets' folders that are not of this preparation: a workload would read them as documents.
    pub fn strays(&self) -> Result<Vec<String>, PrepareError> {
        let ours: BTreeSet<&str> = self.cuts().map(|cut| cut.path.as_str()).collect();
        let mut strays = Vec::new();
        for bucket in self.manifest.recipe.buckets.iter().map(|bucket| LengthBuckets::name(*bucket)) {
            let folder = self.folder.join(&bucket);
            if !folder.is_dir() {
                continue;
            }
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let name = format!("{bucket}/{}", path.file_name().unwrap_or_default().to_string_lossy());
                let is_text = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
                if is_text && !ours.contains(name.as_str()) {
                    strays.push(name);
                }
            }
        }
        strays.sort();
        Ok(strays)
    }

    fn cuts(&self) -> impl Iterator<Item = &BucketDocument> {
        self.manifest.documents.iter().flat_map(|record| &record.cuts)
    }

    fn record(&self, source: &TextSource) -> Option<&SourceRecord> {
        self.manifest.documents.iter().find(|record| record.source.is(source))
    }

    fn is_as_told(&self, cut: &BucketDocument) -> Result<bool, PrepareError> {
        Ok(read_if_there(&self.folder.join(&cut.path))?.is_some_and(|bytes| hash(&bytes) == cut.blake3))
    }

    /// Removes texts that are as they were written: what somebody has changed is theirs.
    fn remove<'c>(&self, cuts: impl Iterator<Item = &'c BucketDocument>) -> Result<(), PrepareError> {
        for cut in cuts {
            if self.is_as_told(cut)? {
                fs::remove_file(self.folder.join(&cut.path))?;
            }
        }
        Ok(())
    }

    /// Where a text goes: the parts of a source's path are joined, and two that come to the same are told apart by a hash of the path.
    fn place(&self, source: &TextSource, bucket: u64) -> String {
        let bucket = LengthBuckets::name(bucket);
        let name = source.name();
        let stem = match source {
            TextSource::Gutenberg { .. } => name.clone(),
            TextSource::File { path } => path.rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem).replace(['/', '\\'], "-"),
        };
        let plain = format!("{bucket}/{stem}.txt");
        if self.cuts().any(|cut| cut.path == plain) { format!("{bucket}/{stem}-{}.txt", &hash(name.as_bytes())[..8]) } else { plain }
    }
}

/// One process at a time. Unlocked by name: a process that is just being started holds a copy of every open file for a moment, so
/// closing ours would not be enough.
#[derive(Debug)]
struct FolderLock(std::fs::File);

impl Drop for FolderLock {
    fn drop(&mut self) {
        // What cannot be unlocked is so when the process ends.
        let _ = self.0.unlock();
    }
}

fn lock(folder: &Path) -> Result<FolderLock, PrepareError> {
    let path = folder.join(".lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?.into_file();
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(std::fs::TryLockError::WouldBlock) => Err(PrepareError::Locked { folder: folder.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => {
            Err(std::io::Error::new(source.kind(), format!("cannot lock `{}`: {source}", path.display())).into())
        }
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<DocumentsManifest, PrepareError> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let fault = |reason: String| PrepareError::Manifest { path: path.to_owned(), reason };
    let Format { format } = serde_json::from_slice(bytes).map_err(|error| fault(error.to_string()))?;
    if format != FORMAT {
        return Err(PrepareError::Format { path: path.to_owned(), found: format });
    }
    let manifest: DocumentsManifest = serde_json::from_slice(bytes).map_err(|error| fault(error.to_string()))?;
    // What it names may be removed: nothing outside the folder can be meant.
    let is_inside = |path: &str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    match manifest.documents.iter().flat_map(|record| &record.cuts).find(|cut| !is_inside(&cut.path)) {
        Some(cut) => Err(fault(format!("it names `{}`", cut.path))),
        None => Ok(manifest),
    }
}

/// What differs between two recipes, in words.
fn change(old: &DocumentsRecipe, new: &DocumentsRecipe) -> Option<String> {
    let mut changed = Vec::new();
    if !old.tokenizer.counts_as(&new.tokenizer) {
        changed.push("the tokenizer");
    }
    if old.buckets != new.buckets {
        changed.push("the buckets");
    }
    if old.all_buckets != new.all_buckets {
        changed.push("`--all-buckets`");
    }
    if old.limit != new.limit {
        changed.push("`--limit`");
    }
    (!changed.is_empty()).then(|| changed.join(", "))
}
