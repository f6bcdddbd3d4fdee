//! A sweep that is killed at any instant and gone on with ends as one that was never killed: nothing sealed is touched, nothing half
//! written is taken for whole, and the report is the same byte for byte.
//!
//! The instants are seeded shares of the time that an undisturbed sweep takes. `BENCH_KILLS` says how many there are.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// How often a sweep is killed before it is let go on to its end.
const KILLS_A_SWEEP: u32 = 10;

const SCENARIO: &str = r#"
seed = 7
repeats = 2
[workload]
kind = "document_qa"
documents = { synthetic_tokens = 1000 }
rounds = 2
answer_tokens = 4
[target]
kind = "sim"
[engine]
preset = "tiny"
[matrix]
concurrent = [1, 2]
sequential = [1, 2]
[[goals]]
require = "p95(ttft where turn >= 1) <= 1s"
[variants.plain]
[variants.slow.engine]
slowdown = 1.5
"#;

#[test]
fn a_sweep_killed_at_any_instant_and_gone_on_with_ends_as_one_that_never_was() {
    let home = tempfile::tempdir().unwrap();
    let scenario = home.path().join("crashes.toml");
    fs_err::write(&scenario, SCENARIO).unwrap();
    let whole = home.path().join("whole");
    let begun = Instant::now();
    assert!(start(&scenario, &whole).wait().unwrap().success());
    let (takes, expected) = (begun.elapsed(), contents(&whole));
    assert!(expected.len() > 30, "a table and a record for each run, and the report: {:?}", expected.keys());

    let kills: u32 = std::env::var("BENCH_KILLS").map_or(8, |kills| kills.parse().unwrap());
    let mut instants = Pcg64::seed_from_u64(7);
    let mut killed = 0;
    for sweep in 0.. {
        let folder = home.path().join(format!("killed-{sweep}"));
        let mut sealed = BTreeMap::new();
        for _ in 0..KILLS_A_SWEEP {
            let instant = takes.mul_f64(instants.random_range(0.0..1.0));
            killed += u32::from(kill_after(instant, start(&scenario, &folder)));
            let found = sealed_runs(&folder);
            for (name, bytes) in &sealed {
                assert!(found.get(name) == Some(bytes), "the sealed `{name}` was touched in sweep {sweep}");
            }
            sealed = found;
        }
        assert!(start(&scenario, &folder).wait().unwrap().success(), "sweep {sweep} could not be gone on with");
        let found = contents(&folder);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "sweep {sweep}");
        for (name, bytes) in &found {
            assert!(expected[name] == *bytes, "`{name}` of sweep {sweep} is not what the undisturbed one has");
        }
        fs_err::remove_dir_all(&folder).unwrap();
        if killed >= kills {
            break;
        }
    }
}

fn start(scenario: &Path, folder: &Path) -> Child {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench.arg("sweep").arg(scenario).arg("-o").arg(folder).arg("-q");
    bench.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills it after that time; `false` where it was done before.
fn kill_after(instant: Duration, mut child: Child) -> bool {
    let mut output = child.stdout.take().unwrap();
    let (ended, end) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = output.read_to_end(&mut Vec::new());
            let _ = ended.send(());
        });
        let running = end.recv_timeout(instant) == Err(RecvTimeoutError::Timeout);
        if running {
            child.kill().unwrap();
        }
        child.wait().unwrap();
        running
    })
}

/// Every file by its path in the folder. The manifest's date is that of the start, and the lock is empty.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    collect(folder, folder, &mut files);
    files.remove(".lock");
    if let Some(manifest) = files.get_mut("manifest.json") {
        let mut read: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        read.as_object_mut().unwrap().remove("created_at").unwrap();
        *manifest = read.to_string().into_bytes();
    }
    files
}

/// The files of the runs that are whole. A journal beside them is a scrap of the last step of sealing.
fn sealed_runs(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for run in fs_err::read_dir(folder.join("runs")).into_iter().flatten() {
        let run = run.unwrap().path();
        if run.join("run.json").exists() {
            collect(folder, &run, &mut files);
        }
    }
    files.retain(|name, _| !name.ends_with("journal.jsonl") && !name.ends_with(".partial"));
    files
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            files.insert(path.strip_prefix(root).unwrap().display().to_string(), fs_err::read(&path).unwrap());
        }
    }
}
