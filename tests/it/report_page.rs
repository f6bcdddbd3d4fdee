//! `bench report --open` and `--watch`: the page in a browser, and the page of a sweep that still runs.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::stage::{Stage, chatting, said, serving, stderr, succeeded};

const SIMULATED: &str = "workload = { kind = \"document_qa\", documents = { synthetic_tokens = 100 }, rounds = 1, answer_tokens = 2 }\n\
                         target = { kind = \"sim\" }\nengine = { preset = \"tiny\" }\n";
const RELOADS: &str = "http-equiv=\"refresh\"";

/// A sweep that is over.
fn swept() -> Stage {
    let stage = Stage::with("small.toml", SIMULATED);
    succeeded(&stage.run(&["sweep", "small.toml", "-o", "out", "-q"]));
    stage
}

#[cfg(target_os = "linux")]
#[test]
fn the_page_is_opened_by_the_desktops_opener() {
    let stage = swept();
    fs_err::create_dir(stage.path("bin")).unwrap();
    assert!(Command::new("mkfifo").arg(stage.path("opened")).status().unwrap().success());
    // Opening a pipe waits for who writes into it.
    stage.write("bin/xdg-open", &format!("#!/bin/sh\necho \"$1\" > '{}'\n", stage.path("opened").display()));
    fs_err::set_permissions(stage.path("bin/xdg-open"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", stage.path("bin").display(), std::env::var("PATH").unwrap());
    let output = stage.command(&["report", "out", "--open"]).env("PATH", path).env("DISPLAY", ":0").output().unwrap();
    succeeded(&output);
    assert!(stderr(&output).starts_with("opened: "), "{}", said(&output));
    let opened = fs_err::read_to_string(stage.path("opened")).unwrap();
    assert_eq!(opened.trim_end(), fs_err::canonicalize(stage.path("out/report/report.html")).unwrap().to_string_lossy());
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_screen_the_pages_path_is_said() {
    let stage = swept();
    let output = stage.command(&["report", "out", "--open"]).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").output().unwrap();
    succeeded(&output);
    assert!(stderr(&output).contains("no browser could be opened here") && stderr(&output).contains("out/report/report.html"));
}

#[test]
fn a_sweep_is_followed_until_it_ends_and_its_page_reloads_itself_until_then() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("chatting.toml", &chatting(&server.url(), r#"["1s", "601s"]"#));
    let page = || fs_err::read_to_string(stage.path("out/report/report.html")).unwrap();
    let mut sweep = stage.start(&["sweep", "chatting.toml", "-o", "out", "-vv"]);
    sweep.await_line("[1/2]");
    let mut watch = stage.start(&["report", "out", "--watch"]);
    watch.await_line("1 of 2 runs; written, watched: ");
    assert!(page().contains(RELOADS) && page().contains("The sweep still runs"));
    sweep.await_line("measure): ttft");
    sweep.signal("-INT");
    assert_eq!(sweep.end(), Some(130));
    watch.await_line("1 of 2 runs; written, the last one: ");
    assert_eq!(watch.end(), Some(0), "{:#?}", watch.said);
    assert!(!page().contains(RELOADS));
}

#[test]
fn ctrl_c_ends_a_watch_with_a_page_that_does_not_reload() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("chatting.toml", &chatting(&server.url(), r#"["1s", "601s"]"#));
    let mut sweep = stage.start(&["sweep", "chatting.toml", "-o", "out", "-vv"]);
    sweep.await_line("[1/2]");
    let mut watch = stage.start(&["report", "out", "--watch"]);
    watch.await_line("written, watched: ");
    watch.signal("-INT");
    assert_eq!(watch.end(), Some(130), "{:#?}", watch.said);
    assert!(!fs_err::read_to_string(stage.path("out/report/report.html")).unwrap().contains(RELOADS));
}

#[test]
fn a_sweep_that_is_over_is_reported_once_and_two_cannot_be_followed() {
    let stage = swept();
    let output = stage.run(&["report", "out", "--watch"]);
    succeeded(&output);
    assert!(stderr(&output).contains("1 of 1 runs; written, the last one: "), "{}", said(&output));
    let both = stage.run(&["report", "out", "out", "--watch"]);
    assert!(both.status.code() == Some(2) && stderr(&both).contains("`--watch` follows one sweep"), "{}", said(&both));
}
