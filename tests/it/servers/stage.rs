//! A folder with a scenario whose server is `bench sim`, and what there is to see after a sweep.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bench::records::record::{RunOutcome, RunRecord};

use crate::stage::{Running, Stage as Folder, program, stderr, stdout};

/// Only what never happens takes so long.
const PATIENCE: Duration = Duration::from_mins(10);

static STAGES: AtomicU32 = AtomicU32::new(0);

pub struct Stage {
    folder: Folder,
    /// The model's name, which is also in the command line of every server of this stage, and of no other.
    pub model: String,
}

impl Stage {
    /// `BENCH` in the text stands for the program, `FOLDER` for this stage's folder, `MODEL` for its mark.
    pub fn new(text: &str) -> Self {
        let folder = Folder::new();
        let model = format!("stage-{}-{}", std::process::id(), STAGES.fetch_add(1, Ordering::Relaxed));
        let text = text.replace("BENCH", program().to_str().unwrap()).replace("FOLDER", folder.folder().to_str().unwrap());
        folder.write("s.toml", &text.replace("MODEL", &model));
        Self { folder, model }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = self.folder.command(&[&["sweep", "s.toml", "-o", "out"], more].concat());
        command.env("STAGE_TEST_HUSH", "planted-secret");
        command
    }

    /// Sweeps to the end.
    pub fn sweep(&self, more: &[&str]) -> Swept {
        let output = self.command(more).output().unwrap();
        Swept { code: output.status.code(), said: format!("{}{}", stderr(&output), stdout(&output)), records: self.records() }
    }

    /// Starts a sweep that somebody else ends.
    pub fn start(&self) -> Running {
        Running::of(&mut self.command(&["-vv"]))
    }

    /// The saved runs, in the order in which they were done.
    pub fn records(&self) -> Vec<RunRecord> {
        let Ok(sweep) = bench::records::store::read_sweep(&self.path("out")) else { return Vec::new() };
        sweep.runs.into_iter().map(|run| run.record).collect()
    }

    /// Processes that carry this stage's mark, by their command lines. Those alike count once: a child that a shell has just made still has the
    /// shell's.
    pub fn processes(&self) -> Vec<String> {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        let marked = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).filter(|line| line.contains(&self.model));
        marked.collect::<BTreeSet<String>>().into_iter().collect()
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
            RunOutcome::Failed(failure) => Some(failure.with_lines()),
            _ => None,
        };
        self.records.iter().filter_map(reason).collect()
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
