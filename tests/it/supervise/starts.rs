//! Starting: what a process gets, and what is said when it cannot be started.

use std::path::Path;

use bench::servers::server::supervisor::SupervisorError;

use super::{BENCH, Place, lives, supervisor};

#[tokio::test]
async fn what_cannot_be_started_says_why_and_the_next_one_is_started_all_the_same() {
    let place = Place::new();
    let mut supervisor = supervisor();
    let mut missing = place.job("missing", "");
    missing.command = vec!["no-such-program-anywhere".to_owned()];
    let said = supervisor.start(missing).await.unwrap_err().to_string();
    assert_eq!(said, "cannot start `missing`: there is no program `no-such-program-anywhere`; is it installed, and its folder in `PATH`?");

    let mut homeless = place.job("homeless", "");
    homeless.working_dir = Some(place.path("nowhere"));
    let said = supervisor.start(homeless).await.unwrap_err().to_string();
    assert!(said.contains("nowhere` is no folder"), "{said}");

    let mut empty = place.job("empty", "");
    empty.command.clear();
    assert!(matches!(supervisor.start(empty).await, Err(SupervisorError::Start { name, .. }) if name == "empty"));

    let mut unlogged = place.job("unlogged", "");
    std::fs::write(place.path("file"), "").unwrap();
    unlogged.log = place.path("file").join("a.log");
    let said = supervisor.start(unlogged).await.unwrap_err().to_string();
    assert!(said.contains("its log") && said.contains("a.log"), "{said}");

    let pid = supervisor.start(place.job("server", "exec sleep 1000")).await.unwrap();
    assert!(lives(pid.try_into().unwrap()));
    supervisor.stop().await.unwrap();
}

#[tokio::test]
async fn a_reason_hides_what_is_to_be_hidden() {
    let place = Place::new();
    let mut job = place.job("server", "");
    job.command = vec!["no-such-program-sk-hush".to_owned()];
    job.hide = vec![("sk-hush".to_owned(), "${KEY}".to_owned())];
    let mut supervisor = supervisor();
    let said = supervisor.start(job).await.unwrap_err().to_string();
    assert!(said.contains("no-such-program-${KEY}"), "{said}");
    supervisor.stop().await.unwrap();
}

#[tokio::test]
async fn a_process_gets_its_environment_its_folder_an_empty_stdin_and_a_shell_if_asked() {
    let place = Place::new();
    let mut job = place.job("server", "");
    job.command = ["cat;", "pwd;", "echo", "$GIVEN", "|", "tr", "a-z", "A-Z"].map(str::to_owned).to_vec();
    job.shell = true;
    job.env.insert("GIVEN".to_owned(), "given".to_owned());
    let mut supervisor = supervisor();
    supervisor.start(job).await.unwrap();
    assert_eq!(supervisor.exited().await.status, "exit status 0");
    let log = place.log("server");
    let folder = place.path("").canonicalize().unwrap();
    assert_eq!(log.lines().skip(1).collect::<Vec<_>>(), [folder.to_str().unwrap(), "GIVEN"]);
    supervisor.stop().await.unwrap();
}

#[tokio::test]
async fn the_supervising_process_has_no_secret_in_its_arguments_or_environment_and_a_process_group_of_its_own() {
    let place = Place::new();
    let mut job = place.job("server", "echo up; sleep 1000 & wait");
    job.env.insert("KEY".to_owned(), "sk-hush".to_owned());
    let mut supervisor = supervisor();
    let pid = supervisor.start(job).await.unwrap();
    // Of a program that is just being loaded there is no environment to be read.
    place.await_up("server");
    let read = |pid: u32, file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    assert!(read(pid, "environ").contains("KEY=sk-hush"));
    let id = supervisor.id();
    assert_eq!(read(id, "cmdline"), format!("{BENCH}\0supervise\0"));
    assert!(!read(id, "environ").contains("sk-hush"));
    let group = |pid: u32| read(pid, "stat").rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap().to_owned();
    assert_eq!(group(id), id.to_string());
    assert_eq!(group(pid), pid.to_string());
    supervisor.stop().await.unwrap();
}

#[test]
fn a_supervising_process_that_cannot_be_started_is_an_error_that_names_it() {
    let error = bench::servers::server::supervisor::SupervisorHandle::spawn(Path::new("no/such/bench")).unwrap_err();
    assert!(error.to_string().contains("no/such/bench supervise"), "{error}");
}
