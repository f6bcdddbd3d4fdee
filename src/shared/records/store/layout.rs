//! Where everything lies: a sweep's folder in, paths out. Nothing else in the program builds a path inside a results folder.
//!
//! Names that come from outside (run ids, the scenario's file name) are checked to be plain file names, so that no path leads out.

use std::path::{Path, PathBuf};

use super::error::StoreError;

/// The paths of one sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPaths {
    root: PathBuf,
}

impl SweepPaths {
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `manifest.json`
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// The scenario, verbatim; its name is the manifest's `scenario_file`.
    pub fn scenario(&self, file: &str) -> Result<PathBuf, StoreError> {
        if !is_plain_name(file) || file == "manifest.json" {
            return Err(StoreError::ScenarioFile { name: file.to_owned() });
        }
        Ok(self.root.join(file))
    }

    /// The empty file whose lock says that a process writes here.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join(".lock")
    }

    /// The folder of all runs.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// The paths of one run.
    pub fn run(&self, id: &str) -> Result<RunPaths, StoreError> {
        if !is_plain_name(id) {
            return Err(StoreError::RunId { id: id.to_owned() });
        }
        Ok(RunPaths { dir: self.runs().join(id) })
    }

    /// `servers/`: for each variant, what the processes that we started have printed: `<variant>/server.log` and `<variant>/<name>.log`.
    #[must_use]
    pub fn servers(&self) -> PathBuf {
        self.root.join("servers")
    }

    /// `blocks/`: a folder for each block of a sweep that is measured on several nodes.
    #[must_use]
    pub fn blocks(&self) -> PathBuf {
        self.root.join("blocks")
    }

    /// `blocks/plan.json`: what all blocks together are.
    #[must_use]
    pub fn block_plan(&self) -> PathBuf {
        self.blocks().join("plan.json")
    }

    /// The folder of a block: a sweep by itself.
    pub fn block(&self, id: &str) -> Result<Self, StoreError> {
        if !is_plain_name(id) {
            return Err(StoreError::BlockId { id: id.to_owned() });
        }
        Ok(Self { root: self.blocks().join(id) })
    }

    /// `block.json`: where this block was measured, and how that ended.
    #[must_use]
    pub fn block_state(&self) -> PathBuf {
        self.root.join("block.json")
    }

    /// The folder of what is derived: delete it, and `bench report` makes it again.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.root.join("report")
    }
}

/// The paths of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPaths {
    dir: PathBuf,
}

impl RunPaths {
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The sweep's folder.
    pub(super) fn root(&self) -> &Path {
        self.dir.ancestors().nth(2).unwrap_or(&self.dir)
    }

    /// `journal.jsonl`: a line per request, while the run lives.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.dir.join("journal.jsonl")
    }

    /// `journal-0001.jsonl` and so on: a closed part of a long journal, until the table of it is whole.
    pub(super) fn closed_journal(&self, number: u32) -> PathBuf {
        self.dir.join(format!("journal-{number:04}.jsonl"))
    }

    /// `journal-0001.parquet` and so on: that table.
    pub(super) fn journal_part(&self, number: u32) -> PathBuf {
        self.dir.join(format!("journal-{number:04}.parquet"))
    }

    /// Whether a file of the run's folder is of its journal: what of a whole run is only a copy.
    pub(crate) fn is_of_journal(name: &str) -> bool {
        name == "journal.jsonl" || name.starts_with("journal-")
    }

    /// `requests.parquet`: a row per request, of a whole run.
    #[must_use]
    pub fn requests(&self) -> PathBuf {
        self.dir.join("requests.parquet")
    }

    /// `texts.jsonl`: prompts and answers, where they were to be kept.
    #[must_use]
    pub fn texts(&self) -> PathBuf {
        self.dir.join("texts.jsonl")
    }

    /// `run.json`: exists exactly when the run is whole.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.dir.join("run.json")
    }

    /// `server_metrics.parquet`: the server's own metrics over time.
    #[must_use]
    pub fn server_metrics(&self) -> PathBuf {
        self.dir.join("server_metrics.parquet")
    }

    /// The text files of a chat run.
    #[must_use]
    pub fn chat(&self, qps: f64) -> ChatPaths {
        ChatPaths::beside(&self.dir.join("summary.csv"), qps)
    }
}

/// The four text files of a chat run, named as users of the original generator know them; `X.XX` is the target rate in requests a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatPaths {
    /// `realtime_stats_qps_X.XX.txt`: a line per request, as it completes.
    pub realtime: PathBuf,
    /// `performance_summary_qps_X.XX.txt`: a block every `log_interval`.
    pub performance: PathBuf,
    /// `final_performance_summary_qps_X.XX.txt`
    pub last: PathBuf,
    /// `summary.csv`: a row per request.
    pub csv: PathBuf,
}

impl ChatPaths {
    /// The CSV file as it is named, the three text files beside it.
    #[must_use]
    pub fn beside(csv: &Path, qps: f64) -> Self {
        let text = |name: &str| csv.with_file_name(format!("{name}_qps_{qps:.2}.txt"));
        Self {
            realtime: text("realtime_stats"),
            performance: text("performance_summary"),
            last: text("final_performance_summary"),
            csv: csv.to_owned(),
        }
    }
}

/// Whether a name stays in its folder: one component, visible, without anything that some file system takes for a path.
/// A file's name without its folder.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_plain_name(name: &str) -> bool {
    let foreign = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && !name.contains(foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_that_leads_outside_the_folder_is_refused() {
        let paths = SweepPaths::new("results/x");
        for id in ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "c:x", ".hidden", "a\0b", "a\nb", &"x".repeat(201)] {
            let error = paths.run(id).unwrap_err();
            assert!(matches!(error, StoreError::RunId { .. }), "{id:?}: {error}");
            assert!(paths.scenario(id).is_err(), "{id:?}");
        }
        assert!(paths.scenario("manifest.json").is_err());
    }

    #[test]
    fn the_files_of_a_chat_run_carry_the_rate_in_their_names() {
        let chat = SweepPaths::new("results/x").run("r").unwrap().chat(2.0);
        assert_eq!(chat.realtime, Path::new("results/x/runs/r/realtime_stats_qps_2.00.txt"));
        assert_eq!(chat.performance, Path::new("results/x/runs/r/performance_summary_qps_2.00.txt"));
        assert_eq!(chat.last, Path::new("results/x/runs/r/final_performance_summary_qps_2.00.txt"));
        assert_eq!(chat.csv, Path::new("results/x/runs/r/summary.csv"));
        assert_eq!(ChatPaths::beside(Path::new("my.csv"), 0.125).realtime, Path::new("realtime_stats_qps_0.12.txt"));
    }

    #[test]
    fn everything_of_a_run_lies_in_its_own_folder() {
        let run = SweepPaths::new("results/x").run("vllm-c4-s3-r0-1f2e3d4c").unwrap();
        for path in [run.journal(), run.requests(), run.record(), run.server_metrics(), run.texts()] {
            assert_eq!(path.parent(), Some(Path::new("results/x/runs/vllm-c4-s3-r0-1f2e3d4c")));
        }
    }
}
