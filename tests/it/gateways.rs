//! A gateway before a server that refuses what is long: what it never let through has failed, and what is short passes for nothing.

use serde_json::{Value, json};

use super::faults::socket::{Act, Received, Socket, answer, stream};
use super::stage::{Stage, said};

/// The longest body that is let through.
const LONGEST: usize = 6_000;

/// Answers what is short at once, and refuses the rest.
fn gateway(request: &Received) -> Vec<Act> {
    if request.head.starts_with("GET /v1/models ") {
        return answer("200 OK", "application/json", r#"{"object": "list", "data": [{"id": "m", "object": "model"}]}"#);
    }
    if !request.head.starts_with("POST /v1/chat/completions ") {
        return answer("404 Not Found", "text/plain", "no such page");
    }
    if request.body.len() > LONGEST {
        return answer("413 Payload Too Large", "text/plain", "the body is too long");
    }
    let event = |value: Value| format!("data: {value}\n\n");
    let token = event(json!({"choices": [{"index": 0, "delta": {"content": " yes"}, "finish_reason": null}]}));
    let last = event(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}));
    let usage = event(json!({"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 1}}));
    stream(&format!("{token}{last}{usage}data: [DONE]\n\n"))
}

/// What comes of that workload behind the gateway: what was said with the exit code, and the summary.
fn swept(workload: &str) -> (Stage, Option<i32>, Value) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let socket = runtime.block_on(Socket::answering(gateway));
    let scenario = format!(
        "name = \"gateway\"\n[workload]\n{workload}\n[target]\nmodel = \"m\"\nurl = \"{}\"\n[[goals]]\nrequire = \"p95(ttft where turn >= 1) <= 2s\"\n",
        socket.url()
    );
    let stage = Stage::with("gateway.toml", &scenario);
    let output = stage.run(&["sweep", "gateway.toml", "-o", "out"]);
    println!("{}", said(&output));
    let summary = stage.json("out/report/summary.json");
    (stage, output.status.code(), summary)
}

#[test]
fn a_gateway_that_refuses_every_document_holds_no_session() {
    let workload = "kind = \"document_qa\"\ndocuments = { synthetic_tokens = 2000 }\nanswer_tokens = 4\nrounds = 3\n\
                    [matrix]\nconcurrent = [1, 3]\nsequential = [1, 2]";
    let (stage, code, summary) = swept(workload);
    assert!(matches!(code, Some(1 | 3)), "{code:?}");
    let cells = summary["variants"][0]["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4);
    assert!(cells.iter().all(|cell| cell["passes"] != json!(true) && cell["verdict"] != json!("met")), "{summary}");
    // Every follow-up is there, as a failure of its own kind, and none of them was sent.
    let mut sessions: Vec<u64> = Vec::new();
    for run in stage.runs("out") {
        let counts = &serde_json::from_slice::<Value>(&fs_err::read(run.join("run.json")).unwrap()).unwrap()["counts"];
        let refused = counts["failures"]["http_413"].as_u64().unwrap();
        assert_eq!(counts["failures"]["no_history"].as_u64(), Some(3 * refused), "{counts}");
        assert_eq!((counts["measured"].as_u64(), counts["failed"].as_u64()), (Some(4 * refused), Some(4 * refused)), "{counts}");
        sessions.push(refused);
    }
    sessions.sort_unstable();
    assert_eq!(sessions, [1, 2, 3, 6]);
}

#[test]
fn users_whose_histories_are_refused_pass_for_nothing() {
    let workload = "kind = \"chat\"\nusers = 4\nqps = 40\nrounds = 5\nduration = \"2s\"\nsystem_prompt_tokens = 0\nhistory_tokens = 2000\n\
                    question_tokens = 10\nanswer_tokens = 4";
    let (stage, code, summary) = swept(workload);
    assert!(matches!(code, Some(1 | 3)), "{code:?}");
    assert_ne!(summary["variants"][0]["cells"][0]["passes"], json!(true), "{summary}");
    let record: Value = serde_json::from_slice(&fs_err::read(stage.only_run("out").join("run.json")).unwrap()).unwrap();
    assert_eq!(record["counts"]["failed"], record["counts"]["measured"], "{record}");
    let notes = record["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note.as_str().unwrap().contains("met in mid-life could not be laid into the cache")), "{record}");
}
