//! Blocks on disk: a folder each under `blocks/`, each a sweep by itself with a lock of its own, so that nodes share nothing but one file that is
//! written once.
//!
//! In: the plan of all blocks, and what a block says of itself. Out: how far each has come. Must not know clusters.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;

use super::error::StoreError;
use super::files::{sync_folder_of, write_whole};
use super::inside::stay_inside;
use super::layout::{RunPaths, SweepPaths};
use super::progress::is_locked;
use super::reader::{read_json, read_record};
use super::writer::same_sweep;
use crate::foundation::named_file::NamedFile;
use crate::records::record::{BlockPlan, BlockState, Manifest, PlannedBlock, RunOutcome};

/// Writes `blocks/plan.json` where it is missing, and gives it as it is there: that of whoever came first.
///
/// # Errors
/// Where the folder holds blocks of another sweep, or cut otherwise.
pub fn open_block_plan(dir: &Path, plan: &BlockPlan) -> Result<BlockPlan, StoreError> {
    let paths = SweepPaths::new(dir);
    for block in &plan.blocks {
        paths.block(&block.id)?;
    }
    fs::create_dir_all(paths.blocks())?;
    stay_inside(paths.root(), &[&paths.blocks(), &paths.block_plan()])?;
    if !paths.block_plan().exists() {
        write_once(&paths.block_plan(), plan)?;
    }
    let found = read_block_plan(dir)?;
    same_block_plan(dir, &found, plan)?;
    Ok(found)
}

/// Refuses to take a plan for one of another sweep, or of blocks that are cut otherwise. `place` is where it was found, for people: a folder, or an
/// address of a bucket.
pub fn same_block_plan(place: &Path, found: &BlockPlan, asked: &BlockPlan) -> Result<(), StoreError> {
    same_sweep(place, &found.manifest, &asked.manifest)?;
    if found.blocks == asked.blocks {
        return Ok(());
    }
    Err(StoreError::OtherBlocks { dir: place.to_owned(), name: found.manifest.name.as_str().into() })
}

/// Reads `blocks/plan.json`.
pub fn read_block_plan(dir: &Path) -> Result<BlockPlan, StoreError> {
    let paths = SweepPaths::new(dir);
    stay_inside(paths.root(), &[&paths.blocks(), &paths.block_plan()])?;
    if !paths.block_plan().exists() {
        return Err(StoreError::NoBlocks { dir: dir.to_owned() });
    }
    let text = NamedFile::Saved.read(&paths.block_plan()).map_err(io::Error::from)?;
    serde_json::from_slice(&text).map_err(|source| StoreError::Json { path: paths.block_plan(), source })
}

/// Writes a file unless it is there by then. A link is made by one process alone, on shared file systems too.
fn write_once(path: &Path, plan: &BlockPlan) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(path);
    let mut file = tempfile::NamedTempFile::with_prefix_in(".plan-", folder)?;
    file.write_all(&serde_json::to_vec_pretty(plan).map_err(|source| StoreError::Json { path: path.to_owned(), source })?)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(sync_folder_of(path)?),
        Err(fault) if fault.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(fault) => Err(fault.error.into()),
    }
}

/// Writes `block.json` into a block's folder, which is made where it is missing.
pub fn write_block_state(dir: &Path, state: &BlockState) -> Result<(), StoreError> {
    let paths = SweepPaths::new(dir);
    fs::create_dir_all(dir)?;
    let text = serde_json::to_vec_pretty(state).map_err(|source| StoreError::Json { path: paths.block_state(), source })?;
    Ok(write_whole(&paths.block_state(), |out| out.write_all(&text))?)
}

/// Writes `block.json` in the place of what this process said last; where another one has begun the block since, it is left alone.
pub fn replace_block_state(dir: &Path, last: &BlockState, next: &BlockState) -> Result<(), StoreError> {
    let is_ours = read_block_state(&SweepPaths::new(dir))?.is_some_and(|found| found == *last);
    if is_ours { write_block_state(dir, next) } else { Ok(()) }
}

/// What `block.json` says; `None` where there is none.
pub(super) fn read_block_state(paths: &SweepPaths) -> Result<Option<BlockState>, StoreError> {
    stay_inside(paths.root(), &[&paths.block_state()])?;
    if !paths.block_state().exists() {
        return Ok(None);
    }
    let text = NamedFile::Saved.read(&paths.block_state()).map_err(io::Error::from)?;
    serde_json::from_slice(&text).map(Some).map_err(|source| StoreError::Json { path: paths.block_state(), source })
}

/// The blocks of a sweep at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockOverview {
    pub plan: BlockPlan,
    /// In the plan's order.
    pub blocks: Vec<BlockProgress>,
}

/// A block at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockProgress {
    pub id: String,
    pub planned: usize,
    /// Runs that are whole, without those that failed.
    pub sealed: usize,
    pub failed: usize,
    /// How long its sealed runs were measured, all together.
    pub measured: Duration,
    /// Whether a process writes there. Of processes on other machines a shared folder may not tell.
    pub is_locked: bool,
    /// What it says of itself; `None` where it was never begun.
    pub state: Option<BlockState>,
    /// The run that is being measured.
    pub current: Option<CurrentRun>,
}

/// A run that is being measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentRun {
    pub id: String,
    pub journal: PathBuf,
    /// When its last request ended.
    pub last_written: SystemTime,
}

/// How far each planned block has come; `None` where the folder is there, and no block has begun. Reads names and small files alone.
///
/// # Errors
/// Where there is no such folder, or its files cannot be read.
pub fn block_overview(dir: &Path) -> Result<Option<BlockOverview>, StoreError> {
    if dir.is_dir() && !SweepPaths::new(dir).block_plan().exists() {
        return Ok(None);
    }
    let plan = read_block_plan(dir)?;
    let blocks = block_progress(dir, &plan)?;
    Ok(Some(BlockOverview { plan, blocks }))
}

fn block_progress(dir: &Path, plan: &BlockPlan) -> Result<Vec<BlockProgress>, StoreError> {
    let paths = SweepPaths::new(dir);
    let of_block = |planned: &PlannedBlock| {
        let block = paths.block(&planned.id)?;
        stay_inside(paths.root(), &[block.root(), &block.runs()])?;
        let mut progress = BlockProgress {
            id: planned.id.clone(),
            planned: planned.runs.len(),
            sealed: 0,
            failed: 0,
            measured: Duration::ZERO,
            is_locked: is_locked(&block)?,
            state: read_block_state(&block)?,
            current: None,
        };
        for run in &planned.runs {
            let run_paths = block.run(run)?;
            if !run_paths.record().exists() {
                progress.current = progress.current.or(current(run, &run_paths)?);
                continue;
            }
            let record = read_record(&run_paths)?;
            if matches!(record.outcome, RunOutcome::Failed(_)) {
                progress.failed += 1;
            } else {
                progress.sealed += 1;
                progress.measured += Duration::from_micros(record.duration_us.0);
            }
        }
        Ok(progress)
    };
    plan.blocks.iter().map(of_block).collect()
}

fn current(id: &str, run: &RunPaths) -> Result<Option<CurrentRun>, StoreError> {
    match fs::metadata(run.journal()) {
        Ok(found) => Ok(Some(CurrentRun { id: id.to_owned(), journal: run.journal(), last_written: found.modified()? })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The manifest of a block's folder.
pub(super) fn block_manifest(block: &SweepPaths) -> Result<Manifest, StoreError> {
    stay_inside(block.root(), &[&block.manifest()])?;
    read_json(&block.manifest())
}
