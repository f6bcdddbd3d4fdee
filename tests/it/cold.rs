//! The cold-cache check against the simulated engine behind a real socket: proven, not proven and failed, by the program as it is.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use bench::foundation::clock::Clock;
use bench::records::record::{
    CacheCheck, CacheEvidence, CacheResetMethod, CanaryFinding, CanaryReading, CanarySite, FailureKind, FirstTurnFinding,
    InconclusiveCanary, InconclusiveTurns, RunFailure, RunOutcome,
};
use bench::records::store::{SavedSweep, read_sweep};
use bench::servers::client::HttpTarget;
use bench::servers::server::{Canary, CanaryTexts, ResetError, SiteFinding, reset};
use bench::simulation::engine::EngineParameters;
use bench::simulation::serve::{self, EngineServer};
use bench::vocabulary::spec::target::TargetSpec;
use serde_json::{Value, json};

use super::stage::{Stage, said, stdout, two_at_a_time};

/// A small engine whose caches last as long as it does.
struct Server {
    runtime: tokio::runtime::Runtime,
    serving: EngineServer,
}

impl Server {
    fn start(faults: &Value) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let spec = serde_json::from_value(json!({ "preset": "tiny", "faults": faults })).unwrap();
        let parameters = EngineParameters::resolve(&spec, 0).unwrap();
        let options = serve::ServeOptions { host: [127, 0, 0, 1].into(), port: 0, model: "small".into(), parameters };
        let serving = runtime.block_on(serve::bind(options)).unwrap();
        Self { runtime, serving }
    }

    fn target(&self) -> HttpTarget {
        HttpTarget::new(&serde_json::from_value(self.spec()).unwrap(), Clock::real()).unwrap()
    }

    fn spec(&self) -> Value {
        json!({ "model": "small", "url": self.serving.url() })
    }
}

const DOCUMENTS: &str = "[workload]\nkind = 'document_qa'\ndocuments = { synthetic_tokens = 1000 }\nrounds = 1\nanswer_tokens = 4";
const CHAT: &str = "[workload]\nkind = 'chat'\nusers = 2\nqps = 20.0\nrounds = 2\nduration = '1s'\nsystem_prompt_tokens = 200\n\
    history_tokens = 50\nquestion_tokens = 10\nanswer_tokens = 4";

/// A sweep of this workload with this `[server]`, ended; and what it saved.
struct Swept {
    stage: Stage,
    output: Output,
    saved: SavedSweep,
}

impl Swept {
    fn checks(&self) -> Vec<&CacheCheck> {
        self.saved.runs.iter().map(|run| &run.record.cache_contract).collect()
    }

    /// A count of the only session's turn.
    fn tokens(&self, turn: u64, column: &str) -> u64 {
        let rows = self.saved.runs[0].requests.table().unwrap();
        let values = |name: &str| rows.column(name).unwrap().cast(&polars::prelude::DataType::UInt64).unwrap();
        let (turns, counts) = (values("turn"), values(column));
        let place = turns.u64().unwrap().iter().position(|found| found == Some(turn)).unwrap();
        counts.u64().unwrap().get(place).unwrap()
    }

    fn said(&self) -> String {
        said(&self.output)
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.stage.path("out").join(name)).unwrap()
    }
}

fn command(stage: &Stage, server: &Server, scenario: &str) -> Command {
    stage.write("cold.toml", &format!("name = 'cold'\nseed = 7\n{scenario}\n"));
    stage.command(&["sweep", "cold.toml", "--url", &server.serving.url(), "--set", "target.model=small", "-o", "out"])
}

fn sweep(server: &Server, scenario: &str) -> Swept {
    let stage = Stage::new();
    let output = command(&stage, server, scenario).output().unwrap();
    let saved = read_sweep(&stage.path("out")).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    Swept { stage, output, saved }
}

/// What was done, what the canary found and what the first turns told.
fn witnesses(evidence: &CacheEvidence) -> (CacheResetMethod, Option<&CanaryFinding>, FirstTurnFinding) {
    let CacheEvidence::Checked { reset, canary, canary_site: _, first_turns } = evidence else { panic!("{evidence:?}") };
    (*reset, canary.as_ref(), *first_turns)
}

fn proven(check: &CacheCheck) -> (CacheResetMethod, Option<&CanaryFinding>, FirstTurnFinding) {
    let CacheCheck::Proven(evidence) = check else { panic!("{check:?}") };
    witnesses(evidence)
}

fn not_proven(check: &CacheCheck) -> (CacheResetMethod, Option<&CanaryFinding>, FirstTurnFinding) {
    let CacheCheck::NotProven(evidence) = check else { panic!("{check:?}") };
    witnesses(evidence)
}

fn failed(check: &CacheCheck) -> (CacheResetMethod, Option<&CanaryFinding>, FirstTurnFinding) {
    let CacheCheck::Failed(evidence) = check else { panic!("{check:?}") };
    witnesses(evidence)
}

const USERS_SHARE: FirstTurnFinding = FirstTurnFinding::Inconclusive(InconclusiveTurns::SharedByUsers);

/// A canary's 2,048 words and seven tokens of the chat template are 128 full blocks of 16 and a rest.
fn of_usage(cached_tokens_after: u64) -> CanaryReading {
    CanaryReading::Usage { prompt_tokens: 2055, cached_tokens_before: 2048, cached_tokens_after, tolerated_tokens: 0 }
}

fn of_counters(cached_tokens_after: u64) -> CanaryReading {
    CanaryReading::Counters { cached_tokens_before: 2048, cached_tokens_after, tolerated_tokens: 0 }
}

/// Whether it was gone under a salt, but for what all salted prompts share.
fn gone_under_a_salt(found: (CacheResetMethod, Option<&CanaryFinding>, FirstTurnFinding)) -> bool {
    let (CacheResetMethod::Salted, Some(CanaryFinding::Gone { reading, second_reset: false }), _) = found else { return false };
    matches!(reading, CanaryReading::Usage { cached_tokens_after, tolerated_tokens: 192, .. } if *cached_tokens_after < 32)
}

const ENDPOINT: &str = "[server]\nreset = ['/reset_prefix_cache']";
/// Ends with status 0 and empties nothing.
const PRETENCE: &str = "[server]\nreset = [{ command = ['true'] }]";

#[test]
fn caches_that_were_emptied_are_proven_by_the_canary_and_the_rows_and_the_canary_is_no_row() {
    let server = Server::start(&json!([]));
    let swept = sweep(&server, &format!("repeats = 2\n{DOCUMENTS}\n{ENDPOINT}"));
    assert_eq!(swept.saved.runs.len(), 2, "{}", swept.said());
    for run in &swept.saved.runs {
        let (reset, canary, first_turns) = proven(&run.record.cache_contract);
        let gone = CanaryFinding::Gone { reading: of_usage(0), second_reset: false };
        assert_eq!((reset, canary), (CacheResetMethod::Emptied, Some(&gone)));
        let FirstTurnFinding::Cold { tokens, explained_tokens } = first_turns else { panic!("{first_turns:?}") };
        assert!(tokens.turns == 1 && tokens.cached_tokens <= explained_tokens && tokens.prompt_tokens > 1000, "{tokens:?}");
        let said = run.record.cache_contract.evidence().to_string();
        assert!(said.starts_with("a canary prompt of 2055 tokens, 2048 of them cached before, came back with 0 cached tokens; "), "{said}");
        assert_eq!((run.record.counts.requests, run.record.counts.measured), (2, 2));
    }
}

#[test]
fn a_chat_is_proven_by_the_canary_alone() {
    let server = Server::start(&json!([]));
    let swept = sweep(&server, &format!("{CHAT}\n{ENDPOINT}"));
    let gone = CanaryFinding::Gone { reading: of_usage(0), second_reset: false };
    assert_eq!(proven(swept.checks()[0]), (CacheResetMethod::Emptied, Some(&gone), USERS_SHARE), "{}", swept.said());
    let without = sweep(&server, &format!("{CHAT}\n{ENDPOINT}\ncanary = false"));
    assert_eq!(not_proven(without.checks()[0]), (CacheResetMethod::Emptied, None, USERS_SHARE), "{}", without.said());
}

#[test]
fn a_reset_that_empties_nothing_fails_the_contract_and_every_output_says_so() {
    let server = Server::start(&json!([]));
    let swept = sweep(&server, &format!("{DOCUMENTS}\n{PRETENCE}\n[matrix]\nconcurrent = [1]\nsequential = [1]"));
    let (reset, canary, _) = failed(swept.checks()[0]);
    assert_eq!((reset, canary), (CacheResetMethod::Emptied, Some(&CanaryFinding::Left { reading: of_usage(2048) })));
    assert_eq!(swept.saved.runs[0].record.outcome, RunOutcome::Completed, "its rows are kept");
    assert_eq!(swept.output.status.code(), Some(3), "{}", swept.said());
    assert!(swept.said().contains("invalid") && swept.said().contains("not empty after two resets"), "{}", swept.said());
    for name in ["report.md", "report.html", "cells.csv", "summary.json", "heatmap.svg"] {
        assert!(swept.file(&format!("report/{name}")).contains("invalid"), "{name}");
    }
}

/// What the attempts at the runs were named, each of which must have a salt that nobody asked for.
fn attempts(swept: &Swept) -> Vec<&str> {
    let salts = swept.saved.runs.iter().map(|run| run.record.salt.as_ref().unwrap_or_else(|| panic!("{}", swept.said())));
    salts.inspect(|salt| assert!(salt.by_default && salt.tokens == 10, "{salt:?}")).map(|salt| salt.attempt.as_str()).collect()
}

#[test]
fn the_same_sweep_twice_against_a_server_that_runs_already_is_valid_both_times_and_says_why() {
    let cells = "[workload]\nkind = 'requests'\nprompt_tokens = 200\nanswer_tokens = 4\nrequests = 12\n[matrix]\nqps = [40, 80, 20]";
    let workloads = [&format!("repeats = 2\n{cells}"), &format!("{DOCUMENTS}\n[matrix]\nconcurrent = [1, 2]\nsequential = [1, 2]"), CHAT];
    two_at_a_time(workloads, |workload| {
        let server = Server::start(&json!([]));
        let swept = [sweep(&server, workload), sweep(&server, workload)];
        let mut named = BTreeSet::new();
        for swept in &swept {
            assert_eq!(swept.output.status.code(), Some(0), "{}", swept.said());
            for check in swept.checks() {
                assert!(gone_under_a_salt(proven(check)), "{check:?}");
            }
            let told = "caches: every prompt began with a salt of 10 tokens that no other cell and no other attempt has, since no";
            let unfolded = swept.said().split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(unfolded.contains(told), "{}", swept.said());
            assert!(swept.file("report/report.md").contains(told), "{}", swept.said());
            named.extend(attempts(swept));
        }
        assert_eq!(named.len(), swept.iter().map(|swept| swept.saved.runs.len()).sum::<usize>(), "no two attempts share a salt");
    });
}

#[test]
fn what_stands_behind_the_salt_is_the_same_in_every_attempt() {
    let server = Server::start(&json!([]));
    let prompts = || {
        let stage = Stage::new();
        assert!(command(&stage, &server, DOCUMENTS).arg("--keep-text").output().unwrap().status.success());
        let run = fs::read_dir(stage.path("out/runs")).unwrap().next().unwrap().unwrap().path();
        let texts = fs::read_to_string(run.join("texts.jsonl")).unwrap();
        let first = |line: &str| serde_json::from_str::<Value>(line).unwrap()["messages"][0]["text"].as_str().unwrap().to_owned();
        texts.lines().map(first).collect::<Vec<String>>()
    };
    let [one, other] = [prompts(), prompts()];
    assert_eq!(one.len(), 2);
    for (one, other) in one.iter().zip(&other) {
        let ((salt, text), (other_salt, other_text)) = (one.split_once("\n\n").unwrap(), other.split_once("\n\n").unwrap());
        assert_eq!((salt.split(' ').count(), salt.len()), (8, other_salt.len()));
        assert_ne!(salt, other_salt);
        assert_eq!(text, other_text);
    }
}

#[test]
fn warm_caches_that_are_wanted_are_met_told_and_no_fault() {
    let server = Server::start(&json!([]));
    let wanted = format!("{DOCUMENTS}\n[server]\nreset = 'none'");
    let cold = sweep(&server, &wanted);
    let found = proven(cold.checks()[0]);
    assert!(matches!(found, (CacheResetMethod::LeftWarm, None, FirstTurnFinding::Cold { .. })), "{found:?}");
    let warm = sweep(&server, &wanted);
    assert!(warm.tokens(0, "cached_tokens") > 950, "its document was left there by the sweep before");
    let found = not_proven(warm.checks()[0]);
    assert!(matches!(found, (CacheResetMethod::LeftWarm, None, FirstTurnFinding::Warm { .. })), "{found:?}");
    assert_eq!((warm.output.status.code(), &warm.saved.runs[0].record.salt), (Some(0), &None), "{}", warm.said());
    let chat = sweep(&server, &format!("{CHAT}\n[server]\nreset = 'none'"));
    assert_eq!(not_proven(chat.checks()[0]), (CacheResetMethod::LeftWarm, None, USERS_SHARE), "{}", chat.said());
}

#[test]
fn an_invalid_cell_names_the_salt_as_a_cure() {
    let server = Server::start(&json!([]));
    let swept = sweep(&server, &format!("{DOCUMENTS}\n{PRETENCE}\ncanary = false"));
    let found = proven(swept.checks()[0]);
    assert!(matches!(found, (CacheResetMethod::Emptied, None, FirstTurnFinding::Cold { .. })), "nobody was here before: {found:?}");
    let again = sweep(&server, &format!("{DOCUMENTS}\n{PRETENCE}\ncanary = false"));
    let found = failed(again.checks()[0]);
    assert!(matches!(found, (CacheResetMethod::Emptied, None, FirstTurnFinding::Warm { .. })), "{found:?}");
    let reason = again.checks()[0].evidence().to_string();
    assert!(reason.contains("does not empty every cache; `server.reset = \"salt\"` does without"), "{reason}");
    assert!(again.said().contains("invalid") && again.said().contains("salt"), "{}", again.said());
}

#[test]
fn check_and_plan_say_beforehand_what_will_be_done_about_caches() {
    let stage = Stage::new();
    let told = |verb: &str, more: &[&str]| stdout(&stage.run(&[&[verb, "cold.toml"], more].concat()));
    stage.write("cold.toml", DOCUMENTS);
    for verb in ["check", "plan"] {
        assert!(
            told(verb, &[]).contains("caches: no `server.reset` is written, so every prompt begins with words that no other"),
            "{verb}"
        );
        assert!(told(verb, &["--set", "server.reset=none"]).contains("caches: left as they are (`reset = \"none\"`)"), "{verb}");
        assert!(!told(verb, &["--simulate"]).contains("caches:"), "{verb}");
    }
    assert!(told("check", &["--format", "json"]).contains("\"caches\""));
}

#[test]
fn counters_prove_it_where_usage_tells_nothing() {
    let server = Server::start(&json!([{ "kind": "no_usage", "every": 1 }]));
    let swept = sweep(&server, &format!("{DOCUMENTS}\n{ENDPOINT}"));
    let not_reported = FirstTurnFinding::Inconclusive(InconclusiveTurns::NotReported);
    let gone = CanaryFinding::Gone { reading: of_counters(0), second_reset: false };
    assert_eq!(proven(swept.checks()[0]), (CacheResetMethod::Emptied, Some(&gone), not_reported), "{}", swept.said());
    let pretence = sweep(&server, &format!("{DOCUMENTS}\n{PRETENCE}"));
    let left = CanaryFinding::Left { reading: of_counters(2048) };
    assert_eq!(failed(pretence.checks()[0]), (CacheResetMethod::Emptied, Some(&left), not_reported), "{}", pretence.said());
}

#[test]
fn a_salt_keeps_the_caches_of_earlier_runs_away_from_every_prompt() {
    let server = Server::start(&json!([]));
    let plain = sweep(&server, &format!("{DOCUMENTS}\n[server]\nreset = 'none'"));
    let salted: Vec<Swept> = (0..2).map(|_| sweep(&server, &format!("{DOCUMENTS}\n[server]\nreset = 'salt'"))).collect();
    for swept in &salted {
        assert!(gone_under_a_salt(proven(swept.checks()[0])), "{:?}", swept.checks());
        assert!(swept.tokens(0, "cached_tokens") < 16);
        assert_eq!(swept.tokens(0, "prompt_tokens"), plain.tokens(0, "prompt_tokens") + 10);
        // The follow-up finds its own document.
        assert!(swept.tokens(1, "cached_tokens") > 950);
    }
    let chat = sweep(&server, &format!("{CHAT}\n[server]\nreset = 'salt'"));
    assert!(gone_under_a_salt(proven(chat.checks()[0])), "{}", chat.said());
}

#[test]
fn a_simulated_run_takes_a_salt_and_stays_the_same_to_the_byte() {
    let simulated = || {
        let stage = Stage::new();
        let scenario =
            format!("name = 'cold'\nseed = 7\n{DOCUMENTS}\n[target]\nkind = 'sim'\n[engine]\npreset = 'tiny'\n[server]\nreset = 'salt'\n");
        stage.write("cold.toml", &scenario);
        let output = stage.run(&["sweep", "cold.toml", "-o", "out"]);
        let saved = read_sweep(&stage.path("out")).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let (reset, canary, _) = proven(&saved.runs[0].record.cache_contract);
        assert_eq!((reset, canary), (CacheResetMethod::NewEngine, None));
        fs::read(stage.path("out/runs").join(&saved.runs[0].record.header.id).join("requests.parquet")).unwrap()
    };
    assert_eq!(simulated(), simulated());
}

#[test]
fn a_reset_command_that_fails_leaves_the_cell_undone_with_its_last_words() {
    let server = Server::start(&json!([]));
    let reset = "[server]\nreset = [{ command = ['echo cannot clear {port}; exit 4'], shell = true }]";
    let swept = sweep(&server, &format!("{DOCUMENTS}\n{reset}"));
    let record = &swept.saved.runs[0].record;
    let RunOutcome::Failed(RunFailure { reason, .. }) = &record.outcome else { panic!("{:?}", record.outcome) };
    let words = format!("exit status: 4; its last lines: cannot clear {}", server.serving.address().port());
    assert!(reason.contains(&words), "{reason}");
    let CacheCheck::Failed(CacheEvidence::NotEmptied { error }) = &record.cache_contract else { panic!("{record:?}") };
    assert_eq!(error, reason);
    assert_eq!((record.counts.requests, swept.output.status.code()), (0, Some(3)), "{}", swept.said());
}

#[test]
fn a_canary_that_fails_proves_nothing_and_the_cell_is_run() {
    // The second canary prompt is refused, and every second request after it.
    let server = Server::start(&json!([{ "kind": "status", "status": 503, "every": 2 }]));
    let swept = sweep(&server, &format!("{CHAT}\n{ENDPOINT}"));
    let record = &swept.saved.runs[0].record;
    let (_, canary, first_turns) = not_proven(&record.cache_contract);
    let Some(CanaryFinding::Inconclusive(InconclusiveCanary::RequestFailed { failure })) = canary else { panic!("{canary:?}") };
    assert!(failure.kind == FailureKind::Http(503) && first_turns == USERS_SHARE, "{failure:?}");
    assert_eq!(record.outcome, RunOutcome::Completed);
    assert!(record.counts.measured > 0);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_reset_that_does_not_end() {
    let server = Server::start(&json!([]));
    let stage = Stage::new();
    let reset = "[server]\nreset = [{ command = ['touch begun; sleep 600; touch ended'], shell = true }]";
    let mut child = command(&stage, &server, &format!("{DOCUMENTS}\n{reset}")).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(10);
    while !stage.path("begun").exists() {
        assert!(Instant::now() < deadline, "the reset never began");
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!stage.path("ended").exists(), "the reset was waited for");
    assert!(read_sweep(&stage.path("out")).unwrap().runs.iter().all(|run| run.record.outcome == RunOutcome::Interrupted));
}

fn texts(name: &str) -> CanaryTexts {
    let text = |purpose: &str| bench::workloads::workload::canary_text(&format!("{purpose} {name}"), 500);
    CanaryTexts { before: text("before"), after: text("before"), other: text("other") }
}

#[test]
fn what_landed_after_the_first_reset_takes_a_second_one_and_is_said() {
    let server = Server::start(&json!([]));
    let target = server.target();
    let spec = serde_json::from_value(json!({ "reset": ["/reset_prefix_cache"] })).unwrap();
    let own = serde_json::from_value(server.spec()).unwrap();
    let resets = Cell::new(0);
    let late = async || -> Result<(), ResetError> {
        resets.set(resets.get() + 1);
        if resets.get() == 1 { Ok(()) } else { reset(&spec, &own).await }
    };
    let found = server.runtime.block_on(Canary { target: &target, texts: texts("late") }.after_reset(late)).unwrap().finding;
    assert!(matches!(found, CanaryFinding::Gone { second_reset: true, .. }), "{found:?}");
    assert_eq!(resets.get(), 2);
}

#[test]
fn a_cache_that_outlives_a_restart_is_found_out_by_the_next_cell() {
    let server = Server::start(&json!([]));
    let target = server.target();
    let canary = Canary { target: &target, texts: texts("restart") };
    let reading = |cached_tokens_after| CanaryReading::NewServer { cached_tokens_after, tolerated_tokens: 192 };
    let gone = CanaryFinding::Gone { reading: reading(0), second_reset: false };
    assert_eq!(server.runtime.block_on(canary.after_restart()), SiteFinding { finding: gone, site: None });
    // The same canary of the next cell, and the server is still the old one.
    assert_eq!(server.runtime.block_on(canary.after_restart()).finding, CanaryFinding::Left { reading: reading(496) });
}

#[test]
fn of_several_servers_the_one_whose_caches_are_left_full_is_named() {
    let servers = [Server::start(&json!([])), Server::start(&json!([]))];
    let urls = servers.each_ref().map(|server| server.serving.url());
    let own: TargetSpec = serde_json::from_value(json!({ "model": "small", "urls": urls })).unwrap();
    let target = HttpTarget::new(&own, Clock::real()).unwrap();
    let canary = Canary { target: &target, texts: texts("several") };
    let found = |steps: Value| {
        let spec = serde_json::from_value(json!({ "reset": steps })).unwrap();
        servers[0].runtime.block_on(canary.after_reset(async || reset(&spec, &own).await)).unwrap()
    };
    // A path is one of each server.
    let both = found(json!(["/reset_prefix_cache"]));
    assert!(matches!(both.finding, CanaryFinding::Gone { second_reset: false, .. }), "{both:?}");
    // A URL is one server's.
    let one = found(json!([format!("{}/reset_prefix_cache", urls[0])]));
    let site = CanarySite { url: format!("{}/v1/chat/completions", urls[1]), servers: 2 };
    assert!(matches!(one.finding, CanaryFinding::Left { .. }), "{one:?}");
    assert_eq!(one.site, Some(site));
}

/// A server that tells nothing but by its time.
async fn silent_server() -> (String, tokio::task::JoinSet<()>) {
    use axum::routing::post;
    let answer = async || {
        let events = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n";
        ([("content-type", "text/event-stream")], events)
    };
    let router = axum::Router::new().route("/v1/chat/completions", post(answer)).route("/reset", post(async || {}));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, serving)
}

#[tokio::test]
async fn where_the_server_tells_nothing_its_times_are_looked_at() {
    let (url, _serving) = silent_server().await;
    let own = serde_json::from_value(json!({ "url": url })).unwrap();
    let target = HttpTarget::new(&own, Clock::real()).unwrap();
    let spec = serde_json::from_value(json!({ "reset": ["/reset"] })).unwrap();
    let canary = Canary { target: &target, texts: texts("time") };
    let found = canary.after_reset(async || reset(&spec, &own).await).await.unwrap().finding;
    // What they say of a server that is equally fast each time is up to chance, and what they say at all is tested where they are judged.
    let looked_at = match &found {
        CanaryFinding::Gone { reading, .. } | CanaryFinding::Left { reading } => matches!(reading, CanaryReading::Times { .. }),
        CanaryFinding::Inconclusive(reason) => matches!(reason, InconclusiveCanary::TimesTooNear { .. }),
    };
    assert!(looked_at, "{found:?}");
}

#[tokio::test]
async fn times_alone_never_say_of_a_salt_that_it_does_not_work() {
    let (url, _serving) = silent_server().await;
    let own = serde_json::from_value(json!({ "url": url })).unwrap();
    let target = HttpTarget::new(&own, Clock::real()).unwrap();
    // The prompt under the new salt is as fast as one that is cached.
    let canary = Canary { target: &target, texts: CanaryTexts { after: texts("salt").before, ..texts("salt") } };
    // Whether a server that is equally fast each time seems to prove it is up to chance; that it never accuses is not.
    let found = canary.under_salt().await.finding;
    assert!(!matches!(found, CanaryFinding::Left { .. }), "{found:?}");
}
