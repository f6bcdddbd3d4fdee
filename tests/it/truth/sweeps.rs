//! Whole sweeps of the simulated engine by the real binary, judged from the folder that it leaves.

use std::process::Command;

use bench::analysis::{SummaryOptions, SweepSummary, summarize};
use bench::records::store::read_sweep;

/// Runs a scenario on the simulated engine and judges what was saved.
pub fn swept(scenario: &str) -> SweepSummary {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("scenario.toml"), scenario).unwrap();
    let words = ["sweep", "scenario.toml", "--simulate", "-q", "-o", "out"];
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).args(words).current_dir(folder.path()).output().unwrap();
    // 1 is a goal that some variant misses everywhere; what failed otherwise has left no sweep to read.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    summarize(&read_sweep(&folder.path().join("out")).unwrap(), &SummaryOptions::default()).unwrap()
}
