//! Against a real server: `BENCH_LIVE_URL=http://127.0.0.1:8000 BENCH_LIVE_MODEL=tiny cargo test --test it live -- --ignored --nocapture`.
//! It must be a vLLM with `--enable-prompt-tokens-details` and `VLLM_SERVER_DEV_MODE=1`; `BENCH_LIVE_TOKENIZER` names its tokenizer file.

use std::env;

use bench::foundation::clock::Clock;
use bench::records::record::TokenRule;
use bench::servers::client::{HttpExchange, HttpTarget, Target};
use bench::servers::server::reset;
use bench::vocabulary::session::{ChatMessage, MessageRole, Prompt};
use bench::vocabulary::spec::reset::{ResetSpec, ResetStep};
use bench::vocabulary::spec::server::ServerSpec;
use bench::vocabulary::spec::target::TargetSpec;
use bench::workloads::tokens;
use serde_json::{Value, json};

fn spec(fields: Value) -> TargetSpec {
    let url = env::var("BENCH_LIVE_URL").expect("BENCH_LIVE_URL names the server");
    let model = env::var("BENCH_LIVE_MODEL").unwrap_or_else(|_| "tiny".into());
    let mut spec = serde_json::Map::from_iter([("url".to_owned(), json!(url)), ("model".to_owned(), json!(model))]);
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    spec.extend(fields);
    serde_json::from_value(Value::Object(spec)).unwrap()
}

fn prompt(messages: Vec<ChatMessage>) -> Prompt {
    Prompt { session: 0, turn: 0, messages, max_tokens: 32, exact_length: true, user_id: Some(7) }
}

async fn ask(fields: Value, messages: Vec<ChatMessage>) -> HttpExchange {
    let target = Target::Http(HttpTarget::new(&spec(fields), Clock::real()).unwrap());
    target.exchange(prompt(messages), None).await
}

fn shown(name: &str, exchange: &HttpExchange) {
    let ms = |at: bench::foundation::clock::Micros| at.since(exchange.sent).as_secs_f64() * 1e3;
    println!(
        "{name}: headers {:.1?} ms, first event {:.1?} ms, first token {:.1?} ms, {} token events, first holds {:?}, done {:.1} ms, {:?}, {:?}",
        exchange.headers.map(ms),
        exchange.first_event.map(ms),
        exchange.token_events.first().copied().map(ms),
        exchange.token_events.len(),
        exchange.first_event_tokens,
        ms(exchange.done),
        exchange.usage,
        exchange.failure,
    );
}

/// A text of words that are different for every seed. Letters only: a server may split numbers otherwise than its `tokenizer.json` says.
fn text(seed: u32, words: u32) -> String {
    let letters = |mut number: u32| {
        let mut word = String::new();
        while number > 0 {
            word.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
            number /= 26;
        }
        word
    };
    (0..words).map(|word| letters(seed * 1_000_003 + word * 7_919)).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
#[ignore = "needs a real server"]
async fn every_api_answers_and_the_second_turn_comes_from_the_cache() {
    for (seed, api) in [(1, "chat"), (2, "completions"), (3, "responses"), (4, "messages")] {
        let steps = vec![ResetStep::Endpoint("/reset_prefix_cache".into())];
        let server = ServerSpec { reset: ResetSpec::Steps(steps), ..ServerSpec::default() };
        reset(&server, &spec(json!({}))).await.unwrap();
        let has_choices = seed <= 2;
        let body = if has_choices { json!({ "stream_options": { "continuous_usage_stats": true } }) } else { json!({}) };
        let fields = || json!({ "api": api, "body": body });
        let mut messages = vec![ChatMessage::new(MessageRole::User, text(seed, 300))];
        let first = ask(fields(), messages.clone()).await;
        shown(&format!("{api} turn 0"), &first);
        messages.push(ChatMessage::new(MessageRole::Assistant, first.answer.as_str()));
        messages.push(ChatMessage::new(MessageRole::User, "And then?"));
        let second = ask(fields(), messages.clone()).await;
        shown(&format!("{api} turn 1"), &second);
        for exchange in [&first, &second] {
            assert_eq!(exchange.failure, None);
            let output = exchange.usage.unwrap().output_tokens;
            // Messages have no field that forces a length.
            assert!(output == 32 || api == "messages" && output <= 32, "{output}");
            assert!(exchange.token_events.len() as u64 <= output && exchange.token_events.is_sorted());
            assert_eq!(exchange.first_event_tokens.is_some(), has_choices);
        }
        let (first, second) = (first.usage.unwrap(), second.usage.unwrap());
        assert_eq!(first.cached_tokens, Some(0));
        assert!(second.cached_tokens.unwrap() * 10 >= first.prompt_tokens * 8, "{second:?} after {first:?}");
        reset(&server, &spec(json!({}))).await.unwrap();
        let again = ask(fields(), messages).await;
        shown(&format!("{api} turn 1 after a reset"), &again);
        assert_eq!(again.usage.unwrap().cached_tokens, Some(0));
    }
}

#[tokio::test]
#[ignore = "needs a real server"]
async fn refusals_are_told_by_status_and_words() {
    let hello = vec![ChatMessage::new(MessageRole::User, "Hello")];
    let unknown = ask(json!({ "model": "no-such-model" }), hello.clone()).await;
    shown("unknown model", &unknown);
    assert_eq!(unknown.failure.unwrap().kind.name(), "http_404");
    let long = ask(json!({}), vec![ChatMessage::new(MessageRole::User, text(3, 40_000))]).await;
    shown("prompt too long", &long);
    assert_eq!(long.failure.unwrap().kind.name(), "http_400");
    let ended = ask(json!({ "first_token_timeout": 0.001 }), hello).await;
    shown("a limit of a millisecond", &ended);
    assert_eq!(ended.failure.unwrap().kind.name(), "timeout_first_token");
}

#[tokio::test]
#[ignore = "needs a real server"]
async fn the_models_limit_is_told_and_none_of_an_unknown_one() {
    let lookup = |fields| async { HttpTarget::new(&spec(fields), Clock::real()).unwrap().model_limit().await };
    let limit = lookup(json!({})).await;
    println!("limit: {limit:?}");
    assert!(limit.is_some());
    assert_eq!(lookup(json!({ "model": "no-such-model" })).await, None);
    println!("unknown for tokens: {}", tokens::choose(&spec(json!({ "model": "no-such-model" })), false).await.unwrap_err());
}

#[tokio::test]
#[ignore = "needs a real server"]
async fn server_and_tokenizer_file_count_alike_and_counts_add_up_in_prompts() {
    let server = tokens::choose(&spec(json!({})), false).await.unwrap();
    assert_eq!(server.rule(), TokenRule::Server);
    let file = env::var("BENCH_LIVE_TOKENIZER").expect("BENCH_LIVE_TOKENIZER names the tokenizer file");
    let local = tokens::choose(&spec(json!({ "tokenizer": file })), false).await.unwrap();
    for text in ["", "Hello", "Read and summarize this novel.\n\n", "ünïcödé 漢字 <|im_start|>\t", &text(4, 1000)] {
        let counts = (server.count(text).await.unwrap(), local.count(text).await.unwrap());
        println!("{} bytes: {counts:?}", text.len());
        assert_eq!(counts.0, counts.1);
    }
    let question = text(5, 500);
    let sent = ask(json!({ "api": "completions" }), vec![ChatMessage::new(MessageRole::User, question.as_str())]).await;
    let counted = local.count(&format!("{question}\n\n")).await.unwrap();
    println!("completions prompt: {counted} counted, {:?}", sent.usage);
    assert_eq!(sent.usage.unwrap().prompt_tokens, counted);
}
