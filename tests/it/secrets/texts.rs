//! Prompts and answers: nowhere unless asked for; where they are asked for, whole, without keys, and told.

use std::fs;
use std::path::{Path, PathBuf};

use bench::records::store::{read_sweep, read_texts};

use super::echo::{Echo, Manners};
use super::{KEY, SCENARIO, Scene, said, stderr};

/// Words of a document, and of the server's answer, that stand nowhere else.
const WORDS: &str = "planted-words-of-a-document";
const ANSWER: &str = "a-planted-answer";

fn scene() -> Scene {
    let text = SCENARIO.replace("{ synthetic_tokens = 20 }", "\"FOLDER/documents\"").replace("rounds = 1", "rounds = 1\nsequential = 12");
    let scene = Scene::new(&format!("{text}api_key_env = \"SECRETS_TEST_KEY\"\n"));
    fs::create_dir(scene.path("documents")).unwrap();
    for number in 0..24 {
        fs::write(scene.path("documents").join(format!("{number}.txt")), format!("{WORDS} {number}")).unwrap();
    }
    scene
}

fn sweep(scene: &Scene, server: &Echo, more: &[&str]) -> std::process::Output {
    scene.bench(&[&["sweep", "s.toml", "--url", &server.url, "-vv", "-o", "out"], more].concat())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn texts(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.ends_with("texts.jsonl")).collect()
}

#[test]
fn a_sweep_keeps_neither_prompts_nor_answers_unless_it_is_asked_to() {
    for manners in [Manners::Good, Manners::Echo] {
        let (scene, server) = (scene(), Echo::start(manners));
        let output = sweep(&scene, &server, &[]);
        let mut looked_at = vec![("what was said".to_owned(), said(&output).into_bytes())];
        looked_at.extend(files(&scene.path("out")).into_iter().map(|path| (path.display().to_string(), fs::read(&path).unwrap())));
        let saved = read_sweep(&scene.path("out")).unwrap();
        assert!(!saved.manifest.keeps_texts && saved.runs.len() == 2, "{}", said(&output));
        for run in &saved.runs {
            looked_at.push(("the rows".to_owned(), format!("{:?}", run.requests.records().unwrap()).into_bytes()));
        }
        for (what, bytes) in looked_at {
            let text = String::from_utf8_lossy(&bytes);
            for words in [WORDS, ANSWER, "your key is"] {
                assert!(!text.contains(words), "{what} holds `{words}`: {text}");
            }
        }
    }
}

#[test]
fn texts_that_are_kept_are_there_for_each_request_without_the_key_and_the_report_says_so() {
    let (scene, server) = (scene(), Echo::start(Manners::Echo));
    let output = sweep(&scene, &server, &["--keep-text"]);
    let saved = read_sweep(&scene.path("out")).unwrap();
    assert!(saved.manifest.keeps_texts, "{}", said(&output));
    let mut answers = Vec::new();
    for run in &saved.runs {
        let file = scene.path("out/runs").join(&run.record.header.id).join("texts.jsonl");
        let kept: Vec<_> = read_texts(&file).unwrap().map(Result::unwrap).collect();
        let rows = run.requests.records().unwrap();
        let key = |request: u64, session: u64, turn: u32| (request, session, turn);
        let told: Vec<_> = kept.iter().map(|text| key(text.request, text.session, text.turn)).collect();
        let sent: Vec<_> = rows.iter().filter(|row| row.was_sent()).map(|row| key(row.request, row.session, row.turn)).collect();
        assert_eq!(told, sent, "a line for each request that was sent, in their order");
        assert!(kept.iter().all(|text| text.messages.last().is_some_and(|last| last.role == "user")));
        assert!(kept.iter().any(|text| text.messages.iter().any(|message| message.said.text.contains(WORDS))));
        assert!(run.record.tables.contains_key("texts.jsonl"), "{:?}", run.record.tables);
        answers.extend(kept.into_iter().map(|text| text.answer.text));
    }
    assert!(answers.iter().any(|answer| &**answer == "your key is ***"), "{answers:?}");
    for file in files(&scene.path("out")) {
        assert!(!String::from_utf8_lossy(&fs::read(&file).unwrap()).contains(KEY), "{}", file.display());
    }
    let page = fs::read_to_string(scene.path("out/report/report.html")).unwrap();
    assert!(page.contains("texts.jsonl") && said(&output).contains("texts.jsonl"), "{}", said(&output));
}

#[test]
fn a_sweep_goes_on_as_it_was_begun_and_torn_texts_of_a_killed_run_are_replaced() {
    let (scene, server) = (scene(), Echo::start(Manners::Good));
    let first = sweep(&scene, &server, &["--keep-text"]);
    let kept = texts(&scene.path("out"));
    assert_eq!(kept.len(), 2, "{}", said(&first));
    // As a kill leaves a run: no `run.json`, and half a line.
    let (torn, whole) = (&kept[0], fs::read(&kept[1]).unwrap());
    fs::remove_file(torn.with_file_name("run.json")).unwrap();
    let bytes = fs::read(torn).unwrap();
    fs::write(torn, &bytes[..bytes.len() - 10]).unwrap();

    let other = sweep(&scene, &server, &[]);
    assert_eq!(other.status.code(), Some(2), "{}", said(&other));
    assert!(stderr(&other).contains("was begun with `--keep-text`"), "{}", stderr(&other));

    let rest = sweep(&scene, &server, &["--keep-text"]);
    assert!(matches!(rest.status.code(), Some(0 | 1)), "{}", said(&rest));
    let mut lines = read_texts(torn).unwrap();
    assert!(lines.by_ref().all(|line| line.is_ok_and(|text| &*text.answer.text == ANSWER)) && !lines.is_torn());
    assert_eq!(fs::read(&kept[1]).unwrap(), whole);

    // Sealed runs that another sweep takes leave their texts behind where it does not keep any.
    let taken = scene.bench(&["sweep", "s.toml", "--url", &server.url, "-q", "-o", "taken", "--from", "out"]);
    assert!(matches!(taken.status.code(), Some(0 | 1)), "{}", said(&taken));
    assert_eq!(texts(&scene.path("taken")), Vec::<PathBuf>::new());
}
