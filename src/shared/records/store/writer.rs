//! A sweep's folder being written: made for a new sweep, or gone on with by the same one. One process at a time, held by a lock.
//!
//! In: the manifest of what is going to be run, and the scenario's text. Out: which runs are whole already, and a writer for each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::TryLockError;
use std::io::{self, Write};
use std::path::Path;

use fs_err::{self as fs, OpenOptions};

use super::error::StoreError;
use super::files::{partial_path, remove_if_there, write_whole};
use super::inside::stay_inside;
use super::layout::{RunPaths, SweepPaths};
use super::reader::{read_manifest, read_record};
use super::run_writer::RunWriter;
use super::segments::remove_closed;
use crate::records::record::{Manifest, RunOutcome, plain_run_id};

/// A sweep's folder, locked for this process until the writer is dropped.
#[derive(Debug)]
pub struct SweepWriter {
    paths: SweepPaths,
    /// All that is planned.
    manifest: Manifest,
    /// The same as far as it is on disk: without values of axes without an end that no run has reached.
    written: Manifest,
    /// The ids of both, since sweeps may have very many runs.
    planned_ids: BTreeSet<String>,
    written_ids: BTreeSet<String>,
    unfinished: Vec<String>,
    lock: std::fs::File,
}

impl SweepWriter {
    /// Makes the folder, or goes on with one that holds the same scenario and the same planned runs. Runs that were begun there and not
    /// finished, or that failed, are cleared away to be run again; sealed ones are not touched.
    pub fn open(dir: &Path, manifest: &Manifest, scenario_text: &str) -> Result<Self, StoreError> {
        let paths = SweepPaths::new(dir);
        let scenario = paths.scenario(&manifest.scenario_file)?;
        for run in &manifest.runs {
            paths.run(&run.id)?;
        }
        fs::create_dir_all(dir)?;
        stay_inside(paths.root(), &[&paths.lock(), &paths.runs(), &scenario, &paths.servers()])?;
        let lock = lock(&paths)?;
        let written = if paths.manifest().exists() {
            let found = read_manifest(&paths)?;
            same_sweep(dir, &found, manifest)?;
            found
        } else {
            empty(&paths)?;
            let reached = manifest.reached(|_| false);
            write_manifest(&paths, &reached)?;
            reached
        };
        if !scenario.exists() {
            write_whole(&scenario, |out| out.write_all(scenario_text.as_bytes()))?;
        }
        fs::create_dir_all(paths.runs())?;
        let manifest = if written.runs.len() == manifest.runs.len() {
            written.clone()
        } else {
            Manifest { created_at: written.created_at, client: written.client.clone(), ..manifest.clone() }
        };
        let (planned_ids, written_ids) = (ids(&manifest), ids(&written));
        let mut writer = Self { paths, manifest, written, planned_ids, written_ids, unfinished: Vec::new(), lock };
        writer.unfinished = writer.clear_unfinished()?;
        Ok(writer)
    }

    #[must_use]
    pub fn paths(&self) -> &SweepPaths {
        &self.paths
    }

    /// The sweep's manifest as it is on disk: of the first start, where this is a later one.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Runs of an earlier start that were begun and not finished; what was left of them has been cleared away.
    #[must_use]
    pub fn unfinished(&self) -> &[String] {
        &self.unfinished
    }

    /// The ids of the runs that are whole. What is left to do is the plan minus these.
    pub fn sealed_ids(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut sealed = BTreeSet::new();
        for run in &self.manifest.runs {
            if self.paths.run(&run.id)?.record().exists() {
                sealed.insert(run.id.clone());
            }
        }
        Ok(sealed)
    }

    /// Puts a planned run into the manifest on disk, where it has a value that no run of an axis without an end has had before.
    pub fn reach(&mut self, id: &str) -> Result<(), StoreError> {
        if self.written_ids.contains(id) || !self.planned_ids.contains(id) {
            return Ok(());
        }
        let reached = self.manifest.reached(|run| run.id == id || self.written_ids.contains(&run.id));
        write_manifest(&self.paths, &reached)?;
        self.written_ids = ids(&reached);
        self.written = reached;
        Ok(())
    }

    /// Takes the sealed runs of another sweep that are planned here and not sealed yet, each whole, by its id; how many. The other sweep is
    /// only read. Runs that failed, or that are not of the same kind (simulated or not), are left where they are.
    pub fn adopt(&mut self, from: &Path) -> Result<usize, StoreError> {
        let theirs = SweepPaths::new(from);
        let their_runs = read_manifest(&theirs)?.runs;
        let their_ids: BTreeMap<String, &str> = their_runs.iter().map(|run| (plain_run_id(&run.id), run.id.as_str())).collect();
        let mut taken = 0;
        let ids: Vec<String> = self.manifest.runs.iter().map(|run| run.id.clone()).collect();
        for id in ids {
            let Some(their_id) = their_ids.get(&plain_run_id(&id)) else { continue };
            let (source, target) = (theirs.run(their_id)?, self.paths.run(&id)?);
            if !source.record().exists() || target.dir().exists() {
                continue;
            }
            let record = read_record(&source)?;
            if record.header.id != *their_id
                || record.header.simulated != self.manifest.simulated
                || matches!(record.outcome, RunOutcome::Failed(_))
            {
                continue;
            }
            self.reach(&id)?;
            copy_run(&source, &target, &id, self.manifest.keeps_texts)?;
            taken += 1;
        }
        Ok(taken)
    }

    /// Begins to save a planned run.
    pub fn begin(&self, id: &str) -> Result<RunWriter, StoreError> {
        let paths = self.paths.run(id)?;
        if !self.planned_ids.contains(id) {
            return Err(StoreError::NotPlanned { id: id.to_owned() });
        }
        if paths.record().exists() {
            return Err(StoreError::Sealed { id: id.to_owned(), dir: paths.dir().to_owned() });
        }
        self.refuse_strange_folder()?;
        RunWriter::create(paths)
    }

    /// Whether what lies at the folder's path is still what was locked.
    fn refuse_strange_folder(&self) -> Result<(), StoreError> {
        let is_ours = is_same_file(&self.lock, &self.paths.lock()) && self.paths.manifest().exists();
        if is_ours { Ok(()) } else { Err(StoreError::Vanished { dir: self.paths.root().to_owned() }) }
    }

    fn clear_unfinished(&self) -> Result<Vec<String>, StoreError> {
        let mut unfinished = Vec::new();
        for run in &self.manifest.runs {
            let paths = self.paths.run(&run.id)?;
            if paths.record().exists() && !failed(&paths)? {
                clear_scraps(&paths)?;
            } else if paths.dir().exists() {
                fs::remove_dir_all(paths.dir())?;
                unfinished.push(run.id.clone());
            }
        }
        Ok(unfinished)
    }
}

impl Drop for SweepWriter {
    /// By name, since closing is not enough: a process that is just being started holds a copy of every open file until its program runs.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

fn ids(manifest: &Manifest) -> BTreeSet<String> {
    manifest.runs.iter().map(|run| run.id.clone()).collect()
}

/// A cell that could not be run says why, but is no result: going on means to try again.
fn failed(run: &RunPaths) -> Result<bool, StoreError> {
    Ok(matches!(read_record(run)?.outcome, RunOutcome::Failed(_)))
}

/// What a crash between the last steps of sealing may have left beside a whole run.
fn clear_scraps(run: &RunPaths) -> io::Result<()> {
    remove_if_there(&run.journal())?;
    remove_closed(run)?;
    remove_if_there(&partial_path(&run.record()))?;
    remove_if_there(&partial_path(&run.server_metrics()))?;
    remove_if_there(&partial_path(&run.requests()))
}

/// Copies a run under an id, its record last: until that is there, the run counts for nothing. Texts come along only where they are to be kept.
fn copy_run(source: &RunPaths, target: &RunPaths, id: &str, keeps_texts: bool) -> Result<(), StoreError> {
    fs::create_dir_all(target.dir())?;
    for entry in fs::read_dir(source.dir())? {
        let entry = entry?;
        let of_journal = RunPaths::is_of_journal(&entry.file_name().to_string_lossy());
        let whole = entry.file_type()?.is_file() && entry.path() != source.record() && !of_journal;
        if whole && (keeps_texts || entry.path() != source.texts()) {
            let mut from = fs::File::open(entry.path())?;
            write_whole(&target.dir().join(entry.file_name()), |out| io::copy(&mut from, out).map(drop))?;
        }
    }
    let record = named(fs::read(source.record())?, id, &source.record())?;
    Ok(write_whole(&target.record(), |out| out.write_all(&record))?)
}

/// A run's record under another id; byte by byte as it is where it has that id.
fn named(record: Vec<u8>, id: &str, path: &Path) -> Result<Vec<u8>, StoreError> {
    let fault = |source| StoreError::Json { path: path.to_owned(), source };
    let mut value: serde_json::Value = serde_json::from_slice(&record).map_err(fault)?;
    if value["id"] == id {
        return Ok(record);
    }
    value["id"] = id.into();
    serde_json::to_vec_pretty(&value).map_err(fault)
}

pub(super) fn lock(paths: &SweepPaths) -> Result<std::fs::File, StoreError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(paths.lock())?.into_file();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { dir: paths.root().to_owned() }),
        Err(TryLockError::Error(source)) => {
            Err(io::Error::new(source.kind(), format!("cannot lock `{}`: {source}", paths.lock().display())).into())
        }
    }
}

#[cfg(unix)]
fn is_same_file(file: &std::fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |data: std::io::Result<std::fs::Metadata>| data.ok().map(|data| (data.dev(), data.ino()));
    let locked = place(file.metadata());
    locked.is_some() && locked == place(std::fs::metadata(path))
}

/// Elsewhere a file that is open cannot be taken away.
#[cfg(not(unix))]
fn is_same_file(_file: &std::fs::File, path: &Path) -> bool {
    path.exists()
}

pub(super) fn same_sweep(dir: &Path, found: &Manifest, asked: &Manifest) -> Result<(), StoreError> {
    if found.scenario_hash != asked.scenario_hash || found.simulated != asked.simulated {
        let short = |manifest: &Manifest| {
            let hash: String = manifest.scenario_hash.chars().take(12).collect();
            if manifest.simulated { format!("{hash}, simulated") } else { hash }
        };
        return Err(StoreError::OtherScenario {
            dir: dir.to_owned(),
            found_name: found.name.as_str().into(),
            found_hash: short(found).into(),
            asked_name: asked.name.as_str().into(),
            asked_hash: short(asked).into(),
        });
    }
    if found.keeps_texts != asked.keeps_texts {
        return Err(StoreError::OtherTexts { dir: dir.to_owned(), keeps: if found.keeps_texts { "with" } else { "without" } });
    }
    if found.search.is_some() != asked.search.is_some() {
        let kind = |manifest: &Manifest| if manifest.search.is_some() { "the cells along a frontier" } else { "every cell" };
        return Err(StoreError::OtherSearch { dir: dir.to_owned(), found: kind(found), asked: kind(asked) });
    }
    let is_climbed = asked.search.as_ref().is_some_and(|search| !search.climbed.is_empty());
    if is_climbed {
        // The hash is of all that could be run; what is on disk is what was reached.
        return Ok(());
    }
    // By id, which is a hash of all that matters; axis values may differ in the last digit once they have been through a file.
    if !found.runs.iter().map(|run| &run.id).eq(asked.runs.iter().map(|run| &run.id)) {
        return Err(StoreError::OtherRuns {
            dir: dir.to_owned(),
            name: found.name.as_str().into(),
            found_version: found.client.bench_version.as_str().into(),
            asked_version: asked.client.bench_version.as_str().into(),
        });
    }
    Ok(())
}

/// Refuses a folder with anything in it but what a crash before the manifest may have left.
fn empty(paths: &SweepPaths) -> Result<(), StoreError> {
    let ours = [paths.lock(), partial_path(&paths.manifest()), paths.block_state()];
    for entry in fs::read_dir(paths.root())? {
        if !ours.contains(&entry?.path()) {
            return Err(StoreError::NotEmpty { dir: paths.root().to_owned() });
        }
    }
    Ok(())
}

pub(super) fn write_manifest(paths: &SweepPaths, manifest: &Manifest) -> Result<(), StoreError> {
    let path = paths.manifest();
    write_whole(&path, |out| {
        serde_json::to_writer_pretty(&mut *out, manifest).map_err(|source| StoreError::Json { path: path.clone(), source })?;
        out.write_all(b"\n").map_err(StoreError::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::record::{RunFailure, RunFailureCause, RunRecord};
    use crate::records::store::fixture::{header, manifest, record, rich_record, run_record};

    const TEXT: &str = "name = \"lmcache\" # as written\n";

    fn seal(writer: &SweepWriter, id: &str) {
        let mut run = writer.begin(id).unwrap();
        run.append(&rich_record(0)).unwrap();
        run.seal(&run_record(header(id), 1)).unwrap();
    }

    #[test]
    fn resuming_is_the_plan_minus_the_sealed_runs_and_leaves_these_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let plan = manifest(&["a", "b", "c"]);
        let writer = SweepWriter::open(folder.path(), &plan, TEXT).unwrap();
        seal(&writer, "b");
        let sealed = fs::read(writer.paths().run("b").unwrap().record()).unwrap();
        drop(writer);

        let later = Manifest { created_at: jiff::Timestamp::now(), ..plan.clone() };
        let writer = SweepWriter::open(folder.path(), &later, "another text").unwrap();
        assert_eq!(writer.sealed_ids().unwrap(), BTreeSet::from(["b".to_owned()]));
        assert_eq!(writer.manifest(), &plan, "the first start's manifest stays");
        assert_eq!(fs::read_to_string(folder.path().join("scenario.toml")).unwrap(), TEXT);
        assert!(writer.unfinished().is_empty());
        assert!(matches!(writer.begin("b"), Err(StoreError::Sealed { .. })));
        seal(&writer, "a");
        seal(&writer, "c");
        assert_eq!(writer.sealed_ids().unwrap().len(), 3);
        assert_eq!(fs::read(writer.paths().run("b").unwrap().record()).unwrap(), sealed);
    }

    #[test]
    fn a_killed_run_is_cleared_and_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let plan = manifest(&["a", "b"]);
        let writer = SweepWriter::open(folder.path(), &plan, TEXT).unwrap();
        seal(&writer, "a");
        let mut killed = writer.begin("b").unwrap();
        killed.append(&record(0)).unwrap();
        let (a, b) = (writer.paths().run("a").unwrap(), writer.paths().run("b").unwrap());
        drop((killed, writer));
        // What a kill may leave: a torn line, a half table, a table without its run.json; and scraps beside a sealed run.
        let line = fs::read(b.journal()).unwrap();
        fs::write(b.journal(), [&line[..], &line[..line.len() / 2]].concat()).unwrap();
        fs::write(partial_path(&b.requests()), "PAR1").unwrap();
        fs::write(b.requests(), "PAR1").unwrap();
        fs::write(partial_path(&b.record()), "{").unwrap();
        fs::write(a.journal(), &line).unwrap();
        let requests = fs::read(a.requests()).unwrap();

        let writer = SweepWriter::open(folder.path(), &plan, TEXT).unwrap();
        assert_eq!(writer.unfinished(), ["b"]);
        assert_eq!(writer.sealed_ids().unwrap(), BTreeSet::from(["a".to_owned()]));
        assert!(!b.dir().exists() && !a.journal().exists());
        assert_eq!(fs::read(a.requests()).unwrap(), requests);
        seal(&writer, "b");
        assert_eq!(writer.sealed_ids().unwrap().len(), 2);
    }

    #[test]
    fn a_failed_run_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let plan = manifest(&["a"]);
        let writer = SweepWriter::open(folder.path(), &plan, TEXT).unwrap();
        let failed = RunRecord {
            outcome: RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "no server".into())),
            ..run_record(header("a"), 0)
        };
        writer.begin("a").unwrap().seal(&failed).unwrap();
        drop(writer);
        let writer = SweepWriter::open(folder.path(), &plan, TEXT).unwrap();
        assert_eq!(writer.unfinished(), ["a"]);
        seal(&writer, "a");
        assert_eq!(writer.sealed_ids().unwrap().len(), 1);
    }

    #[test]
    fn a_folder_is_written_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = SweepWriter::open(folder.path(), &manifest(&["a"]), TEXT).unwrap();
        let error = SweepWriter::open(folder.path(), &manifest(&["a"]), TEXT).unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }), "{error}");
        drop(first);
        SweepWriter::open(folder.path(), &manifest(&["a"]), TEXT).unwrap();
    }

    #[test]
    fn a_folder_with_another_scenario_is_refused_and_both_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let plan = manifest(&["a"]);
        drop(SweepWriter::open(folder.path(), &plan, TEXT).unwrap());
        let other = Manifest { name: "nightly".into(), scenario_hash: "fedcba9876543210".into(), ..plan.clone() };
        let error = SweepWriter::open(folder.path(), &other, TEXT).unwrap_err().to_string();
        for part in ["`lmcache` (scenario 0123456789ab, simulated)", "`nightly` (scenario fedcba987654, simulated)", "`-o`"] {
            assert!(error.contains(part), "{error}");
        }
        let real = Manifest { simulated: false, ..plan };
        assert!(matches!(SweepWriter::open(folder.path(), &real, TEXT), Err(StoreError::OtherScenario { .. })));
        let error = SweepWriter::open(folder.path(), &manifest(&["a", "b"]), TEXT).unwrap_err();
        assert!(matches!(error, StoreError::OtherRuns { .. }), "{error}");
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_refused_and_one_left_by_an_early_crash_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".lock"), "").unwrap();
        fs::write(folder.path().join("manifest.json.partial"), "{").unwrap();
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        let error = SweepWriter::open(folder.path(), &manifest(&["a"]), TEXT).unwrap_err();
        assert!(matches!(error, StoreError::NotEmpty { .. }), "{error}");
        fs::remove_file(folder.path().join("thesis.tex")).unwrap();
        SweepWriter::open(folder.path(), &manifest(&["a"]), TEXT).unwrap();
    }

    #[test]
    fn a_folder_that_was_taken_away_or_replaced_is_not_written_to() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("sweep");
        let plan = manifest(&["a", "b"]);
        let writer = SweepWriter::open(&folder, &plan, TEXT).unwrap();
        seal(&writer, "a");
        fs::rename(&folder, home.path().join("moved")).unwrap();
        let error = writer.begin("b").unwrap_err();
        assert!(matches!(&error, StoreError::Vanished { .. }), "{error}");
        assert!(!folder.exists(), "nothing is put in its place");
        let other = SweepWriter::open(&folder, &plan, TEXT).unwrap();
        assert!(matches!(writer.begin("b"), Err(StoreError::Vanished { .. })), "another sweep's folder");
        drop(other);
        fs::remove_dir_all(&folder).unwrap();
        fs::rename(home.path().join("moved"), &folder).unwrap();
        seal(&writer, "b");
    }

    #[test]
    fn an_id_that_leads_outside_or_was_not_planned_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(SweepWriter::open(folder.path(), &manifest(&["../x"]), TEXT), Err(StoreError::RunId { .. })));
        let file = Manifest { scenario_file: "../scenario.toml".into(), ..manifest(&["a"]) };
        assert!(matches!(SweepWriter::open(folder.path(), &file, TEXT), Err(StoreError::ScenarioFile { .. })));
        let writer = SweepWriter::open(folder.path(), &manifest(&["a"]), TEXT).unwrap();
        assert!(matches!(writer.begin("../x"), Err(StoreError::RunId { .. })));
        assert!(matches!(writer.begin("b"), Err(StoreError::NotPlanned { .. })));
    }

    #[test]
    fn equal_runs_are_saved_in_equal_bytes() {
        let bytes = [0, 1].map(|_| {
            let folder = tempfile::tempdir().unwrap();
            let writer = SweepWriter::open(folder.path(), &manifest(&["a"]), TEXT).unwrap();
            let mut run = writer.begin("a").unwrap();
            for request in 0..500 {
                run.append(&if request % 3 == 0 { record(request) } else { rich_record(request) }).unwrap();
            }
            run.seal(&run_record(header("a"), 500)).unwrap();
            let run = writer.paths().run("a").unwrap();
            [writer.paths().manifest(), run.requests(), run.record()].map(|path| fs::read(path).unwrap())
        });
        assert_eq!(bytes[0], bytes[1]);
        assert!(bytes[0][1].len() < 40_000, "{} bytes for 500 rows", bytes[0][1].len());
    }
}
