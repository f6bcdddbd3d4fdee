//! `bench`: how many user sessions an LLM server holds while people still get their first token in time.
//!
//! ```text
//! scenario.toml -> Scenario -> Plan -> [Run] -> events -> records == disk == Table -> Summary -> Figure  -> heatmap.png, report.html
//!    (text)        (meant)    (todo)           executor     store           analysis      |       plot
//!                                                                                         +----> Verdict -> exit code
//! ```
//!
//! Two halves, a crate each: [`bench_measuring`] (left of `disk`) and [`bench_judging`] (right of it). They meet in [`records`], types and files; only
//! [`execution`] and this crate see both. A wing uses only those that stand above it.

pub use bench_shared::{foundation, vocabulary};

pub use bench_shared::records;

pub use bench_shared::search;

pub use bench_simulation as simulation;

pub use bench_measuring::servers;

pub use bench_measuring::workloads;

pub use bench_measuring::planning;

pub use bench_judging::analysis;

pub use bench_execution as execution;

pub use bench_presentation as presentation;

pub mod prediction;

pub mod commands;

pub mod cli;

/// What the tests of the judging half make up, for the tests of this crate.
#[cfg(test)]
#[expect(dead_code, reason = "some are for the tests of the analysis alone")]
#[path = "judging/analysis"]
mod fixtures {
    #[path = "fixture.rs"]
    pub mod sweeps;
}
