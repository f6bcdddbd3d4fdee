//! Going on on another machine: what is sealed in a bucket into the folder of a sweep. In: the bucket's folder, the sweep's own. Out: how many runs were
//! taken; what is sealed in both and differs is an error that names both.

use std::path::Path;

use fs_err as fs;

use super::bucket_folder::BucketFolder;
use super::download::{FetchedFiles, MANIFEST, SweepCopy};
use super::error::BucketError;
use super::object_cache::ObjectCache;
use super::upload::{holds, is_failed, parsed_manifest, parsed_record, same_scenario};
use crate::records::store::{RunPaths, SweepPaths, saved_manifest};

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
    copy.sweep("", FetchedFiles::ForCopying).await?;
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
        let object = || folder.shown(&format!("runs/{}/run.json", run.id));
        taken += usize::from(take_run(&run.id, &from.run(&run.id)?, &to.run(&run.id)?, object)?);
    }
    Ok(taken)
}

/// Takes a run that is sealed there and not here; whether it was. One that failed is no result.
fn take_run(id: &str, from: &RunPaths, to: &RunPaths, object: impl Fn() -> String) -> Result<bool, BucketError> {
    if !from.record().exists() {
        return Ok(false);
    }
    let theirs = fs::read(from.record())?;
    if is_failed(&parsed_record(&theirs, &object())?) {
        return Ok(false);
    }
    if to.record().exists() {
        let ours = fs::read(to.record())?;
        if theirs == ours {
            return Ok(false);
        }
        if !is_failed(&parsed_record(&ours, &to.record().display().to_string())?) {
            return Err(BucketError::OtherRun { id: id.to_owned(), object: object(), dir: to.dir().to_owned() });
        }
    }
    if to.dir().exists() {
        fs::remove_dir_all(to.dir())?;
    }
    fs::create_dir_all(to.dir())?;
    for entry in fs::read_dir(from.dir())? {
        let entry = entry?;
        if entry.path() != from.record() {
            copy_file(&entry.path(), &to.dir().join(entry.file_name()))?;
        }
    }
    copy_file(&from.record(), &to.record())?;
    Ok(true)
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
