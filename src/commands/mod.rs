//! One file a verb: the only place that wires the measuring and the judging half together, and that prints.

mod blocks;
pub mod check;
mod clients;
pub mod compare;
pub mod completions;
mod destination;
mod engine_section;
pub mod export;
mod figures;
pub mod fit;
pub mod history;
pub mod import;
pub mod init;
mod keys;
mod measuring;
pub mod merge;
mod node;
mod open_files;
mod page_opener;
pub mod panics;
pub mod plan;
mod plan_blocks;
pub mod plot;
pub mod predict;
pub mod prepare;
pub mod push;
pub mod report;
mod report_watch;
mod row_figures;
pub mod run;
mod saved_plan;
mod scenarios;
pub mod schema;
pub mod selftest;
mod signals;
pub mod sim;
pub mod status;
mod stdout;
pub mod submit;
pub mod supervise;
pub mod sweep;
mod twin_guidance;

/// How a command ended, as people and scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// Done, and the goals are met.
    Success,
    /// Goals missed or regressed.
    GoalsMissed,
    /// Usage or scenario faults; they have been printed.
    Usage,
    /// Some cells failed.
    CellsFailed,
    /// The sweep ended by itself before everything was measured.
    SweepStopped,
    /// Not all that was measured is in the bucket; it is on this machine.
    NotSent,
    /// Stopped by Ctrl-C or SIGTERM.
    Interrupted,
}

/// How several sweeps ended, taken together: as the worst of them.
fn worst(exits: impl IntoIterator<Item = ExitReason>) -> ExitReason {
    exits.into_iter().max_by_key(|exit| exit.code()).unwrap_or(ExitReason::Success)
}

impl ExitReason {
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::GoalsMissed => 1,
            Self::Usage => 2,
            Self::CellsFailed | Self::SweepStopped | Self::NotSent => 3,
            Self::Interrupted => 130,
        }
    }
}
