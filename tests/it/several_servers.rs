//! `target.urls`: several servers that share the sessions. Each is asked before the load, watched under it, and named where it is at fault.

use std::collections::{BTreeMap, BTreeSet};

use bench::records::record::{CacheCheck, ServerSample};
use bench::records::store::{SavedRun, read_sweep};

use super::dead_address::DeadAddress;
use super::stage::{Stage, said, serving, stderr, succeeded};

/// Four sessions of two turns, two at a time.
fn scenario(urls: &[String], model: &str) -> String {
    format!(
        r#"
name = "several"

[workload]
kind = "document_qa"
documents = {{ synthetic_tokens = 1000 }}
concurrent = 2
sequential = 2
rounds = 1
answer_tokens = 4

[target]
model = "{model}"
urls = {urls:?}

[server]
reset = ["/reset_prefix_cache"]
"#
    )
}

fn only_run(stage: &Stage) -> SavedRun {
    read_sweep(&stage.path("out")).unwrap().runs.remove(0)
}

/// How much a counter grew, by who told.
fn grown<'a>(samples: &'a [ServerSample], name: &str) -> BTreeMap<&'a str, f64> {
    let mut grown: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| &*sample.name == name) {
        let (_, last) = grown.entry(&sample.source).or_insert((sample.value, sample.value));
        *last = sample.value;
    }
    grown.into_iter().map(|(source, (first, last))| (source, last - first)).collect()
}

#[test]
fn every_server_is_emptied_and_watched_and_each_row_tells_where_it_went() {
    let servers = [serving(r#"{"preset": "tiny"}"#), serving(r#"{"preset": "tiny"}"#)];
    let urls = servers.each_ref().map(|(_, server)| server.url());
    let stage = Stage::with("several.toml", &scenario(&urls, "small"));
    succeeded(&stage.run(&["sweep", "several.toml", "-o", "out"]));
    let run = only_run(&stage);
    let CacheCheck::Proven(evidence) = &run.record.cache_contract else { panic!("{:?}", run.record.cache_contract) };
    let words = evidence.to_string();
    assert!(words.starts_with(&format!("at `{}/v1/chat/completions`, the worst of 2 servers: a canary prompt", urls[0])), "{words}");

    let rows = run.requests.records().unwrap();
    assert!(rows.len() == 8 && rows.iter().all(|row| row.failure.is_none() && row.attempts == Some(1)), "{rows:?}");
    assert!(rows.iter().all(|row| row.server.map(u64::from) == Some(row.session % 2)), "{rows:?}");

    let samples = run.samples().unwrap();
    let told = grown(&samples, "vllm:prompt_tokens_total");
    let sent = |server| rows.iter().filter(|row| row.server == Some(server)).filter_map(|row| row.prompt_tokens).sum::<u64>();
    let pages: BTreeSet<String> = urls.iter().map(|url| format!("{url}/metrics")).collect();
    assert_eq!(told.keys().map(|source| (*source).to_owned()).collect::<BTreeSet<_>>(), pages);
    for (server, url) in (0..).zip(&urls) {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand tokens")]
        let sent = sent(server) as f64;
        assert!(sent > 0.0 && (told[format!("{url}/metrics").as_str()] - sent).abs() < 0.5, "{told:?} {sent}");
    }
    // Two pools of the preset's size.
    let alone = Stage::with("alone.toml", &scenario(&urls[..1], "small"));
    succeeded(&alone.run(&["sweep", "alone.toml", "-o", "out"]));
    let one = only_run(&alone);
    let pool = |run: &SavedRun| run.record.server.as_ref().unwrap().kv_pool_tokens.unwrap();
    assert_eq!(pool(&run), 2 * pool(&one));
    assert!(one.requests.records().unwrap().iter().all(|row| row.server.is_none()), "one server needs no number");
}

#[test]
fn a_server_that_is_not_there_is_named_before_anything_is_run() {
    let ((_runtime, server), dead) = (serving(r#"{"preset": "tiny"}"#), DeadAddress::take());
    let stage = Stage::with("several.toml", &scenario(&[server.url(), dead.url()], "small"));
    let refused = stage.run(&["sweep", "several.toml", "-o", "out"]);
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    let words = stderr(&refused);
    assert!(words.contains(&format!("`{}/v1/chat/completions` does not serve a small request: connect", dead.url())), "{words}");
    assert_eq!(stage.runs("out").len(), 0);
}

#[test]
fn a_server_that_lists_another_model_is_named_with_what_it_lists() {
    let servers = ["small", "large"].map(|model| {
        let router = axum::Router::new()
            .route("/v1/models", axum::routing::get(async move || axum::Json(serde_json::json!({ "data": [{ "id": model }] }))));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        (url, runtime)
    });
    let urls = servers.each_ref().map(|(url, _)| url.clone());
    // The one that is named, and the one that is taken where none is.
    for model in ["small", "default"] {
        let stage = Stage::with("several.toml", &scenario(&urls, model));
        let refused = stage.run(&["sweep", "several.toml", "-o", "out"]);
        assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
        let (words, path) = (stderr(&refused), "v1/chat/completions");
        let fault = format!("`{}/{path}` does not list the model `small`, which `{}/{path}` does, but `large`", urls[1], urls[0]);
        assert!(words.contains(&fault), "{words}");
    }
}
