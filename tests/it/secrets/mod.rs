//! Secrets and safety, with the real binary: where keys may come from, where they must not go, and what is run of a scenario, and when.

mod echo;
mod keys;
mod markup;
#[cfg(unix)]
mod outside;
mod panics;
mod planted;
mod started;
mod texts;

use std::path::PathBuf;
use std::process::Output;

use super::stage::{Stage, program, said, stderr};

/// The key that must not be found anywhere. Its letters are of both cases, so that a text in lower case would not hide it from a test.
const KEY: &str = "sk-Planted-7f3A9c";

/// Two cells of a few requests.
const SCENARIO: &str = r#"
name = "secrets"
order = "listed"

[workload]
kind = "document_qa"
documents = { synthetic_tokens = 20 }
rounds = 1
answer_tokens = 4

[matrix]
concurrent = [1, 2]

[target]
model = "small"
"#;

/// A folder with a scenario and a key in a file.
struct Scene {
    stage: Stage,
}

impl Scene {
    /// `FOLDER` in the text stands for the folder, `BENCH` for the program.
    fn new(text: &str) -> Self {
        let stage = Stage::new();
        let text = text.replace("FOLDER", stage.folder().to_str().unwrap()).replace("BENCH", program().to_str().unwrap());
        stage.write("s.toml", &text);
        stage.write("key.txt", &format!("{KEY}\n"));
        Self { stage }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stage.path(name)
    }

    fn bench(&self, words: &[&str]) -> Output {
        self.stage.command(words).env("SECRETS_TEST_KEY", KEY).output().unwrap()
    }
}
