//! What outlives a supervising process that was itself killed: found by its mark, and nothing else is touched.

use std::process::Command;

use bench::servers::server::supervisor::{LeftoverProcess, leftovers};
use rustix::process::Signal;

use super::{Bare, Place, assert_gone, eventually, lives};

fn find(found: &[LeftoverProcess], pid: i32) -> Option<&LeftoverProcess> {
    found.iter().find(|leftover| i64::from(leftover.pid) == i64::from(pid))
}

#[tokio::test]
async fn a_leftover_is_found_and_ended_and_nobody_else_is_touched() {
    let place = Place::new();
    // It takes its time to end, for others to be looked at meanwhile; its part overwrites its mark, as vLLM's engine does.
    let script = "env -i sh -c 'echo $$ > part; exec sleep 1000' & trap 'exit 0' TERM; echo up; for i in $(seq 10000); do sleep 0.1; done";
    let mut dead = Bare::spawn();
    let leader = dead.start(&place.job("dead", script));
    let part = place.pid("part");
    let mut alive = Bare::spawn();
    let guarded = alive.start(&place.job("alive", "exec sleep 1000"));
    let mut innocent = Command::new("sleep").arg("1000").spawn().unwrap();
    let innocent_pid = i32::try_from(innocent.id()).unwrap();
    assert_eq!(find(&leftovers(), leader), None, "its supervising process lives");

    dead.signal(Signal::KILL);
    dead.process.wait().unwrap();
    let found = leftovers();
    for stranger in [guarded, innocent_pid, i32::try_from(std::process::id()).unwrap()] {
        assert_eq!(find(&found, stranger), None);
    }
    // A sweep that begins on this machine at this moment may have ended them already.
    for ours in [leader, part] {
        match find(&found, ours) {
            Some(leftover) => leftover.end().await.unwrap(),
            None => eventually("what was not found is gone", || !lives(ours)),
        }
    }
    assert_gone(&[leader, part]);
    assert!(lives(guarded) && lives(innocent_pid));
    assert!(find(&leftovers(), leader).is_none());

    innocent.kill().unwrap();
    innocent.wait().unwrap();
    alive.orders = None;
    assert!(alive.ends_well());
}

#[tokio::test]
async fn a_leftover_that_ignores_its_signal_is_killed_and_one_that_is_gone_is_no_error() {
    let place = Place::new();
    let mut bare = Bare::spawn();
    let pid = bare.start(&place.job("server", "trap '' TERM; echo up; for i in $(seq 10000); do sleep 0.1; done"));
    place.await_up("server");
    bare.signal(Signal::KILL);
    bare.process.wait().unwrap();
    let found = leftovers();
    if let Some(leftover) = find(&found, pid) {
        assert_eq!(leftover.command, "sh …");
        leftover.end().await.unwrap();
        assert_gone(&[pid]);
        leftover.end().await.unwrap();
    }
    eventually("it is gone", || !lives(pid));
}
