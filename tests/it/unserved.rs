//! Servers that are not there, are the wrong ones, or go away: told once before anything is run, or a run that has failed and is done again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bench::records::record::{RunFailure, RunFailureCause, RunOutcome, RunRecord};
use bench::records::store::read_sweep;
use serde_json::{Value, json};

use super::dead_address::DeadAddress;
use super::stage::{Stage, chatting, program, run_line, said, serving, stderr, succeeded};

/// Two cells of three short requests each, in their order.
const SCENARIO: &str = r#"
name = "asked"
order = "listed"

[workload]
kind = "requests"
qps = 50
prompt_tokens = 60
answer_tokens = 4

[server]
canary = false

[matrix]
requests = [3, 4]
"#;

fn stage() -> Stage {
    Stage::with("asked.toml", SCENARIO)
}

fn sweep(stage: &Stage, url: &str, more: &[&str]) -> Output {
    stage.run(&[&["sweep", "asked.toml", "-o", "out", "--url", url], more].concat())
}

fn records(stage: &Stage) -> Vec<RunRecord> {
    read_sweep(&stage.path("out")).unwrap().runs.into_iter().map(|run| run.record).collect()
}

/// A server that answers prompts and the list of models as a test says.
struct Gateway {
    url: String,
    _runtime: tokio::runtime::Runtime,
}

impl Gateway {
    fn start(chat: impl Fn(&HeaderMap, &Value) -> Response + Clone + Send + Sync + 'static, models: (StatusCode, Value)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = move |headers: HeaderMap, Json(body): Json<Value>| async move { chat(&headers, &body) };
        let list = async move || (models.0, Json(models.1));
        let router = axum::Router::new().route("/v1/chat/completions", post(answer)).route("/v1/models", get(list));
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, _runtime: runtime }
    }

    /// One whose prompts are answered where `refusal` has nothing against them.
    fn refusing(refusal: impl Fn(&HeaderMap, &Value) -> Option<Response> + Clone + Send + Sync + 'static) -> Self {
        Self::start(move |headers, body| refusal(headers, body).unwrap_or_else(answered), (StatusCode::NOT_FOUND, Value::Null))
    }
}

fn answered() -> Response {
    let events = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"length\"}]}\n\n\
                  data: {\"choices\":[],\"usage\":{\"prompt_tokens\":80,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n";
    ([("content-type", "text/event-stream")], events).into_response()
}

fn refused(status: StatusCode, words: &str) -> Response {
    (status, Json(json!({ "error": { "message": words } }))).into_response()
}

/// Nothing was run and nothing is there that counts; what is wrong is told once, with each of these parts.
fn nothing_was_run(stage: &Stage, output: &Output, parts: &[&str]) {
    let words = stderr(output);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert_eq!(words.matches("error: nothing was run, since the target does not serve what would be sent: ").count(), 1, "{words}");
    for part in parts {
        assert_eq!(words.matches(part).count(), 1, "`{part}` is not once in {words}");
    }
    assert_eq!(stage.runs("out").len(), 0, "{words}");
    assert!(!stage.path("out/report").exists(), "there is nothing to report");
}

/// The port of an address.
fn port(url: &str) -> &str {
    url.rsplit(':').next().unwrap().trim_end_matches('/')
}

#[test]
fn a_dead_server_is_told_once_with_the_url_and_the_command_that_goes_on() {
    let (stage, dead) = (stage(), DeadAddress::take());
    let url = &dead.url();
    let output = sweep(&stage, url, &["--set", "target.model=small"]);
    let asked = format!("`{url}/v1/chat/completions`");
    nothing_was_run(&stage, &output, &[&asked, "connect: no connection", "hint: is the server running", "runs saved: 0 of 2"]);
    let line = stderr(&output).split_once("To try it again and go on: ").unwrap().1.trim().to_owned();
    nothing_was_run(&stage, &run_line(&stage, &line), &[&asked]);
    // The same command once a server is there.
    let _server = Process::start(port(url));
    succeeded(&run_line(&stage, &line));
    assert_eq!(records(&stage).len(), 2);
}

#[test]
fn a_run_from_flags_says_the_same_of_a_dead_server() {
    let (stage, dead) = (Stage::new(), DeadAddress::take());
    let output = stage.run(&["run", "requests", "--requests", "3", "--base-url", &dead.url(), "--results", "out"]);
    nothing_was_run(&stage, &output, &[&format!("`{}/v1/chat/completions`", dead.url()), "To do it again: the same command with `-o out`"]);
}

#[test]
fn a_wrong_path_a_wrong_model_a_key_that_is_missing_and_a_redirect_are_found_before_the_first_cell() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let wrong = format!("{}/wrong", server.url());
    let (path, stage_of_path) = (sweep(&stage(), &wrong, &[]), stage());
    nothing_was_run(&stage_of_path, &path, &[&format!("`{wrong}/v1/chat/completions`"), "http_404", "hint: is `target.url` right?"]);

    let listed = json!({ "data": [{ "id": "one" }, { "id": "two" }] });
    let is_unknown = |body: &Value| !["one", "two"].contains(&body["model"].as_str().unwrap());
    let answer = move |_: &HeaderMap, body: &Value| {
        if is_unknown(body) { refused(StatusCode::NOT_FOUND, "The model does not exist.") } else { answered() }
    };
    let gateway = Gateway::start(answer, (StatusCode::OK, listed));
    for model in [None, Some("--set=target.model=nope")] {
        let stage = stage();
        let output = sweep(&stage, &gateway.url, model.as_slice());
        let name = model.map_or("default", |_| "nope");
        let hint = format!("hint: it does not list the model `{name}`, but `one`, `two`: set `target.model`");
        nothing_was_run(&stage, &output, &["http_404: The model does not exist.", &hint]);
    }

    let keyed = Gateway::refusing(|headers, _| {
        headers.get("authorization").is_none().then(|| refused(StatusCode::UNAUTHORIZED, "You did not provide an API key."))
    });
    let stage_of_key = stage();
    let output = sweep(&stage_of_key, &keyed.url, &[]);
    nothing_was_run(&stage_of_key, &output, &["http_401: You did not provide an API key.", "`target.api_key_env` names the variable"]);

    let moved = Gateway::refusing(|_, _| {
        Some((StatusCode::PERMANENT_REDIRECT, [("location", "https://new.example/v1/chat/completions?key=x")], "").into_response())
    });
    let stage_of_redirect = stage();
    let output = sweep(&stage_of_redirect, &moved.url, &[]);
    let parts = ["http_308: redirected to `https://new.example/v1/chat/completions`", "hint: write the address that it leads to"];
    nothing_was_run(&stage_of_redirect, &output, &parts);
}

#[test]
fn an_answer_that_is_no_stream_is_told_before_the_first_cell() {
    let whole = Gateway::refusing(|_, _| Some(Json(json!({ "choices": [{ "message": { "content": "a" } }] })).into_response()));
    let stage = stage();
    let output = sweep(&stage, &whole.url, &[]);
    nothing_was_run(&stage, &output, &["answered with `application/json` instead of an event stream", "hint: only streams"]);
}

#[test]
fn fields_that_a_server_does_not_take_are_found_before_the_first_cell_with_the_cure() {
    let gateway = Gateway::refusing(|_, body| {
        let unexpected: Vec<&str> = ["ignore_eos", "min_tokens"].into_iter().filter(|field| !body[field].is_null()).collect();
        let words = format!("unexpected fields: {}", unexpected.join(", "));
        (!unexpected.is_empty()).then(|| refused(StatusCode::UNPROCESSABLE_ENTITY, &words))
    });
    let stage = stage();
    let output = sweep(&stage, &gateway.url, &[]);
    nothing_was_run(&stage, &output, &["http_422: unexpected fields: ignore_eos, min_tokens", "`answers = \"live\"`"]);
    let live = sweep(&Stage::with("asked.toml", SCENARIO), &gateway.url, &["--set", "workload.answers=live"]);
    succeeded(&live);
}

#[test]
fn the_list_of_models_stops_no_server_whose_chat_works() {
    let lists = [
        (StatusCode::UNAUTHORIZED, json!({ "error": "no key" })),
        (StatusCode::FORBIDDEN, Value::Null),
        (StatusCode::BAD_GATEWAY, Value::Null),
        (StatusCode::OK, json!({ "data": [{ "id": "another" }, { "id": "other" }] })),
        (StatusCode::OK, json!(["no list"])),
    ];
    for list in lists {
        let (stage, gateway) = (stage(), Gateway::start(|_, _| answered(), list));
        succeeded(&sweep(&stage, &gateway.url, &["--set", "target.model=alias"]));
        assert_eq!(records(&stage).len(), 2);
    }
}

#[test]
fn the_only_model_is_taken_where_none_is_named_and_the_record_says_which() {
    let list = json!({ "data": [{ "id": "org/the-one" }, { "id": "adapter", "parent": "org/the-one" }] });
    let answer = |_: &HeaderMap, body: &Value| {
        if body["model"] == "org/the-one" { answered() } else { refused(StatusCode::NOT_FOUND, "no such model") }
    };
    let (stage, gateway) = (stage(), Gateway::start(answer, (StatusCode::OK, list)));
    succeeded(&sweep(&stage, &gateway.url, &[]));
    assert!(records(&stage).iter().all(|record| record.header.work().model.as_deref() == Some("org/the-one")));
}

#[test]
fn where_nothing_succeeded_the_exit_code_says_so_and_the_servers_words_stand_once_with_count_and_url() {
    // It takes the small request and refuses what is measured.
    let words = "the moon is in the wrong phase";
    let gateway = Gateway::refusing(move |_, body| (body["max_tokens"] == 5).then(|| refused(StatusCode::UNPROCESSABLE_ENTITY, words)));
    let stage = Stage::new();
    let flags = ["--requests", "12", "--qps", "100", "--prompt-tokens", "60", "--answer-tokens", "5", "--set", "server.canary=false"];
    let output = stage.run(&[&["run", "requests", "--base-url", &gateway.url, "--results", "out"], &flags[..]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let told = format!("12 × http_422 at {}/v1/chat/completions: {words}", gateway.url);
    // Markdown keeps a line from being markup.
    let unfolded = |text: &str| text.replace('\\', "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(unfolded(&said(&output)).matches(&told).count(), 1, "{}", said(&output));
    for (file, told) in [("report.md", told.as_str()), ("report.html", words)] {
        let text = fs_err::read_to_string(stage.path("out/report").join(file)).unwrap();
        assert!(unfolded(&text).contains(told) && unfolded(&text).contains("12 × http_422"), "{file}");
    }
    assert_eq!(stage.json("out/report/summary.json")["variants"][0]["cells"][0]["failure_words"][0]["words"], words);
    // It has a result, and the result is that all failed.
    assert_eq!(records(&stage)[0].outcome, RunOutcome::Completed);
}

#[test]
fn a_server_that_refuses_the_key_from_the_first_cell_on_ends_each_cell_and_the_sweep_after_two() {
    // The small request passes: the key is for short answers only.
    let gateway = Gateway::refusing(|_, body| (body["max_tokens"] == 5).then(|| refused(StatusCode::FORBIDDEN, "not with this key")));
    let scenario = SCENARIO.replace("answer_tokens = 4", "answer_tokens = 5\nmax_in_flight = 1").replace("[3, 4]", "[200, 300, 400]");
    let stage = Stage::with("asked.toml", &scenario);
    let output = sweep(&stage, &gateway.url, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let words = stderr(&output);
    for part in
        ["stopped, since nobody served two runs in a row", "runs saved: 2 of 3", "To try it again and go on: bench sweep asked.toml"]
    {
        assert!(words.contains(part), "`{part}` is not in {words}");
    }
    let failed = records(&stage);
    assert_eq!(failed.len(), 2);
    for record in failed {
        let RunOutcome::Failed(RunFailure { cause, reason, .. }) = &record.outcome else { panic!("{record:?}") };
        assert!(
            *cause == RunFailureCause::Unserved && reason.starts_with("nobody served ") && reason.contains("http_403: not with this key"),
            "{reason}"
        );
        assert!(reason.ends_with("more were not sent") && record.counts.requests < 100, "{reason}");
    }
    let all = sweep(&stage, &gateway.url, &["--set", "on_cell_failure=continue"]);
    assert_eq!((all.status.code(), records(&stage).len()), (Some(3), 3), "{}", said(&all));
}

#[test]
fn with_on_cell_failure_continue_the_cells_of_a_dead_server_fail_and_the_others_are_run() {
    let (_runtime, server) = serving(r#"{"preset": "tiny"}"#);
    let dead = DeadAddress::take();
    let variants = format!("[variants.dead]\ntarget.url = \"{}\"\n[variants.live]\ntarget.url = \"{}\"\n", dead.url(), server.url());
    let stage = Stage::with("asked.toml", &format!("{SCENARIO}{variants}"));
    let output = stage.run(&["sweep", "asked.toml", "-o", "out", "--set", "on_cell_failure=continue"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let mut outcomes: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for record in records(&stage) {
        outcomes.entry(record.header.variant.clone()).or_default().push(record.outcome == RunOutcome::Completed);
    }
    let expected = [("dead".to_owned(), vec![false; 2]), ("live".to_owned(), vec![true; 2])];
    assert_eq!(outcomes, BTreeMap::from(expected), "{}", said(&output));
}

/// The simulated engine as a process of its own, which can be killed.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(port: &str) -> Self {
        let mut command = Command::new(program());
        command.args(["sim", "--port", port, "--model", "small", "--set", "preset=tiny", "-q"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split(' ').find(|word| word.starts_with("http://")).unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, url }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_cell_whose_server_was_killed_in_the_middle_has_failed_and_is_done_again_on_going_on() {
    let mut server = Process::start("0");
    let scenario = format!("{}[server]\nreset = \"none\"\n", chatting(&server.url, r#"["8s", "0.5s", "0.6s"]"#));
    let stage = Stage::with("chatting.toml", &scenario);
    let mut running = stage.start(&["sweep", "chatting.toml", "-o", "out", "-vv"]);
    running.await_line("measure): ttft");
    server.kill();
    assert_eq!(running.end(), Some(3), "{:#?}", running.said);
    running.line("stopped, since nobody served two runs in a row");
    let failed = records(&stage);
    assert_eq!(failed.len(), 2, "the third cell is not begun");
    assert!(failed.iter().all(|record| matches!(record.outcome, RunOutcome::Failed(_))), "{failed:?}");
    assert!(failed.iter().any(|record| (record.counts.failures.len() as u64) < record.counts.requests), "{failed:?}");
    let line = running.line("To try it again and go on: ").split_once("go on: ").unwrap().1.to_owned();
    // With the server still gone, nothing is run; with one at its place, all that failed is done again.
    let gone = run_line(&stage, &line);
    assert_eq!(gone.status.code(), Some(3), "{}", said(&gone));
    assert!(stderr(&gone).contains("error: nothing was run") && stage.runs("out").is_empty(), "{}", said(&gone));
    let _again = Process::start(port(&server.url));
    succeeded(&run_line(&stage, &line));
    let done = records(&stage);
    assert_eq!((done.len(), done.iter().all(|record| record.outcome == RunOutcome::Completed && record.counts.failed == 0)), (3, true));
}
