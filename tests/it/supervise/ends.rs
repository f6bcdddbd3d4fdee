//! Ending: in order, whatever the processes do against it, and whoever dies first.

use std::process::{Command, Stdio};

use bench::foundation::units::Seconds;
use bench::servers::server::supervisor::{ProcessExit, SupervisorError};
use bench::vocabulary::spec::server::StopSignal;
use rustix::process::Signal;

use super::{BENCH, Bare, Place, assert_gone, eventually, lives, order, send, supervisor};

/// Ends when told to, and says so in the file `order`.
fn polite(name: &str, signal: &str) -> String {
    format!("trap 'echo {name} >> order; exit 0' {signal}; echo up; for i in $(seq 10000); do sleep 0.1; done")
}

/// A server with a part in a session of its own that carries no mark, and one whose parent is dead.
const FAMILY: &str = "setsid env -i sh -c 'echo $$ > session; exec sleep 1000' &
    (setsid sh -c 'echo $$ > orphan; exec sleep 1000' &)
    sh -c 'echo $$ > child; exec sleep 1000' &
    echo $$ > leader; wait";

fn family(place: &Place) -> [i32; 4] {
    ["session", "orphan", "child", "leader"].map(|file| place.pid(file))
}

#[tokio::test]
async fn processes_end_in_reverse_order_each_by_its_own_signal() {
    let place = Place::new();
    let mut supervisor = supervisor();
    for (name, word, signal) in [("a", "TERM", StopSignal::Terminate), ("b", "INT", StopSignal::Interrupt), ("c", "QUIT", StopSignal::Quit)]
    {
        let mut job = place.job(name, &polite(name, word));
        job.stop.signal = signal;
        supervisor.start(job).await.unwrap();
        place.await_up(name);
    }
    supervisor.stop().await.unwrap();
    assert_eq!(std::fs::read_to_string(place.path("order")).unwrap(), "c\nb\na\n");
}

#[tokio::test]
async fn what_ignores_its_signal_is_killed_after_its_grace() {
    let place = Place::new();
    let mut job = place.job("server", "trap '' TERM; echo up; for i in $(seq 10000); do sleep 0.1; done");
    job.stop.grace = Seconds(0.3);
    let mut supervisor = supervisor();
    let pid = supervisor.start(job).await.unwrap();
    place.await_up("server");
    supervisor.stop().await.unwrap();
    assert_gone(&[pid.try_into().unwrap()]);
}

#[tokio::test]
async fn what_left_its_process_group_and_its_session_is_ended_too() {
    let place = Place::new();
    let mut supervisor = supervisor();
    supervisor.start(place.job("server", FAMILY)).await.unwrap();
    let family = family(&place);
    assert!(family.into_iter().all(lives));
    supervisor.stop().await.unwrap();
    assert_gone(&family);
}

#[tokio::test]
async fn who_holds_the_output_open_after_its_parent_s_death_holds_up_nothing() {
    let place = Place::new();
    let mut supervisor = supervisor();
    supervisor.start(place.job("server", "setsid sh -c 'echo $$ > held; exec sleep 1000' & echo bye; exit 4")).await.unwrap();
    let held = place.pid("held");
    assert_eq!(supervisor.exited().await, ProcessExit { name: "server".to_owned(), status: "exit status 4".to_owned() });
    assert!(lives(held));
    supervisor.stop().await.unwrap();
    assert_gone(&[held]);
}

#[tokio::test]
async fn a_dropped_supervisor_ends_everything() {
    let place = Place::new();
    let mut supervisor = supervisor();
    let id = supervisor.id().try_into().unwrap();
    supervisor.start(place.job("server", FAMILY)).await.unwrap();
    let family = family(&place);
    drop(supervisor);
    eventually("the supervising process ends", || !lives(id));
    assert_gone(&family);
}

#[test]
fn when_its_parent_is_killed_everything_ends() {
    let place = Place::new();
    std::fs::write(place.path("orders"), order(&place.job("server", FAMILY))).unwrap();
    // Holds the other end of the supervising process's stdin, as `bench` does.
    let mut parent = Command::new("sh");
    parent.args(["-c", "cat orders; exec sleep 1000"]).current_dir(place.path("")).stdout(Stdio::piped());
    let mut parent = parent.spawn().unwrap();
    let mut supervising = Command::new(BENCH);
    supervising.arg("supervise").stdin(parent.stdout.take().unwrap()).stdout(Stdio::null());
    let mut supervising = supervising.spawn().unwrap();
    // The command holds a copy of nothing: the pipe's one writer is the parent.
    let family = family(&place);
    parent.kill().unwrap();
    parent.wait().unwrap();
    eventually("the supervising process ends", || supervising.try_wait().unwrap().is_some());
    assert_gone(&family);
}

#[test]
fn signals_to_the_supervising_process_end_everything() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let place = Place::new();
        let mut bare = Bare::spawn();
        let pid = bare.start(&place.job("server", &polite("server", "TERM")));
        place.await_up("server");
        bare.signal(signal);
        assert_eq!(bare.report(), serde_json::json!({ "report": "stopped", "survivors": [] }));
        assert!(bare.ends_well(), "{signal:?}");
        assert_gone(&[pid]);
        assert_eq!(std::fs::read_to_string(place.path("order")).unwrap(), "server\n", "{signal:?}");
    }
}

#[test]
fn a_closed_stdout_is_not_its_death() {
    let place = Place::new();
    let mut bare = Bare::spawn();
    let first = bare.start(&place.job("first", "exec sleep 1000"));
    bare.reports = None;
    bare.order(&place.job("second", "echo $$ > second; exec sleep 1000"));
    let second = place.pid("second");
    assert!(lives(first) && lives(second));
    bare.orders = None;
    assert!(bare.ends_well());
    assert_gone(&[first, second]);
}

#[test]
fn what_is_no_order_ends_everything() {
    use std::io::Write;
    let place = Place::new();
    let mut bare = Bare::spawn();
    let pid = bare.start(&place.job("server", "exec sleep 1000"));
    bare.orders.as_mut().unwrap().write_all(b"{\"order\": \"dance\"}\n").unwrap();
    assert!(bare.ends_well());
    assert_gone(&[pid]);
}

#[tokio::test]
async fn when_the_supervising_process_is_killed_its_processes_are_ended_and_it_is_said() {
    let place = Place::new();
    let mut supervisor = supervisor();
    supervisor.start(place.job("server", FAMILY)).await.unwrap();
    let family = family(&place);
    send(supervisor.id().try_into().unwrap(), Signal::KILL);
    let gone = ProcessExit { name: ProcessExit::SUPERVISOR.to_owned(), status: "the supervising process is gone".to_owned() };
    assert_eq!(supervisor.exited().await, gone);
    assert_gone(&family);
    assert_eq!(supervisor.exited().await, gone);
    assert!(matches!(supervisor.start(place.job("next", "")).await, Err(SupervisorError::Gone)));
    supervisor.stop().await.unwrap();
}

#[tokio::test]
async fn orphans_that_end_are_not_kept_as_zombies() {
    let place = Place::new();
    let mut supervisor = supervisor();
    supervisor.start(place.job("server", "(sh -c 'echo $$ > orphan' &); exec sleep 1000")).await.unwrap();
    let orphan = place.pid("orphan");
    eventually("the orphan is reaped", || !std::path::Path::new(&format!("/proc/{orphan}")).exists());
    supervisor.stop().await.unwrap();
}
