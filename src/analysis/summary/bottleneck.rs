//! What limited a variant. Types only.

use serde::{Deserialize, Serialize};

use super::super::axes::Axes;

/// The bottleneck of the cells that agree in all `within`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bottleneck {
    pub within: Axes,
    pub kind: BottleneckKind,
    /// The figures it rests on, in words.
    pub words: String,
}

/// What limited a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BottleneckKind {
    /// Queues grew while hits were kept.
    Compute,
    /// Hits vanished, or running requests alone filled the KV cache.
    KvMemory,
    /// One where load grew one way, the other where it grew the other way.
    Both,
    /// Every cell with a result passes.
    Nothing,
    /// The figures do not tell.
    Unknown,
}
