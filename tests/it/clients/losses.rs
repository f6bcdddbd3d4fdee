//! A client that is lost or asked to stop: the load never goes on without it, and everybody says why.

use bench::records::record::{RunFailure, RunFailureCause, RunOutcome};
use bench::records::store::read_sweep;

use super::{LONG, member, scenario, started};
use crate::dead_address::DeadAddress;
use crate::stage::{Running, Stage, serving};

#[test]
fn a_client_that_is_killed_fails_the_run_and_stops_the_others() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("shared.toml", &scenario(&server.url(), LONG));
    let mut clients = started(&stage, 3, &["-vv"]);
    clients.leader.await_line("measure): ttft");
    clients.others[0].child.kill().unwrap();
    assert_eq!(clients.leader.end(), Some(3), "{:#?}", clients.leader.said);
    clients.leader.line("stopped, since one of several clients is gone and the load of `");
    assert!(clients.leader.line("stopped, since").contains("client 1 on "), "{:#?}", clients.leader.said);
    assert_eq!(clients.others[1].end(), Some(3), "{:#?}", clients.others[1].said);
    assert!(clients.others[1].line("ended the load: ").contains("client 1 on "), "{:#?}", clients.others[1].said);
    let record = read_sweep(&stage.path("out")).unwrap().runs.remove(0).record;
    let RunOutcome::Failed(RunFailure { cause, reason, .. }) = &record.outcome else { panic!("{:?}", record.outcome) };
    assert!(*cause == RunFailureCause::ClientLost && reason.starts_with("client 1 on "), "{reason}");
    assert!(record.counts.requests > 0, "what had come is kept");
}

#[test]
fn clients_whose_leader_is_killed_end_and_say_so() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("shared.toml", &scenario(&server.url(), LONG));
    let mut clients = started(&stage, 2, &["-vv"]);
    clients.leader.await_line("measure): ttft");
    clients.leader.child.kill().unwrap();
    assert_eq!(clients.others[0].end(), Some(3), "{:#?}", clients.others[0].said);
    clients.others[0].line("error: rank 0 at 127.0.0.1:");
    clients.others[0].line(" was lost: ");
}

#[cfg(unix)]
#[test]
fn a_signal_to_any_client_is_one_to_all() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("shared.toml", &scenario(&server.url(), LONG));
    let mut clients = started(&stage, 2, &["-vv"]);
    clients.leader.await_line("measure): ttft");
    clients.others[0].signal("-TERM");
    assert_eq!(clients.leader.end(), Some(130), "{:#?}", clients.leader.said);
    clients.leader.line("interrupted: ");
    assert_eq!(clients.others[0].end(), Some(130), "{:#?}", clients.others[0].said);
    // What is measured again begins anew, with all clients.
    let mut again = started(&stage, 2, &["-vv"]);
    again.leader.await_line("measure): ttft");
    again.leader.signal("-INT");
    assert_eq!((again.leader.end(), again.others[0].end()), (Some(130), Some(130)), "{:#?}", again.others[0].said);
}

#[test]
fn a_client_that_cannot_do_its_part_fails_the_run_with_its_name() {
    let ((_runtime, server), dead) = (serving(r#"{"preset": "tiny"}"#), DeadAddress::take());
    let workload = "kind = \"requests\"\nrequests = 4\nprompt_tokens = 20\nanswer_tokens = 4";
    // What comes from the environment is each client's own.
    let stage = Stage::with("shared.toml", &scenario("${SERVER_OF_CLIENTS}", workload));
    let seat = ["--clients", "2", "--rank", "0", "--meet", "127.0.0.1:0"];
    let mut command = stage.command(&[&["sweep", "shared.toml", "-o", "out"], &seat[..]].concat());
    let mut leader = Running::of(command.env("SERVER_OF_CLIENTS", server.url()));
    leader.await_line("waiting for ");
    let address = leader.line("waiting for ").rsplit_once(' ').unwrap().1.to_owned();
    let mut other = Running::of(member(&stage, 2, 1, &address).env("SERVER_OF_CLIENTS", dead.url()));
    assert_eq!(leader.end(), Some(3), "{:#?}", leader.said);
    let record = read_sweep(&stage.path("out")).unwrap().runs.remove(0).record;
    let RunOutcome::Failed(RunFailure { cause, reason, .. }) = &record.outcome else { panic!("{:?}", record.outcome) };
    assert!(*cause == RunFailureCause::ClientLost && reason.starts_with("client 1 on "), "{reason}");
    assert!(reason.contains("does not serve a small request: connect") && !reason.contains(&dead.url()), "{reason}");
    assert_eq!(other.end(), Some(0), "{:#?}", other.said);
}
