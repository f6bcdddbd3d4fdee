//! What prompts are made of: folders of documents, files of conversations, recorded traces, own prompts, recorded sessions, and their preparation.

use std::path::{Path, PathBuf};

use bench::foundation::units::TimeUnit;
use bench::planning::scenario::ScenarioOverrides;
use bench::vocabulary::recording::{ConversationFile, PromptFile, SessionReadOptions, SessionRecording, Trace, TraceReadOptions};
use bench::workloads::prepare::{self, DocumentsRecipe, LengthBuckets, PrepareDocumentsSources, PrepareError, TokenizerIdentity, sharegpt};
use bench::workloads::tokens::TokenCounter;
use bench::workloads::workload::Corpus;

use super::contract::message;
use super::scenario::loaded;

/// The first byte says what the rest is.
pub fn read(data: &[u8]) {
    let Some((what, bytes)) = data.split_first() else { return };
    let folder = tempfile::tempdir().unwrap();
    match what % 6 {
        0 => documents(folder.path(), bytes),
        1 => conversations(folder.path(), bytes),
        2 => trace(folder.path(), bytes),
        3 => preparation(folder.path(), bytes),
        4 => prompts(folder.path(), bytes),
        _ => sessions(folder.path(), bytes),
    }
}

/// Files with a zero byte between two of them.
fn put(folder: &Path, bytes: &[u8]) {
    fs_err::create_dir_all(folder).unwrap();
    for (number, bytes) in bytes.split(|byte| *byte == 0).take(8).enumerate() {
        fs_err::write(folder.join(format!("{number}.txt")), bytes).unwrap();
    }
}

fn documents(folder: &Path, bytes: &[u8]) {
    put(folder, bytes);
    match Corpus::default().documents(folder) {
        Ok(files) => assert!(!files.is_empty()),
        Err(fault) => message(&fault.to_string()),
    }
    planned(&format!(
        "[workload]\nkind = \"document_qa\"\ndocuments = '{}'\nquestions = '{}'\nrounds = 2\n",
        folder.display(),
        folder.join("0.txt").display()
    ));
}

fn planned(workload: &str) {
    loaded(Path::new("fuzz.toml"), &format!("{workload}answer_tokens = 4\n[target]\nkind = \"sim\"\n"), &ScenarioOverrides::default());
}

fn conversations(folder: &Path, bytes: &[u8]) {
    let input = file(folder, "conversations.json", bytes);
    let output = folder.join("chosen.json");
    let recipe = sharegpt::SharegptRecipe {
        tokenizer: facts(),
        rounds: Some(1),
        max_conversations: Some(100),
        min_tokens: 1,
        max_context: Some(10_000),
    };
    let count: &mut sharegpt::Count<'_> = &mut |text| Ok(text.split_whitespace().count() as u64);
    if let Err(fault) = sharegpt::prepare(&sharegpt::PrepareSharegptJob { input: input.clone(), output, recipe }, count, &mut |_| {}) {
        fault_of_preparation(&fault);
    }
    match ConversationFile::read(&input, 2, 1000) {
        Ok(conversations) => {
            for number in 0..usize::try_from(conversations.count()).unwrap() {
                drop(conversations.rounds(number).unwrap());
            }
        }
        Err(fault) => message(&fault.to_string()),
    }
}

fn trace(folder: &Path, bytes: &[u8]) {
    let file = file(folder, "trace.jsonl", bytes);
    for cut in [
        TraceReadOptions { unit: None, block_tokens: None, requests: u64::MAX, until_ms: None },
        TraceReadOptions { unit: None, block_tokens: Some(1), requests: 3, until_ms: Some(1e3) },
    ] {
        match Trace::read(&file, cut) {
            Ok(_) => drop(prepare::trace::figures(&file, cut).unwrap()),
            Err(fault) => message(&fault.to_string()),
        }
    }
}

fn prompts(folder: &Path, bytes: &[u8]) {
    for name in ["prompts.jsonl", "prompts.txt"] {
        match PromptFile::read(&file(folder, name, bytes), 1000) {
            Ok(prompts) => (0..prompts.count()).for_each(|number| drop(prompts.prompt(number).unwrap())),
            Err(fault) => message(&fault.to_string()),
        }
    }
}

fn sessions(folder: &Path, bytes: &[u8]) {
    let file = file(folder, "sessions.jsonl", bytes);
    for unit in [None, Some(TimeUnit::S)] {
        let cut = SessionReadOptions { unit, block_tokens: None, sessions: 1000, turns: 10_000 };
        match SessionRecording::read(&file, cut) {
            Ok(recording) => {
                for session in 0..recording.count() {
                    (0..).zip(recording.turns(session)).for_each(|(turn, _)| drop(recording.ask(session, turn).unwrap()));
                }
            }
            Err(fault) => message(&fault.to_string()),
        }
    }
}

fn preparation(folder: &Path, bytes: &[u8]) {
    let (input, output) = (folder.join("texts"), folder.join("prepared"));
    put(&input, bytes);
    let (found, _) = prepare::find(&input, &output).unwrap();
    let buckets: LengthBuckets = "4,16".parse().unwrap();
    let recipe = DocumentsRecipe { tokenizer: facts(), buckets: buckets.sizes().to_vec(), all_buckets: true, limit: None };
    let job = prepare::PrepareDocumentsJob { output, recipe, max_bytes: 1 << 20 };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for _ in ["now", "and again, over what is there"] {
        if let Err(fault) =
            runtime.block_on(prepare::prepare(&job, &TokenCounter::Simulated, PrepareDocumentsSources::Folder(found.clone()), &mut |_| {}))
        {
            fault_of_preparation(&fault);
        }
    }
}

fn facts() -> TokenizerIdentity {
    TokenizerIdentity::File { file: "words".into(), blake3: String::new() }
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs_err::write(&path, bytes).unwrap();
    path
}

fn fault_of_preparation(fault: &PrepareError) {
    message(&fault.to_string());
}
