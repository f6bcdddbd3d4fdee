//! However `bench` ends, the servers that it started are gone.

use super::stage::Stage;

const CHAT: &str = r#"
name = "orphans"

[workload]
kind = "chat"
users = 2
qps = 20
duration = "600s"
rounds = 3
system_prompt_tokens = 20
history_tokens = 20
answer_tokens = 4

[target]
model = "MODEL"
url = "http://127.0.0.1:0"

[server]
command = ["BENCH", "sim", "--port", "{port}", "--model", "{model}", "-q"]
before = [{ name = "cache", command = ["sh", "-c", "while :; do sleep 0.05; done", "{model}"] }]
"#;

#[test]
fn after_a_kill_of_bench_in_mid_cell_no_server_is_left() {
    let stage = Stage::new(CHAT);
    let mut running = stage.start();
    running.await_line("ttft");
    assert_eq!(stage.processes().len(), 2);
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    stage.await_no_process();
}

#[test]
fn a_sigterm_in_mid_cell_drains_it_and_ends_the_server_before_bench_ends() {
    let stage = Stage::new(CHAT);
    let mut running = stage.start();
    running.await_line("ttft");
    running.signal("-TERM");
    assert_eq!(running.end(), Some(130), "{:#?}", running.said);
    assert_eq!(stage.processes(), Vec::<String>::new());
    assert!(running.said.iter().any(|line| line == "default stopped"), "{:#?}", running.said);
    assert!(stage.records().is_empty());
}

#[test]
fn ctrl_c_while_a_server_starts_ends_it_promptly() {
    let never = CHAT.replace("[\"BENCH\", \"sim\", ", "[\"sh\", \"-c\", \"while :; do sleep 0.05; done\", ");
    let stage = Stage::new(&never);
    let mut running = stage.start();
    running.await_line("starting default");
    running.signal("-INT");
    assert_eq!(running.end(), Some(130), "{:#?}", running.said);
    // Its start, which may take ten minutes, was not awaited.
    assert!(!running.said.iter().any(|line| line.contains("did not start")), "{:#?}", running.said);
    assert_eq!(stage.processes(), Vec::<String>::new());
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_the_grace_of_a_server_that_will_not_end() {
    let stubborn = CHAT.replace("\"while :; do", "\"trap '' TERM; while :; do");
    let stage = Stage::new(&format!("{stubborn}stop = {{ grace = \"10m\" }}\n"));
    let mut running = stage.start();
    running.await_line("ttft");
    running.signal("-INT");
    running.await_line("stopping");
    running.signal("-INT");
    assert_eq!(running.end(), Some(130), "{:#?}", running.said);
    running.line("leaving");
    // Whether they were seen dead before `bench` left, or are being killed by who supervises them: nothing stays.
    stage.await_no_process();
}
