//! Arrays in a real Slurm: submitted, finished, merged, cut short in several ways, and gone on with.

use super::SCENARIO;
use super::slurm::{Slurm, jobs, log};
use crate::stage::{Stage, dateless, files, said, stdout, succeeded};

/// One block of two cells on a server that it starts itself; in the second cell requests go silent for 2 s again and again, until there is a file `mended`.
const STALLING: &str = r#"
name = "stalling"
order = "listed"

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 50 }
rounds = 1
answer_tokens = 4

[target]
model = "small"
url = "http://127.0.0.1:0"
idle_timeout = "2s"

[matrix]
sequential = [1, 100]

[server]
command = ["sh", "server.sh", "{port}"]
ready = "/health"
reset = "none"
"#;

const SERVER: &str = r#"
faults='faults=[{ kind = "stall", every = 7, after_tokens = 1 }]'
if [ -e mended ]; then faults='faults=[]'; fi
exec "$BENCH" sim --host 127.0.0.1 --port "$1" --model small --set "$faults"
"#;

fn stalling() -> Stage {
    let stage = Stage::with("stalling.toml", STALLING);
    stage.write("server.sh", &SERVER.replace("$BENCH", &crate::stage::program().display().to_string()));
    stage
}

const SUBMIT: [&str; 7] = ["submit", "stalling.toml", "-q", "-o", "out", "--to", "slurm"];

#[test]
fn an_array_is_submitted_finishes_and_merges_to_what_one_machine_measures() {
    let Some(slurm) = Slurm::get() else { return };
    let stage = Stage::with("small.toml", SCENARIO);
    let submit = ["submit", "small.toml", "--simulate", "-o", "out", "--to", "slurm", "--go"];
    let output = slurm.bench(&stage, &submit);
    succeeded(&output);
    let [_, merge] = jobs(&output);
    slurm.await_end(&merge);

    succeeded(&stage.run(&["sweep", "small.toml", "--simulate", "-q", "-o", "alone"]));
    for run in stage.runs("alone") {
        let merged = stage.path("out/runs").join(run.file_name().unwrap());
        assert!(files(&merged) == files(&run), "{}", merged.display());
    }
    let verdict = fs_err::read_to_string(stage.path(&format!("out/submit/logs/merge-{merge}.log"))).unwrap();
    assert!(verdict.contains("merged: 3 of 3 blocks are whole, 6 runs") && verdict.contains("verdict: default"), "{verdict}");

    let again = slurm.bench(&stage, &submit);
    succeeded(&again);
    assert!(stdout(&again).starts_with("all of 3 blocks are sealed\n"), "{}", stdout(&again));
}

#[test]
fn submitting_again_does_only_what_is_left() {
    let Some(slurm) = Slurm::get() else { return };
    let stage = Stage::with("small.toml", SCENARIO);
    let submit = ["submit", "small.toml", "--simulate", "-o", "out", "--to", "slurm", "--go"];
    let [_, merge] = jobs(&slurm.bench(&stage, &submit));
    slurm.await_end(&merge);
    // As a node that died in the middle leaves it.
    let mut blocks: Vec<_> = fs_err::read_dir(stage.path("out/blocks")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    blocks.sort();
    let block = format!("out/blocks/{}", blocks[1].display());
    let lost = stage.runs(&block).remove(0).join("run.json");
    fs_err::remove_file(&lost).unwrap();
    let kept = dateless(&stage.path("out/blocks").join(&blocks[0]));

    let output = slurm.bench(&stage, &submit);
    succeeded(&output);
    assert!(stdout(&output).contains("1 block to do, and 2 of 3 sealed already") && stdout(&output).contains("#SBATCH --array=1\n"));
    let [_, merge] = jobs(&output);
    slurm.await_end(&merge);
    assert!(lost.exists());
    assert!(dateless(&stage.path("out/blocks").join(&blocks[0])) == kept);
}

#[test]
fn a_task_whose_time_is_up_seals_what_is_finished_and_goes_on_later() {
    let Some(slurm) = Slurm::get() else { return };
    let stage = stalling();
    let [array, merge] = jobs(&slurm.bench(&stage, &[&SUBMIT[..], &["--go"]].concat()));
    let task = format!("{array}_0");
    let mut log = log(&stage, "out", &task);
    log.await_line("[1/2]");
    stage.write("mended", "");
    // What `--signal=B:TERM@120` sends before the time limit.
    slurm.ask("scancel", &["--batch", "--signal=TERM", &task]);
    log.await_line("stopping: requests in flight are awaited");
    log.await_line("time is up");
    slurm.await_end(&merge);
    assert_eq!(stage.runs("out").len(), 2);
    let restarts = slurm.ask("scontrol", &["show", "job", &task]);
    assert!(restarts.contains("Restarts=1") && restarts.contains("JobState=COMPLETED"), "{restarts}");
}

#[test]
fn a_task_that_is_killed_in_the_middle_and_queued_again_goes_on() {
    let Some(slurm) = Slurm::get() else { return };
    let stage = stalling();
    let [array, merge] = jobs(&slurm.bench(&stage, &[&SUBMIT[..], &["--go"]].concat()));
    let task = format!("{array}_0");
    let mut log = log(&stage, "out", &task);
    log.await_line("[1/2]");
    stage.write("mended", "");
    // As when its node is taken away.
    slurm.ask("scontrol", &["requeue", &task]);
    log.await_line("1 of 2 runs are there already");
    slurm.await_end(&merge);
    assert_eq!(stage.runs("out").len(), 2);
}

#[test]
fn a_cancelled_task_keeps_what_is_sealed_is_not_queued_again_and_is_submitted_again() {
    let Some(slurm) = Slurm::get() else { return };
    let stage = stalling();
    let [array, merge] = jobs(&slurm.bench(&stage, &[&SUBMIT[..], &["--go"]].concat()));
    let mut log = log(&stage, "out", &format!("{array}_0"));
    log.await_line("[1/2]");
    slurm.ask("scancel", &[&array]);
    slurm.await_end(&merge);
    let job = slurm.ask("scontrol", &["show", "job", &format!("{array}_0")]);
    assert!(job.contains("JobState=CANCELLED") && job.contains("Restarts=0"), "{job}");

    stage.write("mended", "");
    let again = slurm.bench(&stage, &[&SUBMIT[..], &["--go"]].concat());
    succeeded(&again);
    let [_, merge] = jobs(&again);
    slurm.await_end(&merge);
    assert_eq!(stage.runs("out").len(), 2);
}

#[test]
fn a_task_that_finishes_nothing_in_its_time_is_not_queued_for_ever() {
    let Some(slurm) = Slurm::get() else { return };
    let stage = stalling();
    let [array, merge] = jobs(&slurm.bench(&stage, &[&SUBMIT[..], &["--only", "sequential=100", "--go"]].concat()));
    let task = format!("{array}_0");
    let mut log = log(&stage, "out", &task);
    // Shown before anything is measured, when signals are heard already.
    log.await_line("server.sh");
    slurm.ask("scancel", &["--batch", "--signal=TERM", &task]);
    log.await_line("raise the limit");
    slurm.await_end(&merge);
    let job = slurm.ask("scontrol", &["show", "job", &task]);
    assert!(job.contains("ExitCode=130:0") && job.contains("Restarts=0"), "{job}");
}

#[test]
fn what_is_in_the_queue_is_not_submitted_a_second_time() {
    let Some(slurm) = Slurm::get() else { return };
    let stage = Stage::with("small.toml", SCENARIO);
    stage.write("cluster.toml", "[slurm]\noptions = [\"--hold\"]\n");
    let submit = ["submit", "small.toml", "--simulate", "-q", "-o", "out", "--to", "slurm", "--cluster", "cluster.toml", "--go"];
    let [array, merge] = jobs(&slurm.bench(&stage, &submit));
    let output = slurm.bench(&stage, &submit);
    assert_eq!(output.status.code(), Some(2));
    let expected = format!("in the queue already, as job {array}\nhint: await the job, or end it first: scancel {array} {merge}\n");
    assert!(said(&output).contains(&expected), "{}", said(&output));
    slurm.ask("scancel", &[&array, &merge]);
}

#[test]
fn a_site_that_slurm_does_not_take_is_told_in_slurms_words() {
    let Some(slurm) = Slurm::get() else { return };
    let stage = Stage::with("small.toml", SCENARIO);
    stage.write("cluster.toml", "[slurm]\npartition = \"nowhere\"\n");
    let output = slurm
        .bench(&stage, &["submit", "small.toml", "--simulate", "-q", "-o", "out", "--to", "slurm", "--cluster", "cluster.toml", "--go"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("error: `sbatch` refuses the job: ") && said(&output).contains("invalid partition"),
        "{}",
        said(&output)
    );
}
