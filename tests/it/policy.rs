//! How a sweep takes failures: `max_error_rate` and `on_cell_failure` do what `docs/scenario.md` says, seen from outside.

use serde_json::Value;

use super::stage::{Stage, run_line, said, stderr, succeeded};

/// Cells of three, six and nine requests, every third of which fails: never the first, which brings the document.
const SCENARIO: &str = r#"
name = "failing"
order = "listed"
on_cell_failure = "continue"

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 500 }
answer_tokens = 4

[target]
kind = "sim"

[engine]
preset = "tiny"
faults = [{ kind = "status", every = 3, status = 503 }]

[matrix]
rounds = [2, 5, 8]
"#;

fn stage() -> Stage {
    Stage::with("failing.toml", SCENARIO)
}

/// The records of the runs that have one, by how many requests they were to send.
fn records(stage: &Stage) -> Vec<Value> {
    let mut records: Vec<Value> = stage
        .runs("out")
        .iter()
        .filter_map(|run| fs_err::read(run.join("run.json")).ok())
        .map(|text| serde_json::from_slice(&text).unwrap())
        .collect();
    records.sort_by_key(|record: &Value| record["axes"]["workload.rounds"].as_u64());
    records
}

fn outcomes(stage: &Stage) -> Vec<String> {
    records(stage).iter().map(|record| record["outcome"]["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_cell_of_which_more_requests_fail_than_are_let_pass_has_failed_and_the_sweep_goes_on() {
    let stage = stage();
    let swept = stage.run(&["sweep", "failing.toml", "-o", "out", "--set", "max_error_rate=0.3"]);
    assert_eq!(swept.status.code(), Some(3), "{}", said(&swept));
    assert_eq!(outcomes(&stage), ["failed"; 3]);
    let reason = "1 of 3 measured requests failed (1 http_503), which is more than `max_error_rate` = 0.3 lets pass";
    assert_eq!(records(&stage)[0]["outcome"]["reason"], reason);
    assert!(stderr(&swept).contains(&format!("failed: {reason}")), "{}", said(&swept));
    // Nobody takes its figures for a result; its rows are kept.
    let summary = stage.json("out/report/summary.json");
    assert_eq!(summary["variants"][0]["cells"][0]["state"]["kind"], "failed", "{summary}");
    assert!(stage.runs("out")[0].join("requests.parquet").exists());
}

#[test]
fn a_third_of_failures_is_let_pass_where_a_third_may_fail_and_where_nothing_is_said() {
    let stage = stage();
    succeeded(&stage.run(&["sweep", "failing.toml", "-o", "out", "--set", "max_error_rate=0.34"]));
    assert_eq!(outcomes(&stage), ["completed"; 3]);
    fs_err::remove_dir_all(stage.path("out")).unwrap();
    succeeded(&stage.run(&["sweep", "failing.toml", "-o", "out"]));
    assert_eq!(outcomes(&stage), ["completed"; 3]);
}

#[test]
fn a_cell_that_nothing_can_save_is_not_run_to_its_end() {
    let dead = SCENARIO.replace("every = 3", "every = 1").replace("[2, 5, 8]", "[49]").replace("[workload]", "[workload]\nsequential = 4");
    let stage = Stage::with("failing.toml", &dead);
    let swept = stage.run(&["sweep", "failing.toml", "-o", "out", "--set", "max_error_rate=0.05"]);
    assert_eq!(swept.status.code(), Some(3), "{}", said(&swept));
    let record = &records(&stage)[0];
    // Eleven are more than 5 % of 200; what was under way when that was heard is kept as well.
    let sent = record["counts"]["requests"].as_u64().unwrap();
    assert!((11..100).contains(&sent), "{record}");
    let rest = format!("; {} more were not sent, since they could not have changed that", 200 - sent);
    assert!(record["outcome"]["reason"].as_str().unwrap().ends_with(&rest), "{record}");
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_to_stop_begins_no_cell_after_one_that_failed_and_goes_on_when_told() {
    let stage = stage();
    let swept = stage.run(&["sweep", "failing.toml", "-o", "out", "-q", "--set", "max_error_rate=0.3", "--set", "on_cell_failure=stop"]);
    assert_eq!(swept.status.code(), Some(3), "{}", said(&swept));
    assert_eq!((outcomes(&stage), stage.runs("out").len()), (vec!["failed".to_owned()], 1));
    assert!(stage.path("out/report/report.html").exists(), "what is there is reported");
    let words = stderr(&swept);
    let id = stage.only_run("out").file_name().unwrap().to_str().unwrap().to_owned();
    for part in ["stopped, since `on_cell_failure` is `stop`", &id, "1 of 3 measured requests failed", "runs saved: 1 of 3"] {
        assert!(words.contains(part), "`{part}` is not in {words}");
    }
    let line = words.split_once("To try it again and go on: ").unwrap().1.trim();
    // As it stands it fails and stops again; with another policy the same folder is gone on with to its end.
    assert_eq!(run_line(&stage, line).status.code(), Some(3));
    assert_eq!(stage.runs("out").len(), 1);
    let line = line.replace("max_error_rate=0.3", "max_error_rate=0.5");
    let again = run_line(&stage, &line);
    succeeded(&again);
    assert_eq!(outcomes(&stage), ["completed"; 3], "{}", said(&again));
}

#[test]
fn a_share_that_is_none_is_refused_with_what_was_meant() {
    let stage = stage();
    let checked = stage.run(&["check", "failing.toml", "--set", "repeats=1"]);
    succeeded(&checked);
    stage.write("failing.toml", &format!("max_error_rate = 5\n{}", SCENARIO.replace("\"continue\"", "\"halt\"")));
    let checked = stage.run(&["check", "failing.toml"]);
    assert_eq!(checked.status.code(), Some(2));
    for part in ["`max_error_rate` is a share from 0 to 1, not 5", "for 5 % write 0.05", "`on_cell_failure`", "halt", "`stop`"] {
        assert!(said(&checked).contains(part), "`{part}` is not in {}", said(&checked));
    }
}
