//! What is recorded of a server while a cell runs, by the program as it is: from the simulated engine, in virtual time and behind a socket.

use std::collections::BTreeSet;
use std::fs;

use bench::analysis::{ServerRole, SummaryOptions, increase, summarize};
use bench::foundation::clock::Micros;
use bench::records::record::ServerSample;
use bench::records::store::{SavedRun, SavedSweep, SweepPaths, read_sweep};
use bench::simulation::engine::EngineParameters;
use bench::simulation::serve::{self, EngineServer};
use serde_json::json;

use super::stage::{Stage, succeeded};

const WORKLOAD: &str = "name = 'watch'\nseed = 7\n[workload]\nkind = 'document_qa'\ndocuments = { synthetic_tokens = 1000 }\nrounds = 2\n\
    answer_tokens = 4\n[engine]\npreset = 'tiny'\n[matrix]\nconcurrent = [2]\nsequential = [2]\n";

/// Runs a scenario on that stage, and reads what it saved.
fn swept(stage: &Stage, scenario: &str, words: &[&str], environment: &[(&str, &str)]) -> SavedSweep {
    stage.write("watch.toml", scenario);
    let words = [&["sweep", "watch.toml", "-q", "-o", "out"], words].concat();
    succeeded(&stage.command(&words).envs(environment.iter().copied()).output().unwrap());
    read_sweep(&stage.path("out")).unwrap()
}

/// The values of one series, in time.
fn series<'a>(samples: &'a [ServerSample], name: &'a str, label: &'a str) -> impl Iterator<Item = f64> + 'a {
    samples.iter().filter(move |sample| &*sample.name == name && sample.labels.contains(label)).map(|sample| sample.value)
}

/// The sum of a column of counts over all requests.
fn total(run: &SavedRun, column: &str) -> f64 {
    run.requests
        .table()
        .unwrap()
        .column(column)
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .flatten()
        .map(|count| u32::try_from(count).unwrap())
        .map(f64::from)
        .sum()
}

/// What the counters say must be what the requests say.
fn told_as_it_was(run: &SavedRun, samples: &[ServerSample]) {
    let grown = |name, label| increase(series(samples, name, label));
    let close = |one: f64, other: f64, what: &str| assert!((one - other).abs() < 0.5 && other > 0.0, "{what}: {one} {other}");
    let (prompt, cached) = (total(run, "prompt_tokens"), total(run, "cached_tokens"));
    close(grown("vllm:prompt_tokens_total", ""), prompt, "prompt tokens");
    close(grown("vllm:prompt_tokens_by_source_total", "source=\"local_cache_hit\""), cached, "cached");
    close(grown("vllm:prompt_tokens_by_source_total", "source=\"local_compute\""), prompt - cached, "computed");
    close(grown("vllm:generation_tokens_total", ""), total(run, "output_tokens"), "generated");
}

#[test]
fn a_simulated_run_tells_its_engine_s_metrics_in_equal_bytes_every_time() {
    let files = [(); 2].map(|()| {
        let stage = Stage::new();
        // Slow enough for several readings: 10 s of virtual time each.
        let scenario = WORKLOAD.replace("answer_tokens = 4", "answer_tokens = 4000");
        let sweep = swept(&stage, &scenario, &["--simulate"], &[]);
        let run = &sweep.runs[0];
        let samples = run.samples().unwrap();
        told_as_it_was(run, &samples);
        let mut times: Vec<Micros> = samples.iter().map(|sample| sample.at_us).collect();
        times.dedup();
        assert!(times.len() >= 4, "{times:?}");
        let (last, readings) = times.split_last().unwrap();
        assert!(readings.iter().enumerate().all(|(at, time)| time.0 == at as u64 * 10_000_000), "{times:?}");
        assert_eq!(*last, run.record.duration_us);
        assert!(samples.iter().all(|sample| &*sample.source == "simulated engine"));
        assert!(series(&samples, "vllm:num_requests_running", "").any(|running| running > 1.5));
        let config = samples.iter().find(|sample| &*sample.name == "vllm:cache_config_info").unwrap();
        let label = |name| config.label(name).unwrap().parse::<u64>().unwrap();
        let server = run.record.server.as_ref().unwrap();
        assert_eq!(server.kv_pool_tokens, Some(label("block_size") * label("num_gpu_blocks")));
        let paths = SweepPaths::new(stage.path("out"));
        fs::read(paths.run(&run.record.header.id).unwrap().server_metrics()).unwrap()
    });
    assert_eq!(files[0], files[1]);
}

#[test]
fn nothing_is_saved_where_nothing_is_kept() {
    let stage = Stage::new();
    let sweep = swept(&stage, &format!("{WORKLOAD}[server.watch]\nkeep = []\n"), &["--simulate"], &[]);
    let run = &sweep.runs[0];
    assert_eq!(run.samples().unwrap(), []);
    assert!(!SweepPaths::new(stage.path("out")).run(&run.record.header.id).unwrap().server_metrics().exists());
}

fn serving(runtime: &tokio::runtime::Runtime) -> EngineServer {
    let parameters = EngineParameters::resolve(&serde_json::from_value(json!({ "preset": "tiny" })).unwrap(), 0).unwrap();
    let options = serve::ServeOptions { host: [127, 0, 0, 1].into(), port: 0, model: "default".into(), parameters };
    runtime.block_on(serve::bind(options)).unwrap()
}

#[test]
fn a_server_is_watched_from_before_the_load_to_after_it_and_its_address_is_not_told() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let serving = serving(&runtime);
    let url = serving.url();
    let stage = Stage::new();
    let watch = "[server.watch]\nperiod = '50ms'\nendpoints = ['/metrics', '${WATCH_URL}/no/such/page']\n";
    let scenario = format!("{WORKLOAD}[target]\nurl = '${{WATCH_URL}}'\n{watch}");
    let sweep = swept(&stage, &scenario, &[], &[("WATCH_URL", &url)]);
    let run = &sweep.runs[0];
    let samples = run.samples().unwrap();
    told_as_it_was(run, &samples);
    let page = |sample: &&ServerSample| &*sample.source == "${WATCH_URL}/metrics";
    assert!(samples.iter().filter(page).count() > 0, "{:?}", samples[0]);
    assert!(samples.iter().all(|sample| !sample.source.contains("127.0.0.1")));
    assert!(samples.last().unwrap().at_us >= run.record.duration_us);
    assert_eq!(run.record.server.as_ref().unwrap().kv_pool_from.as_deref(), Some("metrics"));
    let notes: Vec<&String> = run.record.notes.iter().filter(|note| note.contains("no/such/page")).collect();
    assert_eq!(notes, ["`${WATCH_URL}/no/such/page` does not exist: no metrics from there"]);
    #[cfg(target_os = "linux")]
    assert!(samples.iter().any(|sample| &*sample.source == "host" && &*sample.name == "memory_total_bytes"));
}

#[test]
fn the_role_that_a_scenario_gives_a_page_is_recorded_with_it_and_its_figures_stand_apart() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let pages = [serving(&runtime), serving(&runtime)].map(|serving| (format!("{}/metrics", serving.url()), serving));
    let [(prefill, server), (decode, _)] = &pages;
    let watch = format!(
        "[server.watch]\nperiod = '50ms'\nendpoints = ['{prefill}', '{decode}']\nroles = {{ '{prefill}' = 'prefill', '{decode}' = 'decode' }}\n"
    );
    let stage = Stage::new();
    let sweep = swept(&stage, &format!("{WORKLOAD}[target]\nurl = '{}'\n{watch}", server.url()), &[], &[]);
    let samples = sweep.runs[0].samples().unwrap();
    let told: BTreeSet<_> =
        samples.iter().filter(|sample| &*sample.name == "server_role").map(|sample| (&*sample.source, &*sample.labels)).collect();
    assert_eq!(told, BTreeSet::from([(&**prefill, "{role=\"prefill\"}"), (&**decode, "{role=\"decode\"}")]));
    let summary = summarize(&sweep, &SummaryOptions::default()).unwrap();
    let figures = &summary.variants[0].cells[0].server;
    let roles: Vec<_> = figures.roles.iter().map(|told| (told.role, told.running.is_some(), told.kv_usage.is_some())).collect();
    assert_eq!(roles, [(ServerRole::Prefill, true, true), (ServerRole::Decode, true, true)]);
    assert_eq!(figures.hits.as_ref().unwrap().by, "vllm:prompt_tokens_by_source_total");
}
