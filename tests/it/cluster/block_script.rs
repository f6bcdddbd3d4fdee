//! What a task's script does once its sweep was told to stop, by the state that Slurm says the task is in. `squeue` and `scontrol` are scripts here, since a
//! real Slurm says some of these states for moments only.

use std::process::Command;

use super::{SCENARIO, with_programs};
use crate::stage::{Stage, stderr, succeeded};

/// A sweep that seals one run, and is stopped.
const STOPPED: &str = "mkdir -p out/blocks/0-r0/runs/a; touch out/blocks/0-r0/runs/a/run.json; exit 130";

/// What the first task of an array of three asks Slurm for, and what it says, where its sweep is `sweep` and `squeue` is that line of shell.
fn task(sweep: &str, squeue: &str) -> (Vec<String>, String) {
    let stage = Stage::with("small.toml", SCENARIO);
    stage.write("sweep.sh", sweep);
    stage.write("cluster.toml", "[slurm]\nprogram = [\"sh\", \"sweep.sh\"]\n");
    succeeded(&stage.run(&["submit", "small.toml", "--simulate", "-q", "-o", "out", "--to", "slurm", "--cluster", "cluster.toml"]));
    let mut script = Command::new("bash");
    script.arg("out/submit/blocks.sbatch").current_dir(stage.folder());
    script.env("SLURM_ARRAY_JOB_ID", "7").env("SLURM_ARRAY_TASK_ID", "0");
    let output = with_programs(&stage, &[("squeue", squeue), ("scontrol", "true"), ("sleep", "true")], script);
    assert_eq!(output.status.code(), Some(130), "the code of the sweep is the task's: {}", stderr(&output));
    let called = fs_err::read_to_string(stage.path("called")).unwrap_or_default();
    (called.lines().filter(|line| line.starts_with("scontrol")).map(str::to_owned).collect(), stderr(&output))
}

#[test]
fn a_task_that_slurm_still_runs_is_queued_again() {
    // The second is what a task's state is until the node has confirmed the signal before the time limit.
    for state in ["RUNNING", "SIGNALING"] {
        let (asked, text) = task(STOPPED, &format!("echo {state}"));
        assert_eq!(asked, ["scontrol requeue 7_0"], "{state}: {text}");
        assert!(text.contains("the time is up: queued again"), "{text}");
    }
}

#[test]
fn a_controller_that_gives_no_answer_is_asked_again() {
    let (asked, text) = task(STOPPED, "[ $(grep -c squeue called) -gt 3 ] && echo RUNNING");
    assert_eq!(asked, ["scontrol requeue 7_0"], "{text}");
}

#[test]
fn a_task_that_slurm_ends_is_not_queued_again_and_says_so() {
    for (squeue, state) in [("echo CANCELLED", "CANCELLED"), ("echo COMPLETING", "COMPLETING"), ("true", "not there")] {
        let (asked, text) = task(STOPPED, squeue);
        assert!(asked.is_empty() && text.contains(&format!("not queued again: Slurm says that this task is {state}")), "{asked:?} {text}");
    }
}

#[test]
fn a_task_that_has_sealed_nothing_is_not_queued_again() {
    let (asked, text) = task("exit 130", "echo RUNNING");
    assert!(asked.is_empty() && text.contains("raise the limit"), "{asked:?} {text}");
}
