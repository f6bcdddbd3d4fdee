//! A sweep into a bucket that fails, killed at seeded instants and gone on with, here or on another machine, ends as one that nothing befell.
//!
//! `BENCH_BUCKET_KILLS` says how many kills there are: the whole proof is
//! `BENCH_BUCKET_KILLS=300 BENCH_PROGRAM=target/release/bench cargo test --test it -- --nocapture buckets::faults`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::super::stage::{dateless, files, succeeded};
use super::s3_server::S3Server;
use super::{ADDRESS, as_folder, run_on, stage, start_on};

/// How often a sweep is killed before it is let go on to its end.
const KILLS_A_SWEEP: u32 = 5;

#[test]
fn a_sweep_into_a_failing_bucket_killed_at_any_instant_ends_as_one_that_nothing_befell() {
    let stage = stage();
    let words = ["sweep", "one.toml", "-o", ADDRESS, "-q"];
    let quiet = S3Server::start();
    let begun = Instant::now();
    succeeded(&run_on(&stage, &quiet, "quiet", &words));
    let (takes, expected) = (begun.elapsed(), dateless(&as_folder(&stage, &quiet, "expected")));
    assert!(expected.len() > 20, "{:?}", expected.keys());

    let kills: u32 = std::env::var("BENCH_BUCKET_KILLS").map_or(4, |kills| kills.parse().unwrap());
    let mut random = Pcg64::seed_from_u64(11);
    let (mut killed, mut too_late) = (0, 0);
    for sweep in 0.. {
        let server = S3Server::start();
        server.fail_by(sweep);
        let mut sealed: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
        for _ in 0..KILLS_A_SWEEP {
            let was_running = kill_after(takes.mul_f64(random.random_range(0.0..1.2)), &stage, &server, &words);
            killed += u32::from(was_running);
            too_late += u32::from(!was_running);
            let found = sealed_runs(&stage, &server);
            for (name, bytes) in &sealed {
                assert!(found.get(name) == Some(bytes), "the sealed `{}` was touched in sweep {sweep}", name.display());
            }
            sealed = found;
        }
        let home = format!("home-{sweep}");
        let home = if random.random_range(0..2) == 0 {
            "here"
        } else {
            // Another machine waits for the lease of the killed process to run out, which is not awaited here.
            server.put("nightly/one/.lease", r#"{"holder": "-", "token": "-", "expires_at": "1999-01-01T00:00:00Z"}"#);
            home.as_str()
        };
        succeeded(&run_on(&stage, &server, home, &words));
        let found = dateless(&as_folder(&stage, &server, "found"));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "sweep {sweep}");
        for (name, bytes) in &found {
            assert!(expected[name] == *bytes, "`{}` of sweep {sweep} is not what the undisturbed one has", name.display());
        }
        fs_err::remove_dir_all(stage.path("here")).unwrap();
        if killed >= kills {
            println!("{killed} kills in {} sweeps that take {takes:?} each, {too_late} that came after the end", sweep + 1);
            break;
        }
    }
}

/// Kills it after that time; `false` where it was done before.
fn kill_after(instant: Duration, stage: &super::Stage, server: &S3Server, words: &[&str]) -> bool {
    let mut child = start_on(stage, server, "here", words);
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{}", fs_err::read_to_string(stage.path("said.txt")).unwrap());
            return false;
        }
        if begun.elapsed() >= instant {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The files of the runs in the bucket that are whole.
fn sealed_runs(stage: &super::Stage, server: &S3Server) -> BTreeMap<PathBuf, Vec<u8>> {
    let runs = as_folder(stage, server, "sealed").join("runs");
    if !runs.exists() {
        return BTreeMap::new();
    }
    let mut found = files(&runs);
    found.retain(|name, _| name.parent().is_some_and(|run| runs.join(run).join("run.json").exists()));
    found
}
