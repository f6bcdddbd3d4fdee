//! A sweep's blocks as jobs of a cluster: `bench submit` as its users meet it, and the jobs that it makes in a real Slurm.

use std::process::{Command, Output};

use crate::stage::Stage;

mod arrays;
mod block_script;
mod documents;
mod slurm;
mod steps;
mod submissions;

/// Three blocks, one a repeat, on the simulated engine.
const SCENARIO: &str = r#"
name = "small"
seed = 7
repeats = 3
spread = "repeats"

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 1000 }
rounds = 5
answer_tokens = 8

[engine]
preset = "tiny"
kv_memory = "3MB"

[matrix]
concurrent = [1, 2]

[[goals]]
require = "p95(ttft where turn >= 1) <= 10s"
"#;

/// Runs a command with programs of the stage before all others on the path, each a line of shell. They note in `called` how they are called.
fn with_programs(stage: &Stage, programs: &[(&str, &str)], mut command: Command) -> Output {
    let folder = stage.path("bin");
    fs_err::create_dir_all(&folder).unwrap();
    for (name, line) in programs {
        let path = folder.join(name);
        fs_err::write(&path, format!("#!/bin/sh\necho \"{name} $*\" >> \"{}\"\n{line}\n", stage.path("called").display())).unwrap();
        Command::new("chmod").arg("+x").arg(&path).status().unwrap();
    }
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.display())).output().unwrap()
}
