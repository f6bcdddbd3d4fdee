//! Other programs' files through the whole path: imported, saved, read, judged; and the command with its messages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use bench::analysis::{
    BottleneckEvidence, CellNote, CellSummary, GoalVerdict, KvMemoryEvidence, Score, SummaryOptions, SweepSummary, summarize,
};
use bench::records::import::{ImportFile, ImportOptions, ImportedSweep, import};
use bench::records::record::{CacheEvidence, FailureKind};
use bench::records::store::read_sweep;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::stage::{self, Stage, stderr, stdout};

const EXPECTED: &str = include_str!("../fixtures/lmbenchmark/expected.md");

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lmbenchmark")
}

fn wanted() -> ImportOptions {
    ImportOptions { name: "imported".into(), goals: Vec::new(), created_at: Timestamp::UNIX_EPOCH, bench_version: "0.1.0".into() }
}

fn source(variant: &str, name: &str, text: impl Into<String>) -> ImportFile {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    ImportFile { name: format!("{variant}/{name}"), stem: stem.into(), variant: variant.into(), text: text.into() }
}

/// The files of a real sweep of one variant.
fn real(variant: &str) -> Vec<ImportFile> {
    let mut files: Vec<PathBuf> = fs::read_dir(fixtures().join(variant)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let source = |file: PathBuf| source(variant, file.file_name().unwrap().to_str().unwrap(), fs::read_to_string(&file).unwrap());
    files.into_iter().map(source).collect()
}

fn judged(sweep: &ImportedSweep) -> SweepSummary {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("imported");
    sweep.save(&dir).unwrap();
    summarize(&read_sweep(&dir).unwrap(), &SummaryOptions::default()).unwrap()
}

/// A file of the C×S script, of which each session takes so long to the first token of its follow-up.
fn cxs(concurrent: u64, sequential: u64, ttft: f64) -> Value {
    let turn = |session: u64, turn: u64| {
        json!({"session_id": format!("s{session}"), "turn": turn, "latency": ttft + 0.5, "ttft": ttft, "generation_time": 0.5,
               "prompt_tokens": 1000, "completion_tokens": 11, "status": "success"})
    };
    let results: Vec<Value> = (0..concurrent * sequential).flat_map(|session| [turn(session, 0), turn(session, 1)]).collect();
    json!({"params": {"concurrent": concurrent, "session_depth": sequential, "num_rounds": 1, "model": "tiny"}, "results": results})
}

#[test]
fn real_files_give_the_percentiles_and_the_scores_of_the_original_analysis() {
    let sources: Vec<ImportFile> = real("vllm").into_iter().chain(real("lmcache")).collect();
    let summary = judged(&import(&sources, &wanted()).unwrap());
    let (vllm, lmcache) = EXPECTED.split_once("## lmcache").unwrap();
    let (mut compared, mut to_the_digit) = (0, 0);
    for (variant, (table, max)) in summary.variants.iter().zip([(vllm, 4), (lmcache, 16)]) {
        for line in table.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let is_here = |cell: &&CellSummary| {
                [("workload.concurrent", words[1]), ("workload.sequential", words[2])]
                    .iter()
                    .all(|(axis, word)| cell.axes[*axis].as_u64() == word.parse().ok())
            };
            let cell = variant.cells.iter().find(is_here).unwrap();
            let ours = cell.shown.as_ref().unwrap().value.unwrap().get();
            // Times are saved to the microsecond, which is the last digit that is printed.
            assert!((ours - words[3].parse::<f64>().unwrap()).abs() < 1.5e-6, "{} {line}: {ours}", variant.name);
            compared += 1;
            to_the_digit += u32::from(format!("{ours:.6}") == words[3]);
        }
        let [Score::Capacity(score)] = variant.scores.as_slice() else { panic!() };
        assert_eq!(score.max_product.map(|shape| shape.product), Some(max), "{}", variant.name);
        // So few requests certify nothing, and say so.
        assert_eq!(score.largest_met, None);
        let passing = variant.cells.iter().filter(|cell| cell.passes == Some(true));
        assert!(passing.clone().count() > 5 && passing.clone().all(|cell| cell.verdict == Some(GoalVerdict::Undecided)));
    }
    assert_eq!((compared, to_the_digit), (32, 26), "six differ in the last digit by one, being rounded twice");
}

#[test]
fn rates_and_what_was_alive_at_one_time_are_not_told_where_send_times_are_not_known() {
    let sweep = import(&real("vllm"), &wanted()).unwrap();
    let summary = judged(&sweep);
    let imported = summary.imported.clone().unwrap();
    assert_eq!(imported.program, "the original C×S script");
    assert!(imported.lacks.iter().any(|lack| lack.contains("send times")), "{imported:?}");
    for cell in &summary.variants[0].cells {
        assert_eq!((cell.rates.sent_qps, cell.rates.completed_qps, cell.rates.output_tokens_per_s), (None, None, None));
        assert_eq!((cell.sessions.in_flight_mean, cell.sessions.resident_tokens, cell.rates.hit_rate), (None, None, None));
        let is_imported = |note: &CellNote| matches!(note, CellNote::UnprovenCaches { evidence: CacheEvidence::Imported { .. } });
        assert!(cell.notes.0.iter().any(is_imported), "{:?}", cell.notes);
    }
    let said = "IMPORTED: every number here comes from files of the original C×S script, none was measured by bench";
    let text = bench::presentation::report::terminal(&summary, bench::presentation::report::ColourMode::Never);
    assert!(text.replace("\n  ", " ").starts_with(said) && text.contains("seed not known") && !text.contains("send lag p99"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(bench::presentation::report::markdown(&summary).contains(&format!("**{said}**")));
    let csv = bench::presentation::report::csv(&[summary]).unwrap();
    assert!(csv.starts_with("sweep,simulated,imported,variant,") && csv.contains("\nimported,false,true,vllm,"), "{csv}");
}

#[test]
fn a_failure_is_slower_than_any_limit_and_is_counted_by_kind() {
    let mut file = cxs(2, 2, 0.25);
    file["results"][1]["ttft"] = json!(0.0);
    file["results"][3]["status"] = json!("error: HTTP 503");
    let sweep = import(&[source("v", "a.json", file.to_string())], &wanted()).unwrap();
    assert_eq!(sweep.failures().into_iter().collect::<Vec<_>>(), [(FailureKind::NoToken, 1), (FailureKind::Other, 1)]);
    let summary = judged(&sweep);
    let cell = &summary.variants[0].cells[0];
    assert_eq!((cell.n, cell.failed, cell.success_only.n), (8, 2, 6));
    // Two of four follow-ups are infinite, so the 95th percentile is.
    assert!(cell.shown.as_ref().unwrap().value.unwrap().get().is_infinite());
}

#[test]
fn files_of_one_cell_are_repeats_and_folders_are_variants() {
    let sources = [
        source("vllm", "a.json", cxs(2, 1, 0.25).to_string()),
        source("vllm", "b.json", cxs(2, 1, 0.5).to_string()),
        source("vllm", "c.json", cxs(1, 1, 0.5).to_string()),
        source("lmcache", "a.json", cxs(2, 1, 0.125).to_string()),
    ];
    let sweep = import(&sources, &wanted()).unwrap();
    assert_eq!(
        (sweep.manifest.variants.as_slice(), sweep.manifest.repeats, sweep.cells()),
        (["vllm", "lmcache"].map(str::to_owned).as_slice(), 2, 3)
    );
    assert_eq!(sweep.manifest.axes[0], ("workload.concurrent".to_owned(), vec![json!(1), json!(2)]));
    let summary = judged(&sweep);
    assert_eq!(summary.variants[0].cells.iter().map(|cell| (cell.runs, cell.n)).collect::<Vec<_>>(), [(1, 2), (2, 8)]);
    // Time per output token: 0.5 s for ten tokens after the first.
    let tpot = SummaryOptions { goals: vec!["max(tpot) <= 50ms/token".parse().unwrap()], ..SummaryOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    sweep.save(&folder.path().join("x")).unwrap();
    let summary = summarize(&read_sweep(&folder.path().join("x")).unwrap(), &tpot).unwrap();
    assert_eq!(summary.variants[0].cells[0].passes, Some(true));
    assert_eq!(import(&sources, &wanted()).unwrap(), sweep, "the same files make the same sweep");
}

#[test]
fn a_run_of_vllm_serve_has_rates_gaps_and_failures() {
    let file = |rate: f64| {
        json!({"model_id": "tiny", "request_rate": rate, "burstiness": 1.0, "max_concurrency": null, "duration": 4.0, "completed": 3, "num_prompts": 4,
               "input_lens": [9, 9, 9, 9], "output_lens": [3, 3, 3, 0], "ttfts": [0.25, 0.25, 0.25, 0.0],
               "itls": [[0.01, 0.02], [0.01, 0.02], [0.01, 0.02], []], "errors": ["", "", "", "Service Unavailable"],
               "start_times": [100.0, 101.0, 102.0, 103.0], "generated_texts": ["secret", "b", "c", ""]})
    };
    let sources = [source("vllm", "a.json", file(1.0).to_string()), source("vllm", "b.json", file(2.0).to_string())];
    let sweep = import(&sources, &wanted()).unwrap();
    assert_eq!(sweep.manifest.axes, [("workload.request_rate".to_owned(), vec![json!(1.0), json!(2.0)])]);
    assert!(!format!("{sweep:?}").contains("secret"));
    let summary = judged(&sweep);
    let cell = &summary.variants[0].cells[0];
    assert_eq!(
        (cell.n, cell.failures.get(&FailureKind::Other), cell.rates.offered_qps, cell.rates.sent_qps),
        (4, Some(&1), Some(1.0), Some(1.0))
    );
    assert_eq!(cell.sessions.in_flight_mean, Some(1.0));
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_the_files_name() {
    let good = cxs(1, 1, 0.5);
    let mut rounds = cxs(1, 2, 0.5);
    rounds["params"]["num_rounds"] = json!(5);
    let mut model = cxs(2, 2, 0.5);
    model["params"]["model"] = json!("other");
    let sources = [
        source("v", "good.json", good.to_string()),
        source("v", "again.json", good.to_string()),
        source("v", "torn.json", &good.to_string()[..100]),
        source("v", "rounds.json", rounds.to_string()),
        source("v", "model.json", model.to_string()),
        source("v", "none.json", "{\"a\": 1}"),
        source("v", "vllm.json", r#"{"completed": 1, "duration": 1.0}"#),
        source("v", "table.csv", "concurrent,sequential,ttft_p95_s\n1,1,0.5\n"),
    ];
    let faults: Vec<String> = import(&sources, &wanted()).unwrap_err().iter().map(ToString::to_string).collect();
    for part in [
        "`v/torn.json`: ends in the midst of its JSON",
        "`v/none.json`: is JSON of no known program",
        "`v/vllm.json`: has no `ttfts` and `itls`",
        "`v/table.csv`: is a table of percentiles",
        "`v/vllm.json`: is of vllm bench serve, `v/good.json` is of the original C×S script",
        "`v/again.json`: has the same content as `v/good.json`",
        "`v/rounds.json`: has `num_rounds` 5, `v/good.json` has 1",
        "`v/model.json`: has `model` `other`, `v/good.json` has `tiny`",
    ] {
        assert_eq!(faults.iter().filter(|fault| fault.starts_with(part)).count(), 1, "{part}: {faults:#?}");
    }
    assert_eq!(faults.len(), 8, "{faults:#?}");
}

/// What it said on stdout.
fn succeeded(output: &Output) -> String {
    stage::succeeded(output);
    stdout(output)
}

#[test]
fn the_command_writes_a_new_folder_or_nothing_and_says_what_it_read() {
    let stage = Stage::new();
    fs::create_dir(stage.path("vllm")).unwrap();
    fs::write(stage.path("vllm/a.json"), cxs(1, 2, 0.5).to_string()).unwrap();
    fs::write(stage.path("vllm/torn.json"), "{\"params\": {").unwrap();
    let broken = stage.run(&["import", "vllm/a.json", "vllm/torn.json", "absent.json", "vllm", "-o", "out"]);
    let said = stderr(&broken);
    assert_eq!((broken.status.code(), said.matches("error: ").count()), (Some(2), 3), "{said}");
    assert!(!stage.path("out").exists());

    let said = succeeded(&stage.run(&["import", "vllm/a.json", "-o", "out"]));
    assert!(said.starts_with("imported 1 file of the original C×S script: 1 cell of vllm; 4 requests\nfailures: none\n"), "{said}");
    assert!(said.ends_with("next: bench report out\n") && said.lines().all(|line| line.chars().count() <= 80), "{said}");
    succeeded(&stage.run(&["report", "out"]));
    let again = stage.run(&["import", "vllm/a.json", "-o", "out"]);
    assert!(again.status.code() == Some(2) && stderr(&again).contains("`out` is there already"));
}

#[test]
fn what_our_own_runs_write_for_others_comes_back() {
    let stage = Stage::new();
    let set = ["--set", "engine.preset=tiny", "--simulate", "-q"];
    let qa = [
        "run",
        "document-qa",
        "--num-users-concurrent",
        "2",
        "--document-tokens",
        "1000",
        "--answer-len",
        "8",
        "--output",
        "qa.json",
        "--results",
        "qa",
    ];
    succeeded(&stage.run(&[&qa[..], &set].concat()));
    let chat =
        ["run", "chat", "--num-users", "3", "--qps", "4", "--time", "5", "--answer-len", "8", "--output", "chat.csv", "--results", "chat"];
    succeeded(&stage.run(&[&chat[..], &set].concat()));
    for (file, run, out) in [("qa.json", "qa", "qa2"), ("chat.csv", "chat", "chat2")] {
        succeeded(&stage.run(&["import", file, "-o", out]));
        let (first, second) = (read_sweep(&stage.path(run)).unwrap(), read_sweep(&stage.path(out)).unwrap());
        assert!(second.manifest.simulated && second.manifest.imported.is_some());
        let facts = |sweep: &bench::records::store::SavedSweep| {
            let records = sweep.runs[0].requests.records().unwrap();
            let measured = records.into_iter().filter(|record| record.phase == bench::records::record::RequestPhase::Measure);
            let told = |record: bench::records::record::RequestRecord| {
                let kind: Option<FailureKind> = record.failure.as_ref().map(|failure| failure.kind);
                let ttft = record.ttft_s().map(|seconds| (seconds * 1e6).round().to_string());
                (record.turn, ttft, record.prompt_tokens, record.output_tokens, kind.map(FailureKind::name))
            };
            let mut facts: Vec<_> = measured.map(told).collect();
            facts.sort();
            facts
        };
        assert!(facts(&first).len() > 3);
        assert_eq!(facts(&first), facts(&second), "{file}");
    }
}

/// A run of the script's second generation on a server whose pool holds 2,500 tokens: requests one after the other, each with the page of
/// metrics at its beginning. Follow-ups find their document where all documents fit.
fn second_generation(sequential: u64) -> Value {
    let (rounds, fits) = (3, sequential <= 2);
    let (mut at, mut computed, mut cached) = (1_750_000_000.0, 0, 0);
    let mut results = Vec::new();
    for turn in 0..=rounds {
        for session in 0..sequential {
            let page = format!(
                "# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{{engine=\"0\"}} 0\n\
                 # TYPE vllm:cache_config_info gauge\nvllm:cache_config_info{{block_size=\"10\",num_gpu_blocks=\"250\"}} 1\n\
                 # TYPE vllm:prompt_tokens_by_source counter\nvllm:prompt_tokens_by_source_total{{source=\"local_compute\"}} {computed}\n\
                 vllm:prompt_tokens_by_source_total{{source=\"local_cache_hit\"}} {cached}\n"
            );
            let hit = turn > 0 && fits;
            let prompt = 1_000 + 20 * turn;
            let (ttft, hits) = if hit { (0.2, prompt - 10) } else { (3.0, 0) };
            results.push(json!({"session_id": format!("s{session}"), "turn": turn, "start_time": at, "latency": ttft + 0.25, "ttft": ttft,
                "generation_time": 0.25, "prompt_tokens": prompt, "completion_tokens": 10, "metrics": page, "status": "success"}));
            computed += prompt - hits;
            cached += hits;
            at += ttft + 0.5;
        }
    }
    json!({"params": {"concurrent": 1, "session_depth": sequential, "num_rounds": rounds, "model": "tiny", "answer_len": 10}, "results": results})
}

#[test]
fn files_of_the_second_generation_tell_rates_requests_in_flight_and_what_gave_out() {
    let sources: Vec<ImportFile> =
        [2, 4].into_iter().map(|depth| source("vllm", &format!("s{depth}.json"), second_generation(depth).to_string())).collect();
    let sweep = import(&sources, &wanted()).unwrap();
    assert_eq!(sweep.runs[0].record.started_at.to_string(), "2025-06-15T15:06:40Z");
    assert!(sweep.runs.iter().all(|run| run.record.counts.measured_window_us.0 > 0 && !run.samples.is_empty()));
    assert!(sweep.runs[0].requests.iter().all(|request| request.in_flight == 1));
    let lacks = &sweep.manifest.imported.as_ref().unwrap().lacks;
    assert!(lacks.iter().all(|lack| !lack.contains("send times")) && lacks.iter().any(|lack| lack.contains("`/metrics`")), "{lacks:?}");
    let summary = judged(&sweep);
    let vllm = &summary.variants[0];
    let [cell, lost] = vllm.cells.as_slice() else { panic!("{:?}", vllm.cells) };
    assert_eq!((cell.passes, lost.passes), (Some(true), Some(false)));
    assert!(cell.rates.completed_qps.is_some(), "{:?}", cell.rates);
    let [limit] = vllm.limits.as_slice() else { panic!("{:?}", vllm.limits) };
    let BottleneckEvidence::KvMemory { finding, .. } = &limit.evidence else { panic!("{limit:?}") };
    let KvMemoryEvidence::HitsLost(change) = &finding.evidence else { panic!("{finding:?}") };
    assert_eq!(change.residence.kv_pool_tokens.as_ref().map(|told| told.value), Some(2_500.0));
}

#[test]
fn what_the_second_generations_flags_ask_for_is_written_in_its_layout_and_keeps_its_times() {
    let stage = Stage::new();
    let run = [
        "run",
        "document-qa",
        "-c",
        "2",
        "-s",
        "2",
        "--num-rounds",
        "2",
        "--document-tokens",
        "500",
        "--answer-len",
        "8",
        "--output",
        "qa.json",
        "--results",
        "qa",
        "--set",
        "engine.preset=tiny",
        "--simulate",
        "-q",
    ];
    succeeded(&stage.run(&run));
    let document: Value = serde_json::from_slice(&fs::read(stage.path("qa.json")).unwrap()).unwrap();
    assert_eq!((&document["params"]["concurrent"], &document["params"]["session_depth"]), (&json!(2), &json!(2)));
    assert!(document["params"].get("num_users_concurrent").is_none(), "the plot wants all other parameters equal in all files");
    succeeded(&stage.run(&["import", "qa.json", "-o", "qa2"]));
    let places = |dir: &str| {
        let mut rows = read_sweep(&stage.path(dir)).unwrap().runs[0].requests.records().unwrap();
        let first = rows.iter().map(|row| row.sent_us).min().unwrap();
        rows.sort_by_key(|row| (row.session, row.turn));
        rows.iter().map(|row| (row.session, row.turn, row.lane, row.sent_us.since(first))).collect::<Vec<_>>()
    };
    assert_eq!(places("qa"), places("qa2"));
}

/// Five requests each: 250, 260, ..., 290 ms to the first token, then ten tokens of 20 ms.
#[test]
fn each_program_s_requests_give_the_times_that_stand_in_its_file() {
    let fixture = |name: &str| {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/imports").join(name)).unwrap();
        source("v", name, text)
    };
    for (name, program, axes, runs) in [
        ("aiperf_records.jsonl", "AIPerf", vec![], 1),
        ("guidellm.json", "guidellm", vec!["workload.rate"], 2),
        ("sglang_details.jsonl", "SGLang's bench_serving", vec!["workload.max_concurrency"], 2),
        ("vllm_sweep.json", "vllm bench sweep", vec!["workload.max_concurrency"], 4),
        ("genai_bench.json", "genai-bench", vec![], 1),
        ("llmperf_individual_responses.json", "llmperf", vec![], 1),
        ("inference_perf.json", "inference-perf", vec![], 1),
    ] {
        let mut wanted = wanted();
        wanted.goals = vec!["p50(ttft) <= 270ms".parse().unwrap(), "p50(tpot) <= 20ms".parse().unwrap()];
        let sweep = import(&[fixture(name)], &wanted).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert_eq!((sweep.program.words(), sweep.files, sweep.runs.len()), (program, 1, runs), "{name}");
        let named: Vec<&str> = sweep.manifest.axes.iter().map(|(axis, _)| axis.as_str()).collect();
        assert_eq!(named, axes, "{name}");
        let summary = judged(&sweep);
        for cell in &summary.variants[0].cells {
            let values: Vec<f64> = cell.goals.iter().map(|goal| goal.estimate.value.unwrap().get()).collect();
            assert!((values[0] - 0.27).abs() < 2e-6 && (values[1] - 0.02).abs() < 2e-6, "{name}: {values:?}");
            assert_eq!(cell.failed, 0, "{name}");
        }
    }
}

#[test]
fn a_summary_of_another_program_is_refused_by_its_right_name() {
    for (text, name) in [
        (r#"{"schema_version": "1.0", "request_throughput": {"unit": "requests/sec", "avg": 3.0}, "input_config": {}}"#, "AIPerf"),
        ("Metric,avg,min,max,p99\nTime to First Token (ms),1,2,3,4\n", "AIPerf"),
        (r#"{"backend": "sglang", "dataset_name": "random", "completed": 5, "duration": 130.2, "median_ttft_ms": 85.7}"#, "SGLang"),
        (r#"[{"model_id": "m", "completed": 8, "duration": 1.3, "run_number": 0, "median_ttft_ms": 30.0}]"#, "`vllm bench sweep`"),
    ] {
        let faults = import(&[source("v", "summary", text)], &wanted()).unwrap_err();
        let said = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(faults.len() == 1 && said.contains(name) && said.contains("averages and percentiles"), "{said}");
    }
}
