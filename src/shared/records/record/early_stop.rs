//! That a run was ended before all it had planned, since what was left could not have changed what its goals say of the cell.

use crate::vocabulary::goal::SavedGoal;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Why no further request of a cell was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopReason {
    pub certainty: EarlyStopCertainty,
    /// The goals that were settled: all of them where the cell passes, at least one where it does not.
    pub settled: Vec<DecidedGoal>,
}

/// How sure it is that the whole run would have said the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EarlyStopCertainty {
    /// Entirely: no outcome of the requests that were left could have changed it.
    Exact,
    /// By a test that may be looked at any time, wrong at most at this rate (0 to 1).
    Sequential { risk: f64 },
}

/// A goal and the rows that settled it: those of the cell, its earlier repeats included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecidedGoal {
    /// As the manifest has it.
    pub goal: SavedGoal,
    /// Whether it holds.
    pub holds: bool,
    /// Rows that it would have looked at in the end, over all repeats.
    pub planned: u64,
    /// How few independent rows these could have been worth, whatever their values; as many as there are where each is a session of its own.
    #[serde(default)]
    pub least_effective: u64,
    /// Those that had come.
    pub seen: u64,
    /// Those of them against the goal: beyond the limit, or failed.
    pub beyond: u64,
}

/// As people are told: `stopped early: p95(ttft) <= 2s is lost for certain, with 9 of 21 rows against it; 36 were planned`.
impl fmt::Display for EarlyStopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sure = self.certainty.words();
        let lost = self.settled.iter().find(|settled| !settled.holds);
        match (lost, self.settled.as_slice()) {
            (Some(goal), _) => write!(f, "stopped early: {} is lost {sure}, {}", goal.goal, goal.rows()),
            (None, [goal]) => write!(f, "stopped early: {} holds {sure}, {}", goal.goal, goal.rows()),
            (None, [goal, ..]) => write!(f, "stopped early: all goals hold {sure}, {}", goal.rows()),
            (None, []) => write!(f, "stopped early"),
        }
    }
}

impl EarlyStopCertainty {
    /// As it stands in a sentence: `for certain`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Exact => "for certain".to_owned(),
            Self::Sequential { risk } => format!("at a risk of {} %", (risk * 1e4).round() / 100.0),
        }
    }
}

impl DecidedGoal {
    fn rows(&self) -> String {
        format!("with {} of {} rows against it; {} were planned", self.beyond, self.seen, self.planned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(goal: &str, holds: bool) -> DecidedGoal {
        DecidedGoal { goal: SavedGoal::Read(goal.parse().unwrap()), holds, planned: 36, least_effective: 12, seen: 21, beyond: 9 }
    }

    #[test]
    fn people_are_told_which_goal_ended_a_run() {
        let words = |certainty, settled| EarlyStopReason { certainty, settled }.to_string();
        assert_eq!(
            words(EarlyStopCertainty::Exact, vec![settled("p50(ttft) <= 1s", true), settled("p95(ttft) <= 2s", false)]),
            "stopped early: p95(ttft) <= 2s is lost for certain, with 9 of 21 rows against it; 36 were planned"
        );
        let at_risk =
            words(EarlyStopCertainty::Sequential { risk: 0.05 }, vec![settled("p50(ttft) <= 1s", true), settled("error_rate <= 1%", true)]);
        assert_eq!(at_risk, "stopped early: all goals hold at a risk of 5 %, with 9 of 21 rows against it; 36 were planned");
    }
}
