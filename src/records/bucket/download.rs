//! Sweeps of a bucket into a folder: an address in, a folder out that reads as the sweep's own. What has not changed since it was read last is not
//! fetched again, and what was sealed is fetched once whatever the address, since it is known by its hash.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fs_err as fs;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::address::ResultsAddress;
use super::bucket_folder::{BucketFolder, ListedObject};
use super::cache::copy_home;
use super::error::BucketError;
use super::object_cache::{ObjectCache, place};
use super::upload::{holds, is_failed, parsed_manifest, parsed_record, same_scenario};
use crate::records::record::{Manifest, RunRecord};
use crate::records::store::{SweepPaths, saved_manifest};

/// How many requests are under way at once.
const AT_ONCE: usize = 16;
/// How many sweeps are.
const SWEEPS_AT_ONCE: usize = 2;
const MANIFEST: &str = "manifest.json";
/// The tables that are read of a run: with its record, three requests a run.
const READ_TABLES: [&str; 2] = ["requests.parquet", "server_metrics.parquet"];

/// Which of a sweep's files are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchedFiles {
    /// Those that are read where it is judged: of the sweep at the address, or, where none is, of all below it.
    ForReading,
    /// All of the sweep at the address and of those below it, but their reports: to copy them, or to merge them.
    All,
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
    if roots.is_empty() {
        return Err(BucketError::NoSweep { address: folder.address().clone() });
    }
    let copy = SweepCopy::open(folder, home, cache, listed)?;
    copy.remove_vanished()?;
    let sweeps = roots.iter().map(|root| copy.sweep(root, files));
    let copied = stream::iter(sweeps).buffer_unordered(SWEEPS_AT_ONCE).try_collect::<Vec<()>>().await;
    copy.save_index()?;
    copied?;
    Ok(copy.target)
}

/// Where the sweeps are: the parts of names before `manifest.json`, each empty or with a slash at its end.
fn sweep_roots(listed: &BTreeMap<String, ListedObject>, files: FetchedFiles) -> Vec<String> {
    if listed.contains_key(MANIFEST) && files == FetchedFiles::ForReading {
        return vec![String::new()];
    }
    let root = |name: &String| name.strip_suffix(MANIFEST).filter(|root| root.is_empty() || root.ends_with('/')).map(str::to_owned);
    listed.keys().filter_map(root).filter(|root| root.split('/').all(is_plain_or_last)).collect()
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
struct SweepCopy<'a> {
    folder: &'a BucketFolder,
    cache: &'a ObjectCache,
    listed: BTreeMap<String, ListedObject>,
    target: PathBuf,
    /// A folder whose sealed runs are not fetched again.
    known: Option<SweepPaths>,
    index_file: PathBuf,
    index: Mutex<BTreeMap<String, CopiedObject>>,
}

impl<'a> SweepCopy<'a> {
    fn open(
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

    /// Brings the sweep below this part of names up to date.
    async fn sweep(&self, root: &str, files: FetchedFiles) -> Result<(), BucketError> {
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
        if files == FetchedFiles::All {
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
            FetchedFiles::All => self.below(&run),
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
    async fn bring(&self, name: &str, sealed: Option<&str>) -> Result<Option<PathBuf>, BucketError> {
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

/// Takes what is sealed in the bucket into the folder of a sweep that is gone on with; how many runs. What is sealed in both must be the same.
pub(super) async fn take_sealed(folder: &BucketFolder, dir: &Path, cache: &ObjectCache) -> Result<usize, BucketError> {
    let scratch = cache.scratch()?;
    let listed = folder.list().await?;
    let has_sweep = listed.iter().any(|object| object.name == MANIFEST);
    if !has_sweep {
        return Ok(0);
    }
    let listed = listed.into_iter().map(|object| (object.name.clone(), object)).collect();
    let mut copy = SweepCopy::open(folder, scratch.path(), cache, listed)?;
    copy.known = Some(SweepPaths::new(dir));
    let Some(path) = copy.bring(MANIFEST, None).await? else { return Ok(0) };
    let theirs = parsed_manifest(&fs::read(path)?, &folder.shown(MANIFEST))?;
    let ours = saved_manifest(dir)?;
    if let Some(ours) = &ours {
        same_scenario(folder, &theirs, dir, ours)?;
        if !holds(&theirs, ours) && !holds(ours, &theirs) {
            return Err(BucketError::OtherRuns { address: folder.address().clone(), dir: dir.to_owned() });
        }
    }
    copy.sweep("", FetchedFiles::All).await?;
    fs::create_dir_all(dir)?;
    let (from, to) = (SweepPaths::new(&copy.target), SweepPaths::new(dir));
    if ours.is_none_or(|ours| ours.runs.len() <= theirs.runs.len()) {
        copy_file(&from.manifest(), &to.manifest())?;
    }
    let scenario = from.scenario(&theirs.scenario_file)?;
    if scenario.exists() && !to.scenario(&theirs.scenario_file)?.exists() {
        copy_file(&scenario, &to.scenario(&theirs.scenario_file)?)?;
    }
    copy_logs(&from.servers(), &to.servers())?;
    let mut taken = 0;
    for run in &theirs.runs {
        let (source, target) = (from.run(&run.id)?, to.run(&run.id)?);
        if !source.record().exists() || is_failed(&parsed_record(&fs::read(source.record())?, &run.id)?) {
            continue;
        }
        if target.record().exists() {
            let (theirs, ours) = (fs::read(source.record())?, fs::read(target.record())?);
            if theirs == ours {
                continue;
            }
            if !is_failed(&parsed_record(&ours, &run.id)?) {
                let object = folder.shown(&format!("runs/{}/run.json", run.id));
                return Err(BucketError::OtherRun { id: run.id.clone(), object, dir: target.dir().to_owned() });
            }
        }
        if target.dir().exists() {
            fs::remove_dir_all(target.dir())?;
        }
        fs::create_dir_all(target.dir())?;
        for entry in fs::read_dir(source.dir())? {
            let entry = entry?;
            if entry.path() != source.record() {
                copy_file(&entry.path(), &target.dir().join(entry.file_name()))?;
            }
        }
        copy_file(&source.record(), &target.record())?;
        taken += 1;
    }
    Ok(taken)
}

fn copy_logs(from: &Path, to: &Path) -> Result<(), BucketError> {
    if !from.exists() {
        return Ok(());
    }
    for variant in fs::read_dir(from)? {
        let variant = variant?;
        let target = to.join(variant.file_name());
        fs::create_dir_all(&target)?;
        for log in fs::read_dir(variant.path())? {
            let log = log?;
            if !target.join(log.file_name()).exists() {
                copy_file(&log.path(), &target.join(log.file_name()))?;
            }
        }
    }
    Ok(())
}

/// A copy of its own, which the sweep may write to; there as a whole or not at all.
fn copy_file(from: &Path, to: &Path) -> Result<(), BucketError> {
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    fs::copy(from, &partial)?;
    fs::File::open(&partial)?.sync_all()?;
    Ok(fs::rename(&partial, to)?)
}
