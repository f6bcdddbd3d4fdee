//! Blocks of a sweep: what was planned for each node, and how it came out there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::manifest::Manifest;

/// `blocks/plan.json`: the sweep as one machine would do it, and its blocks. Written once, by the first of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockPlan {
    pub manifest: Manifest,
    pub blocks: Vec<PlannedBlock>,
}

/// A block as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedBlock {
    /// Also the name of its folder.
    pub id: String,
    /// The ids of its runs, in run order.
    pub runs: Vec<String>,
}

/// `blocks/<id>/block.json`: where a block was measured last, and how that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockState {
    pub node: NodeIdentity,
    pub bench_version: String,
    /// The cluster's name of the job, where it tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Wall clock of the last start.
    pub started_at: Timestamp,
    /// Missing while it runs, and where it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<BlockEnd>,
}

/// How a block ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockEnd {
    pub at: Timestamp,
    /// The program's exit code: 0 done, 1 goals missed, 2 could not begin, 3 cells failed, 130 stopped.
    pub exit_code: u8,
}

/// A machine of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NodeIdentity {
    pub name: String,
    /// The model of each of its GPUs, in alphabetical order; none where the machine does not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<String>,
}

/// A block that was merged: `blocks` in the manifest of the whole sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedBlock {
    pub id: String,
    pub node: NodeIdentity,
    pub bench_version: String,
    /// The ids of its runs, in run order.
    pub runs: Vec<String>,
}
