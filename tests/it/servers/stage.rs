//! A folder with a scenario whose server is `bench sim`, and what there is to see after a sweep.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bench::record::{Outcome, RunRecord};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

static STAGES: AtomicU32 = AtomicU32::new(0);

pub struct Stage {
    folder: TempDir,
    /// The model's name, which is also in the command line of every server of this stage, and of no other.
    pub model: String,
}

impl Stage {
    /// `BENCH` in the text stands for the program, `FOLDER` for this stage's folder, `MODEL` for its mark.
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = format!("stage-{}-{}", std::process::id(), STAGES.fetch_add(1, Ordering::Relaxed));
        let text = text.replace("BENCH", env!("CARGO_BIN_EXE_bench")).replace("FOLDER", folder.path().to_str().unwrap());
        std::fs::write(folder.path().join("s.toml"), text.replace("MODEL", &model)).unwrap();
        Self { folder, model }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.args(["sweep", "s.toml", "-o", "out"]).args(more).current_dir(self.folder.path()).env("NO_COLOR", "1");
        command.env("STAGE_TEST_HUSH", "planted-secret");
        command
    }

    /// Sweeps to the end.
    pub fn sweep(&self, more: &[&str]) -> Swept {
        let Output { status, stdout, stderr } = self.command(more).output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        Swept { code: status.code(), said: format!("{said}{}", String::from_utf8(stdout).unwrap()), records: self.records() }
    }

    /// Starts a sweep that somebody else ends.
    pub fn start(&self) -> Running {
        let mut child = self.command(&["-vv"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Running { child, lines: Box::new(lines.map_while(Result::ok)), said: Vec::new() }
    }

    /// The saved runs, in the order in which they were done.
    pub fn records(&self) -> Vec<RunRecord> {
        let Ok(sweep) = bench::store::read_sweep(&self.path("out")) else { return Vec::new() };
        sweep.runs.into_iter().map(|run| run.record).collect()
    }

    /// Processes that carry this stage's mark.
    pub fn processes(&self) -> Vec<String> {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).filter(|line| line.contains(&self.model)).collect()
    }

    pub fn await_no_process(&self) {
        until("the servers are gone", || self.processes().is_empty());
    }
}

pub struct Swept {
    pub code: Option<i32>,
    pub said: String,
    pub records: Vec<RunRecord>,
}

impl Swept {
    /// What was said of servers, without the commands and times.
    pub fn lives(&self) -> Vec<String> {
        let line = |line: &str| {
            if let Some(starting) = line.strip_prefix("starting ") {
                return starting.split_once(':').map(|(who, _)| format!("starting {who}"));
            }
            let (who, _) = line.split_once(" serves after ").or_else(|| line.split_once(" stopped").filter(|(_, rest)| rest.is_empty()))?;
            Some(if line.ends_with("stopped") { format!("{who} stopped") } else { format!("{who} serves") })
        };
        self.said.lines().filter_map(line).collect()
    }

    pub fn reasons(&self) -> Vec<String> {
        let reason = |record: &RunRecord| match &record.outcome {
            Outcome::Failed { reason } => Some(reason.clone()),
            _ => None,
        };
        self.records.iter().filter_map(reason).collect()
    }
}

pub struct Running {
    pub child: Child,
    lines: Box<dyn Iterator<Item = String>>,
    pub said: Vec<String>,
}

impl Running {
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

    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Reads on to the end; the exit code.
    pub fn end(&mut self) -> Option<i32> {
        self.said.extend(self.lines.by_ref());
        self.child.wait().unwrap().code()
    }
}

/// Waits until something is so.
pub fn until(what: &str, is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < PATIENCE, "not in {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    }
}
