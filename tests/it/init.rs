//! `bench init`: a running server asked, a scenario written, and that scenario swept.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use bench::simulation::engine::EngineParameters;
use bench::simulation::serve::{EngineServer, ServeOptions, bind};
use bench::vocabulary::spec::engine::{EnginePreset, EngineSpec};

use crate::stage::{Stage, said, stderr, stdout, succeeded};

/// A server on loopback, and the runtime that it lives in.
struct ServedEngine {
    serving: EngineServer,
    _runtime: tokio::runtime::Runtime,
}

impl ServedEngine {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let parameters = EngineParameters::resolve(&EngineSpec { preset: EnginePreset::Tiny, ..EngineSpec::default() }, 0).unwrap();
        let options = ServeOptions { host: [127, 0, 0, 1].into(), port: 0, model: "tiny".into(), parameters };
        let serving = runtime.block_on(bind(options)).unwrap();
        Self { serving, _runtime: runtime }
    }

    fn url(&self) -> String {
        self.serving.url()
    }
}

#[test]
fn a_scenario_for_a_running_server_names_what_the_server_told_and_is_swept_at_once() {
    let (stage, engine) = (Stage::new(), ServedEngine::new());
    let output = stage.run(&["init", "--url", &engine.url(), "-o", "my.toml"]);
    succeeded(&output);
    let text = stdout(&output);
    for part in [
        "the simulated engine, version bench-sim",
        "model `tiny`, 32,768 tokens of prompt and answer at most",
        "a POST to /reset_prefix_cache",
        "a small request was answered",
        "wrote my.toml",
        "plan: a search along concurrency, about ",
        " of load, ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.ends_with("next: bench sweep my.toml\n"), "{text}");
    let scenario = fs_err::read_to_string(stage.path("my.toml")).unwrap();
    for line in [
        "model = \"tiny\"",
        "context_limit = 32768",
        "reset = [\"/reset_prefix_cache\"]",
        "concurrency = \"1.. x2\"",
        "require = \"p95(ttft) <= 2s\"",
    ] {
        assert!(scenario.lines().any(|found| found == line), "{line}: {scenario}");
    }
    assert!(!scenario.contains("\n\n\n"), "{scenario}");
    let short = [
        "sweep",
        "my.toml",
        "--set",
        "workload.duration=1s",
        "--set",
        "workload.ramp=0s",
        "--set",
        "search.largest=2",
        "--set",
        "answer_tokens=2",
        "--set",
        "prompt_tokens=32",
        "-o",
        "out",
    ];
    let swept = stage.run(&short);
    assert!(matches!(swept.status.code(), Some(0 | 1)), "{}", said(&swept));
    assert!(stage.path("out/report/report.html").exists() && said(&swept).contains("concurrency"), "{}", said(&swept));
}

#[test]
fn every_workload_makes_a_scenario_that_is_planned() {
    let (stage, engine) = (Stage::new(), ServedEngine::new());
    for workload in ["requests", "chat", "document_qa"] {
        let file = format!("{workload}.toml");
        let goal = ["--goal", "p99(ttft) <= 1s"];
        let output = stage.run(&["init", "--url", &engine.url(), "-o", &file, "--workload", workload, goal[0], goal[1]]);
        succeeded(&output);
        assert!(fs_err::read_to_string(stage.path(&file)).unwrap().contains("require = \"p99(ttft) <= 1s\"\n"));
        succeeded(&stage.run(&["plan", &file]));
    }
}

#[test]
fn a_file_that_exists_is_left_alone_without_force_and_nobody_is_asked() {
    let stage = Stage::with("my.toml", "mine");
    let nobody = "http://127.0.0.1:1";
    let kept = stage.run(&["init", "--url", nobody, "-o", "my.toml"]);
    assert_eq!(kept.status.code(), Some(2));
    assert!(stderr(&kept).contains("`my.toml` exists") && stderr(&kept).contains("--force"), "{}", said(&kept));
    assert_eq!(fs_err::read_to_string(stage.path("my.toml")).unwrap(), "mine");
    let unreached = stage.run(&["init", "--url", nobody, "-o", "my.toml", "--force"]);
    assert!(unreached.status.code() == Some(2) && stderr(&unreached).contains("cannot connect"), "{}", said(&unreached));
    assert_eq!(fs_err::read_to_string(stage.path("my.toml")).unwrap(), "mine");
    let engine = ServedEngine::new();
    succeeded(&stage.run(&["init", "--url", &engine.url(), "-o", "my.toml", "--force"]));
    assert!(fs_err::read_to_string(stage.path("my.toml")).unwrap().contains("[workload]"));
    let other = stage.run(&["init", "--url", nobody, "-o", "my.json"]);
    assert!(other.status.code() == Some(2) && stderr(&other).contains("does not end in `.toml`"), "{}", said(&other));
}

/// Answers every request with this status and body, each on a connection of its own, until the test ends.
fn answering(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 8192];
            let _ = stream.read(&mut request);
            let reply = format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(reply.as_bytes());
        }
    });
    url
}

#[test]
fn a_server_that_wants_a_key_says_how_to_give_one_and_nothing_is_written() {
    let stage = Stage::new();
    let url = answering("401 Unauthorized", r#"{"error": "no key"}"#);
    let without = stage.run(&["init", "--url", &url]);
    assert!(without.status.code() == Some(2) && stderr(&without).contains("`--api-key-env NAME`"), "{}", said(&without));
    let wrong = stage.command(&["init", "--url", &url, "--api-key-env", "MY_KEY"]).env("MY_KEY", "sk-hush").output().unwrap();
    assert!(
        wrong.status.code() == Some(2) && stderr(&wrong).contains("is the key in that environment variable right?"),
        "{}",
        said(&wrong)
    );
    assert!(!said(&wrong).contains("hush") && !stage.path("scenario.toml").exists());
}

#[test]
fn a_server_that_tells_nothing_needs_a_model_by_name_and_what_is_unknown_is_said() {
    let stage = Stage::new();
    let url = answering("404 Not Found", r#"{"detail": "Not Found"}"#);
    let unnamed = stage.run(&["init", "--url", &url]);
    assert!(unnamed.status.code() == Some(2) && stderr(&unnamed).contains("`--model`"), "{}", said(&unnamed));
    let named = stage.run(&["init", "--url", &url, "--model", "my \"model\"", "-o", "my.toml"]);
    succeeded(&named);
    for part in ["not found out: how many tokens", "not found out: how to empty its caches", "no page of metrics", "warning: "] {
        assert!(stdout(&named).contains(part), "{part}: {}", said(&named));
    }
    assert!(fs_err::read_to_string(stage.path("my.toml")).unwrap().contains("reset = \"salt\""));
    succeeded(&stage.run(&["check", "my.toml"]));
}

#[test]
fn the_api_is_the_one_that_is_named_else_the_first_that_the_server_has() {
    let (stage, engine) = (Stage::new(), ServedEngine::new());
    let scenario = |words: &[&str]| {
        let url = engine.url();
        let output = stage.run(&[&["init", "--url", &url, "-o", "my.toml", "--force"], words].concat());
        succeeded(&output);
        (stdout(&output), fs_err::read_to_string(stage.path("my.toml")).unwrap())
    };
    let (text, chat) = scenario(&[]);
    assert!(text.contains("it has chat, completions, responses, messages; `chat` is measured"), "{text}");
    assert!(!chat.contains("\napi = "), "{chat}");
    let (text, responses) = scenario(&["--api", "responses"]);
    assert!(text.contains("`responses` is measured") && text.contains("a small request was answered"), "{text}");
    assert!(responses.contains("\napi = \"responses\"\n") && responses.contains("answers = \"forced_length\""), "{responses}");
    // Its API has no fields that force a length.
    let (text, messages) = scenario(&["--api", "messages"]);
    assert!(text.contains("a small request was answered"), "{text}");
    assert!(messages.contains("\napi = \"messages\"\n") && messages.contains("answers = \"live\""), "{messages}");
    succeeded(&stage.run(&["check", "my.toml"]));
}

#[test]
fn a_server_with_one_api_alone_is_measured_by_it_without_being_told() {
    use axum::routing::post;
    let events = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":9}}}\n\n\
                  event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n\
                  event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},\"usage\":{\"output_tokens\":1}}\n\n\
                  event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let router = axum::Router::new().route("/v1/messages", post(async move || ([("content-type", "text/event-stream")], events)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let stage = Stage::new();
    let output = stage.run(&["init", "--url", &url, "--model", "m", "-o", "my.toml"]);
    succeeded(&output);
    assert!(stdout(&output).contains("it has messages; `messages` is measured"), "{}", said(&output));
    assert!(stdout(&output).contains("a small request was answered"), "{}", said(&output));
    assert!(fs_err::read_to_string(stage.path("my.toml")).unwrap().contains("\napi = \"messages\"\n"));
}

#[test]
fn a_header_stands_in_the_scenario_as_it_was_typed_and_its_value_is_told_nowhere() {
    let (stage, engine) = (Stage::new(), ServedEngine::new());
    let url = engine.url();
    let words = ["init", "--url", &url, "-o", "my.toml"];
    let header = ["--header", "X-Tenant: ${TENANT}"];
    let unset = stage.run(&[words.as_slice(), &header].concat());
    assert!(unset.status.code() == Some(2) && stderr(&unset).contains("TENANT"), "{}", said(&unset));
    let output = stage.command(&[words.as_slice(), &header].concat()).env("TENANT", "hush-hush").output().unwrap();
    succeeded(&output);
    let scenario = fs_err::read_to_string(stage.path("my.toml")).unwrap();
    assert!(scenario.contains("headers = { X-Tenant = \"${TENANT}\" }"), "{scenario}");
    assert!(!said(&output).contains("hush") && !scenario.contains("hush"));
    let plain = stage.run(&["init", "--url", &url, "-o", "other.toml", "--header", "Authorization: Bearer hush-hush"]);
    assert!(plain.status.code() == Some(2) && !said(&plain).contains("hush") && !stage.path("other.toml").exists(), "{}", said(&plain));
}
