//! `bench submit` without a cluster: what it writes, shows, refuses and runs. `sbatch` and `kubectl` are scripts that note how they are called.

use std::process::Output;

use super::{SCENARIO, with_programs};
use crate::dead_address::DeadAddress;
use crate::stage::{Stage, said, stderr, stdout, succeeded};

fn stage() -> Stage {
    Stage::with("small.toml", SCENARIO)
}

fn submitted(stage: &Stage, programs: &[(&str, &str)], words: &[&str]) -> Output {
    with_programs(stage, programs, stage.command(words))
}

const SLURM: [&str; 7] = ["submit", "small.toml", "--simulate", "-o", "out", "--to", "slurm"];

#[test]
fn without_go_the_files_are_written_and_shown_and_nothing_is_run() {
    let stage = stage();
    let output = submitted(&stage, &[("sbatch", "echo 7")], &SLURM);
    succeeded(&output);
    let text = stdout(&output);
    assert!(text.starts_with("small: 3 blocks to do\n"), "{text}");
    assert!(text.contains("nothing is submitted yet") && text.contains("sbatch --dependency=afterany:"), "{text}");
    for file in ["blocks.sbatch", "merge.sbatch"] {
        let written = fs_err::read_to_string(stage.path("out/submit").join(file)).unwrap();
        assert!(written.lines().filter(|line| !line.is_empty()).all(|line| text.contains(&format!("  {line}\n"))), "{text}");
    }
    assert!(!stage.path("called").exists());
}

#[test]
fn with_go_the_merge_waits_for_the_array_in_whatever_way_it_ends() {
    let stage = stage();
    let output = submitted(&stage, &[("sbatch", "echo '7;cluster'"), ("squeue", "true")], &[&SLURM[..], &["-q", "--go"]].concat());
    succeeded(&output);
    let folder = stage.path("out/submit").display().to_string();
    let called = fs_err::read_to_string(stage.path("called")).unwrap();
    let expected = format!("sbatch --parsable {folder}/blocks.sbatch\nsbatch --parsable --dependency=afterany:7 {folder}/merge.sbatch\n");
    assert_eq!(called, expected);
}

#[test]
fn on_kubernetes_the_blocks_are_created_and_the_merge_is_shown() {
    let stage = stage();
    stage.write(
        "cluster.toml",
        "[kubernetes]\nimage = \"bench\"\nnamespace = \"llm\"\nvolumes = [{ claim = \"a\", mount = \"/results\" }]\n",
    );
    let words =
        ["submit", "small.toml", "--simulate", "-q", "-o", "/results/one", "--to", "kubernetes", "--cluster", "cluster.toml", "--go"];
    let output = submitted(&stage, &[("kubectl", "test $1 = create && echo created")], &words);
    succeeded(&output);
    let folder = stage.path("submit/small").display().to_string();
    assert_eq!(fs_err::read_to_string(stage.path("called")).unwrap(), format!("kubectl create -f {folder}/blocks.yaml\n"));
    let text = stdout(&output);
    assert!(text.contains("merge them when they have ended:\n  until kubectl get job/bench-small-"), "{text}");
    assert!(text.contains(&format!("kubectl create -f {folder}/merge.yaml\n")), "{text}");

    // The job has not ended: `kubectl get` names no condition.
    let again = submitted(&stage, &[("kubectl", "true")], &words);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("in the queue already, as job bench-small-"), "{}", said(&again));
    let ended = submitted(&stage, &[("kubectl", "echo FailureTarget Failed")], &words);
    succeeded(&ended);
}

#[test]
fn a_header_is_a_secret_and_goes_into_no_job_file() {
    let stage = stage();
    let output = stage.run(&["submit", "small.toml", "-o", "out", "--to", "slurm", "--header", "X-Key: s3cret"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`--header` holds a secret") && !said(&output).contains("s3cret"), "{}", said(&output));
    assert!(!stage.path("out").exists());
}

#[test]
fn faults_of_the_site_are_told_before_anything_is_written() {
    let stage = stage();
    stage.write("cluster.toml", "[slurm]\npartition = \"gpu long\"\ntime_limit = \"4h\"\n");
    let output = stage.run(&[&SLURM[..], &["--cluster", "cluster.toml"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cluster.toml:2:13") && stderr(&output).contains("cluster.toml:3:14"), "{}", stderr(&output));
    assert!(!stage.path("out").exists());
}

#[test]
fn a_command_that_is_not_there_is_told_with_what_to_do() {
    let stage = stage();
    let output = submitted(&stage, &[], &[&SLURM[..], &["-q", "--go"]].concat());
    // Where Slurm is installed there is no controller.
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(
        text.contains("cannot start `sbatch`") && text.contains("leave out `--go`") || text.contains("`sbatch` refuses the job"),
        "{text}"
    );
}

#[test]
fn a_folder_of_this_machine_alone_is_remarked_on() {
    let stage = stage();
    let folder = stage.path("out").display().to_string();
    let output = stage.run(&["submit", "small.toml", "--simulate", "-q", "-o", &folder, "--to", "slurm"]);
    succeeded(&output);
    let is_temporary = ["/tmp", "/var/tmp"].iter().any(|own| folder.starts_with(own));
    assert_eq!(stdout(&output).contains("jobs on other nodes would not see it"), is_temporary, "{}", stdout(&output));
}

#[test]
fn flags_that_change_the_scenario_go_along() {
    let stage = stage();
    let flags = ["--set", "workload.rounds=3", "--only", "concurrent=2", "--search", "grid", "--keep-text"];
    succeeded(&stage.run(&[&SLURM[..], &flags].concat()));
    let text = fs_err::read_to_string(stage.path("out/submit/blocks.sbatch")).unwrap();
    let line = text.lines().find(|line| line.contains(" sweep ")).unwrap();
    for flag in ["--set workload.rounds=3", "--only concurrent=2", "--search grid", "--keep-text", "--simulate", "--exit-zero"] {
        assert!(line.contains(flag), "{line}");
    }
}

#[test]
fn a_scheduler_whose_index_has_no_gaps_counts_in_the_list_of_blocks_that_are_left() {
    let stage = stage();
    let sweep = ["sweep", "small.toml", "--simulate", "-q", "-o", "out", "--exit-zero", "--among", "2,1", "--block"];
    succeeded(&stage.run(&[&sweep[..], &["1"]].concat()));
    let folders = fs_err::read_dir(stage.path("out/blocks")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let names: Vec<String> = folders.map(|path| path.file_name().unwrap().display().to_string()).collect();
    assert_eq!(names, ["1-r1"]);
    let beyond = stage.run(&[&sweep[..], &["2"]].concat());
    assert_eq!(beyond.status.code(), Some(2));
    assert!(stderr(&beyond).contains("`--block 2` is no place in the list of `--among`: they are 0 to 1"), "{}", said(&beyond));
}

#[test]
fn a_missed_goal_is_a_result_for_a_scheduler_and_a_server_that_is_not_there_is_none() {
    let stage = Stage::with("small.toml", &SCENARIO.replace("<= 10s", "<= 0.01ms"));
    let code = |words: &[&str]| stage.run(&[&["sweep", "small.toml", "-q", "-o"], words].concat()).status.code();
    assert_eq!((code(&["one", "--simulate"]), code(&["two", "--simulate", "--exit-zero"])), (Some(1), Some(0)));
    let dead = DeadAddress::take();
    let url = dead.url();
    assert_eq!(code(&["three", "--exit-zero", "--url", &url, "--model", "m"]), Some(3));
}
