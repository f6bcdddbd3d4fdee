//! A folder in which the real program is run as its users run it, and what there is to see then: its words, its files, its exit code.
//!
//! `BENCH_PROGRAM` names another build of it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Sender, channel};

use bench::simulation::engine::EngineParameters;
use bench::simulation::serve::{self, EngineServer};
use tempfile::TempDir;

/// The program under test.
pub fn program() -> PathBuf {
    std::env::var_os("BENCH_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_bench").into(), PathBuf::from)
}

/// A folder of its own.
pub struct Stage {
    folder: TempDir,
}

impl Stage {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With a file in it.
    pub fn with(name: &str, text: &str) -> Self {
        let stage = Self::new();
        stage.write(name, text);
        stage
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs_err::write(self.path(name), text).unwrap();
    }

    /// The program with these words, not started yet.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(words).current_dir(self.folder()).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Starts it; somebody else ends it.
    pub fn start(&self, words: &[&str]) -> Running {
        Running::of(&mut self.command(words))
    }

    /// What a JSON file holds.
    pub fn json(&self, file: &str) -> serde_json::Value {
        serde_json::from_slice(&fs_err::read(self.path(file)).unwrap()).unwrap()
    }

    /// The folders of a sweep's runs, by name.
    pub fn runs(&self, sweep: &str) -> Vec<PathBuf> {
        let entries = fs_err::read_dir(self.path(sweep).join("runs")).into_iter().flatten();
        let mut runs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        runs.sort();
        runs
    }

    pub fn only_run(&self, sweep: &str) -> PathBuf {
        let runs = self.runs(sweep);
        assert_eq!(runs.len(), 1);
        runs.into_iter().next().unwrap()
    }
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// All that it said.
pub fn said(output: &Output) -> String {
    format!("{}{}", stdout(output), stderr(output))
}

pub fn succeeded(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
}

/// All files below a folder, by their paths in it.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs_err::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs_err::read(&path).unwrap());
            }
        }
    }
    found
}

/// The files of a sweep without the date of its start and its empty lock.
pub fn dateless(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files(folder);
    files.remove(Path::new(".lock"));
    if let Some(manifest) = files.get_mut(Path::new("manifest.json")) {
        let mut read: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        read.as_object_mut().unwrap().remove("created_at").unwrap();
        *manifest = read.to_string().into_bytes();
    }
    files
}

/// The simulated engine behind a real socket, on a runtime of its own, as an `[engine]` section in JSON says. Its model is `small`.
pub fn serving(engine: &str) -> (tokio::runtime::Runtime, EngineServer) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let parameters = EngineParameters::resolve(&serde_json::from_str(engine).unwrap(), 0).unwrap();
    let options = serve::ServeOptions { host: [127, 0, 0, 1].into(), port: 0, model: "small".into(), parameters };
    let serving = runtime.block_on(serve::bind(options)).unwrap();
    (runtime, serving)
}

/// A chat of two users with a server that is there, in a cell of each duration, in their order.
pub fn chatting(url: &str, durations: &str) -> String {
    format!(
        r#"
name = "chatting"
order = "listed"

[workload]
kind = "chat"
users = 2
qps = 20
rounds = 3
system_prompt_tokens = 20
history_tokens = 20
answer_tokens = 4

[target]
model = "small"
url = "{url}"

[matrix]
duration = {durations}
"#
    )
}

/// The program at work, heard line by line.
pub struct Running {
    pub child: Child,
    lines: Box<dyn Iterator<Item = String>>,
    pub said: Vec<String>,
}

impl Running {
    /// Starts a command whose stderr is heard.
    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines: Box::new(lines.map_while(Result::ok)), said: Vec::new() }
    }

    /// Reads on until a line holds this.
    pub fn await_line(&mut self, part: &str) {
        for line in self.lines.by_ref() {
            self.said.push(line);
            if self.said.last().is_some_and(|line| line.contains(part)) {
                return;
            }
        }
        panic!("`{part}` was not said: {:#?}", self.said);
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Reads on to the end; the exit code.
    pub fn end(&mut self) -> Option<i32> {
        self.said.extend(self.lines.by_ref());
        self.child.wait().unwrap().code()
    }

    /// The line that holds this.
    pub fn line(&self, part: &str) -> &str {
        self.said.iter().find(|line| line.contains(part)).unwrap_or_else(|| panic!("`{part}` was not said: {:#?}", self.said))
    }
}

/// A test that fails in the middle leaves nothing behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tests each case, two at a time: most of what real servers and clients take is waiting.
pub fn two_at_a_time<C: Send>(cases: impl IntoIterator<Item = C>, test: impl Fn(C) + Sync) {
    let waiting = std::sync::Mutex::new(cases.into_iter().collect::<std::collections::VecDeque<C>>());
    let next = || waiting.lock().unwrap().pop_front();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = next() {
                    test(case);
                }
            });
        }
    });
}

/// What a program does first of all that a test waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramEvent {
    /// It has come to where it is to be killed, and waits.
    Waits,
    /// It has ended by itself.
    Ends,
}

/// Starts a program and kills it once `place` has told that it waits there; `false` where it ended before, which must be well.
pub fn killed_at(command: &mut Command, place: impl FnOnce(Sender<ProgramEvent>)) -> bool {
    let (told, events) = channel();
    place(told.clone());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut words = child.stderr.take().unwrap();
    std::thread::scope(|scope| {
        let said = scope.spawn(move || {
            let mut said = String::new();
            let _ = words.read_to_string(&mut said);
            let _ = told.send(ProgramEvent::Ends);
            said
        });
        let waits = events.recv().unwrap() == ProgramEvent::Waits;
        if waits {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        let said = said.join().unwrap();
        assert!(waits || status.success(), "{said}");
        waits
    })
}

/// The files of a sweep's runs that are whole. A journal beside them is a scrap of the last step of sealing.
pub fn sealed_runs(sweep: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let runs = sweep.join("runs");
    if !runs.exists() {
        return BTreeMap::new();
    }
    let mut found = files(&runs);
    let is_scrap = |name: &Path| name.ends_with("journal.jsonl") || name.extension().is_some_and(|extension| extension == "partial");
    found.retain(|name, _| !is_scrap(name) && name.parent().is_some_and(|run| runs.join(run).join("run.json").exists()));
    found
}

/// Holds files to those of an undisturbed sweep.
pub fn are_the_same(found: &BTreeMap<PathBuf, Vec<u8>>, expected: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{what}");
    let differing: Vec<_> = found.iter().filter(|(name, bytes)| expected[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(differing.is_empty(), "{what}: {differing:?} differ");
}

/// Runs a line that the program printed for its users, who have it in their path as `bench`.
#[cfg(unix)]
pub fn run_line(stage: &Stage, line: &str) -> Output {
    let line = line.replacen("bench ", "\"$PROGRAM\" ", 1);
    Command::new("sh").args(["-c", &line]).env("PROGRAM", program()).env("NO_COLOR", "1").current_dir(stage.folder()).output().unwrap()
}
