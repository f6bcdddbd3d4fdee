//! How clients come together, and what is said where they do not.

use super::{leading, member, scenario};
use crate::stage::{Running, Stage, files, serving, stderr};

const FEW: &str = "kind = \"requests\"\nrequests = 4\nqps = 40\nprompt_tokens = 20\nanswer_tokens = 4";

#[test]
fn a_client_with_another_plan_is_refused_with_its_name_on_both_sides() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("shared.toml", &scenario(&server.url(), FEW));
    let (mut leader, address) = leading(&stage, 2, &[]);
    let mut other = Running::of(member(&stage, 2, 1, &address).args(["--set", "workload.requests=5"]));
    assert_eq!((leader.end(), other.end()), (Some(3), Some(3)), "{:#?} {:#?}", leader.said, other.said);
    leader.line("cannot take part: it plans other runs than rank 0");
    other.line("refused this client: it plans other runs than rank 0");
    assert!(stage.runs("out").is_empty());
}

#[test]
fn a_client_that_does_not_come_is_named() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("shared.toml", &scenario(&server.url(), FEW));
    let (mut leader, address) = leading(&stage, 3, &["--meet-within", "1s"]);
    let mut other = Running::of(&mut member(&stage, 3, 1, &address));
    assert_eq!((leader.end(), other.end()), (Some(3), Some(3)), "{:#?} {:#?}", leader.said, other.said);
    leader.line(&format!("error: client 2 of 3 did not come to `{address}` within 1s"));
    other.line("ended the load: client 2 of 3 did not come");
    assert!(stage.runs("out").is_empty());
}

#[test]
fn a_wrong_token_is_refused_the_right_one_is_let_in_and_neither_is_shown_or_saved() {
    const TOKEN: &str = "BENCH_MEETING_TOKEN";
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("shared.toml", &scenario(&server.url(), FEW));
    stage.write("token", "planted-token\n");
    let seat = ["--clients", "2", "--rank", "0", "--meet", "127.0.0.1:0", "--meet-token-file", "token"];
    let mut leader = stage.start(&[&["sweep", "shared.toml", "-o", "out"], &seat[..]].concat());
    leader.await_line("waiting for ");
    let address = leader.line("waiting for ").rsplit_once(' ').unwrap().1.to_owned();
    let mut wrong = Running::of(member(&stage, 2, 1, &address).env(TOKEN, "planted-other"));
    assert_eq!(wrong.end(), Some(3), "{:#?}", wrong.said);
    wrong.line("refused this client: the token is another one");
    let mut right = Running::of(member(&stage, 2, 1, &address).env(TOKEN, "planted-token"));
    assert_eq!((leader.end(), right.end()), (Some(0), Some(0)), "{:#?} {:#?}", leader.said, right.said);
    let said = [leader.said.as_slice(), &wrong.said, &right.said].concat().join("\n");
    assert!(!said.contains("planted"), "{said}");
    for (name, bytes) in files(&stage.path("out")) {
        assert!(!bytes.windows(7).any(|part| part == b"planted"), "{}", name.display());
    }
}

#[test]
fn what_cannot_be_shared_is_refused_before_anybody_is_waited_for() {
    let goal = "goals = [{ require = \"p95(ttft where in_flight >= 2) <= 2s\" }]\nsearch = { stop = \"certain\" }\n";
    let text = scenario("http://127.0.0.1:1", FEW);
    let stage = Stage::with("shared.toml", &text);
    stage.write("goal.toml", &format!("{goal}{text}"));
    let seat = ["--clients", "2", "--rank", "0", "--meet", "127.0.0.1:0"];
    let cases: [(&[&str], &str); 7] = [
        (&["shared.toml", "--simulate"], "the simulated engine in virtual time has one client"),
        (&["shared.toml", "--keep-text"], "do not go from client to client"),
        (&["shared.toml", "-o", "out", "--block", "0"], "a block is measured by one client"),
        (&["shared.toml", "goal.toml"], "several clients send the load of one scenario, and 2 are named"),
        (&["goal.toml"], "a goal looks at `in_flight` or `live_lanes`"),
        (&["shared.toml", "--rank", "2"], "there is no client 2 of 2"),
        (&["shared.toml", "--meet", "10.0.0.1:1"], "need a token"),
    ];
    for (words, expected) in cases {
        let kept: Vec<&str> = seat.chunks(2).filter(|pair| !words.contains(&pair[0])).flatten().copied().collect();
        let refused = stage.command(&[&["sweep"], words, &kept[..]].concat()).env_remove("BENCH_MEETING_TOKEN").output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(expected), "{words:?}: {}", stderr(&refused));
    }
}

#[test]
fn variables_of_a_launcher_are_heard_where_several_clients_are_asked_for_and_nowhere_else() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let stage = Stage::with("shared.toml", &scenario(&server.url(), FEW));
    // As in a job of Slurm whose other tasks are somebody else's.
    let slurm = [("SLURM_PROCID", "1"), ("SLURM_NTASKS", "4"), ("SLURM_JOB_ID", "7"), ("SLURM_STEP_NODELIST", "node[1-4]")];
    let alone = stage.command(&["sweep", "shared.toml", "-o", "alone"]).envs(slurm).output().unwrap();
    assert_eq!(alone.status.code(), Some(0), "{}", stderr(&alone));
    let torchrun = |rank: &str, port: &str| {
        [("RANK", rank), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", port)]
            .map(|(name, value)| (name, value.to_owned()))
    };
    let mut leader = Running::of(stage.command(&["sweep", "shared.toml", "-o", "out", "--clients", "launcher"]).envs(torchrun("0", "0")));
    leader.await_line("waiting for 1 other client at 127.0.0.1:");
    let port = leader.line("waiting for ").rsplit_once(':').unwrap().1.to_owned();
    let mut other = Running::of(stage.command(&["sweep", "shared.toml", "--clients", "launcher"]).envs(torchrun("1", &port)));
    assert_eq!((leader.end(), other.end()), (Some(0), Some(0)), "{:#?} {:#?}", leader.said, other.said);
}
