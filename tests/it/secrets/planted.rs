//! A planted key, looked for in all that a sweep leaves behind and says: however the key came, and wherever a server gives it back.

use std::fs;
use std::path::Path;
use std::process::Output;

use bench::records::store::read_sweep;

use super::echo::{Echo, Manners};
use super::{KEY, SCENARIO, Scene, said};
use crate::stage::two_at_a_time;

/// The three places that a key can come from.
const PLACES: [&str; 3] =
    ["api_key_env = \"SECRETS_TEST_KEY\"", "api_key_file = \"FOLDER/key.txt\"", "api_key_command = [\"cat\", \"FOLDER/key.txt\"]"];

/// A key of those who type it: lists of processes do hold it while their tests run.
const TYPED_KEY: &str = "sk-Typed-2b8E41";

/// Whether it holds a key, also in other letters.
fn holds(text: &[u8], key: &str) -> bool {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let key = key.to_lowercase();
    text.contains(&key) || text.contains(key.trim_start_matches("sk-"))
}

fn must_be_clean(what: &str, text: &[u8]) {
    assert!(![KEY, TYPED_KEY].iter().any(|key| holds(text, key)), "{what} holds a key:\n{}", String::from_utf8_lossy(text));
}

fn must_be_silent(what: &str, output: &Output) {
    must_be_clean(what, said(output).as_bytes());
}

/// All files below a folder, as bytes and, where they are tables, as what is in them.
fn must_be_clean_folder(folder: &Path) {
    let mut folders = vec![folder.to_owned()];
    let mut files = 0;
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                must_be_clean(&path.display().to_string(), &fs::read(&path).unwrap());
                files += 1;
            }
        }
    }
    assert!(files > 3, "{files} files in {}", folder.display());
    let sweep = read_sweep(folder).unwrap();
    for run in &sweep.runs {
        let rows = run.requests.records().unwrap();
        must_be_clean("requests.parquet", format!("{rows:?} {:?}", run.record).as_bytes());
        must_be_clean("server_metrics.parquet", format!("{:?}", run.samples().unwrap()).as_bytes());
    }
}

fn everything_else_is_silent(scene: &Scene) {
    for words in [
        ["check", "s.toml", "-vv"].as_slice(),
        &["plan", "s.toml", "-vv", "--format", "json"],
        &["report", "out"],
        &["report", "out", "--format", "markdown"],
        &["report", "out", "--format", "json"],
        &["report", "out", "--format", "csv"],
        &["compare", "out", "out"],
        &["compare", "out", "out", "--format", "json"],
        &["history", "out"],
        &["plot", "out", "--kind", "timeline", "-o", "timeline.svg"],
    ] {
        must_be_silent(&words.join(" "), &scene.bench(words));
    }
    if let Ok(picture) = fs::read(scene.path("timeline.svg")) {
        must_be_clean("timeline.svg", &picture);
    }
}

#[test]
fn a_key_that_a_server_gives_back_in_every_place_is_found_nowhere() {
    let scenario = SCENARIO.replace("rounds = 1", "rounds = 1\nsequential = 12");
    two_at_a_time(PLACES, |place| {
        let scene = Scene::new(&format!("{scenario}{place}\nheaders = {{ x-tenant = \"${{SECRETS_TEST_KEY}}\" }}\n"));
        let server = Echo::start(Manners::Echo);
        let output = scene.bench(&["sweep", "s.toml", "--url", &server.url, "-vv", "-o", "out"]);
        must_be_silent(place, &output);
        assert_eq!(server.keys(), [format!("Bearer {KEY}")], "{place}: {}", said(&output));
        // All of it came back and was told, without the key.
        for masked in ["bad key ***", "no ***", "text/***", "compressed with `***`"] {
            assert!(said(&output).contains(masked), "{masked}: {}", said(&output));
        }
        must_be_clean_folder(&scene.path("out"));
        let metrics: Vec<String> = read_sweep(&scene.path("out"))
            .unwrap()
            .runs
            .iter()
            .flat_map(|run| run.samples().unwrap())
            .map(|sample| sample.labels.to_string())
            .collect();
        assert!(metrics.iter().any(|labels| labels.contains("***") || labels.contains("${SECRETS_TEST_KEY}")), "{metrics:?}");
        everything_else_is_silent(&scene);
    });
}

#[test]
fn a_cell_that_fails_by_what_a_server_says_fails_without_the_key() {
    let scene = Scene::new(&format!("{SCENARIO}{}\n", PLACES[0]));
    let server = Echo::start(Manners::Models);
    let stopped = scene.bench(&["sweep", "s.toml", "--url", &server.url, "-vv", "-o", "stopped"]);
    assert_eq!(stopped.status.code(), Some(3), "{}", said(&stopped));
    assert!(said(&stopped).contains("does not list the model `small`, but `***`"), "{}", said(&stopped));
    must_be_silent("the small request before the first cell", &stopped);
    let output = scene.bench(&["sweep", "s.toml", "--url", &server.url, "-vv", "-o", "out", "--set", "on_cell_failure=continue"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("***"), "{}", said(&output));
    must_be_silent("a model by the key's name", &output);
    must_be_clean_folder(&scene.path("out"));
}

#[cfg(target_os = "linux")]
#[test]
fn neither_logs_nor_process_lists_of_servers_that_are_started_hold_the_key() {
    let server = r#"
url = "http://127.0.0.1:0"
[server]
command = ["sh", "-c", "echo my key is $SERVE_KEY; exec BENCH sim --port {port} --model {model} -q"]
env = { SERVE_KEY = "${SECRETS_TEST_KEY}" }
reset = [{ command = ["cat /proc/[0-9]*/cmdline > FOLDER/cmdlines 2> FOLDER/gone; true"], shell = true }]
canary = false
"#;
    for place in PLACES {
        let scene = Scene::new(&format!("{SCENARIO}{place}{server}"));
        let output = scene.bench(&["sweep", "s.toml", "-vv", "-o", "out"]);
        must_be_silent(place, &output);
        must_be_clean_folder(&scene.path("out"));
        let processes = fs::read(scene.path("cmdlines")).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
        assert!(String::from_utf8_lossy(&processes).contains("supervise"), "{}", said(&output));
        assert!(!holds(&processes, KEY), "the list of processes holds the key:\n{}", String::from_utf8_lossy(&processes));
        let log = fs::read_to_string(scene.path("out/servers/default/server.log")).unwrap();
        assert!(log.contains("my key is ") && !log.contains("is \n"), "{log}");
    }
}

#[test]
fn what_looks_like_a_secret_in_a_change_of_the_command_line_is_not_saved() {
    let (scene, server) = (Scene::new(SCENARIO), Echo::start(Manners::Good));
    let set = format!("server.env.API_KEY={TYPED_KEY}");
    let output = scene.bench(&["sweep", "s.toml", "--url", &server.url, "--set", &set, "-o", "out"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", said(&output));
    assert!(read_sweep(&scene.path("out")).unwrap().manifest.changes.iter().any(|change| change.contains("server.env.API_KEY=***")));
    must_be_silent("the sweep", &output);
    must_be_clean_folder(&scene.path("out"));
}

#[test]
fn a_key_that_was_written_where_none_belongs_is_refused_and_not_shown() {
    let scene = Scene::new(SCENARIO);
    let url = format!("http://me:{TYPED_KEY}@127.0.0.1:1");
    let query = format!("http://127.0.0.1:1/v1?key={TYPED_KEY}");
    let sets = ["target.api_key_env", "target.api_key", "target.headers.authorization", "target.headers.x-api-key"];
    let sets: Vec<String> = sets.iter().map(|path| format!("{path}={TYPED_KEY}")).collect();
    let mut attempts = vec![vec!["--url", url.as_str()], vec!["--url", &query]];
    attempts.extend(sets.iter().map(|set| vec!["--url", "http://127.0.0.1:1", "--set", set.as_str()]));
    for attempt in attempts {
        for verb in [["check"].as_slice(), &["sweep", "-o", "refused"]] {
            let output = scene.bench(&[verb, &["s.toml", "-vv"], &attempt].concat());
            assert_eq!(output.status.code(), Some(2), "{attempt:?}: {}", said(&output));
            must_be_silent(&format!("{attempt:?}"), &output);
        }
        assert!(!scene.path("refused").exists());
    }
    for line in [
        format!("url = \"{url}\""),
        format!("api_key_env = \"{TYPED_KEY}\""),
        format!("headers = {{ Authorization = \"Bearer {TYPED_KEY}\" }}"),
    ] {
        let written = Scene::new(&format!("{SCENARIO}{line}\n"));
        let output = written.bench(&["check", "s.toml"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        must_be_silent(&line, &output);
    }
}

/// What other programs save beside times: the address they asked, what they were called with, headers, texts.
#[test]
fn an_import_takes_neither_keys_nor_texts_out_of_a_file() {
    let scene = Scene::new(SCENARIO);
    let file = |wrong: &str| {
        format!(
            r#"{{"date": "20260101-000000", "backend": "openai-chat", "model_id": "small", "tokenizer_id": "small", "num_prompts": 2,
                "request_rate": "inf", "burstiness": 1.0, "max_concurrency": null, "ttfts": [0.1, 0.2], "itls": [[0.01], [{wrong}]],
                "input_lens": [5, 5], "output_lens": [2, 2], "errors": ["", ""], "base_url": "http://me:{KEY}@127.0.0.1", "api_key": "{KEY}",
                "headers": {{"Authorization": "Bearer {KEY}"}}, "args": ["--api-key", "{KEY}"], "generated_texts": ["{KEY}", "b"]}}"#
        )
    };
    fs::write(scene.path("good.json"), file("0.02")).unwrap();
    let output = scene.bench(&["import", "good.json", "-o", "out"]);
    assert!(output.status.success(), "{}", said(&output));
    must_be_silent("the import", &output);
    must_be_silent("its report", &scene.bench(&["report", "out", "--goal", "p95(ttft) <= 2s"]));
    must_be_clean_folder(&scene.path("out"));
    for (name, text) in [("wrong.json", file("\"x\"")), ("cut.json", file("0.02")[..400].to_owned()), ("none.json", format!("\"{KEY}\""))] {
        fs::write(scene.path(name), text).unwrap();
        let output = scene.bench(&["import", name, "-o", "refused"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        must_be_silent(name, &output);
        assert!(!scene.path("refused").exists());
    }
}
