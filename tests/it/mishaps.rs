//! What befalls a machine in the night: no room left, a folder that cannot be written or is taken away, a process that is stopped for a
//! while. Each ends in a clear error or a flagged cell, and what was saved before stays whole.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use super::stage::{Stage, chatting, dateless, program, run_line, said, serving, stderr, succeeded};

/// A small cell, and one whose journal is long.
const SCENARIO: &str = r#"
name = "night"
order = "listed"

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 50 }
sequential = 8
answer_tokens = 2

[target]
kind = "sim"

[engine]
preset = "tiny"

[matrix]
rounds = [1, 50]
"#;

/// The same with no file larger than that many blocks of 512 bytes: what a full disk does to a file that grows, on every system.
fn within_blocks(stage: &Stage, blocks: u32, words: &[&str]) -> Output {
    let line = format!("ulimit -f {blocks} && trap '' XFSZ && exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &line]).arg(program()).args(words).current_dir(stage.folder()).env("NO_COLOR", "1").output().unwrap()
}

#[test]
fn where_there_is_no_room_the_sweep_stops_with_the_file_s_name_and_goes_on_once_there_is() {
    let stage = Stage::with("night.toml", SCENARIO);
    let swept = within_blocks(&stage, 96, &["sweep", "night.toml", "-o", "out"]);
    assert_eq!(swept.status.code(), Some(2), "{}", said(&swept));
    let words = stderr(&swept);
    for part in ["results could not be saved", "journal.jsonl", "File too large", "what is sealed is whole", "[1/2]"] {
        assert!(words.contains(part), "`{part}` is not in {words}");
    }
    let (done, cut): (Vec<_>, Vec<_>) = stage.runs("out").into_iter().partition(|run| run.join("run.json").exists());
    assert_eq!((done.len(), cut.len()), (1, 1));
    let sealed = dateless(&done[0]);
    let line = words.split_once("this goes on: ").unwrap().1.trim();
    succeeded(&run_line(&stage, line));
    assert!(dateless(&done[0]) == sealed, "what is sealed is not touched");
    succeeded(&stage.run(&["sweep", "night.toml", "-o", "whole"]));
    assert!(dateless(&stage.path("out")) == dateless(&stage.path("whole")), "nothing of the mishap is left");
}

#[test]
fn a_folder_that_cannot_be_made_or_written_is_named_before_anything_is_measured() {
    let stage = Stage::with("night.toml", SCENARIO);
    stage.write("file", "");
    let closed = stage.path("closed");
    fs_err::create_dir(&closed).unwrap();
    let mut nobody = fs_err::metadata(&closed).unwrap().permissions();
    nobody.set_readonly(true);
    fs_err::set_permissions(&closed, nobody).unwrap();
    let mut outs = vec!["file/out"];
    // Some may write everywhere.
    outs.extend(fs_err::File::create(closed.join("probe")).is_err().then_some("closed/out"));
    outs.extend(cfg!(target_os = "linux").then_some("/proc/bench/out"));
    for out in outs {
        let swept = stage.run(&["sweep", "night.toml", "-o", out]);
        assert_eq!(swept.status.code(), Some(2), "{out}: {}", said(&swept));
        assert!(stderr(&swept).contains(&format!("`{out}`")) && !said(&swept).contains("[1/2]"), "{out}: {}", said(&swept));
    }
}

#[test]
fn a_folder_that_is_taken_away_stops_the_sweep_and_nothing_is_put_in_its_place() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("chatting.toml", &chatting(&server.url(), r#"["0.5s", "3s"]"#));
    let mut running = stage.start(&["sweep", "chatting.toml", "-o", "out", "-vv"]);
    running.await_line("measure): ttft");
    fs_err::rename(stage.path("out"), stage.path("away")).unwrap();
    assert_eq!(running.end(), Some(2), "{:#?}", running.said);
    assert!(running.line("results could not be saved").contains("out"));
    assert!(!stage.path("out").exists());
    // Where it was put back, it is gone on with.
    fs_err::rename(stage.path("away"), stage.path("out")).unwrap();
    succeeded(&stage.run(&["sweep", "chatting.toml", "-o", "out", "-q"]));
    assert_eq!(stage.runs("out").iter().filter(|run| run.join("run.json").exists()).count(), 2);
}

/// A real stop takes real time; what comes of it is tested in virtual time where it is looked for.
#[test]
#[ignore = "by hand: it stops a process for seconds of a real clock"]
fn a_process_that_was_stopped_for_a_while_has_no_result_of_that_cell_and_says_why() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("chatting.toml", &chatting(&server.url(), r#"["0.5s", "3s"]"#));
    let mut running = stage.start(&["sweep", "chatting.toml", "-o", "out", "-vv", "--only", "duration=3"]);
    running.await_line("measure): ttft");
    let stopped = Instant::now();
    running.signal("-STOP");
    while stopped.elapsed() < Duration::from_millis(2500) {
        std::thread::sleep(Duration::from_millis(50));
    }
    running.signal("-CONT");
    assert_eq!(running.end(), Some(3), "{:#?}", running.said);
    running.line("invalid: the client stood still for");
    let record = bench::records::store::read_sweep(&stage.path("out")).unwrap().runs.remove(0).record;
    assert!(record.client.stood_still_s.is_some_and(|stood_still_s| (2.0..60.0).contains(&stood_still_s)), "{record:?}");
    let summary = stage.json("out/report/summary.json");
    assert_eq!(summary["variants"][0]["cells"][0]["state"]["kind"], "invalid");
}
