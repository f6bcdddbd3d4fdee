//! A saved sweep: its folder in, its manifest and whole runs out. Needs no scenario, no server, and nothing outside the folder.
//!
//! Only sealed runs count. What is missing or unfinished is listed, never guessed at.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::inside::stay_inside;
use super::journal::read_journal;
use super::layout::{RunPaths, SweepPaths, file_name};
use super::requests::SavedRequests;
use super::samples::SavedSamples;
use super::segments::closed_records;
use crate::foundation::named_file::NamedFile;
use crate::foundation::on_all_cores::on_all_cores;
use crate::foundation::sentence::sentence;
use crate::records::record::{FormatVersion, Manifest, PlannedRun, RunRecord, ServerSample};

/// A sweep as it was saved.
#[derive(Debug, Clone)]
pub struct SavedSweep {
    /// The folder that was read.
    pub dir: PathBuf,
    pub manifest: Manifest,
    /// The whole runs, in the manifest's order.
    pub runs: Vec<SavedRun>,
    /// Planned runs that are not there as a whole, in the manifest's order.
    pub missing: Vec<PlannedRun>,
    /// Remarks for people, on what was found and not used.
    pub notes: Vec<String>,
}

/// A whole run.
#[derive(Debug, Clone)]
pub struct SavedRun {
    pub record: RunRecord,
    /// A row per request in order of completion.
    pub requests: SavedRequests,
    pub samples: SavedSamples,
}

impl SavedRun {
    /// What the server and its machine told while the run went on, in that order. Read from disk at each call; none where nothing was saved.
    pub fn samples(&self) -> Result<Vec<ServerSample>, StoreError> {
        self.samples.read()
    }
}

/// Reads a sweep's folder.
pub fn read_sweep(dir: &Path) -> Result<SavedSweep, StoreError> {
    let paths = SweepPaths::new(dir);
    let manifest = read_manifest(&paths)?;
    let mut sweep = SavedSweep { dir: dir.to_owned(), manifest, runs: Vec::new(), missing: Vec::new(), notes: Vec::new() };
    for (planned, found) in sweep.manifest.runs.iter().zip(read_all(&paths, &sweep.manifest.runs)) {
        if let Some(saved) = found? {
            sweep.notes.extend(doubts(planned, &saved));
            sweep.runs.push(saved);
        } else {
            sweep.notes.extend(unfinished(&paths.run(&planned.id)?, planned)?);
            sweep.missing.push(planned.clone());
        }
    }
    sweep.notes.extend(strangers(&paths, &sweep.manifest)?);
    if sweep.manifest.keeps_texts {
        sweep.notes.push("prompts and answers are kept in this folder: `runs/*/texts.jsonl`; look before you pass it on".to_owned());
    }
    Ok(sweep)
}

/// Reads some of a sweep's runs, by their ids, as if no others were planned. Those that are not there as a whole are missing.
pub fn read_runs(dir: &Path, ids: &BTreeSet<String>) -> Result<SavedSweep, StoreError> {
    let paths = SweepPaths::new(dir);
    let mut manifest = read_manifest(&paths)?;
    manifest.runs.retain(|run| ids.contains(&run.id));
    let mut sweep = SavedSweep { dir: dir.to_owned(), manifest, runs: Vec::new(), missing: Vec::new(), notes: Vec::new() };
    for (planned, found) in sweep.manifest.runs.iter().zip(read_all(&paths, &sweep.manifest.runs)) {
        match found? {
            Some(saved) => sweep.runs.push(saved),
            None => sweep.missing.push(planned.clone()),
        }
    }
    Ok(sweep)
}

/// The runs on all cores, in their order; none where a run is not whole.
fn read_all(paths: &SweepPaths, planned: &[PlannedRun]) -> Vec<Result<Option<SavedRun>, StoreError>> {
    on_all_cores(planned, |planned| {
        let run = paths.run(&planned.id)?;
        if run.record().exists() { read_run(&run).map(Some) } else { Ok(None) }
    })
}

/// Reads `manifest.json`, its version first.
pub(super) fn read_manifest(paths: &SweepPaths) -> Result<Manifest, StoreError> {
    if !paths.manifest().exists() {
        let dir = paths.root().to_owned();
        return Err(if paths.block_plan().exists() { StoreError::Unmerged { dir } } else { StoreError::NoSweep { dir } });
    }
    stay_inside(paths.root(), &[&paths.manifest(), &paths.runs()])?;
    read_json(&paths.manifest())
}

/// The manifest of the sweep that a folder holds, if it holds one.
pub fn saved_manifest(dir: &Path) -> Result<Option<Manifest>, StoreError> {
    let paths = SweepPaths::new(dir);
    if paths.manifest().exists() { read_manifest(&paths).map(Some) } else { Ok(None) }
}

/// The scenario's text as it was saved; none where the folder has lost it.
pub fn scenario_text(dir: &Path, manifest: &Manifest) -> Result<Option<String>, StoreError> {
    let path = SweepPaths::new(dir).scenario(&manifest.scenario_file)?;
    stay_inside(dir, &[&path])?;
    match NamedFile::Saved.read_text(&path).map_err(io::Error::from) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The folder of what is derived, which may not be there yet.
pub fn report_folder(dir: &Path) -> Result<PathBuf, StoreError> {
    let folder = SweepPaths::new(dir).report();
    stay_inside(dir, &[&folder])?;
    Ok(folder)
}

/// Reads `run.json`, its version first.
pub(super) fn read_record(paths: &RunPaths) -> Result<RunRecord, StoreError> {
    stay_inside(paths.root(), &[paths.dir(), &paths.record()])?;
    read_json(&paths.record())
}

fn read_run(paths: &RunPaths) -> Result<SavedRun, StoreError> {
    let record = read_record(paths)?;
    stay_inside(paths.root(), &[&paths.requests(), &paths.server_metrics()])?;
    let hash = |path: &Path| record.tables.get(&file_name(path)).cloned();
    let requests = SavedRequests::open(&paths.requests(), hash(&paths.requests()).as_deref())?;
    let samples = SavedSamples::of(paths, hash(&paths.server_metrics()));
    Ok(SavedRun { record, requests, samples })
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    #[derive(Deserialize)]
    struct Versioned {
        format: FormatVersion,
    }
    let text = NamedFile::Saved.read(path).map_err(io::Error::from)?;
    let fault = |source| StoreError::Json { path: path.to_owned(), source };
    let Versioned { format } = serde_json::from_slice(&text).map_err(fault)?;
    if format.major > FormatVersion::CURRENT.major {
        return Err(StoreError::NewerFormat { path: path.to_owned(), found: format });
    }
    serde_json::from_slice(&text).map_err(fault)
}

/// What does not fit together in a run that says it is whole.
fn doubts(planned: &PlannedRun, saved: &SavedRun) -> Vec<String> {
    let mut notes = Vec::new();
    let header = &saved.record.header;
    if header.id != planned.id {
        notes.push(format!("the folder of run `{}` holds run `{}`", planned.id, sentence(&header.id)));
    }
    let rows = saved.requests.rows() as u64;
    if rows != saved.record.counts.requests {
        notes.push(format!("run `{}` counts {} requests and has {rows} saved", planned.id, saved.record.counts.requests));
    }
    notes
}

/// What there is of a run that is not whole.
fn unfinished(run: &RunPaths, planned: &PlannedRun) -> Result<Option<String>, StoreError> {
    if !run.dir().exists() {
        return Ok(None);
    }
    stay_inside(run.root(), &[run.dir(), &run.journal()])?;
    let closed = closed_records(run)?;
    let mut found = if closed > 0 { format!("requests in its journal: {closed}") } else { "no journal".to_owned() };
    if run.journal().exists() {
        let mut journal = read_journal(&run.journal())?;
        let requests = closed + journal.by_ref().flatten().count();
        let torn = if journal.is_torn() { ", the last line torn" } else { "" };
        found = format!("requests in its journal: {requests}{torn}");
    }
    let id = &planned.id;
    Ok(Some(format!("run `{id}` was begun and not finished ({found}); sweep into the same folder to have it run again")))
}

/// How many folders that no plan knows are named.
const NAMED_STRANGERS: usize = 10;

/// Folders that no plan knows.
fn strangers(paths: &SweepPaths, manifest: &Manifest) -> Result<Vec<String>, StoreError> {
    if !paths.runs().exists() {
        return Ok(Vec::new());
    }
    let planned: BTreeSet<&str> = manifest.runs.iter().map(|run| run.id.as_str()).collect();
    let (mut first, mut others) = (BTreeSet::new(), 0_usize);
    for entry in fs::read_dir(paths.runs())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !planned.contains(name.as_str()) {
            first.insert(name);
            if first.len() > NAMED_STRANGERS {
                first.pop_last();
                others += 1;
            }
        }
    }
    let mut notes: Vec<String> =
        first.into_iter().map(|name| format!("`runs/{}` is not a run of this sweep; it is not read", sentence(&name))).collect();
    notes.extend((others > 0).then(|| format!("nor are {others} others in `runs/`")));
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::store::SweepWriter;
    use crate::records::store::fixture::{header, manifest, record, rich_record, run_record};

    fn saved(dir: &Path) {
        let writer = SweepWriter::open(dir, &manifest(&["a", "b"]), "name = \"lmcache\"\n").unwrap();
        let mut run = writer.begin("a").unwrap();
        run.append(&record(0)).unwrap();
        run.append(&rich_record(1)).unwrap();
        run.seal(&run_record(header("a"), 2)).unwrap();
        writer.begin("b").unwrap().append(&record(0)).unwrap();
    }

    #[test]
    fn a_table_that_is_not_what_was_sealed_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        saved(folder.path());
        let table = SweepPaths::new(folder.path()).run("a").unwrap().requests();
        let mut bytes = fs::read(&table).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&table, bytes).unwrap();
        let error = read_sweep(folder.path()).unwrap_err().to_string();
        assert!(error.contains("requests.parquet` is not what was sealed"), "{error}");
    }

    #[test]
    fn what_was_saved_is_read_again_also_from_another_place() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (folder.path().join("here"), folder.path().join("there"));
        saved(&here);
        fs::rename(&here, &there).unwrap();
        let sweep = read_sweep(&there).unwrap();
        assert_eq!(sweep.manifest, manifest(&["a", "b"]));
        assert_eq!(sweep.runs.len(), 1);
        let read = &sweep.runs[0].record;
        assert_eq!(*read, RunRecord { tables: read.tables.clone(), ..run_record(header("a"), 2) });
        assert_eq!(read.tables.keys().collect::<Vec<_>>(), ["requests.parquet"]);
        assert_eq!(sweep.runs[0].requests.records().unwrap(), [record(0), rich_record(1)]);
        assert_eq!(sweep.missing.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["b"]);
        assert_eq!(sweep.notes.len(), 1);
        assert!(sweep.notes[0].starts_with("run `b` was begun and not finished (requests in its journal: 1)"), "{:?}", sweep.notes);
    }

    #[test]
    fn nothing_that_is_saved_holds_the_path_it_was_saved_to() {
        let folder = tempfile::tempdir().unwrap();
        saved(folder.path());
        let paths = SweepPaths::new(folder.path());
        let run = paths.run("a").unwrap();
        for path in [paths.manifest(), run.record(), run.requests()] {
            let bytes = fs::read(&path).unwrap();
            let needle = folder.path().to_str().unwrap().as_bytes();
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{}", path.display());
        }
    }

    #[test]
    fn a_newer_major_version_is_refused_and_a_newer_minor_one_is_read() {
        let folder = tempfile::tempdir().unwrap();
        saved(folder.path());
        let path = SweepPaths::new(folder.path()).manifest();
        let text = fs::read_to_string(&path).unwrap();
        let with = |major: &str, minor: &str| {
            let text = text.replace("\"major\": 1", &format!("\"major\": {major}"));
            text.replace(&format!("\"minor\": {}", FormatVersion::CURRENT.minor), &format!("\"minor\": {minor}, \"patch\": [1]"))
                .replace("\"seed\"", "\"unheard_of\": {}, \"seed\"")
        };
        fs::write(&path, with("1", "7")).unwrap();
        assert_eq!(read_sweep(folder.path()).unwrap().runs.len(), 1);
        fs::write(&path, with("2", "0").replace("\"runs\"", "\"cells\"")).unwrap();
        let error = read_sweep(folder.path()).unwrap_err();
        assert!(error.to_string().contains("results format 2.0"), "{error}");
        assert!(SweepWriter::open(folder.path(), &manifest(&["a", "b"]), "").is_err());
    }

    #[test]
    fn a_folder_that_is_no_sweep_and_files_that_are_broken_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = read_sweep(folder.path()).unwrap_err();
        assert!(matches!(error, StoreError::NoSweep { .. }), "{error}");
        saved(folder.path());
        let run = SweepPaths::new(folder.path()).run("a").unwrap();
        for path in [run.record(), run.requests()] {
            let bytes = fs::read(&path).unwrap();
            for broken in [&bytes[..bytes.len() / 2], b"", b"PAR1"] {
                fs::write(&path, broken).unwrap();
                let error = read_sweep(folder.path()).unwrap_err().to_string();
                assert!(error.contains(path.to_str().unwrap()), "{error}");
            }
            fs::write(&path, bytes).unwrap();
        }
        fs::remove_file(run.requests()).unwrap();
        assert!(read_sweep(folder.path()).unwrap_err().to_string().contains("requests.parquet"));
    }

    #[test]
    fn a_run_id_in_a_manifest_that_leads_outside_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        saved(folder.path());
        let path = SweepPaths::new(folder.path()).manifest();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"id\": \"b\"", "\"id\": \"../../b\"")).unwrap();
        assert!(matches!(read_sweep(folder.path()), Err(StoreError::RunId { .. })));
    }

    #[test]
    fn however_many_strangers_there_are_few_are_named() {
        let folder = tempfile::tempdir().unwrap();
        saved(folder.path());
        let runs = SweepPaths::new(folder.path()).runs();
        for number in 0..2000 {
            fs::File::create(runs.join(format!("stranger-{number:04}"))).unwrap();
        }
        let notes = read_sweep(folder.path()).unwrap().notes;
        assert_eq!(notes.len(), 1 + NAMED_STRANGERS + 1);
        assert!(notes[1].contains("`runs/stranger-0000`") && notes[11] == "nor are 1990 others in `runs/`", "{notes:?}");
    }

    #[test]
    fn counts_that_do_not_fit_and_folders_that_were_not_planned_are_remarked() {
        let folder = tempfile::tempdir().unwrap();
        let writer = SweepWriter::open(folder.path(), &manifest(&["a"]), "").unwrap();
        writer.begin("a").unwrap().seal(&run_record(header("a"), 3)).unwrap();
        fs::create_dir(writer.paths().runs().join("zz")).unwrap();
        let sweep = read_sweep(folder.path()).unwrap();
        assert_eq!(sweep.notes, ["run `a` counts 3 requests and has 0 saved", "`runs/zz` is not a run of this sweep; it is not read"]);
        assert_eq!(sweep.runs[0].requests.rows(), 0);
    }
}
