//! What is written down of a process: its output, how it ended, and no secrets.

use bench::servers::server::supervisor::last_lines;

use super::{Place, assert_gone, eventually, supervisor};

#[tokio::test]
async fn a_process_that_ends_by_itself_is_told_of_with_its_last_words_in_the_log() {
    let place = Place::new();
    let mut supervisor = supervisor();
    supervisor.start(place.job("long", "exec sleep 1000")).await.unwrap();
    for (script, status) in [("echo out; printf 'last words' >&2; exit 3", "exit status 3"), ("kill -9 $$", "signal 9 (SIGKILL)")] {
        supervisor.start(place.job("server", script)).await.unwrap();
        let exited = supervisor.exited().await;
        assert_eq!((exited.name.as_str(), exited.status.as_str()), ("server", status));
        let said: &[&str] = if status.starts_with("exit") { &["out", "last words"] } else { &[] };
        assert_eq!(last_lines(&place.log_path("server"), 5), said);
    }
    supervisor.stop().await.unwrap();
}

#[tokio::test]
async fn ends_are_told_in_turn_also_of_processes_that_ended_while_another_was_started() {
    let place = Place::new();
    let mut supervisor = supervisor();
    for name in ["a", "b", "c"] {
        supervisor.start(place.job(name, "exit 1")).await.unwrap();
    }
    let mut names = vec![supervisor.exited().await.name, supervisor.exited().await.name, supervisor.exited().await.name];
    names.sort();
    assert_eq!(names, ["a", "b", "c"]);
    supervisor.stop().await.unwrap();
}

#[tokio::test]
async fn each_start_has_a_header_and_secrets_are_nowhere_in_the_log() {
    let place = Place::new();
    let mut supervisor = supervisor();
    for key in ["sk-hush", "sk-hush-2"] {
        let mut job = place.job("server", "echo key=$KEY; echo \"{'key': '$KEY'}\" >&2; echo $1");
        job.command.extend(["server".to_owned(), key.to_owned()]);
        job.env.insert("KEY".to_owned(), key.to_owned());
        job.hide = vec![(key.to_owned(), "${KEY}".to_owned())];
        supervisor.start(job).await.unwrap();
        supervisor.exited().await;
    }
    let log = place.log("server");
    assert!(!log.contains("hush"), "{log}");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 8, "{log}");
    assert_eq!(lines[1..4], lines[5..8]);
    assert_eq!(lines[1..4], ["key=${KEY}", "{'key': '${KEY}'}", "${KEY}"]);
    let (time, command) = lines[4].strip_prefix("==== started by bench at ").unwrap().split_once(": ").unwrap();
    time.parse::<jiff::Timestamp>().unwrap();
    assert!(command.starts_with("sh -c ") && command.ends_with(" server ${KEY}"), "{command}");
    supervisor.stop().await.unwrap();
}

#[tokio::test]
async fn a_flood_of_output_neither_stops_the_process_nor_its_end() {
    let place = Place::new();
    let mut supervisor = supervisor();
    let pid = supervisor.start(place.job("server", "exec yes flood")).await.unwrap();
    let written = || std::fs::metadata(place.log_path("server")).map_or(0, |log| log.len());
    eventually("more than a pipe holds is written", || written() > 1 << 20);
    assert_eq!(last_lines(&place.log_path("server"), 2), ["flood", "flood"]);
    supervisor.stop().await.unwrap();
    assert_gone(&[pid.try_into().unwrap()]);
}
