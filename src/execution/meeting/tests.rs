//! Whole meetings on loopback: who is let in, whose fault it is where they do not come together, and how far clocks are apart.

use std::io::Write;
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::foundation::clock::Micros;

fn limits() -> MeetingLimits {
    MeetingLimits { gather: Duration::from_mins(1), silence: MeetingLimits::SILENCE }
}

fn identity(rank: u32, clients: u32) -> ClientIdentity {
    ClientIdentity { version: "1".into(), plan: "p".into(), rank, clients, host: format!("host{rank}") }
}

/// A leader that waits for so many clients, itself among them.
fn leading(clients: u32, limits: MeetingLimits) -> (MeetingAddress, JoinHandle<Result<MeetingLeader, MeetingError>>) {
    let any = "127.0.0.1:0".parse().unwrap();
    let listener = MeetingListener::listen(&any, identity(0, clients), MeetingToken::new("t"), limits).unwrap();
    (listener.address().clone(), std::thread::spawn(move || listener.gather(&CancellationToken::new())))
}

fn joining(address: &MeetingAddress, mine: ClientIdentity, token: &str) -> JoinHandle<Result<MeetingMember, MeetingError>> {
    let (address, token) = (address.clone(), MeetingToken::new(token));
    std::thread::spawn(move || MeetingMember::join(&address, &mine, &token, limits(), &CancellationToken::new()))
}

fn met(clients: u32) -> (MeetingLeader, Vec<MeetingMember>) {
    let (address, leader) = leading(clients, limits());
    let members: Vec<_> = (1..clients).map(|rank| joining(&address, identity(rank, clients), "t")).collect();
    (leader.join().unwrap().unwrap(), members.into_iter().map(|member| member.join().unwrap().unwrap()).collect())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn word(text: &str) -> Box<RawValue> {
    to_raw_value(text).unwrap()
}

#[test]
fn words_go_both_ways_and_keep_their_order() {
    let (mut leader, mut members) = met(3);
    assert_eq!(leader.members().collect::<Vec<_>>(), [(1, "host1"), (2, "host2")]);
    for text in ["a", "b"] {
        leader.send(2, word(text));
    }
    let mut second = members.pop().unwrap();
    block_on(async {
        for text in ["\"a\"", "\"b\""] {
            let LeaderNews::Word(heard) = second.heard().await else { panic!("a word was sent") };
            assert_eq!(heard.get(), text);
            second.line().send(heard);
        }
        for text in ["\"a\"", "\"b\""] {
            let (2, MemberNews::Word(heard)) = leader.heard().await else { panic!("client 2 said it again") };
            assert_eq!(heard.get(), text);
        }
    });
}

#[test]
fn clocks_are_known_to_what_is_said_of_them_and_a_moment_is_the_same_everywhere() {
    let (leader, members) = met(4);
    let clocks = block_on(leader.clocks());
    assert_eq!(clocks.len(), 3);
    let at = leader.clock().now() + Micros(50_000);
    for member in &members {
        // On one machine it is known when each clock began.
        let behind = member.clock().began_after(&leader.clock());
        let apart = |clock: &crate::records::record::ClockOffset| (clock.offset_us + behind.0.cast_signed()).unsigned_abs();
        let own = clocks.values().min_by_key(|clock| apart(clock)).unwrap();
        assert!(apart(own) <= own.uncertainty_us, "{own:?}, and it is {behind:?} behind");
        let (theirs, ours) = (member.clock().instant(own.theirs(at)), leader.clock().instant(at));
        let between = theirs.max(ours) - theirs.min(ours);
        assert!(between <= Duration::from_micros(own.uncertainty_us), "{between:?} {own:?}");
        println!("a moment is {between:?} apart, {} us are sure", own.uncertainty_us);
    }
}

#[test]
fn who_is_not_of_this_load_ends_the_meeting_for_all_with_its_name() {
    let one = || identity(2, 3);
    let cases = [
        (ClientIdentity { version: "2".into(), ..one() }, "client 2 on host2 cannot take part: it is of version 2, and rank 0 of 1"),
        (ClientIdentity { plan: "q".into(), ..one() }, "client 2 on host2 cannot take part: it plans other runs than rank 0"),
        (identity(2, 4), "client 2 on host2 cannot take part: it was told of 4 clients, and rank 0 of 3"),
        (identity(1, 3), "client 1 on host1 cannot take part: there is a client of rank 1 already"),
        (identity(0, 3), "client 0 on host0 cannot take part: the others of 3 clients have the ranks 1 to 2"),
    ];
    for (stranger, expected) in cases {
        let (address, leader) = leading(3, limits());
        let mut first = joining(&address, identity(1, 3), "t").join().unwrap().unwrap();
        let refused = joining(&address, stranger, "t").join().unwrap().unwrap_err().to_string();
        let error = leader.join().unwrap().unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        let reason = expected.split_once(": ").unwrap().1;
        assert!(refused.starts_with(&format!("rank 0 at `{address}` refused this client: {reason}")), "{refused}");
        let LeaderNews::Over(Some(told)) = block_on(first.heard()) else { panic!("who had come is told") };
        assert_eq!(told, error);
    }
}

#[test]
fn a_stranger_is_refused_and_the_meeting_goes_on_without_it() {
    let (address, leader) = leading(2, limits());
    let refused = joining(&address, identity(1, 2), "another").join().unwrap().unwrap_err().to_string();
    assert_eq!(refused, format!("rank 0 at `{address}` refused this client: the token is another one"));
    for text in ["GET / HTTP/1.1\r\n\r\n".to_owned(), "x".repeat(1 << 20), String::new()] {
        // What is said may be cut off in the middle.
        let _ = TcpStream::connect(address.to_string()).unwrap().write_all(text.as_bytes());
    }
    let member = joining(&address, identity(1, 2), "t").join().unwrap();
    assert!(member.is_ok() && leader.join().unwrap().is_ok());
}

#[test]
fn a_client_does_not_take_part_where_a_leader_does_not_know_the_token() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address: MeetingAddress = listener.local_addr().unwrap().to_string().parse().unwrap();
    let member = joining(&address, identity(1, 2), "t");
    let (mut stream, _) = listener.accept().unwrap();
    let greeting = format!("{{\"bench_meeting\": {MEETING_PROTOCOL}, \"nonce\": \"n\"}}\n{{\"welcome\": {{\"proof\": \"p\"}}}}\n");
    stream.write_all(greeting.as_bytes()).unwrap();
    let error = member.join().unwrap().unwrap_err().to_string();
    assert!(error.ends_with("it does not know the token itself"), "{error}");
}

#[test]
fn who_does_not_come_in_time_is_named_with_whoever_was_refused() {
    let short = MeetingLimits { gather: Duration::from_millis(300), ..limits() };
    let (address, leader) = leading(4, short);
    let first = joining(&address, identity(2, 4), "t").join().unwrap();
    let refused = joining(&address, identity(1, 4), "another").join().unwrap();
    let error = leader.join().unwrap().unwrap_err().to_string();
    assert!(error.starts_with(&format!("clients 1, 3 of 4 did not come to `{address}` within 300ms")), "{error}");
    assert!(refused.is_ok() || error.contains("refused meanwhile: 127.0.0.1:"), "{error}");
    drop(first);
}

#[test]
fn who_says_nothing_is_lost_and_so_is_who_goes() {
    let short = MeetingLimits { silence: Duration::from_millis(400), ..limits() };
    let any = "127.0.0.1:0".parse().unwrap();
    let listener = MeetingListener::listen(&any, identity(0, 3), MeetingToken::new("t"), short).unwrap();
    let address = listener.address().clone();
    let leader = std::thread::spawn(move || listener.gather(&CancellationToken::new()));
    // One that is let in and answers no question.
    let silent = std::thread::spawn({
        let address = address.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let entered = runtime.block_on(async {
                let stream = tokio::net::TcpStream::connect(address.to_string()).await.unwrap();
                handshake::enter(stream, &MeetingToken::new("t"), &identity(1, 3)).await.unwrap()
            });
            (runtime, entered)
        }
    });
    let goes = joining(&address, identity(2, 3), "t").join().unwrap().unwrap();
    let mut leader = leader.join().unwrap().unwrap();
    let kept = silent.join().unwrap();
    goes.leave();
    let mut lost: Vec<(u32, String)> = Vec::new();
    while lost.len() < 2 {
        if let (rank, MemberNews::Lost(reason)) = block_on(leader.heard()) {
            lost.push((rank, reason));
        }
    }
    lost.sort();
    assert!(lost[0].0 == 1 && lost[0].1.starts_with("nothing was said for"), "{lost:?}");
    assert_eq!(lost[1], (2, "the connection was closed".into()));
    drop(kept);
}

#[test]
fn a_member_hears_that_the_leader_is_gone_or_why_it_ended() {
    let (leader, mut members) = met(2);
    leader.close(Some("no space is left"));
    let LeaderNews::Over(Some(reason)) = block_on(members[0].heard()) else { panic!("a reason was given") };
    assert_eq!(reason, "no space is left");
    let (leader, mut members) = met(2);
    drop(leader);
    assert!(matches!(block_on(members[0].heard()), LeaderNews::Lost(_)));
}

#[test]
fn a_meeting_that_is_stopped_ends_at_once_for_whoever_waits() {
    let any: MeetingAddress = "127.0.0.1:0".parse().unwrap();
    let listener = MeetingListener::listen(&any, identity(0, 2), MeetingToken::new("t"), limits()).unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    let nowhere = listener.address().clone();
    assert!(matches!(listener.gather(&stop), Err(MeetingError::Stopped)));
    let entered = MeetingMember::join(&nowhere, &identity(1, 2), &MeetingToken::new("t"), limits(), &stop);
    assert!(matches!(entered, Err(MeetingError::Stopped)));
}
