//! Sweeps over a rate by the real program on the simulated engine: what it cannot keep up with is growing, and never certified.

use std::process::Output;

use serde_json::Value;

use super::stage::{Stage, said};

/// A request takes about 14.2 ms of the engine's time: 70 a second are what it carries. Its prompt is short and dear, since thousands of long ones take long to write.
/// The limit is one that no run of a minute reaches.
const SINGLE: &str = r#"
name = "single"
seed = 7

[workload]
kind = "requests"
prompt_tokens = 100
answer_tokens = 20
duration = 60

[engine]
preset = "tiny"
step_tokens = 120
costs = { prefill_token = "105us" }

[matrix]
qps = [35, 105]

[[goals]]
require = "p50(ttft_intended) <= 1m"
"#;

/// Twenty users on the same engine. Each turn brings a history of 1,000 tokens that no cache holds, since the memory is that of three users.
const CHAT: &str = r#"
name = "users"
seed = 7

[workload]
kind = "chat"
users = 20
rounds = 4
system_prompt_tokens = 0
history_tokens = 1000
answer_tokens = 20
answers = "forced_length"
duration = 60

[engine]
preset = "tiny"
kv_memory = "4MB"

[matrix]
qps = [10, 90]

[[goals]]
require = "p50(ttft) <= 1m"
"#;

fn swept(bench: &Stage, file: &str, words: &[&str]) -> Output {
    let swept = bench.run(&[&["sweep", file, "--simulate", "-q"], words].concat());
    assert_eq!(swept.status.code(), Some(0), "{}", said(&swept));
    swept
}

fn cells(bench: &Stage, folder: &str) -> Vec<Value> {
    bench.json(&format!("{folder}/report/summary.json"))["variants"][0]["cells"].as_array().unwrap().clone()
}

#[test]
fn at_one_and_a_half_times_its_capacity_a_server_is_growing_and_at_half_of_it_is_not() {
    let bench = Stage::with("single.toml", SINGLE);
    let report = said(&swept(&bench, "single.toml", &["-o", "out"]));
    let cells = cells(&bench, "out");
    assert_eq!((&cells[0]["backlog_growth"], &cells[0]["passes"]), (&Value::Null, &Value::Bool(true)));
    let growth = &cells[1]["backlog_growth"];
    assert_eq!((&growth["is_certain"], &cells[1]["verdict"], &cells[1]["passes"]), (&true.into(), &"missed".into(), &false.into()));
    // 105 come and about 70 go in a second: 35 more, which take half a second to answer, so that waits grow by about 30 s a minute.
    let requests = growth["requests_per_min"].as_f64().unwrap();
    assert!((1800.0..2400.0).contains(&requests), "{growth}");
    let waits = growth["measures_per_min"]["p50(ttft_intended)"].as_f64().unwrap();
    assert!(waits > 27.0 && waits < 32.0, "{growth}");
    assert!(report.contains("and growing") && report.contains("growing: more comes due than is answered at qps=105"), "{report}");
}

#[test]
fn a_frontier_over_the_rate_certifies_none_that_grows() {
    let bench = Stage::with("single.toml", &SINGLE.replace("[35, 105]", "\"20..=120 +20\""));
    swept(&bench, "single.toml", &["--search", "frontier", "-o", "out"]);
    let summary = bench.json("out/report/summary.json");
    let score = &summary["variants"][0]["scores"][0];
    let (passes, met) = (score["passes"].as_f64().unwrap(), score["met"].as_f64().unwrap_or(0.0));
    assert!((40.0..=60.0).contains(&passes) && met <= 60.0, "{score}");
    assert!(score["not_excluded"].as_f64().unwrap() <= 80.0, "{score}");
}

#[test]
fn users_whose_turns_wait_for_their_answers_are_a_backlog_too() {
    let bench = Stage::with("users.toml", CHAT);
    swept(&bench, "users.toml", &["-o", "out"]);
    let cells = cells(&bench, "out");
    assert_eq!(cells[0]["backlog_growth"], Value::Null, "{}", cells[0]);
    // Never more than twenty are in flight, but more and more are due.
    assert_eq!((&cells[1]["backlog_growth"]["is_certain"], &cells[1]["verdict"]), (&true.into(), &"missed".into()), "{}", cells[1]);
}
