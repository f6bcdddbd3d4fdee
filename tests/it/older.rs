//! Sweeps saved by earlier programs are read, judged and reported as they were; what a later one saved is refused.

use std::path::{Path, PathBuf};

use bench::analysis::{SummaryOptions, summarize};
use bench::records::record::FormatVersion;
use bench::records::store::read_sweep;

use super::stage::{Stage, said, stderr, stdout};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats")
}

/// The versions of which a sweep is kept.
fn versions() -> Vec<FormatVersion> {
    let mut versions: Vec<FormatVersion> = fs_err::read_dir(fixtures())
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let (major, minor) = name.split_once('.')?;
            Some(FormatVersion { major: major.parse().ok()?, minor: minor.parse().ok()? })
        })
        .collect();
    versions.sort();
    versions
}

/// A copy, since a report is written into the folder.
fn copied(version: FormatVersion) -> Stage {
    let stage = Stage::new();
    let (from, to) = (fixtures().join(version.to_string()), stage.path("saved"));
    for (name, bytes) in super::stage::files(&from) {
        let file = to.join(name);
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(file, bytes).unwrap();
    }
    stage
}

#[test]
fn a_sweep_is_kept_of_every_version_before_this_one() {
    let before: Vec<u32> = (0..FormatVersion::CURRENT.minor).collect();
    let kept: Vec<u32> = versions().iter().filter(|version| **version < FormatVersion::CURRENT).map(|version| version.minor).collect();
    assert_eq!(kept, before, "keep one of the last version in `tests/fixtures/formats` before there is a new one");
}

#[test]
fn what_earlier_programs_saved_says_what_it_said_then() {
    for version in versions() {
        let sweep = read_sweep(&fixtures().join(version.to_string())).unwrap();
        assert_eq!((sweep.manifest.format, sweep.runs.len(), sweep.missing.len()), (version, 2, 0));
        assert!(sweep.notes.is_empty(), "{version}: {:?}", sweep.notes);
        let samples: usize = sweep.runs.iter().map(|run| run.samples().unwrap().len()).sum();
        assert_eq!(samples > 0, version.minor >= 1, "{version} has the server's metrics from 1.1 on");
        let summary = summarize(&sweep, &SummaryOptions::default()).unwrap();
        let cells: Vec<_> = summary.variants[0]
            .cells
            .iter()
            .map(|cell| {
                let shown = cell.shown.as_ref().unwrap();
                (cell.n, cell.failed, shown.n, shown.value.map(bench::analysis::ExtendedReal::get), cell.passes)
            })
            .collect();
        // The answers of the program of then; the seventh of eight requests failed.
        let expected = [(4, 0, 3, Some(0.001_295_8), Some(true)), (8, 1, 6, Some(f64::INFINITY), Some(false))];
        assert_eq!(cells, expected, "{version}");
    }
}

#[test]
fn what_earlier_programs_saved_can_be_reported_by_the_program() {
    for version in versions() {
        let stage = copied(version);
        let reported = stage.run(&["report", "saved"]);
        assert_eq!(reported.status.code(), Some(0), "{version}: {}", said(&reported));
        assert!(stdout(&reported).contains("SIMULATED"), "{version}: {}", said(&reported));
    }
}

#[test]
fn a_saved_goal_that_this_program_does_not_read_is_named_and_another_one_can_be_asked() {
    let stage = copied(FormatVersion { major: 1, minor: 4 });
    let manifest = fs_err::read_to_string(stage.path("saved/manifest.json")).unwrap();
    // Earlier programs took a limit without a unit.
    stage.write("saved/manifest.json", &manifest.replace("<= 2s\"", "<= 2\""));
    let refused = stage.run(&["report", "saved"]);
    assert_ne!(refused.status.code(), Some(0), "{}", said(&refused));
    assert!(stderr(&refused).contains("`p95(ttft where turn >= 1) <= 2` is no goal"), "{}", said(&refused));
    let asked = stage.run(&["report", "saved", "--goal", "p95(ttft where turn >= 1) <= 2s"]);
    assert_eq!(asked.status.code(), Some(0), "{}", said(&asked));
}

#[test]
fn a_sweep_that_was_measured_with_version_1_1_is_still_read() {
    let sweep = read_sweep(&Path::new(env!("CARGO_MANIFEST_DIR")).join("results/lab")).unwrap();
    assert_eq!(sweep.manifest.format, FormatVersion { major: 1, minor: 1 });
    assert!(!sweep.manifest.simulated && !sweep.runs.is_empty());
    summarize(&sweep, &SummaryOptions::default()).unwrap();
}

#[test]
fn what_a_later_program_saved_is_refused_with_what_to_do_and_not_touched() {
    let stage = copied(FormatVersion { major: 1, minor: 3 });
    let manifest = fs_err::read_to_string(stage.path("saved/manifest.json")).unwrap().replacen("\"major\": 1", "\"major\": 2", 1);
    stage.write("saved/manifest.json", &manifest);
    let before = super::stage::files(&stage.path("saved"));
    for words in [&["report", "saved"][..], &["sweep", "saved/scenario.toml", "-o", "saved"], &["plot", "saved", "-o", "p.svg"]] {
        let refused = stage.run(words);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {}", said(&refused));
        let words = stderr(&refused);
        assert!(words.contains("results format 2.3") && words.contains("use a newer `bench`"), "{words}");
    }
    let mut after = super::stage::files(&stage.path("saved"));
    after.remove(Path::new(".lock"));
    assert!(after == before);
}

#[test]
fn a_sweep_whose_axes_are_pairs_is_gone_on_with_and_what_is_sealed_stays_as_it_was() {
    let stage = copied(FormatVersion { major: 1, minor: 6 });
    let (kept, lost) = ("saved/runs/default-sequential2-r0-c8d024ad/run.json", "saved/runs/default-sequential1-r0-2a303c29");
    let (manifest, before) = (stage.json("saved/manifest.json"), fs_err::read(stage.path(kept)).unwrap());
    let rows = |stage: &Stage| {
        let sweep = read_sweep(&stage.path("saved")).unwrap();
        let run = sweep.runs.iter().find(|run| lost.ends_with(&run.record.header.id)).unwrap();
        run.requests.records().unwrap()
    };
    let before_it_was_lost = rows(&stage);
    fs_err::remove_dir_all(stage.path(lost)).unwrap();
    let swept = stage.run(&["sweep", "saved/scenario.toml", "-o", "saved"]);
    assert_eq!(swept.status.code(), Some(0), "{}", said(&swept));
    assert_eq!((stage.json("saved/manifest.json"), fs_err::read(stage.path(kept)).unwrap()), (manifest, before));
    assert_eq!(rows(&stage), before_it_was_lost);
    assert_eq!(stage.json(&format!("{lost}/run.json"))["axes"]["workload.sequential"], 1);
    let sweep = read_sweep(&stage.path("saved")).unwrap();
    assert_eq!((sweep.runs.len(), sweep.notes), (2, Vec::<String>::new()));
}

#[test]
fn a_sweep_of_ids_without_underscores_is_gone_on_with_and_its_runs_are_taken_over() {
    let stage = copied(FormatVersion { major: 1, minor: 6 });
    let scenario = fs_err::read_to_string(stage.path("saved/scenario.toml")).unwrap();
    let scenario = scenario.replace("answer_tokens = 4\n", "").replace("sequential = [1, 2]", "answer_tokens = [4, 8]");
    stage.write("under.toml", &scenario);
    let sweep = |words: &[&str]| {
        let swept = stage.run(words);
        assert_eq!(swept.status.code(), Some(0), "{}", said(&swept));
        stderr(&swept)
    };
    sweep(&["sweep", "under.toml", "-o", "new"]);
    let manifest = stage.json("new/manifest.json");
    let ids: Vec<&str> = manifest["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert!(ids.iter().all(|id| id.starts_with("default-answer_tokens")), "{ids:?}");

    // As an older program would have saved them.
    let saved = fs_err::read_to_string(stage.path("new/manifest.json")).unwrap();
    let plain = |text: &str| text.replace("default-answer_tokens", "default-answertokens");
    fs_err::create_dir(stage.path("old")).unwrap();
    stage.write("old/manifest.json", &plain(&saved));
    stage.write("old/scenario.toml", &scenario);
    for (name, bytes) in super::stage::files(&stage.path("new/runs")) {
        let file = stage.path("old/runs").join(plain(name.to_str().unwrap()));
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        let text = if name.ends_with("run.json") { plain(std::str::from_utf8(&bytes).unwrap()).into_bytes() } else { bytes };
        fs_err::write(file, text).unwrap();
    }
    let lost = stage.path("old/runs").join(plain(ids[1]));
    fs_err::remove_dir_all(&lost).unwrap();
    sweep(&["sweep", "under.toml", "-o", "old"]);
    assert!(lost.join("run.json").exists() && !stage.path("old/runs").join(ids[1]).exists());
    let gone_on_with = read_sweep(&stage.path("old")).unwrap();
    assert_eq!((gone_on_with.runs.len(), gone_on_with.notes), (2, Vec::<String>::new()));

    let words = sweep(&["sweep", "under.toml", "-o", "taken", "--from", "old"]);
    assert!(words.contains("2 sealed runs taken from `old`"), "{words}");
    let taken = read_sweep(&stage.path("taken")).unwrap();
    let names: Vec<&str> = taken.runs.iter().map(|run| run.record.header.id.as_str()).collect();
    assert_eq!((names, taken.notes), (ids, Vec::<String>::new()));
}
