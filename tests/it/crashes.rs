//! A sweep that is killed at any instant and gone on with ends as one that was never killed: nothing sealed is touched, nothing half
//! written is taken for whole, and the report is the same byte for byte. The same of Ctrl-C while the report is made.
//!
//! The instants are seeded shares of the time that an undisturbed sweep takes. `BENCH_KILLS` says how many there are: the whole proof is
//! `BENCH_KILLS=300 BENCH_PROGRAM=target/release/bench cargo test --test it -- --nocapture crashes`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::stage::{Stage, are_the_same, dateless, files, sealed_runs};

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
    killed_and_gone_on_with(&[]);
}

#[test]
fn so_does_one_that_keeps_its_texts() {
    killed_and_gone_on_with(&["--keep-text"]);
}

fn killed_and_gone_on_with(flags: &[&str]) {
    let stage = Stage::with("crashes.toml", SCENARIO);
    let begun = Instant::now();
    ended_well(&stage, "whole", start(&stage, "whole", flags));
    assert_eq!(texts(&stage.path("whole")) > 0, flags.contains(&"--keep-text"));
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
            let was_running = kill_after(instant, &stage, &name, start(&stage, &name, flags));
            killed += u32::from(was_running);
            too_late += u32::from(!was_running);
            let found = sealed_runs(&folder);
            for (name, bytes) in &sealed {
                assert!(found.get(name) == Some(bytes), "the sealed `{}` was touched in sweep {sweep}", name.display());
            }
            sealed = found;
        }
        ended_well(&stage, &name, start(&stage, &name, flags));
        are_the_same(&dateless(&folder), &expected, &format!("sweep {sweep}"));
        fs_err::remove_dir_all(&folder).unwrap();
        if killed >= kills {
            println!("{killed} kills in {} sweeps that take {takes:?} each, {too_late} that came after the end", sweep + 1);
            break;
        }
    }
}

/// Starts the sweep or goes on with it. What it says on stderr goes to a file, lest a full pipe hold it up.
fn start(stage: &Stage, folder: &str, flags: &[&str]) -> Child {
    let mut bench = stage.command(&[&["sweep", "crashes.toml", "-o", folder, "-q"], flags].concat());
    let said = fs_err::File::create(stage.path(&format!("{folder}.stderr"))).unwrap();
    bench.stdout(Stdio::piped()).stderr(said.into_file()).spawn().unwrap()
}

/// Waits for its end, which must be a good one.
fn ended_well(stage: &Stage, folder: &str, mut child: Child) {
    let output = child.stdout.take().map(|mut output| output.read_to_end(&mut Vec::new()));
    assert!(output.is_some_and(|read| read.is_ok()));
    is_success(stage, folder, child.wait().unwrap());
}

fn is_success(stage: &Stage, folder: &str, status: ExitStatus) {
    let said = fs_err::read_to_string(stage.path(&format!("{folder}.stderr"))).unwrap();
    assert!(status.success(), "`{folder}` ends with {status}, and says:\n{said}");
}

/// Kills it after that time; `false` where it was done before, and well.
fn kill_after(instant: Duration, stage: &Stage, folder: &str, mut child: Child) -> bool {
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
        let status = child.wait().unwrap();
        if !running {
            is_success(stage, folder, status);
        }
        running
    })
}

/// How many files of texts there are.
fn texts(folder: &Path) -> usize {
    files(folder).keys().filter(|name| name.ends_with("texts.jsonl")).count()
}

/// The pictures and pages, each as a whole or as it was before.
const REPORT: &str = "report";

#[cfg(unix)]
#[test]
fn ctrl_c_while_the_report_is_made_leaves_no_half_of_a_file_and_it_can_be_gone_on_with() {
    let stage = Stage::with("crashes.toml", SCENARIO);
    ended_well(&stage, "whole", start(&stage, "whole", &[]));
    let begun = Instant::now();
    ended_well(&stage, "whole", start(&stage, "whole", &[]));
    // All is sealed already, so that this is the time of a report.
    let (mut takes, expected) = (begun.elapsed(), dateless(&stage.path("whole")));
    let (mut left, mut finished) = (0, 0);
    for share in [0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9] {
        fs_err::remove_dir_all(stage.path("whole").join(REPORT)).unwrap();
        let begun = Instant::now();
        let mut child = start(&stage, "whole", &[]);
        let mut output = child.stdout.take().unwrap();
        let (ended, end) = channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let _ = output.read_to_end(&mut Vec::new());
                let _ = ended.send(());
            });
            if end.recv_timeout(takes.mul_f64(share)) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
            }
            let status = child.wait().unwrap();
            if status.code() == Some(130) {
                left += 1;
            } else {
                is_success(&stage, "whole", status);
                finished += 1;
                // The machine may be less busy than it was.
                takes = takes.min(begun.elapsed());
            }
        });
        let found = dateless(&stage.path("whole"));
        for (name, bytes) in found.iter().filter(|(name, _)| name.extension().is_none_or(|extension| extension != "partial")) {
            assert!(expected.get(name) == Some(bytes), "`{}` is not what it is in a whole report", name.display());
        }
        ended_well(&stage, "whole", start(&stage, "whole", &[]));
        assert!(dateless(&stage.path("whole")) == expected, "another report after Ctrl-C at {share} of its time");
    }
    assert!(left > 0, "no Ctrl-C came while there was something to leave: {finished} reports were finished");
}
