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

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

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
    folder: TempDir,
}

impl Scene {
    /// `FOLDER` in the text stands for the folder, `BENCH` for the program.
    fn new(text: &str) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        let text = text.replace("FOLDER", scene.folder.path().to_str().unwrap()).replace("BENCH", env!("CARGO_BIN_EXE_bench"));
        fs::write(scene.path("s.toml"), text).unwrap();
        fs::write(scene.path("key.txt"), format!("{KEY}\n")).unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn bench(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.args(words).current_dir(self.folder.path()).env("NO_COLOR", "1").env("SECRETS_TEST_KEY", KEY);
        command.output().unwrap()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
