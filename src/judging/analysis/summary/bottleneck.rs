//! What limited a variant: the figures that tell, and their sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::axes::{Axes, show_axes};
use super::boundary_finding::{BoundaryFinding, ComputeEvidence, InconclusiveEvidence, KvMemoryEvidence};

/// The bottleneck of the cells that agree in all `within`. Shown as the figures it rests on, in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bottleneck {
    pub within: Axes,
    #[serde(flatten)]
    pub evidence: BottleneckEvidence,
}

/// What limited a variant, and what tells. `alike_cells` are those that tell the same beside the one that is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a variant has few of them")]
pub enum BottleneckEvidence {
    /// Queues grew while hits were kept.
    Compute { finding: BoundaryFinding<ComputeEvidence>, alike_cells: u64 },
    /// Hits vanished, or running requests alone filled the KV cache.
    KvMemory { finding: BoundaryFinding<KvMemoryEvidence>, alike_cells: u64 },
    /// One where load grew one way, the other where it grew the other way.
    Both { compute: BoundaryFinding<ComputeEvidence>, kv_memory: BoundaryFinding<KvMemoryEvidence> },
    /// Every cell with a result passes.
    Nothing {
        /// The one with the most load.
        largest: Axes,
        without_result: u64,
        /// All cells, those without a result included.
        cells: u64,
    },
    /// The figures do not tell.
    Unknown { reason: UnknownBottleneck },
}

/// Why the figures do not tell what limited a variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a variant has few of them")]
pub enum UnknownBottleneck {
    /// Those of the cells that fail tell of nothing.
    Inconclusive { finding: BoundaryFinding<InconclusiveEvidence>, alike_cells: u64 },
    /// No cell has a result to go by.
    NoResult,
    /// No cell that fails was run: a search left them out.
    FailureImplied {
        /// Cells that are implied to fail.
        implied: u64,
        without_result: u64,
        /// All cells, those without a result included.
        cells: u64,
    },
}

impl BottleneckEvidence {
    /// What limited, as it stands in a sentence.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Compute { .. } => "compute",
            Self::KvMemory { .. } => "KV memory",
            Self::Both { .. } => "compute and KV memory, each in its way",
            Self::Nothing { .. } => "nothing within the matrix",
            Self::Unknown { .. } => "the figures do not tell",
        }
    }
}

impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.evidence {
            BottleneckEvidence::Compute { finding, alike_cells } => write!(f, "{finding}{}", alike(*alike_cells)),
            BottleneckEvidence::KvMemory { finding, alike_cells } => write!(f, "{finding}{}", alike(*alike_cells)),
            BottleneckEvidence::Both { compute, kv_memory } => write!(f, "compute: {compute}; KV memory: {kv_memory}"),
            BottleneckEvidence::Nothing { largest, without_result, cells } => {
                let missing = missing(*without_result, *cells);
                if largest.is_empty() {
                    write!(f, "the only cell with a result passes{missing}")
                } else {
                    write!(f, "every cell with a result passes, up to {}{missing}", show_axes(largest))
                }
            }
            BottleneckEvidence::Unknown { reason } => reason.fmt(f),
        }
    }
}

impl fmt::Display for UnknownBottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inconclusive { finding, alike_cells } => write!(f, "{finding}{}", alike(*alike_cells)),
            Self::NoResult => f.write_str("no cell has a result"),
            Self::FailureImplied { implied, without_result, cells } => {
                let missing = missing(*without_result, *cells);
                write!(f, "no cell that fails was run here: {implied} of {cells} are implied to fail{missing}")
            }
        }
    }
}

fn alike(cells: u64) -> String {
    if cells == 0 { String::new() } else { format!(" (the same at {cells} more)") }
}

fn missing(without_result: u64, cells: u64) -> String {
    if without_result == 0 { String::new() } else { format!("; {without_result} of {cells} cells have no result") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::analysis::summary::{ServerMetricValue, TokenReuse};

    fn axes(concurrent: u64) -> Axes {
        let Value::Object(axes) = json!({ "workload.concurrent": concurrent }) else { panic!() };
        axes
    }

    fn finding<Evidence>(evidence: Evidence) -> BoundaryFinding<Evidence> {
        BoundaryFinding { fails: axes(8), passes: None, evidence }
    }

    fn compute() -> BoundaryFinding<ComputeEvidence> {
        finding(ComputeEvidence::NothingSmallerPasses { reuse: TokenReuse { share: 0.98, by: "cached_tokens".into() } })
    }

    fn kv_memory() -> BoundaryFinding<KvMemoryEvidence> {
        finding(KvMemoryEvidence::Preempted { preemptions: ServerMetricValue { value: 3.0, by: "preemptions".into() } })
    }

    #[test]
    fn every_bottleneck_says_its_figures_and_comes_back_from_json() {
        let inconclusive = finding(InconclusiveEvidence::HitsNotReported);
        let untold = "C=8 fails, and neither the answers nor the server's metrics tell what came from a cache";
        let by_compute =
            "C=8 fails though 98 % of the prompt tokens sent before still came from a cache (cached_tokens), and no smaller cell passes";
        let by_memory = "in C=8 running requests lost their KV memory 3 times a run (preemptions)";
        let unknown = |reason| BottleneckEvidence::Unknown { reason };
        let all = [
            ("compute", BottleneckEvidence::Compute { finding: compute(), alike_cells: 0 }, by_compute.to_owned()),
            (
                "kv_memory",
                BottleneckEvidence::KvMemory { finding: kv_memory(), alike_cells: 2 },
                format!("{by_memory} (the same at 2 more)"),
            ),
            (
                "both",
                BottleneckEvidence::Both { compute: compute(), kv_memory: kv_memory() },
                format!("compute: {by_compute}; KV memory: {by_memory}"),
            ),
            (
                "nothing",
                BottleneckEvidence::Nothing { largest: axes(4), without_result: 0, cells: 3 },
                "every cell with a result passes, up to C=4".to_owned(),
            ),
            (
                "nothing",
                BottleneckEvidence::Nothing { largest: Axes::new(), without_result: 1, cells: 3 },
                "the only cell with a result passes; 1 of 3 cells have no result".to_owned(),
            ),
            (
                "unknown",
                unknown(UnknownBottleneck::Inconclusive { finding: inconclusive, alike_cells: 1 }),
                format!("{untold} (the same at 1 more)"),
            ),
            ("unknown", unknown(UnknownBottleneck::NoResult), "no cell has a result".to_owned()),
            (
                "unknown",
                unknown(UnknownBottleneck::FailureImplied { implied: 2, without_result: 1, cells: 5 }),
                "no cell that fails was run here: 2 of 5 are implied to fail; 1 of 5 cells have no result".to_owned(),
            ),
        ];
        for (kind, evidence, words) in all {
            let bottleneck = Bottleneck { within: axes(1), evidence };
            let mut saved = Vec::new();
            super::super::with_words::serialize(std::slice::from_ref(&bottleneck), &mut serde_json::Serializer::new(&mut saved)).unwrap();
            let [saved] = serde_json::from_slice::<[Value; 1]>(&saved).unwrap();
            assert_eq!((&saved["kind"], &saved["words"], bottleneck.to_string()), (&json!(kind), &json!(words), words));
            assert_eq!(serde_json::from_value::<Bottleneck>(saved).unwrap(), bottleneck);
        }
    }
}
