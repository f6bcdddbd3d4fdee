//! The program as its users meet it: the real binary, files in, files and exit codes out.

use std::fs;
use std::process::Output;

use super::stage::{Stage, dateless, files, said, serving, stderr, stdout, succeeded};
use crate::dead_address::DeadAddress;

/// A matrix of four cells that takes well under a second: two sessions of 1,000 tokens fit the small card, four do not.
const SCENARIO: &str = r#"
name = "small"
seed = 7

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
sequential = [1, 2]

[[goals]]
require = "p95(ttft where turn >= 1) <= 10ms"
"#;

fn bench() -> Stage {
    Stage::with("small.toml", SCENARIO)
}

fn sweep(bench: &Stage, out: &str) -> Output {
    bench.run(&["sweep", "small.toml", "--simulate", "-q", "-o", out])
}

#[test]
fn a_sweep_ends_with_tables_scores_a_verdict_and_pictures() {
    let bench = bench();
    let output = sweep(&bench, "out");
    succeeded(&output);
    let said = stdout(&output);
    for expected in ["SIMULATED", "max C×S", "best 2CS/(C+S)", "verdict: default holds"] {
        assert!(said.contains(expected), "{expected} is missing in\n{said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    for file in ["heatmap.png", "heatmap.svg", "report.html", "report.md", "cells.csv", "summary.json"] {
        assert!(bench.path("out/report").join(file).exists(), "{file}");
    }
}

#[test]
fn the_same_sweep_gives_the_same_bytes_apart_from_its_date() {
    let bench = bench();
    succeeded(&sweep(&bench, "once"));
    succeeded(&sweep(&bench, "again"));
    assert!(dateless(&bench.path("once")) == dateless(&bench.path("again")));
}

#[test]
fn a_sweep_that_was_cut_short_is_gone_on_with_and_ends_as_if_it_had_not_been() {
    let bench = bench();
    succeeded(&sweep(&bench, "whole"));
    succeeded(&sweep(&bench, "cut"));
    // As a kill leaves it: one run without its `run.json`, half a table beside it, and no report yet.
    let runs = bench.runs("cut");
    fs::remove_file(runs[0].join("run.json")).unwrap();
    fs::write(runs[0].join("requests.parquet"), "PAR1 and then nothing").unwrap();
    fs::write(runs[0].join("journal.jsonl"), "{\"request\":0,\"sess").unwrap();
    fs::remove_dir_all(bench.path("cut/report")).unwrap();
    let untouched: Vec<_> = runs[1..].iter().map(|run| fs::metadata(run.join("run.json")).unwrap().modified().unwrap()).collect();

    let output = bench.run(&["sweep", "small.toml", "--simulate", "-o", "cut"]);
    succeeded(&output);
    assert!(stderr(&output).contains("[4/4]") && !stderr(&output).contains("[3/4]"), "{}", stderr(&output));
    assert!(dateless(&bench.path("whole")) == dateless(&bench.path("cut")));
    let now: Vec<_> = runs[1..].iter().map(|run| fs::metadata(run.join("run.json")).unwrap().modified().unwrap()).collect();
    assert_eq!(now, untouched);
}

#[test]
fn a_report_needs_the_folder_alone_and_gives_the_same_bytes_elsewhere() {
    let bench = bench();
    succeeded(&sweep(&bench, "out"));
    let first = files(&bench.path("out/report"));
    fs::remove_dir_all(bench.path("out/report")).unwrap();
    fs::remove_file(bench.path("small.toml")).unwrap();
    fs::create_dir(bench.path("elsewhere")).unwrap();
    fs::rename(bench.path("out"), bench.path("elsewhere/copied")).unwrap();
    let output = bench.run(&["report", "elsewhere/copied"]);
    succeeded(&output);
    assert!(files(&bench.path("elsewhere/copied/report")) == first);
}

#[test]
fn a_folder_with_another_scenario_is_refused_and_left_alone() {
    let bench = bench();
    succeeded(&sweep(&bench, "out"));
    let before = files(&bench.path("out"));
    let output = bench.run(&["sweep", "small.toml", "--simulate", "--set", "workload.rounds=6", "-o", "out"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("out"), "{}", stderr(&output));
    assert!(files(&bench.path("out")) == before);
}

#[test]
fn missed_goals_and_faulty_scenarios_have_exit_codes_of_their_own() {
    let bench = bench();
    let missed = SCENARIO.replace("10ms", "1us");
    fs::write(bench.path("small.toml"), missed).unwrap();
    assert_eq!(sweep(&bench, "missed").status.code(), Some(1));
    fs::write(bench.path("small.toml"), SCENARIO.replace("rounds", "runds")).unwrap();
    let faulty = sweep(&bench, "faulty");
    assert_eq!(faulty.status.code(), Some(2));
    assert!(stderr(&faulty).contains("small.toml:8:1") && stderr(&faulty).contains("did you mean `rounds`"), "{}", stderr(&faulty));
    assert!(!bench.path("faulty").exists());
}

#[test]
fn a_cell_that_cannot_be_run_is_named_and_tried_again_later() {
    let bench = bench();
    let dead = DeadAddress::take();
    let url = dead.url();
    let output = bench.run(&["sweep", "small.toml", "--url", &url, "--only", "concurrent=1", "-q", "-o", "out"]);
    assert_eq!(output.status.code(), Some(3), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains(&url) || stderr(&output).contains(&url), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn a_chat_run_leaves_its_four_files_in_its_folder_and_where_it_was_asked_to() {
    let bench = bench();
    let output = bench.run(&[
        "run",
        "chat",
        "--num-users",
        "10",
        "--shared-system-prompt",
        "100",
        "--user-history-prompt",
        "100",
        "--answer-len",
        "20",
        "--num-rounds",
        "5",
        "--qps",
        "2",
        "--model",
        "llama3",
        "--time",
        "30",
        "--simulate",
        "--output",
        "summary.csv",
        "--results",
        "out",
    ]);
    succeeded(&output);
    let run = bench.only_run("out");
    for file in ["realtime_stats_qps_2.00.txt", "performance_summary_qps_2.00.txt", "final_performance_summary_qps_2.00.txt", "summary.csv"]
    {
        let text = fs::read(run.join(file)).unwrap();
        assert!(!text.is_empty());
        assert!(text == fs::read(bench.path(file)).unwrap(), "{file}");
    }
}

#[test]
fn a_document_run_can_leave_the_layout_of_the_original_script() {
    let bench = bench();
    let output = bench.run(&[
        "run",
        "document-qa",
        "--num-users-concurrent",
        "2",
        "--num-users-sequential",
        "2",
        "--num-rounds",
        "3",
        "--document-tokens",
        "500",
        "--answer-len",
        "5",
        "--simulate",
        "--output",
        "out.json",
        "--results",
        "out",
    ]);
    succeeded(&output);
    let document: serde_json::Value = serde_json::from_slice(&fs::read(bench.path("out.json")).unwrap()).unwrap();
    assert_eq!(document["params"]["num_users_concurrent"], 2);
    assert_eq!(document["results"].as_array().unwrap().len(), 2 * 2 * 4);
}

#[test]
fn a_run_whose_flags_are_at_fault_says_only_that() {
    let bench = bench();
    let output = bench.run(&["run", "document-qa", "--num-users-concurrent", "0", "--simulate", "--output", "out.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output).matches("error:").count(), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("concurrent") && !bench.path("out.json").exists(), "{}", stderr(&output));
}

#[test]
fn single_requests_are_run_from_flags_simulated_or_against_a_server() {
    let bench = bench();
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let url = server.url();
    let flags = ["--qps", "50", "--prompt-tokens", "50", "--answer-tokens", "4", "--requests", "20", "--model", "small", "-q"];
    for (folder, to) in [("simulated", vec!["--simulate"]), ("served", vec!["--base-url", &url])] {
        let output = bench.run(&[&["run", "requests", "--results", folder], flags.as_slice(), &to].concat());
        succeeded(&output);
        let record = fs::read_to_string(bench.only_run(folder).join("run.json")).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        assert_eq!((&record["counts"]["measured"], &record["counts"]["failed"]), (&20.into(), &0.into()), "{record}");
        assert!(record["offered_qps"].as_f64().is_some_and(|rate| (20.0..125.0).contains(&rate)), "{record}");
    }
    let output = bench.run(&["run", "requests", "--trace", "no.jsonl", "--qps", "2"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_recorded_file_is_sent_again_from_the_command_line() {
    let bench = bench();
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let url = server.url();
    bench.write("prompts.jsonl", "{\"prompt\": \"What is a cache?\", \"output_tokens\": 3}\n{\"text\": \"And a block?\"}\n");
    let conversation = r#"{"messages": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two."}, {"role": "user", "content": "Three?"}]}"#;
    bench.write("sessions.jsonl", &format!("{conversation}\n{conversation}\n"));
    let to: [&[&str]; 2] = [&["--simulate", "--model", "small"], &["--url", &url, "--model", "small"]];
    for (place, to) in to.into_iter().enumerate() {
        for (file, folder, requests) in [("prompts.jsonl", "-o", 2), ("sessions.jsonl", "--output", 4)] {
            let out = format!("{file}-{place}");
            let output = bench.run(&[&["run", "sessions", file, "--concurrency", "2", "-q", folder, &out], to].concat());
            succeeded(&output);
            let record = fs::read_to_string(bench.only_run(&out).join("run.json")).unwrap();
            let record: serde_json::Value = serde_json::from_str(&record).unwrap();
            assert_eq!((&record["counts"]["requests"], &record["counts"]["failed"]), (&requests.into(), &0.into()), "{record}");
        }
    }
    let output = bench.run(&["run", "sessions", "prompts.jsonl", "--simulate"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("tells no times") && stderr(&output).contains("set `concurrency`"), "{}", stderr(&output));
}

#[test]
fn the_same_scenario_runs_against_a_server_with_its_caches_emptied_before_each_cell() {
    let bench = bench();
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let url = server.url();
    let sweep_into = |folder: &str| {
        let mut command = bench.command(&[
            "sweep",
            "small.toml",
            "--url",
            &url,
            "--set",
            "target.model=small",
            "--set",
            "workload.rounds=2",
            "-o",
            folder,
        ]);
        command.args(["--set", "server.reset=[\"/reset_prefix_cache\"]", "--set", "target.api_key_env=BENCH_TEST_KEY"]);
        command.env_remove("BENCH_TEST_KEY");
        command
    };
    // Without its key it is a fault that names the variable; nothing is left behind.
    let output = sweep_into("out").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}{}", stdout(&output), stderr(&output));
    assert!(stderr(&output).contains("BENCH_TEST_KEY"), "{}", stderr(&output));
    assert!(!bench.path("out").exists());

    let output = sweep_into("with-key").env("BENCH_TEST_KEY", "planted-secret-key").output().unwrap();
    let said = said(&output);
    // 0 or 1: how fast this machine is does not matter here.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
    assert!(!said.contains("SIMULATED"), "a server is measured, whatever is behind it");
    let saved = bench::records::store::read_sweep(&bench.path("with-key")).unwrap();
    assert_eq!(saved.runs.len(), 4);
    for run in &saved.runs {
        let record = serde_json::to_value(&run.record).unwrap();
        assert_eq!(record["outcome"]["kind"], "completed");
        assert_eq!(record["cache_contract"]["kind"], "proven", "{record}");
        assert_eq!(record["token_rule"]["kind"], "server");
        assert_eq!(record["counts"]["failed"], 0);
    }
    let planted = |text: &[u8]| text.windows(18).any(|part| part == b"planted-secret-key");
    assert!(!planted(said.as_bytes()));
    for (file, bytes) in files(&bench.path("with-key")) {
        assert!(!planted(&bytes), "{} holds the key", file.display());
    }
}

#[test]
fn the_readme_shows_the_scenario_that_its_command_runs() {
    let readme = fs::read_to_string("README.md").unwrap();
    let scenario = fs::read_to_string("scenarios/lmcache.toml").unwrap();
    assert!(readme.contains(scenario.trim()), "README.md must show scenarios/lmcache.toml as it is");
}
