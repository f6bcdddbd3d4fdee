//! A sweep's folder into a bucket: the manifest and the scenario, then each sealed run, its record last, then logs and the report. What is there already
//! is not sent again; another run under the same id is never overwritten.

use std::path::{Path, PathBuf};

use fs_err as fs;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::address::BucketAddress;
use super::bucket_folder::BucketFolder;
use super::error::{BucketError, SweepConflict};
use super::object_cache::hash_of;
use super::writer::BucketWriter;
use crate::foundation::sentence::sentence;
use crate::records::record::{Manifest, RunOutcome, RunRecord};
use crate::records::store::{RunPaths, SweepPaths, saved_manifest};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// What came of sending a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UploadSummary {
    /// Runs that were sent.
    pub uploaded: usize,
    /// Runs that were there already, the same byte by byte.
    pub already_there: usize,
    /// Requests that had to be tried again.
    pub failed_requests: u64,
}

/// Sends all that is sealed in a folder, its logs and its report.
pub fn push_folder(dir: &Path, address: &BucketAddress) -> Result<UploadSummary, BucketError> {
    let mut writer = BucketWriter::begin(address)?;
    let pushed = writer.push(dir);
    let failed_requests = writer.failed_requests();
    writer.release();
    Ok(UploadSummary { failed_requests, ..pushed? })
}

/// Sends the files of a sweep's report.
pub fn push_report(dir: &Path, address: &BucketAddress) -> Result<(), BucketError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = BucketFolder::open(address)?;
    runtime.block_on(send_files(&folder, &SweepPaths::new(dir), &SweepPaths::new(dir).report()))
}

/// A sweep's folder that is being sent.
#[derive(Debug)]
pub(super) struct SweepUpload {
    folder: BucketFolder,
    paths: SweepPaths,
    /// The manifest as it was sent last: one of an axis without an end grows.
    manifest: Option<Vec<u8>>,
    pub summary: UploadSummary,
}

impl SweepUpload {
    pub fn new(folder: &BucketFolder, dir: &Path) -> Self {
        Self { folder: folder.clone(), paths: SweepPaths::new(dir), manifest: None, summary: UploadSummary::default() }
    }

    /// Sends everything.
    pub async fn all(&mut self) -> Result<(), BucketError> {
        let Some(manifest) = saved_manifest(self.paths.root())? else {
            return Err(crate::records::store::StoreError::NoSweep { dir: self.paths.root().to_owned() }.into());
        };
        for run in &manifest.runs {
            if self.paths.run(&run.id)?.record().exists() {
                self.run(&run.id).await?;
            }
        }
        self.rest().await
    }

    /// Sends a sealed run, and before it what it needs.
    pub async fn run(&mut self, id: &str) -> Result<(), BucketError> {
        self.head().await?;
        let run = self.paths.run(id)?;
        let ours = fs::read(run.record())?;
        let record = parsed_record(&ours, &run.record().display().to_string())?;
        let name = name_below(self.paths.root(), &run.record());
        if let Some(theirs) = self.folder.read(&name).await? {
            if theirs.bytes == ours {
                self.summary.already_there += 1;
                return Ok(());
            }
            if !is_failed(&parsed_record(&theirs.bytes, &self.folder.shown(&name))?) {
                return Err(self.other_run(id, &name));
            }
            // A cell that failed is no result, and was tried again. Until its new record is there, there is no run.
            self.folder.remove(&name).await?;
        }
        let files = files_of(&run)?;
        for file in &files {
            let sealed = file.file_name().and_then(|name| record.tables.get(name.to_string_lossy().as_ref()));
            if sealed.is_some_and(|sealed| hash_of(file).is_ok_and(|hash| hash != *sealed)) {
                return Err(BucketError::ChangedFile { path: file.clone() });
            }
        }
        self.send(&files).await?;
        if self.folder.create(&name, ours.clone().into()).await?.is_none() {
            // Either our own request whose answer was lost, or somebody else's run.
            let theirs = self.folder.read(&name).await?;
            if theirs.is_none_or(|theirs| theirs.bytes != ours) {
                return Err(self.other_run(id, &name));
            }
        }
        self.summary.uploaded += 1;
        Ok(())
    }

    /// Sends what is no run's: the manifest where nothing was sent before, logs, and the report.
    pub async fn rest(&mut self) -> Result<(), BucketError> {
        self.head().await?;
        send_files(&self.folder, &self.paths, &self.paths.servers()).await?;
        send_files(&self.folder, &self.paths, &self.paths.report()).await
    }

    /// The manifest and the scenario.
    async fn head(&mut self) -> Result<(), BucketError> {
        let ours = fs::read(self.paths.manifest())?;
        if self.manifest.as_ref() == Some(&ours) {
            return Ok(());
        }
        let manifest = parsed_manifest(&ours, &self.paths.manifest().display().to_string())?;
        let scenario = self.paths.scenario(&manifest.scenario_file)?;
        let name = name_below(self.paths.root(), &self.paths.manifest());
        if self.folder.create(&name, ours.clone().into()).await?.is_none() {
            self.replace_manifest(&name, &ours, &manifest).await?;
        }
        if scenario.exists() {
            self.folder.create(&name_below(self.paths.root(), &scenario), fs::read(&scenario)?.into()).await?;
        }
        self.manifest = Some(ours);
        Ok(())
    }

    /// Where there is a manifest: of the same sweep, whose runs or merged blocks may have become more, here or there.
    async fn replace_manifest(&self, name: &str, ours: &[u8], manifest: &Manifest) -> Result<(), BucketError> {
        let Some(found) = self.folder.read(name).await? else { return Ok(()) };
        if found.bytes == ours {
            return Ok(());
        }
        let theirs = parsed_manifest(&found.bytes, &self.folder.shown(name))?;
        same_scenario(&self.folder, &theirs, self.paths.root(), manifest)?;
        if holds(&theirs, manifest) && !merges_more(manifest, &theirs) {
            return Ok(());
        }
        if !holds(manifest, &theirs) {
            return Err(BucketError::OtherRuns { address: self.folder.address().clone(), dir: self.paths.root().to_owned() });
        }
        // It is the first start's in all but what has been reached or merged since.
        let grown = Manifest { created_at: theirs.created_at, client: theirs.client.clone(), ..manifest.clone() };
        let mut bytes = serde_json::to_vec_pretty(&grown).map_err(std::io::Error::from)?;
        bytes.push(b'\n');
        match self.folder.replace(name, bytes.into(), &found.version).await? {
            Some(_) => Ok(()),
            None => Err(BucketError::OtherRuns { address: self.folder.address().clone(), dir: self.paths.root().to_owned() }),
        }
    }

    async fn send(&self, files: &[PathBuf]) -> Result<(), BucketError> {
        send_all(&self.folder, self.paths.root(), files).await
    }

    fn other_run(&self, id: &str, name: &str) -> BucketError {
        let dir = self.paths.runs().join(id);
        BucketError::OtherRun { id: id.to_owned(), object: self.folder.shown(name), dir }
    }
}

/// Refuses to mix two sweeps.
pub(super) fn same_scenario(folder: &BucketFolder, theirs: &Manifest, dir: &Path, ours: &Manifest) -> Result<(), BucketError> {
    let kind = |manifest: &Manifest| (manifest.scenario_hash.clone(), manifest.simulated, manifest.keeps_texts, manifest.search.is_some());
    if kind(theirs) == kind(ours) {
        return Ok(());
    }
    let hash = |manifest: &Manifest| {
        let hash: String = manifest.scenario_hash.chars().take(12).collect();
        let simulated = if manifest.simulated { ", simulated" } else { "" };
        let texts = if manifest.keeps_texts { ", with texts" } else { "" };
        let search = if manifest.search.is_some() { ", along a frontier" } else { "" };
        sentence(&format!("{hash}{simulated}{texts}{search}")).into_owned()
    };
    Err(BucketError::OtherSweep(Box::new(SweepConflict {
        address: folder.address().clone(),
        found_name: sentence(&theirs.name).into_owned(),
        found_hash: hash(theirs),
        dir: dir.to_owned(),
        our_name: sentence(&ours.name).into_owned(),
        our_hash: hash(ours),
    })))
}

/// Whether the one plans every run of the other.
pub(super) fn holds(large: &Manifest, small: &Manifest) -> bool {
    let ids: std::collections::BTreeSet<&str> = large.runs.iter().map(|run| run.id.as_str()).collect();
    small.runs.iter().all(|run| ids.contains(run.id.as_str()))
}

/// Whether the one was merged of all blocks of the other, and of more or of newer ones.
fn merges_more(one: &Manifest, other: &Manifest) -> bool {
    let has = |id: &str| one.blocks.iter().any(|block| block.id == id);
    one.blocks != other.blocks && other.blocks.iter().all(|block| has(&block.id))
}

/// The files of a sealed run but its record: journals are copies, and what is partial is no file yet.
fn files_of(run: &RunPaths) -> Result<Vec<PathBuf>, BucketError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(run.dir())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_scrap = RunPaths::is_of_journal(&name) || name.ends_with(".partial") || name.starts_with('.');
        if entry.file_type()?.is_file() && entry.path() != run.record() && !is_scrap {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Sends all files below a folder, which may not be there.
async fn send_files(folder: &BucketFolder, paths: &SweepPaths, below: &Path) -> Result<(), BucketError> {
    let mut files = Vec::new();
    let mut folders = vec![below.to_owned()];
    while let Some(next) = folders.pop().filter(|next| next.is_dir()) {
        for entry in fs::read_dir(next)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.path().extension().is_none_or(|ending| ending != "partial") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    send_all(folder, paths.root(), &files).await
}

async fn send_all(folder: &BucketFolder, root: &Path, files: &[PathBuf]) -> Result<(), BucketError> {
    let sent = files.iter().map(|file| async move { folder.put_file(&name_below(root, file), file).await });
    stream::iter(sent).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
}

/// The name of a file below the sweep's folder, as buckets write it.
fn name_below(root: &Path, file: &Path) -> String {
    let below = file.strip_prefix(root).unwrap_or(file);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

pub(super) fn is_failed(record: &RunRecord) -> bool {
    matches!(record.outcome, RunOutcome::Failed(_))
}

pub(super) fn parsed_record(bytes: &[u8], object: &str) -> Result<RunRecord, BucketError> {
    serde_json::from_slice(bytes).map_err(|error| not_of_the_format(object, &error))
}

pub(super) fn parsed_manifest(bytes: &[u8], object: &str) -> Result<Manifest, BucketError> {
    serde_json::from_slice(bytes).map_err(|error| not_of_the_format(object, &error))
}

pub(super) fn not_of_the_format(object: &str, error: &serde_json::Error) -> BucketError {
    BucketError::Json { object: object.to_owned(), reason: sentence(&error.to_string()).into_owned() }
}
