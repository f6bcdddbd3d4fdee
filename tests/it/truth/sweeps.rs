//! Whole sweeps of the simulated engine by the real binary, judged from the folder that it leaves.

use bench::analysis::{SummaryOptions, SweepSummary, summarize};
use bench::records::store::read_sweep;

use crate::stage::{Stage, stderr};

/// Runs a scenario on the simulated engine and judges what was saved.
pub fn swept(scenario: &str) -> SweepSummary {
    let stage = Stage::with("scenario.toml", scenario);
    let output = stage.run(&["sweep", "scenario.toml", "--simulate", "-q", "-o", "out"]);
    // 1 is a goal that some variant misses everywhere; what failed otherwise has left no sweep to read.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
    summarize(&read_sweep(&stage.path("out")).unwrap(), &SummaryOptions::default()).unwrap()
}
