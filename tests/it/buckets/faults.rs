//! A sweep into a bucket that fails, killed at seeded requests and gone on with, here or on another machine, ends as one that nothing befell.
//!
//! `BENCH_BUCKET_KILLS` says how many kills there are: the whole proof is
//! `BENCH_BUCKET_KILLS=300 BENCH_PROGRAM=target/release/bench cargo test --test it -- --nocapture buckets::faults`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::super::stage::{are_the_same, dateless, killed_at, sealed_runs, succeeded};
use super::s3_server::{HeldRequest, S3Server};
use super::{ADDRESS, as_folder, command_on, run_on, stage};

/// How often a sweep is killed before it is let go on to its end.
const KILLS_A_SWEEP: u32 = 5;

#[test]
fn a_sweep_into_a_failing_bucket_killed_at_any_request_ends_as_one_that_nothing_befell() {
    let stage = stage();
    let words = ["sweep", "one.toml", "-o", ADDRESS, "-q"];
    let quiet = S3Server::start();
    succeeded(&run_on(&stage, &quiet, "quiet", &words));
    let (requests, expected) = (quiet.asked().len(), dateless(&as_folder(&stage, &quiet, "expected")));
    assert!(expected.len() > 20, "{:?}", expected.keys());

    let kills: u32 = std::env::var("BENCH_BUCKET_KILLS").map_or(4, |kills| kills.parse().unwrap());
    let mut random = Pcg64::seed_from_u64(11);
    let (mut killed, mut too_late) = (0, 0);
    for sweep in 0.. {
        let server = S3Server::start();
        server.fail_by(sweep);
        let mut sealed: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
        for _ in 0..KILLS_A_SWEEP {
            let (after, is_done) = (random.random_range(0..requests), random.random());
            let was_running = killed_at(&mut command_on(&stage, &server, "here", &words), |told| {
                server.hold(HeldRequest { after, is_done, told });
            });
            server.hold_none();
            killed += u32::from(was_running);
            too_late += u32::from(!was_running);
            let found = sealed_runs(&as_folder(&stage, &server, "sealed"));
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
        are_the_same(&dateless(&as_folder(&stage, &server, "found")), &expected, &format!("sweep {sweep}"));
        fs_err::remove_dir_all(stage.path("here")).unwrap();
        if killed >= kills {
            println!("{killed} kills in {} sweeps of {requests} requests each, {too_late} that came after the end", sweep + 1);
            break;
        }
    }
}
