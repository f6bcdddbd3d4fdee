//! Remarks on a sweep as a whole: what each rests on, and its words.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::axes::short;
use super::predicted::ForecastOrigin;
use crate::foundation::sentence::sentence;
use crate::records::record::NodeIdentity;

/// A remark on a sweep as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SweepNote {
    /// What was seen while its saved runs were read.
    SavedRuns { text: String },
    /// How many cells of a variant a search ran and left out.
    Frontier(FrontierCounts),
    /// On which nodes its blocks were measured.
    Nodes(MeasuringNodes),
    /// That its blocks were measured by programs of several versions.
    Versions { versions: Vec<String> },
    /// That variants of the same cells were measured on different nodes.
    VariantsApart(NodeDifference),
    /// That cells which were not measured are predicted, and by what.
    Predicted(ForecastOrigin),
}

/// The nodes on which the blocks of a sweep were measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuringNodes {
    pub blocks: u64,
    pub nodes: Vec<NodeIdentity>,
}

/// What is compared was measured on different nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDifference {
    pub base: Vec<NodeIdentity>,
    pub new: Vec<NodeIdentity>,
}

/// What became of the cells of a variant that was searched along a frontier: all of them are one of the four counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontierCounts {
    pub variant: String,
    /// Of the frontier, by their dotted paths.
    pub axes: Vec<String>,
    /// Those that were run.
    pub run: u64,
    /// Those that were not, and are implied to pass or to fail where more load is not easier.
    pub implied_to_pass: u64,
    pub implied_to_fail: u64,
    /// Those of which nothing is known.
    pub untested: u64,
}

impl fmt::Display for SweepNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SavedRuns { text } => f.write_str(text),
            Self::Frontier(cells) => cells.fmt(f),
            Self::Nodes(MeasuringNodes { blocks, nodes }) => {
                let several = if nodes.len() == 1 { "node" } else { "nodes" };
                write!(f, "measured in {blocks} blocks on {} {several} ({})", nodes.len(), listed(nodes))
            }
            Self::Versions { versions } => {
                write!(f, "its blocks were measured by different versions of this program: {}", versions.join(", "))
            }
            Self::VariantsApart(difference) => {
                write!(
                    f,
                    "variants of the same cells were measured on different nodes, so that what differs may be the nodes: {difference}"
                )
            }
            Self::Predicted(origin) => origin.fmt(f),
        }
    }
}

impl fmt::Display for NodeDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, new } = self;
        write!(f, "{} against {}", listed(base), listed(new))?;
        let gpus = |nodes: &[NodeIdentity]| nodes.iter().map(|node| node.gpus.clone()).collect::<BTreeSet<_>>();
        let (base, new) = (gpus(base), gpus(new));
        f.write_str(match () {
            () if base.iter().chain(&new).any(Vec::is_empty) => "; which GPUs they have is not known",
            () if base.len() == 1 && base == new => "; their GPUs are of the same kind",
            () => "; their GPUs are of different kinds",
        })
    }
}

/// `n0 (8 × NVIDIA H200), n1`.
fn listed(nodes: &[NodeIdentity]) -> String {
    let named = |node: &NodeIdentity| {
        let kinds: Vec<String> =
            node.gpus.chunk_by(|left, right| left == right).map(|same| format!("{} × {}", same.len(), same[0])).collect();
        let name = sentence(&node.name);
        if kinds.is_empty() { name.to_string() } else { format!("{name} ({})", sentence(&kinds.join(", "))) }
    };
    nodes.iter().map(named).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for FrontierCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variant, axes, run, implied_to_pass, implied_to_fail, untested } = self;
        let names: Vec<&str> = axes.iter().map(|axis| short(axis)).collect();
        write!(
            f,
            "{variant}: along the frontier of {}, {run} of {} cells were run; assuming that more load is not easier, of the others \
             {implied_to_pass} are implied to pass, {implied_to_fail} to fail, and {untested} are untested",
            names.join(" and "),
            run + implied_to_pass + implied_to_fail + untested
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::analysis::summary::NoteList;

    #[test]
    fn every_note_says_its_figures_and_comes_back_from_json() {
        let cells = FrontierCounts {
            variant: "vllm".into(),
            axes: vec!["workload.concurrent".into(), "workload.sequential".into()],
            run: 3,
            implied_to_pass: 8,
            implied_to_fail: 1,
            untested: 4,
        };
        let notes = NoteList(vec![SweepNote::SavedRuns { text: "run `a` is odd".into() }, SweepNote::Frontier(cells)]);
        let saved = serde_json::to_value(&notes).unwrap();
        let words = "vllm: along the frontier of concurrent and sequential, 3 of 16 cells were run; assuming that more load is not easier, of the \
            others 8 are implied to pass, 1 to fail, and 4 are untested";
        assert_eq!(saved["notes"], json!(["run `a` is odd", words]));
        assert_eq!((&saved["note_figures"][1]["kind"], &saved["note_figures"][1]["run"]), (&json!("frontier"), &json!(3)));
        assert_eq!(serde_json::from_value::<NoteList<SweepNote>>(saved).unwrap(), notes);
    }
}
