//! A real S3 server: `BENCH_S3` is its URL, as `tests/buckets/s3.sh` starts one. Without it the test says so and passes; with `BENCH_REQUIRE_S3=1` that is
//! a failure.

use std::process::Output;

use super::super::stage::{Running, Stage, dateless, stderr, stdout, succeeded};
use super::{ended_with, stage};

/// The program with the real server.
struct RealServer {
    stage: Stage,
    url: String,
}

impl RealServer {
    fn found() -> Option<Self> {
        let url = std::env::var("BENCH_S3").ok().filter(|url| !url.is_empty());
        let is_required = std::env::var("BENCH_REQUIRE_S3").is_ok_and(|value| value == "1");
        assert!(url.is_some() || !is_required, "BENCH_REQUIRE_S3 is set, and BENCH_S3 names no server");
        if url.is_none() {
            println!("not tried: BENCH_S3 names no S3 server; tests/buckets/s3.sh starts one");
        }
        Some(Self { stage: stage(), url: url? })
    }

    fn command(&self, home: &str, words: &[&str]) -> std::process::Command {
        let folder = |name: &str| self.stage.path(home).join(name);
        let mut command = self.stage.command(words);
        command.envs([("AWS_ENDPOINT_URL", self.url.as_str()), ("AWS_ACCESS_KEY_ID", "any"), ("AWS_SECRET_ACCESS_KEY", "any-secret-key")]);
        command.env("AWS_REGION", "us-east-1").env("BENCH_SPOOL", folder("spool")).env("BENCH_CACHE", folder("cache"));
        command
    }

    fn run(&self, home: &str, words: &[&str]) -> Output {
        self.command(home, words).output().unwrap()
    }
}

#[test]
fn a_real_server_holds_what_a_folder_would_through_a_kill_a_push_and_three_nights() {
    let Some(real) = RealServer::found() else { return };
    let made = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::new().put(format!("{}/bench-tests", real.url)).send().await
    });
    assert!(made.is_ok(), "{made:?}");
    let place = format!("s3://bench-tests/{}", std::process::id());
    let one = format!("{place}/nights/2026-11-27");
    succeeded(&real.run("here", &["sweep", "one.toml", "-o", "folder/2026-11-27", "-q"]));

    // Killed in the middle, and gone on with where it was.
    let mut killed = Running::of(&mut real.command("here", &["sweep", "one.toml", "-o", &one]));
    killed.await_line("[4/8]");
    drop(killed);
    succeeded(&real.run("here", &["sweep", "one.toml", "-o", &one, "-q"]));

    let aws = real.run("there", &["report", &one, "--format", "json", "-o", "written"]);
    succeeded(&aws);
    let folder = real.run("there", &["report", "folder/2026-11-27", "--format", "json"]);
    assert_eq!(without_date(&stdout(&aws)), without_date(&stdout(&folder)));

    // What was measured into a folder, pushed twice; and another run under the same ids.
    let pushed = format!("{place}/pushed");
    succeeded(&real.run("here", &["push", "folder/2026-11-27", &pushed]));
    let again = real.run("here", &["push", "folder/2026-11-27", &pushed]);
    succeeded(&again);
    assert!(stderr(&again).contains("0 runs sent") && stderr(&again).contains("8 runs there already"), "{}", stderr(&again));
    succeeded(&real.run("there", &["sweep", "one.toml", "--from", &pushed, "-o", "taken/2026-11-27", "-q"]));
    assert!(dateless(&real.stage.path("taken/2026-11-27")) == dateless(&real.stage.path("folder/2026-11-27")));
    real.stage.write("other.toml", &super::SCENARIO.replace("seed = 7", "seed = 8"));
    ended_with(&real.run("here", &["sweep", "other.toml", "-o", &pushed, "-q"]), 2);

    for night in ["2026-11-28", "2026-11-29"] {
        succeeded(&real.run("here", &["sweep", "one.toml", "-o", &format!("{place}/nights/{night}"), "-q"]));
    }
    let history = real.run("there", &["history", &format!("{place}/nights")]);
    succeeded(&history);
    assert!(stdout(&history).contains("one: 3 nights"), "{}", stdout(&history));
}

/// A report's JSON without the time at which its sweep was begun.
fn without_date(text: &str) -> String {
    text.lines().filter(|line| !line.contains("created_at")).collect::<Vec<_>>().join("\n")
}
