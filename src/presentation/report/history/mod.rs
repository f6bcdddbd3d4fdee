//! A history and its gate as people and programs read them: a file a format, the same words in all. Nothing here computes a statistic or
//! prints.

mod gate;
mod json;
mod junit;
mod markdown;
mod table;
mod terminal;

pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use terminal::terminal;

use serde::Serialize;

use crate::analysis::history::{GateResult, SweepHistory};

/// A series, and what the gate says of it where it was asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryReport {
    #[serde(flatten)]
    pub history: SweepHistory,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateResult>,
}
