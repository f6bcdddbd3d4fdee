//! That a run was ended before all it had planned, since what was left could not have changed what its goals say of the cell.

use serde::{Deserialize, Serialize};

/// Why no further request of a cell was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curtailed {
    pub certainty: Certainty,
    /// The goals that were settled: all of them where the cell passes, at least one where it does not.
    pub settled: Vec<Settled>,
}

/// How sure it is that the whole run would have said the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Certainty {
    /// Entirely: no outcome of the requests that were left could have changed it.
    Exact,
    /// By a test that may be looked at any time, wrong at most at this rate (0 to 1).
    Sequential { risk: f64 },
}

/// A goal and the rows that settled it: those of the cell, its earlier repeats included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// As written in the scenario.
    pub goal: String,
    /// Whether it holds.
    pub holds: bool,
    /// Rows that it would have looked at in the end, over all repeats.
    pub planned: u64,
    /// Those that had come.
    pub seen: u64,
    /// Those of them against the goal: beyond the limit, or failed.
    pub beyond: u64,
}
