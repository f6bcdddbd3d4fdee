//! What a search implies of a cell that it left out. Types only.

use serde::{Deserialize, Serialize};

/// What measured cells say of one that was not run, assuming that more load is not easier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpliedOutcome {
    /// One that is no easier passes, by its plain values.
    ToPass,
    /// One that is no harder fails, by its plain values.
    ToFail,
    /// One that is no harder is missed.
    ToFailForCertain,
    Nothing,
}
