//! The simulated engine over HTTP, met by the client that measures real servers, and by a plain one.

use bench::foundation::clock::Clock;
use bench::records::record::FailureKind;
use bench::servers::client::{HttpExchange, HttpTarget, Target};
use bench::simulation::engine::EngineParameters;
use bench::simulation::serve::{EngineServer, ServeOptions, bind};
use bench::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use bench::vocabulary::spec::engine::{EngineFaultKind, EnginePreset, EngineSpec, FaultSpec};
use bench::vocabulary::spec::target::TargetSpec;
use bench::vocabulary::spec::target_api::TargetApi;
use serde_json::{Value, json};

async fn serve(faults: Vec<FaultSpec>) -> EngineServer {
    let spec = EngineSpec { preset: EnginePreset::Tiny, faults, ..EngineSpec::default() };
    let parameters = EngineParameters::resolve(&spec, 0).unwrap();
    bind(ServeOptions { host: [127, 0, 0, 1].into(), port: 0, model: "tiny".into(), parameters }).await.unwrap()
}

fn target(serving: &EngineServer, change: impl FnOnce(&mut TargetSpec)) -> Target {
    let mut spec: TargetSpec = toml::from_str("model = 'tiny'").unwrap();
    spec.url = serving.url();
    change(&mut spec);
    Target::Http(HttpTarget::new(&spec, Clock::real()).unwrap())
}

fn prompt(words: usize, max_tokens: u32) -> Prompt {
    let messages = vec![ChatMessage::new(MessageRole::User, " word".repeat(words))];
    Prompt { session: 1, turn: 0, messages, max_tokens, exact_length: true, user_id: None }
}

fn run<F: Future>(body: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(body)
}

async fn json_of(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn post(serving: &EngineServer, path: &str, body: &Value) -> reqwest::RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.post(format!("{}{path}", serving.url())).header("content-type", "application/json").body(body.to_string())
}

fn get(serving: &EngineServer, path: &str) -> reqwest::RequestBuilder {
    reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{}{path}", serving.url()))
}

#[test]
fn a_streamed_answer_has_an_event_a_token_and_the_engine_s_counts() {
    run(async {
        let serving = serve(vec![]).await;
        for api in TargetApi::ALL {
            let prompt_tokens = 100 + if api == TargetApi::Completions { 2 } else { 7 };
            let target = target(&serving, |spec| spec.api = api);
            let exchange = target.exchange(prompt(100, 20), None).await;
            assert_eq!(exchange.failure, None);
            assert_eq!(exchange.token_events.len(), 20);
            let usage = exchange.usage.unwrap();
            assert_eq!((usage.prompt_tokens, usage.output_tokens, usage.cached_tokens), (prompt_tokens, 20, Some(0)));
            assert_eq!(bench::simulation::engine::tokenizer::count(&exchange.answer), 20);
            let again = target.exchange(prompt(100, 20), None).await;
            // Six full blocks of 16 in each of them.
            let counts = again.usage.unwrap();
            assert_eq!((again.answer, counts.prompt_tokens, counts.cached_tokens), (exchange.answer, prompt_tokens, Some(96)));
            // APIs of messages share the cache of their prompts.
            post(&serving, "/reset_prefix_cache", &json!({})).send().await.unwrap();
        }
        serving.stop().await;
    });
}

/// The failure of one exchange where every request has this fault.
async fn fail(kind: EngineFaultKind, after_tokens: u32) -> HttpExchange {
    let serving = serve(vec![FaultSpec { kind, every: 1, status: (kind == EngineFaultKind::Status).then_some(503), after_tokens }]).await;
    let target = target(&serving, |spec| {
        // Only a stall is waited for, and only where it is; elsewhere a busy machine must not look like one.
        let limit = |is_stalled| if kind == EngineFaultKind::Stall && is_stalled { "1s" } else { "10m" };
        spec.idle_timeout = limit(after_tokens > 0).parse().unwrap();
        spec.first_token_timeout = limit(after_tokens == 0).parse().unwrap();
    });
    target.exchange(prompt(10, 10), None).await
}

#[test]
fn every_fault_on_request_is_real_on_the_wire() {
    run(async {
        for (kind, after_tokens, failure, tokens) in [
            (EngineFaultKind::Status, 0, Some(FailureKind::Http(503)), 0),
            (EngineFaultKind::Stall, 3, Some(FailureKind::TimeoutIdle), 3),
            (EngineFaultKind::Stall, 0, Some(FailureKind::TimeoutFirstToken), 0),
            (EngineFaultKind::Reset, 3, Some(FailureKind::ResetMidStream), 3),
            (EngineFaultKind::Reset, 0, Some(FailureKind::ResetMidStream), 0),
            (EngineFaultKind::MalformedEvent, 2, Some(FailureKind::MalformedStream), 2),
            (EngineFaultKind::NoToken, 0, Some(FailureKind::NoToken), 0),
            (EngineFaultKind::NoUsage, 0, None, 10),
        ] {
            let exchange = fail(kind, after_tokens).await;
            assert_eq!(exchange.failure.as_ref().map(|failure| failure.kind), failure, "{kind:?}: {exchange:?}");
            assert_eq!(exchange.token_events.len(), tokens, "{kind:?} {after_tokens}");
            assert_eq!(exchange.usage.is_some(), kind == EngineFaultKind::NoToken, "a stream that ends in order tells its usage: {kind:?}");
        }
    });
}

#[test]
fn a_prompt_that_is_too_long_and_an_unknown_model_are_refused_as_json() {
    run(async {
        let serving = serve(vec![]).await;
        let exchange = target(&serving, |_| {}).exchange(prompt(40_000, 5), None).await;
        let failure = exchange.failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Http(400));
        assert!(failure.detail.contains("maximum context length is 32768 tokens"), "{}", failure.detail);
        let body = json!({ "model": "nope", "messages": [{ "role": "user", "content": "hi" }] });
        let (status, body) = json_of(post(&serving, "/v1/chat/completions", &body)).await;
        assert_eq!((status, &body["error"]["type"], &body["error"]["code"]), (404, &json!("NotFoundError"), &json!(404)));
        let (status, body) = json_of(get(&serving, "/v2/models")).await;
        assert_eq!((status, body), (404, json!({ "detail": "Not Found" })));
        let (status, body) = json_of(get(&serving, "/v1/chat/completions")).await;
        assert_eq!((status, body), (405, json!({ "detail": "Method Not Allowed" })));
    });
}

#[test]
fn an_answer_can_be_had_whole() {
    run(async {
        let serving = serve(vec![]).await;
        let body = json!({ "model": "tiny", "messages": [{ "role": "user", "content": "why is that so?" }], "max_completion_tokens": 3 });
        let (status, body) = json_of(post(&serving, "/v1/chat/completions", &body)).await;
        assert_eq!((status, &body["object"]), (200, &json!("chat.completion")));
        assert_eq!(body["choices"][0]["finish_reason"], "length");
        assert_eq!(bench::simulation::engine::tokenizer::count(body["choices"][0]["message"]["content"].as_str().unwrap()), 3);
        assert_eq!(body["usage"]["prompt_tokens"], 12);
        assert_eq!(body["usage"]["completion_tokens"], 3);
    });
}

#[test]
fn continuous_usage_counts_every_event_and_begins_with_the_role() {
    run(async {
        let serving = serve(vec![]).await;
        let options = json!({ "include_usage": true, "continuous_usage_stats": true });
        let body = json!({ "messages": [{ "role": "user", "content": "hi" }], "max_tokens": 2, "stream": true, "stream_options": options });
        let (_, text) = json_of(post(&serving, "/v1/chat/completions", &body)).await;
        let text = text.as_str().unwrap();
        let events: Vec<&str> = text.split("\n\n").map(|event| event.trim_start_matches("data: ")).collect();
        assert_eq!(&events[4..], ["[DONE]", ""]);
        let events: Vec<Value> = events[..4].iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        assert_eq!(events[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
        let counts: Vec<&Value> = events.iter().map(|event| &event["usage"]["completion_tokens"]).collect();
        assert_eq!(counts, [0, 1, 2, 2]);
        assert_eq!(events[2]["choices"][0]["finish_reason"], "length");
        assert_eq!((&events[3]["choices"], &events[3]["usage"]["prompt_tokens_details"]), (&json!([]), &json!({ "cached_tokens": 0 })));
    });
}

#[test]
fn the_server_tells_its_model_its_token_rule_and_its_counters_and_empties_its_cache() {
    run(async {
        let serving = serve(vec![]).await;
        let (_, models) = json_of(get(&serving, "/v1/models")).await;
        assert_eq!((&models["data"][0]["id"], &models["data"][0]["max_model_len"]), (&json!("tiny"), &json!(32_768)));
        let (_, count) = json_of(post(&serving, "/tokenize", &json!({ "prompt": "one two three" }))).await;
        assert_eq!((&count["count"], count["tokens"].as_array().unwrap().len()), (&json!(3), 3));
        let messages = json!({ "messages": [{ "role": "user", "content": "one two three" }] });
        assert_eq!(json_of(post(&serving, "/tokenize", &messages)).await.1["count"], 10);
        assert_eq!(json_of(get(&serving, "/health")).await.0, 200);

        let target = target(&serving, |_| {});
        let cached = async || target.exchange(prompt(100, 2), None).await.usage.unwrap().cached_tokens.unwrap();
        assert_eq!((cached().await, cached().await), (0, 96));
        assert_eq!(json_of(post(&serving, "/reset_prefix_cache", &json!({}))).await.0, 200);
        assert_eq!(cached().await, 0);
        let (_, page) = json_of(get(&serving, "/metrics")).await;
        for line in ["vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total", "vllm:generation_tokens_total"] {
            let expected = match line {
                "vllm:prefix_cache_queries_total" => 321,
                "vllm:prefix_cache_hits_total" => 96,
                _ => 6,
            };
            let line = format!("{line}{{engine=\"0\",model_name=\"tiny\"}} {expected}");
            assert!(page.as_str().unwrap().lines().any(|found| found == line), "{line}");
        }
    });
}

#[test]
fn a_taken_address_is_an_error_that_names_it() {
    run(async {
        let serving = serve(vec![]).await;
        let parameters = EngineParameters::resolve(&EngineSpec::default(), 0).unwrap();
        let address = serving.address();
        let options = ServeOptions { host: address.ip(), port: address.port(), model: "tiny".into(), parameters };
        let error = bind(options).await.unwrap_err().to_string();
        assert!(error.contains(&address.to_string()) && error.contains("--port"), "{error}");
    });
}
