//! Whether a cell is in its steady state. Types only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// That the backlog of a cell grows: requests that are due and not yet over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BacklogGrowth {
    /// So many more of them a minute, on average over the cell's runs.
    pub requests_per_min: f64,
    /// How many seconds more the goals' and the shown measure's metrics take a minute, by the measures' texts; without those that take no more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measures_per_min: BTreeMap<String, f64>,
    /// How likely as much growth is, at most, on a server that keeps up.
    pub chance: f64,
    /// Whether that is at most 5 %, and the client was not what fell behind: then the cell misses its goals.
    pub is_certain: bool,
    /// From the start of the longest run until its last request was due.
    pub run_s: f64,
    /// Where it is not certain: how long a run would make it so if it went on like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certain_after_s: Option<f64>,
}

/// A transient at the beginning of a cell's runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InitialTransient {
    /// The longest of its runs, from the first measured request on.
    pub seconds: f64,
    /// The warm-up that would leave it out, in whole seconds.
    pub warmup_s: f64,
    /// Runs that begin with one.
    pub runs: u64,
}
