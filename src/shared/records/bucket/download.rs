//! Sweeps of a bucket into a folder: an address in, a folder out that reads as the sweep's own. What has not changed since it was read last is not
//! fetched again, and what was sealed is fetched once whatever the address, since it is known by its hash.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fs_err as fs;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::address::ResultsAddress;
use super::blocks::{BLOCK_PLAN, BLOCK_STATE};
use super::bucket_folder::{BucketFolder, ListedObject};
use super::cache::copy_home;
use super::error::BucketError;
use super::object_cache::{ObjectCache, place};
use super::upload::{parsed_manifest, parsed_record};
use crate::records::record::{Manifest, RunRecord};
use crate::records::store::SweepPaths;

/// How many requests are under way at once.
const AT_ONCE: usize = 16;
/// How many sweeps are.
const SWEEPS_AT_ONCE: usize = 2;
pub(super) const MANIFEST: &str = "manifest.json";
/// The tables that are read of a run: with its record, three requests a run.
const READ_TABLES: [&str; 2] = ["requests.parquet", "server_metrics.parquet"];

/// Which files are wanted. Reports never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchedFiles {
    /// Those that are read where a sweep is judged: of the one at the address, or, where none is, of all below it.
    ForReading,
    /// All of the sweep at the address, to take its runs over.
    ForCopying,
    /// All of its blocks, to merge them.
    ForMerging,
    /// What tells how far its blocks have come: no tables.
    ForStatus,
}

impl FetchedFiles {
    fn are_of_blocks(self) -> bool {
        matches!(self, Self::ForMerging | Self::ForStatus)
    }
}

/// The folder on this machine with what the address holds: of a folder itself, of a bucket a copy that is brought up to date.
pub fn local_folder(address: &ResultsAddress, files: FetchedFiles) -> Result<PathBuf, BucketError> {
    match address {
        ResultsAddress::Folder(folder) => Ok(folder.clone()),
        ResultsAddress::Bucket(bucket) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let folder = BucketFolder::open(bucket)?;
            runtime.block_on(copy_to_cache(&folder, files))
        }
    }
}

async fn copy_to_cache(folder: &BucketFolder, files: FetchedFiles) -> Result<PathBuf, BucketError> {
    let home = copy_home(folder.address())?;
    fs::create_dir_all(&home)?;
    // One process at a time brings a copy up to date; it is read without a lock.
    let lock = fs::File::create(home.join(".lock"))?.into_file();
    lock.lock()?;
    let cache = ObjectCache::open()?;
    copy_sweeps(folder, &home, &cache, files).await
}

/// Brings the copy in `home` up to date; its folder.
pub(super) async fn copy_sweeps(
    folder: &BucketFolder,
    home: &Path,
    cache: &ObjectCache,
    files: FetchedFiles,
) -> Result<PathBuf, BucketError> {
    let listed: BTreeMap<String, ListedObject> = folder.list().await?.into_iter().map(|object| (object.name.clone(), object)).collect();
    let roots = sweep_roots(&listed, files);
    let (has_plan, address) = (listed.contains_key(BLOCK_PLAN), || folder.address().clone());
    if files.are_of_blocks() && !has_plan {
        return Err(BucketError::NoBlocks { address: address() });
    }
    if !files.are_of_blocks() && roots.is_empty() {
        return Err(if has_plan { BucketError::Unmerged { address: address() } } else { BucketError::NoSweep { address: address() } });
    }
    let copy = SweepCopy::open(folder, home, cache, listed)?;
    copy.remove_vanished()?;
    let copied = copy.sweeps(&roots, files).await;
    copy.save_index()?;
    copied?;
    Ok(copy.target)
}

/// Where the sweeps are: the parts of names before `manifest.json`, each empty or with a slash at its end.
fn sweep_roots(listed: &BTreeMap<String, ListedObject>, files: FetchedFiles) -> Vec<String> {
    let root = |name: &String| name.strip_suffix(MANIFEST).filter(|root| root.is_empty() || root.ends_with('/')).map(str::to_owned);
    let roots = listed.keys().filter_map(root).filter(|root| root.split('/').all(is_plain_or_last));
    match files {
        FetchedFiles::ForMerging | FetchedFiles::ForStatus => roots.filter(|root| block_parent(root) == Some("")).collect(),
        FetchedFiles::ForReading if !listed.contains_key(MANIFEST) => {
            let is_block = |root: &str| block_parent(root).is_some_and(|parent| listed.contains_key(&format!("{parent}{BLOCK_PLAN}")));
            roots.filter(|root| !is_block(root)).collect()
        }
        FetchedFiles::ForReading | FetchedFiles::ForCopying => roots.filter(String::is_empty).collect(),
    }
}

/// What stands before `blocks/ID/`, where that is how it ends.
fn block_parent(root: &str) -> Option<&str> {
    let (parent, id) = root.strip_suffix('/')?.rsplit_once('/')?;
    let parent = parent.strip_suffix("blocks")?;
    (!id.is_empty() && (parent.is_empty() || parent.ends_with('/'))).then_some(parent)
}

/// Whether a part of a name stays in its folder; behind the last slash there is nothing.
fn is_plain_or_last(part: &str) -> bool {
    part.is_empty() || is_plain(part)
}

fn is_plain(part: &str) -> bool {
    !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':']) && !part.contains(char::is_control)
}

/// An object that was read before, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CopiedObject {
    tag: Option<String>,
    bytes: u64,
    hash: String,
}

/// A copy that is being brought up to date.
pub(super) struct SweepCopy<'a> {
    folder: &'a BucketFolder,
    cache: &'a ObjectCache,
    listed: BTreeMap<String, ListedObject>,
    pub target: PathBuf,
    /// A folder whose sealed runs are not fetched again.
    pub known: Option<SweepPaths>,
    index_file: PathBuf,
    index: Mutex<BTreeMap<String, CopiedObject>>,
}

impl<'a> SweepCopy<'a> {
    pub fn open(
        folder: &'a BucketFolder,
        home: &Path,
        cache: &'a ObjectCache,
        listed: BTreeMap<String, ListedObject>,
    ) -> Result<Self, BucketError> {
        let target = home.join(folder.address().last_name());
        fs::create_dir_all(&target)?;
        let index_file = home.join("index.json");
        // One that is not there, or that a crash has torn, only costs the requests anew.
        let index = fs::read(&index_file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Ok(Self { folder, cache, listed, target, known: None, index_file, index: Mutex::new(index) })
    }

    fn save_index(&self) -> Result<(), BucketError> {
        let bytes = serde_json::to_vec(&*self.index()).map_err(std::io::Error::from)?;
        Ok(crate::records::store::write_derived(&self.index_file, bytes)?)
    }

    fn index(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, CopiedObject>> {
        self.index.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Removes the copies of what is no longer in the bucket.
    fn remove_vanished(&self) -> Result<(), BucketError> {
        let mut index = self.index();
        let vanished: Vec<String> = index.keys().filter(|name| !self.listed.contains_key(*name)).cloned().collect();
        for name in vanished {
            index.remove(&name);
            let path = self.target.join(&name);
            if path.exists() {
                fs::remove_file(&path)?;
            }
            // Only where nothing else is in it.
            let _ = path.parent().map(std::fs::remove_dir);
        }
        Ok(())
    }

    /// Brings the sweeps below these parts of names up to date, and what blocks have in common.
    async fn sweeps(&self, roots: &[String], files: FetchedFiles) -> Result<(), BucketError> {
        if files.are_of_blocks() {
            self.bring(BLOCK_PLAN, None).await?;
            let is_state = |name: &str| name.strip_suffix(BLOCK_STATE).is_some_and(|root| block_parent(root) == Some(""));
            for name in self.below("blocks/").iter().filter(|name| is_state(name)) {
                self.bring(name, None).await?;
            }
        }
        let sweeps = roots.iter().map(|root| self.sweep(root, files));
        stream::iter(sweeps).buffer_unordered(SWEEPS_AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
    }

    /// Brings the sweep below this part of names up to date.
    pub async fn sweep(&self, root: &str, files: FetchedFiles) -> Result<(), BucketError> {
        let name = format!("{root}{MANIFEST}");
        let Some(path) = self.bring(&name, None).await? else { return Ok(()) };
        let manifest = parsed_manifest(&fs::read(path)?, &self.folder.shown(&name))?;
        let paths = SweepPaths::new(self.target.join(root));
        paths.scenario(&manifest.scenario_file)?;
        self.bring(&format!("{root}{}", manifest.scenario_file), None).await?;
        for run in &manifest.runs {
            paths.run(&run.id)?;
        }
        let runs = manifest.runs.iter().map(|run| self.run(format!("{root}runs/{}/", run.id), files));
        stream::iter(runs).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        if files == FetchedFiles::ForCopying {
            for name in self.below(&format!("{root}servers/")) {
                self.bring(&name, None).await?;
            }
        }
        self.show_strangers(root, &paths, &manifest)
    }

    /// Brings a run that is whole; of another one nothing.
    async fn run(&self, run: String, files: FetchedFiles) -> Result<(), BucketError> {
        let name = format!("{run}run.json");
        let Some(path) = self.bring(&name, None).await? else { return Ok(()) };
        let bytes = fs::read(path)?;
        let record = parsed_record(&bytes, &self.folder.shown(&name))?;
        if self.known.as_ref().is_some_and(|known| std::fs::read(known.root().join(&name)).is_ok_and(|ours| ours == bytes)) {
            return Ok(());
        }
        let names: Vec<String> = match files {
            FetchedFiles::ForReading => READ_TABLES.iter().map(|table| format!("{run}{table}")).collect(),
            FetchedFiles::ForCopying | FetchedFiles::ForMerging => self.below(&run),
            FetchedFiles::ForStatus => Vec::new(),
        };
        for table in names.iter().filter(|table| **table != name) {
            self.bring(table, sealed_hash(&record, table)).await?;
        }
        Ok(())
    }

    /// The names below a part of names that are plain.
    fn below(&self, part: &str) -> Vec<String> {
        let names = self.listed.range(part.to_owned()..).map(|(name, _)| name).take_while(|name| name.starts_with(part));
        names.filter(|name| name.split('/').all(is_plain)).cloned().collect()
    }

    /// Brings one object to its place; its place, or none where the bucket has none.
    pub async fn bring(&self, name: &str, sealed: Option<&str>) -> Result<Option<PathBuf>, BucketError> {
        let Some(listed) = self.listed.get(name) else { return Ok(None) };
        let target = self.target.join(name);
        let known = self.index().get(name).cloned().filter(|known| {
            known.tag.is_some()
                && known.tag == listed.tag
                && known.bytes == listed.bytes
                && sealed.is_none_or(|sealed| sealed == known.hash)
        });
        if known.is_some() && target.metadata().is_ok_and(|found| found.len() == listed.bytes) {
            return Ok(Some(target));
        }
        let hash = known.as_ref().map(|known| known.hash.as_str()).or(sealed);
        let (content, hash) = match hash.map(|hash| self.cache.find(hash)).transpose()?.flatten().zip(hash) {
            Some((content, hash)) => (content, hash.to_owned()),
            None => match self.cache.fetch(self.folder, name).await? {
                Some(fetched) => fetched,
                None => return Ok(None),
            },
        };
        if sealed.is_some_and(|sealed| sealed != hash) {
            return Err(BucketError::Changed { object: self.folder.shown(name) });
        }
        place(&content, &target)?;
        self.index().insert(name.to_owned(), CopiedObject { tag: listed.tag.clone(), bytes: listed.bytes, hash });
        Ok(Some(target))
    }

    /// Folders of runs that no plan knows are named in reports: empty ones of their names stand for them.
    fn show_strangers(&self, root: &str, paths: &SweepPaths, manifest: &Manifest) -> Result<(), BucketError> {
        let part = format!("{root}runs/");
        let planned: BTreeSet<&str> = manifest.runs.iter().map(|run| run.id.as_str()).collect();
        let names = self.below(&part);
        let found: BTreeSet<&str> = names.iter().filter_map(|name| name[part.len()..].split('/').next()).collect();
        if paths.runs().exists() {
            for entry in fs::read_dir(paths.runs())? {
                // One that is not empty stays.
                let _ = std::fs::remove_dir(entry?.path());
            }
        }
        found.difference(&planned).try_for_each(|name| Ok(fs::create_dir_all(paths.runs().join(name))?))
    }
}

fn sealed_hash<'a>(record: &'a RunRecord, name: &str) -> Option<&'a str> {
    record.tables.get(name.rsplit('/').next().unwrap_or(name)).map(String::as_str)
}
