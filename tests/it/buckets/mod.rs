//! Sweeps in buckets: what is there is what a folder would hold, whatever fails on the way.

mod blocks;
mod faults;
mod real_server;
mod s3_server;
mod secrets;
mod sweeps;

use std::path::Path;
use std::process::{Command, Output};

use self::s3_server::S3Server;
use super::stage::{Stage, said};

const ADDRESS: &str = "s3://bucket/nightly/one";

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
[[goals]]
require = "p95(ttft where turn >= 1) <= 1s"
[variants.plain]
[variants.slow.engine]
slowdown = 1.5
"#;

fn stage() -> Stage {
    Stage::with("one.toml", SCENARIO)
}

/// The program with the bucket of this server, on a machine whose spool and cache lie in `home`; not started yet.
fn command_on(stage: &Stage, server: &S3Server, home: &str, words: &[&str]) -> Command {
    let mut command = stage.command(words);
    command.envs(server.environment(&stage.path(home)));
    command
}

/// The same to its end.
fn run_on(stage: &Stage, server: &S3Server, home: &str, words: &[&str]) -> Output {
    command_on(stage, server, home, words).output().unwrap()
}

fn ended_with(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
}

/// What the bucket holds below the address, as a folder.
fn as_folder(stage: &Stage, server: &S3Server, name: &str) -> std::path::PathBuf {
    let folder = stage.path(name);
    if folder.exists() {
        fs_err::remove_dir_all(&folder).unwrap();
    }
    server.save_to(&folder, "nightly/one");
    folder
}

/// A folder with nothing of a spool in it.
fn is_without_sweeps(spool: &Path) -> bool {
    super::stage::files(spool).keys().all(|name| name.ends_with(".lock") || name.ends_with("lease"))
}
