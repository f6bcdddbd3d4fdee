//! Ctrl-C and SIGTERM in the middle of a sweep against a server: what is finished stays, what goes on is drained or given up, and the
//! command that goes on does.

use std::path::Path;

use super::stage::{Stage, chatting, dateless, serving};

/// Ten sessions of which the third request goes silent until the client gives it up.
const SILENT: &str = r#"
name = "silent"

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 50 }
rounds = 1
answer_tokens = 4
sequential = 10

[target]
model = "small"
url = "URL"
idle_timeout = "2s"

[server]
reset = "none"
"#;

const TINY: &str = r#"{"preset": "tiny"}"#;
const STALLING: &str = r#"{"preset": "tiny", "faults": [{"kind": "stall", "every": 4, "after_tokens": 1}]}"#;

fn journal(stage: &Stage) -> String {
    fs_err::read_to_string(stage.only_run("out").join("journal.jsonl")).unwrap()
}

/// Waits until the server has begun to answer the third request, which goes silent: the fourth with the small one before the cell.
fn await_third(runtime: &tokio::runtime::Runtime, url: &str) {
    // An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(async {
        let page = || async { reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap() };
        let is_begun = |line: &str| line.starts_with("vllm:time_to_first_token_seconds_count{") && line.ends_with(" 4");
        while !page().await.lines().any(is_begun) {}
    });
}

#[test]
fn ctrl_c_drains_keeps_what_is_finished_and_says_how_to_go_on() {
    let (_runtime, server) = serving(TINY);
    let stage = Stage::with("chatting.toml", &chatting(&server.url(), r#"["1s", "601s"]"#));
    let mut running = stage.start(&["sweep", "chatting.toml", "-o", "out", "-vv"]);
    running.await_line("[1/2]");
    running.await_line("measure): ttft");
    running.signal("-INT");
    assert_eq!(running.end(), Some(130), "{:#?}", running.said);
    running.line("stopping: requests in flight are awaited");
    let words = running.line("interrupted: runs saved: 1 of 2. To go on: ").to_owned();
    // Nothing that was in flight was given up; the cell counts for nothing, and its journal is whole.
    let whole = |run: &Path| run.join("run.json").exists();
    let (done, cut): (Vec<_>, Vec<_>) = stage.runs("out").into_iter().partition(|run| whole(run));
    assert_eq!((done.len(), cut.len()), (1, 1));
    let lines = fs_err::read_to_string(cut[0].join("journal.jsonl")).unwrap();
    assert!(lines.ends_with('\n') && !lines.contains("cancelled"), "{lines}");

    let sealed = dateless(&done[0]);
    let line = words.split_once("To go on: ").unwrap().1.replacen("bench ", "", 1);
    let mut again = stage.start(&line.split(' ').chain(["-vv"]).collect::<Vec<_>>());
    again.await_line("1 of 2 runs are there already");
    again.await_line("measure): ttft");
    again.signal("-TERM");
    assert_eq!(again.end(), Some(130), "{:#?}", again.said);
    again.line("interrupted: runs saved: 1 of 2.");
    assert!(dateless(&done[0]) == sealed, "what is sealed is not touched");
}

#[test]
fn a_second_ctrl_c_gives_up_what_is_in_flight() {
    let (runtime, server) = serving(STALLING);
    let text = SILENT.replace("URL", &server.url()).replace("\"2s\"", "\"10m\"");
    let stage = Stage::with("silent.toml", &text);
    let mut running = stage.start(&["sweep", "silent.toml", "-o", "out", "-vv"]);
    running.await_line("request 1 ");
    await_third(&runtime, &server.url());
    running.signal("-INT");
    running.await_line("stopping");
    running.signal("-INT");
    assert_eq!(running.end(), Some(130), "{:#?}", running.said);
    // Nobody says so of a drain that ends by itself, after a minute.
    running.line("leaving");
    assert_eq!(journal(&stage).lines().count(), 3);
    assert!(journal(&stage).contains("\"cancelled\""), "{}", journal(&stage));
}

#[test]
fn a_second_sigterm_is_the_same_as_one() {
    let (runtime, server) = serving(STALLING);
    let stage = Stage::with("silent.toml", &SILENT.replace("URL", &server.url()));
    let mut running = stage.start(&["sweep", "silent.toml", "-o", "out", "-vv"]);
    running.await_line("request 1 ");
    await_third(&runtime, &server.url());
    running.signal("-TERM");
    running.await_line("stopping");
    running.signal("-TERM");
    assert_eq!(running.end(), Some(130), "{:#?}", running.said);
    // What was in flight came to its own end.
    assert_eq!(journal(&stage).lines().count(), 3);
    assert!(journal(&stage).contains("\"timeout_idle\"") && !journal(&stage).contains("cancelled"), "{}", journal(&stage));
}

#[test]
fn a_run_from_flags_that_is_interrupted_says_where_it_is_and_writes_no_copy() {
    let (_runtime, server) = serving(TINY);
    let stage = Stage::new();
    let url = server.url();
    let flags = ["--time", "600", "--qps", "20", "--num-users", "4", "--shared-system-prompt", "20", "--user-history-prompt", "20"];
    let target = ["--answer-len", "4", "--model", "small", "--base-url", &url, "-vv", "--results", "out"];
    let mut running = stage.start(&[&["run", "chat"], &flags[..], &target].concat());
    running.await_line("turn");
    running.signal("-INT");
    assert_eq!(running.end(), Some(130), "{:#?}", running.said);
    running.line("interrupted: the requests so far are in `out`, and are no result");
    // An interrupted run is not taken for whole, and its journal is kept.
    assert!(stage.only_run("out").join("journal.jsonl").exists() && !stage.only_run("out").join("run.json").exists());
}
