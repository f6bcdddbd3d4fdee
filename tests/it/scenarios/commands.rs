//! `bench check`, `plan`, `schema` and `completions` as a shell sees them.

use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, starts_with};

fn bench() -> Command {
    Command::cargo_bin("bench").unwrap()
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs_err::write(&path, text).unwrap();
    path.display().to_string()
}

const GOOD: &str = "[workload]\nkind = \"chat\"\n[matrix]\nqps = [1, 2]\n[[goals]]\nrequire = \"p95(ttft) <= 2s\"\n";

#[test]
fn check_says_ok_on_stdout_or_all_faults_on_stderr_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), "good.toml", GOOD);
    let bad = written(folder.path(), "bad.toml", "[workload]\nkind = \"chat\"\nqps = 0\nuser = 3\n");
    bench().args(["check", &good]).assert().code(0).stdout(contains("1 variant × 2 cells × 1 repeat = 2 runs")).stderr("");
    bench()
        .args(["check", &good, &bad])
        .assert()
        .code(2)
        .stdout(starts_with("ok "))
        .stderr(contains("did you mean `users`?"))
        .stderr(contains("2 faults"));
    let output = bench().args(["check", &bad, "--format", "json"]).assert().code(2).get_output().stdout.clone();
    let told: serde_json::Value = serde_json::from_slice(&output).unwrap();
    assert_eq!((&told[0]["ok"], &told[0]["faults"][1]["line"], &told[0]["faults"][1]["column"]), (&false.into(), &4.into(), &1.into()));
}

#[test]
fn check_finds_what_only_a_plan_can_know() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "target.kind = \"sim\"\nengine.preset = \"tiny\"\n[workload]\nkind = \"document_qa\"\ndocuments = { synthetic_tokens = \"32k\" }\n";
    let file = written(folder.path(), "long.toml", text);
    bench().args(["check", &file]).assert().code(2).stderr(contains("32,768 document + 9 request")).stderr(contains("more than 32,768"));
    bench().args(["plan", &file]).assert().code(2).stderr(contains("32,768 document + 9 request"));
}

#[test]
fn a_plan_of_100_000_cells_is_made_and_one_more_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[workload]\nkind = \"chat\"\n[matrix]\nusers = \"1..=1000\"\nrounds = \"1..=101\"\n";
    let file = written(folder.path(), "many.toml", text);
    bench().args(["check", &file]).assert().code(2).stderr(contains("the plan has 101,000 cells"));
    bench().args(["check", &file, "--set", "matrix.rounds=[3, 4]"]).assert().code(0).stdout(contains("2000 runs"));
}

#[test]
fn plan_lists_every_run_in_run_order_with_what_it_sends() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "good.toml", &format!("order = \"listed\"\nrepeats = 2\n{GOOD}"));
    let output = bench().args(["plan", &file]).assert().code(0).get_output().stdout.clone();
    insta::assert_snapshot!(String::from_utf8(output).unwrap(), @r##"
    good: 1 variant × 2 cells × 2 repeats = 4 runs, seed 0

    run qps repeat requests   prompt answers time   rows
    ────────────────────────────────────────────────────
      1   1      0      ~60 ~138,960  ~6,000 60 s 120/59
      2   2      0     ~120 ~277,920 ~12,000 60 s 240/59
      3   1      1      ~60 ~138,960  ~6,000 60 s 120/59
      4   2      1     ~120 ~277,920 ~12,000 60 s 240/59

    in all: ~360 requests, ~833,760 prompt tokens, ~36,000 answer tokens
    prompt and answers: tokens; rows: what the goals look at in a cell, all repeats, of how many they need
    note: goal `p95(ttft) <= 2s` takes 59 rows a cell; the fewest are 120
    note: the server is used as it is: bench does not start, restart or stop it, and does not see its log
    note: caches: no `server.reset` is written, so every prompt begins with words that no other cell and no other attempt has (a salt), so none is in a cache; `reset = "none"` is for warm caches that are wanted; a canary checks it
    note: turns are sent for 4 min; filling caches before and waiting for last answers come on top
    note: the longest request has 2,680 tokens; `target.context_limit` would have that checked
    note: counts with `~` are expected values or estimates; answers are taken to be as long as they may be
    "##);
    let output = bench().args(["plan", &file, "--format", "json", "--only", "qps=2"]).assert().code(0).get_output().stdout.clone();
    let told: serde_json::Value = serde_json::from_slice(&output).unwrap();
    assert_eq!((told[0]["runs"].as_array().unwrap().len(), &told[0]["changes"][0]), (2, &"--only qps=2".into()));
}

#[test]
fn flags_are_texts_in_which_faults_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "good.toml", GOOD);
    let told = |flags: &[&str]| {
        let output = bench().args(["check", &file]).args(flags).assert().code(2).get_output().stderr.clone();
        String::from_utf8(output).unwrap().replace(&format!("{}/", folder.path().display()), "")
    };
    insta::assert_snapshot!(told(&["--set", "rounds=many", "--set", "user=3", "--set", "qps=4"]), @r##"
    error: `workload.rounds` is a whole number, not the text `"many"`
     --> --set:1:8
      |
    1 | rounds=many
      |        ^^^^

    error: `user` is no field of a cell with workload kind `chat`
     --> --set:1:1
      |
    1 | user=3
      | ^^^^
      |
      = hint: did you mean `users`?

    error: `workload.qps` is an axis of the matrix
     --> --set:1:1
      |
    1 | qps=4
      | ^^^
      |
     ::: good.toml:4:1
      |
    4 | qps = [1, 2]
      | --- here
      |
      = hint: `--only qps=VALUE` keeps one of its values, `--set matrix.qps=VALUE` replaces them

    3 faults
    "##);
    insta::assert_snapshot!(told(&["--only", "qps=1,3", "--only", "variant=x"]), @r##"
    error: `workload.qps` does not take `3`
     --> --only:1:7
      |
    1 | qps=1,3
      |       ^
      |
      = hint: it takes `1` and `2`

    error: there is no variant `x`
     --> --only:1:9
      |
    1 | variant=x
      |         ^
      |
      = hint: there is `default`

    2 faults
    "##);
}

#[test]
fn no_value_from_the_environment_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        format!("{GOOD}[target]\nmodel = \"${{BENCH_TEST_MODEL}}\"\nheaders = {{ authorization = \"Bearer ${{BENCH_TEST_MODEL}}\" }}\n");
    let file = written(folder.path(), "good.toml", &text);
    for format in ["text", "json"] {
        let output =
            bench().env("BENCH_TEST_MODEL", "hunter2").args(["plan", &file, "--format", format]).assert().code(0).get_output().clone();
        assert!(!String::from_utf8(output.stdout).unwrap().contains("hunter2"));
    }
}

#[test]
fn no_value_from_the_environment_is_saved_or_told_by_a_sweep() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there; the error holds the address.
    let text = format!("{GOOD}[target]\nurl = \"http://${{BENCH_TEST_HOST}}:9\"\nconnect_timeout = \"1s\"\n");
    let file = written(folder.path(), "good.toml", &text);
    let output = folder.path().join("out").display().to_string();
    let ending = bench().env("BENCH_TEST_HOST", "127.8.7.6").args(["sweep", &file, "-o", &output]).assert().code(3).get_output().clone();
    let mut told = String::from_utf8(ending.stdout).unwrap() + &String::from_utf8(ending.stderr).unwrap();
    let mut folders = vec![folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                told.push_str(&String::from_utf8_lossy(&fs_err::read(path).unwrap()));
            }
        }
    }
    assert!(told.contains("${BENCH_TEST_HOST}"), "{told}");
    assert!(!told.contains("127.8.7.6"), "{told}");
}

#[test]
fn completions_and_the_schema_are_printed() {
    bench().args(["completions", "bash"]).assert().code(0).stdout(contains("complete"));
    bench().args(["completions", "man"]).assert().code(0).stdout(contains(".TH bench"));
    bench().arg("schema").assert().code(0).stdout(contains("\"title\": \"bench scenario\""));
}

#[test]
fn plan_says_how_often_servers_are_started() {
    let folder = tempfile::tempdir().unwrap();
    let text = "repeats = 2\n[workload]\nkind = \"document_qa\"\n[server]\ncommand = [\"vllm\", \"{port}\"]\n[matrix]\nconcurrent = [1, 2]\n\
                \"server.args.max-num-seqs\" = [8, 16]\n[variants.vllm]\n[variants.anew.server]\nreset = \"restart\"\n";
    let file = written(folder.path(), "starts.toml", text);
    bench().args(["plan", &file]).assert().code(0).stdout(contains("note: servers are started 10 times (vllm 2, anew 8)"));
    let output = bench().args(["plan", &file, "--format", "json"]).assert().code(0).get_output().stdout.clone();
    let told: serde_json::Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(told[0]["server_starts"], serde_json::json!({ "anew": 8, "vllm": 2 }));
    bench().args(["plan", &file, "--simulate"]).assert().code(0).stdout(contains("servers are started").not());
}
