//! The command as its users meet it, and the workloads that read what it made.

use std::process::Output;

use serde_json::Value;

use super::{WORDS, files, pieces, prose};
use crate::stage::Stage;

fn place() -> Stage {
    let stage = Stage::new();
    pieces(stage.folder(), &WORDS);
    std::fs::create_dir(stage.path("in")).unwrap();
    for seed in 0..4 {
        stage.write(&format!("in/{seed}.txt"), &prose(seed, 20));
    }
    stage
}

fn bench(stage: &Stage, words: &str) -> Output {
    stage.run(&words.split(' ').collect::<Vec<_>>())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const DOCUMENTS: &str = "prepare documents --folder in --tokenizer tokenizer.json --buckets 100,500 -o data";

#[test]
fn documents_are_made_told_and_read_by_a_scenario() {
    let stage = place();
    let made = bench(&stage, DOCUMENTS);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let table: Vec<String> = text(&made.stdout).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(table[2..], ["100 100 0 -", "500 500 4 data/500"]);
    assert!(text(&made.stderr).contains("4 sources looked at"), "{}", text(&made.stderr));
    let manifest = std::fs::read_to_string(stage.path("data/manifest.json")).unwrap();
    assert!(!manifest.contains(stage.folder().to_str().unwrap()), "an absolute path is in the manifest");

    let before = files(&stage.path("data"));
    let again = bench(&stage, DOCUMENTS);
    assert!(text(&again.stderr).contains("nothing to do: all 4 sources stand"), "{}", text(&again.stderr));
    assert_eq!((again.stdout, files(&stage.path("data"))), (made.stdout, before));

    let scenario = "workload = { kind = \"document_qa\", documents = \"data/500\", concurrent = 2, sequential = 2 }\n";
    std::fs::write(stage.path("a.toml"), scenario).unwrap();
    let check = bench(&stage, "check a.toml");
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stderr));
}

#[test]
fn json_is_for_programs_and_quiet_is_quiet() {
    let stage = place();
    let made = bench(&stage, &format!("{DOCUMENTS} --format json -q"));
    assert_eq!(text(&made.stderr), "");
    let json: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(json["buckets"][1], serde_json::json!({"bucket": "500", "tokens": 500, "documents": 4}));
    assert_eq!((json["made"].as_u64(), json["kept"].as_u64()), (Some(4), Some(0)));
}

#[test]
fn what_cannot_work_is_said_with_the_code_of_usage_and_what_makes_nothing_with_its_own() {
    let stage = place();
    let code = |words: &str, said: &str| {
        let output = bench(&stage, words);
        assert!(text(&output.stderr).contains(said), "{words}: {}", text(&output.stderr));
        output.status.code()
    };
    assert_eq!(code("prepare documents --folder in -o data", "--tokenizer"), Some(2));
    assert_eq!(code("prepare documents --folder in --gutenberg 1 --tokenizer tokenizer.json", "cannot be used"), Some(2));
    assert_eq!(code("prepare documents --gutenberg 3..=1 --tokenizer tokenizer.json", "empty range"), Some(2));
    assert_eq!(code("prepare documents --folder in --tokenizer no.json", "no.json"), Some(2));
    assert_eq!(code("prepare documents --folder no --tokenizer tokenizer.json", "no"), Some(2));
    assert_eq!(code("prepare documents --folder in --tokenizer tokenizer.json --buckets 1m -o big", "too short: 4"), Some(3));
    let nobody = "prepare documents --folder in --url http://127.0.0.1:1 -o data";
    assert_eq!(code(nobody, "cannot connect"), Some(2));
}

#[test]
fn conversations_are_made_and_read_by_a_scenario() {
    let stage = place();
    let conversation = |number: usize| {
        let words = |more: usize| "the sea was ".repeat(number % 3 + more);
        format!(
            r#"{{"id": "c{number}", "conversations": [{{"from": "human", "value": "{}"}}, {{"from": "gpt", "value": "{}"}}]}}"#,
            words(1),
            words(2)
        )
    };
    let all: Vec<String> = (0..50).map(conversation).collect();
    std::fs::write(stage.path("all.json"), format!("[{}]", all.join(","))).unwrap();
    let words = "prepare sharegpt all.json --tokenizer tokenizer.json --rounds 1 --max-conversations 20 -o some.json";
    let made = bench(&stage, words);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    assert!(text(&made.stderr).contains("20 conversations read, 20 kept"), "{}", text(&made.stderr));
    assert!(bench(&stage, words).stderr.starts_with(b"nothing to do"));
    let scenario = "workload = { kind = \"chat\", dataset = { sharegpt = \"some.json\" }, rounds = 1, users = 2, qps = 1, duration = 5 }\n";
    std::fs::write(stage.path("chat.toml"), scenario).unwrap();
    let check = bench(&stage, "check chat.toml");
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stderr));

    std::fs::write(stage.path("cut.json"), format!("[{}", &all[0][..40])).unwrap();
    let cut = bench(&stage, "prepare sharegpt cut.json --tokenizer tokenizer.json -o other.json");
    assert_eq!(cut.status.code(), Some(2));
    assert!(text(&cut.stderr).contains("conversation 0, before byte 41"), "{}", text(&cut.stderr));
    assert!(!stage.path("other.json").exists());
}

#[test]
fn a_trace_is_checked_and_shown() {
    let stage = place();
    let lines = [
        r#"{"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [1, 2]}"#,
        r#"{"timestamp": 2000, "input_length": 513, "output_length": 7, "hash_ids": [1, 3]}"#,
    ];
    std::fs::write(stage.path("trace.jsonl"), lines.join("\n")).unwrap();
    let shown = text(&bench(&stage, "prepare trace trace.jsonl").stdout);
    assert!(shown.starts_with("2 requests in 2.0 s, 1.000 per s\n25.0 % of 4 blocks"), "{shown}");
    let json: Value = serde_json::from_slice(&bench(&stage, "prepare trace trace.jsonl --format json").stdout).unwrap();
    assert_eq!((json["input_tokens"]["total"].as_u64(), json["shared_blocks"].as_u64()), (Some(1113), Some(1)));
    let refused = bench(&stage, "prepare trace trace.jsonl --block-tokens 100");
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("trace.jsonl:1"), "{}", text(&refused.stderr));
}
