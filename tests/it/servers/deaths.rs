//! Servers that do not come to serve, and servers that die.

use bench::records::record::{FailureKind, RunFailure, RunFailureCause, RunOutcome};

use super::stage::{Stage, until};

/// A chat as long as the axis says, on a server that dies when a file appears.
const CHAT: &str = r#"
name = "deaths"
order = "listed"

[workload]
kind = "chat"
users = 2
qps = 20
rounds = 3
system_prompt_tokens = 20
history_tokens = 20
answer_tokens = 4

[target]
model = "MODEL"
url = "http://127.0.0.1:0"

[server]
shell = true
command = [
  "BENCH sim --port {port} --model {model} -q &",
  "while [ ! -e FOLDER/die ]; do sleep 0.02; done; rm FOLDER/die; echo the device is lost; kill -9 $!; exit 7",
]
"#;

/// Lets the server die as soon as it has answered.
fn die_in_the_first_cell(stage: &Stage) -> (Option<i32>, String) {
    let mut running = stage.start();
    running.await_line("measure): ttft");
    std::fs::write(stage.path("die"), "").unwrap();
    let code = running.end();
    (code, running.said.join("\n"))
}

#[test]
fn a_server_that_dies_fails_its_cell_with_its_last_words_and_is_started_again_for_the_next() {
    let stage = Stage::new(&format!("{CHAT}[matrix]\nduration = [\"600s\", \"1s\"]\n"));
    let (code, said) = die_in_the_first_cell(&stage);
    assert_eq!(code, Some(3), "{said}");
    let records = stage.records();
    assert_eq!(records.len(), 2, "{said}");
    let (died, next) = if records[0].header.axes[0].1 == 600.0 { (&records[0], &records[1]) } else { (&records[1], &records[0]) };
    let RunOutcome::Failed(failure) = &died.outcome else { panic!("{died:?}") };
    assert!(failure.cause == RunFailureCause::ServerDied && failure.reason.contains("exit status 7"), "{failure:?}");
    let log = failure.log.as_ref().unwrap();
    assert!(log.file.ends_with("server.log") && log.lines.contains(&"the device is lost".to_owned()), "{log:?}");
    // What was answered before is kept, and so is what was given up.
    assert!(died.counts.requests > 0 && died.server.as_ref().unwrap().life == Some(1), "{died:?}");
    assert_eq!((&next.outcome, next.server.as_ref().unwrap().life), (&RunOutcome::Completed, Some(2)));
    assert_eq!(said.matches("\n  the device is lost").count(), 1, "{said}");
    assert_eq!(stage.processes(), Vec::<String>::new());
}

/// So many requests one after the other, each of about a second: how long a cell takes is a matter of the server alone, and a minute of
/// its life is left when it has answered once. All that is left to ask when it is gone fails at once.
const ONE_BY_ONE: &str = r#"
[workload]
kind = "document_qa"
documents = { synthetic_tokens = 20 }
rounds = 1
answer_tokens = 800
"#;

#[test]
fn a_server_that_fails_every_request_long_before_its_process_ends_has_died_in_the_cell_that_it_failed() {
    // The engine is gone at once; the process that answers for it stays on for longer than the rest of the cell.
    let lingering = CHAT.replace("kill -9 $!; exit 7", "kill -9 $!; sleep 2; exit 7");
    let (head, rest) = lingering.split_once("[workload]").unwrap();
    let target = &rest[rest.find("[target]").unwrap()..];
    let stage = Stage::new(&format!("{head}{ONE_BY_ONE}{target}[matrix]\nsequential = [60, 1]\n"));
    let (code, said) = die_in_the_first_cell(&stage);
    assert_eq!(code, Some(3), "{said}");
    let mut records = stage.records();
    records.sort_by_key(|record| record.server.as_ref().and_then(|server| server.life));
    let [died, next] = records.as_slice() else { panic!("{records:?}") };
    let RunOutcome::Failed(failure) = &died.outcome else { panic!("{died:?}") };
    assert!(failure.cause == RunFailureCause::ServerDied && failure.reason.contains("exit status 7"), "{failure:?}");
    assert!(died.counts.failures.contains_key(&FailureKind::Connect), "{died:?}");
    assert_eq!((&next.outcome, next.server.as_ref().unwrap().life, next.counts.failed), (&RunOutcome::Completed, Some(2), 0));
}

#[test]
fn a_server_that_dies_too_often_is_given_up_and_the_sweep_goes_on_with_the_others() {
    let stage = Stage::new(&format!(
        "{CHAT}restarts = 0\n[matrix]\nduration = [\"601s\", \"602s\", \"603s\"]\n[variants.mortal]\n[variants.other.server]\n\
         shell = false\ncommand = [\"no-such-program-of-{{model}}\", \"{{port}}\"]\n"
    ));
    let (code, said) = die_in_the_first_cell(&stage);
    assert_eq!(code, Some(3), "{said}");
    let failures: Vec<(String, RunFailure)> = stage
        .records()
        .into_iter()
        .filter_map(|record| match record.outcome {
            RunOutcome::Failed(failure) => Some((record.header.variant, failure)),
            _ => None,
        })
        .collect();
    let of =
        |variant: &str, cause: RunFailureCause| failures.iter().filter(|(name, failure)| name == variant && failure.cause == cause).count();
    assert_eq!((of("mortal", RunFailureCause::ServerDied), of("mortal", RunFailureCause::NotTried)), (1, 2), "{failures:#?}");
    assert_eq!((of("other", RunFailureCause::NotStarted), of("other", RunFailureCause::NotTried)), (1, 2), "{failures:#?}");
    let says = |part: &str| failures.iter().any(|(_, failure)| failure.reason.contains(part));
    assert!(says("`server.restarts` is 0") && says("no-such-program"), "{failures:#?}");
}

#[test]
fn a_start_that_fails_shows_the_end_of_the_log_and_is_tried_twice() {
    let text = CHAT.replace("shell = true", "");
    let start = text.find("command = [").unwrap();
    let text = format!(
        "{}command = [\"sh\", \"-c\", \"seq 100; echo the key is ${{STAGE_TEST_HUSH}}; exit 3\", \"{{port}}\"]\n\
         [matrix]\nduration = [\"601s\", \"602s\", \"603s\"]\n",
        &text[..start]
    );
    let stage = Stage::new(&text);
    let swept = stage.sweep(&[]);
    assert_eq!(swept.code, Some(3), "{}", swept.said);
    let reasons = swept.reasons();
    assert_eq!(reasons.len(), 3);
    let told: Vec<&String> = reasons.iter().filter(|reason| reason.contains("the server did not start")).collect();
    assert_eq!(told.len(), 2, "{reasons:#?}");
    for part in ["exit status 3", "\n  82\n", "\n  100\n", "the key is ${STAGE_TEST_HUSH}"] {
        assert!(told[0].contains(part), "{part:?} is not in {}", told[0]);
    }
    assert!(!told[0].contains("\n  81\n"), "twenty lines: {}", told[0]);
    assert!(reasons.iter().any(|reason| reason.contains("failed to start 2 times in a row")), "{reasons:#?}");
    assert_eq!(swept.said.matches("starting default").count(), 2);
    let log = std::fs::read_to_string(stage.path("out/servers/default/server.log")).unwrap();
    assert!(!format!("{log}{}", swept.said).contains("planted-secret"), "{log}{}", swept.said);
}

#[test]
fn a_server_that_never_answers_is_late_and_is_ended() {
    let text = CHAT.replace("shell = true", "start_timeout = \"2s\"");
    let start = text.find("command = [").unwrap();
    let stage = Stage::new(&format!(
        "{}command = [\"sh\", \"-c\", \"echo loading; while :; do sleep 0.05; done\", \"{{model}}\", \"{{port}}\"]\nstop = {{ grace = \"5s\" }}\n",
        &text[..start]
    ));
    let swept = stage.sweep(&[]);
    let reasons = swept.reasons();
    assert!(reasons[0].contains("not ready within 2s") && reasons[0].contains("loading"), "{reasons:#?}");
    assert_eq!(stage.processes(), Vec::<String>::new());
}

#[test]
fn a_port_that_is_taken_is_refused_and_the_one_who_is_there_is_left_alone() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stage = Stage::new(&CHAT.replace("127.0.0.1:0", &format!("127.0.0.1:{port}")));
    let swept = stage.sweep(&[]);
    let reasons = swept.reasons();
    assert!(reasons[0].contains("is taken already") && reasons[0].contains(&format!("pid {}", std::process::id())), "{reasons:#?}");
    until("it still listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert_eq!(stage.processes(), Vec::<String>::new());
}
