//! A saved sweep of which one file is another: read, judged and told in every format, and opened to go on with.
//!
//! One run is sealed, the other one was begun. Tables are read without the hash of what was sealed, as of runs before there were hashes.

use std::path::{Path, PathBuf};

use bench::analysis::{SummaryOptions, summarize};
use bench::presentation::report::{ColourMode, csv, json, markdown, terminal};
use bench::records::store::{SavedRun, SweepPaths, SweepWriter, read_journal, read_sweep};

use super::contract::{message, page};

const MANIFEST: &[u8] = include_bytes!("../../../tests/fixtures/fuzz/base/manifest.json");
const SCENARIO: &[u8] = include_bytes!("../../../tests/fixtures/fuzz/base/scenario.toml");
const RECORD: &[u8] = include_bytes!("../../../tests/fixtures/fuzz/base/sealed/run.json");
const REQUESTS: &[u8] = include_bytes!("../../../tests/fixtures/fuzz/base/sealed/requests.parquet");
const SAMPLES: &[u8] = include_bytes!("../../../tests/fixtures/fuzz/base/sealed/server_metrics.parquet");
const JOURNAL: &[u8] = include_bytes!("../../../tests/fixtures/fuzz/base/begun/journal.jsonl");

/// The file that is another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Manifest,
    Record,
    Journal,
    Requests,
    Samples,
}

/// One of the texts.
pub fn texts(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    with([Part::Manifest, Part::Record, Part::Journal][usize::from(*which) % 3], bytes);
}

/// One of the tables.
pub fn tables(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    with([Part::Requests, Part::Samples][usize::from(*which) % 2], bytes);
}

fn with(part: Part, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("sweep");
    let journal = written(&dir, part, bytes);
    told(&dir);
    let journaled =
        read_journal(&journal).map_or(0, |records| records.filter_map(Result::err).map(|fault| message(&fault.to_string())).count());
    assert!(journaled <= bytes.len());
    if part != Part::Requests && part != Part::Samples {
        resumed(&dir);
    }
}

/// Writes the sweep; where the journal is.
fn written(dir: &Path, part: Part, bytes: &[u8]) -> PathBuf {
    let paths = SweepPaths::new(dir);
    let ids = ["default-concurrent1-r0-3ca9dbdf", "default-concurrent2-r0-9e243eec"];
    let [sealed, begun] = ids.map(|id| paths.run(id).unwrap());
    for run in [&sealed, &begun] {
        fs_err::create_dir_all(run.dir()).unwrap();
    }
    let without_hashes = || {
        let mut record: serde_json::Value = serde_json::from_slice(RECORD).unwrap();
        record.as_object_mut().unwrap().remove("tables").unwrap();
        record.to_string().into_bytes()
    };
    let record = if matches!(part, Part::Requests | Part::Samples) { without_hashes() } else { RECORD.to_vec() };
    let put = |path: &Path, which: Part, whole: &[u8]| fs_err::write(path, if part == which { bytes } else { whole }).unwrap();
    put(&paths.manifest(), Part::Manifest, MANIFEST);
    fs_err::write(dir.join("scenario.toml"), SCENARIO).unwrap();
    put(&sealed.record(), Part::Record, &record);
    put(&sealed.requests(), Part::Requests, REQUESTS);
    put(&sealed.server_metrics(), Part::Samples, SAMPLES);
    put(&begun.journal(), Part::Journal, JOURNAL);
    begun.journal()
}

/// Everything that `bench report` prints and writes, pictures aside.
fn told(dir: &Path) {
    let sweep = match read_sweep(dir) {
        Ok(sweep) => sweep,
        Err(fault) => return message(&fault.to_string()),
    };
    sweep.notes.iter().for_each(|note| message(note));
    sweep.runs.iter().for_each(rows);
    match summarize(&sweep, &SummaryOptions::default()) {
        Err(fault) => message(&fault.to_string()),
        Ok(summary) => {
            page(&terminal(&summary, ColourMode::Never));
            assert!(!markdown(&summary).is_empty());
            let summaries = [summary];
            assert!(!csv(&summaries).unwrap().is_empty());
            assert!(serde_json::from_str::<serde_json::Value>(&json(&summaries)).is_ok(), "`summary.json` is JSON");
        }
    }
}

fn rows(run: &SavedRun) {
    if let Err(fault) = run.requests.records() {
        message(&fault.to_string());
    }
    if let Err(fault) = run.samples() {
        message(&fault.to_string());
    }
}

/// What `bench sweep` does first in a folder that is there.
fn resumed(dir: &Path) {
    let manifest = serde_json::from_slice(MANIFEST).unwrap();
    match SweepWriter::open(dir, &manifest, str::from_utf8(SCENARIO).unwrap()) {
        Err(fault) => message(&fault.to_string()),
        Ok(writer) => {
            for run in &manifest.runs {
                if let Err(fault) = writer.begin(&run.id) {
                    message(&fault.to_string());
                }
            }
        }
    }
}
