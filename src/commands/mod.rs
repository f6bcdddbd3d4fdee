//! One file a verb: the only place that wires the measuring and the judging half together, and that prints.

pub mod report;

/// How a command ended, as people and scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, and the goals are met.
    Success,
    /// Goals missed or regressed.
    GoalsMissed,
    /// Usage or scenario faults; they have been printed.
    Usage,
    /// Some cells failed.
    CellsFailed,
    /// Stopped by Ctrl-C or SIGTERM.
    Interrupted,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::GoalsMissed => 1,
            Self::Usage => 2,
            Self::CellsFailed => 3,
            Self::Interrupted => 130,
        }
    }
}
