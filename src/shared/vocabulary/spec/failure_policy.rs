//! What a scenario may say about how a sweep takes failures: its fields `max_error_rate` and `on_cell_failure`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a cell counts as failed by its requests, and whether the sweep goes on after a cell that failed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FailurePolicy {
    /// A share from 0 to 1; a run of which more of the measured requests failed has failed itself. `None` for no limit.
    pub max_error_rate: Option<f64>,
    pub on_cell_failure: OnCellFailure,
}

/// What a sweep does when a cell has failed or is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnCellFailure {
    /// It goes on with the next one, unless nobody served two of them in a row, or the small request before a target's first cell.
    #[default]
    StopUnserved,
    /// It goes on with the next one, whatever was wrong.
    Continue,
    /// It begins no further cell.
    Stop,
}
