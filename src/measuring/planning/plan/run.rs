//! One run: a cell of the matrix, once.

use serde_json::Value;

use crate::planning::scenario::CellSpec;
use crate::records::record::{PlannedRun, RunHeader};

/// A run as it will be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Readable slug and short hash of the cell; also the run's folder name.
    pub id: String,
    pub variant: String,
    /// The matrix axes by their dotted paths, in the scenario's order, with this run's values.
    pub axes: Vec<(String, Value)>,
    /// From 0.
    pub repeat: u32,
    /// Of the scenario's seed and the repeat alone: every variant and every cell gets the same documents in the same order.
    pub seed: u64,
    /// The target is the simulated engine.
    pub simulated: bool,
    pub cell: CellSpec,
}

impl Run {
    /// What is known of the run before it starts, as it is saved.
    #[must_use]
    pub fn header(&self) -> RunHeader {
        RunHeader {
            id: self.id.clone(),
            variant: self.variant.clone(),
            axes: self.axes.clone(),
            repeat: self.repeat,
            seed: self.seed,
            simulated: self.simulated,
            cell: self.cell.resolved().into(),
        }
    }

    /// The run as the manifest lists it.
    #[must_use]
    pub fn planned(&self) -> PlannedRun {
        PlannedRun { id: self.id.clone(), variant: self.variant.clone(), axes: self.axes.clone(), repeat: self.repeat }
    }
}
