//! A sweep that is killed at any instant and gone on with ends as one that was never killed: nothing sealed is touched, nothing half
//! written is taken for whole, and the report is the same byte for byte.
//!
//! The instants are seeded shares of the time that an undisturbed sweep takes. `BENCH_KILLS` says how many there are: the whole proof is
//! `BENCH_KILLS=300 BENCH_PROGRAM=target/release/bench cargo test --test it -- --nocapture crashes`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::stage::{Stage, dateless, files};

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
    let stage = Stage::with("crashes.toml", SCENARIO);
    let begun = Instant::now();
    assert!(start(&stage, "whole").wait().unwrap().success());
    let (takes, expected) = (begun.elapsed(), dateless(&stage.path("whole")));
    assert!(expected.len() > 30, "a table and a record for each run, and the report: {:?}", expected.keys());

    let kills: u32 = std::env::var("BENCH_KILLS").map_or(8, |kills| kills.parse().unwrap());
    let mut instants = Pcg64::seed_from_u64(7);
    let (mut killed, mut too_late) = (0, 0);
    for sweep in 0.. {
        let name = format!("killed-{sweep}");
        let folder = stage.path(&name);
        let mut sealed: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
        for _ in 0..KILLS_A_SWEEP {
            let instant = takes.mul_f64(instants.random_range(0.0..1.0));
            let was_running = kill_after(instant, start(&stage, &name));
            killed += u32::from(was_running);
            too_late += u32::from(!was_running);
            let found = sealed_runs(&folder);
            for (name, bytes) in &sealed {
                assert!(found.get(name) == Some(bytes), "the sealed `{}` was touched in sweep {sweep}", name.display());
            }
            sealed = found;
        }
        assert!(start(&stage, &name).wait().unwrap().success(), "sweep {sweep} could not be gone on with");
        let found = dateless(&folder);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "sweep {sweep}");
        for (name, bytes) in &found {
            assert!(expected[name] == *bytes, "`{}` of sweep {sweep} is not what the undisturbed one has", name.display());
        }
        fs_err::remove_dir_all(&folder).unwrap();
        if killed >= kills {
            println!("{killed} kills in {} sweeps that take {takes:?} each, {too_late} that came after the end", sweep + 1);
            break;
        }
    }
}

fn start(stage: &Stage, folder: &str) -> Child {
    let mut bench = stage.command(&["sweep", "crashes.toml", "-o", folder, "-q"]);
    bench.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
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

/// The files of the runs that are whole. A journal beside them is a scrap of the last step of sealing.
fn sealed_runs(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let runs = folder.join("runs");
    if !runs.exists() {
        return BTreeMap::new();
    }
    let mut found = files(&runs);
    let is_scrap = |name: &Path| name.ends_with("journal.jsonl") || name.extension().is_some_and(|extension| extension == "partial");
    found.retain(|name, _| !is_scrap(name) && name.parent().is_some_and(|run| runs.join(run).join("run.json").exists()));
    found
}
