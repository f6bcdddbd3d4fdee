//! A checked scenario to the list of what is to be done: every run, in run order, with its id, its seed and what it costs.
//!
//! Reads the files that workloads name, to hash and to count them. Knows nothing of how a run is done, and connects to nothing.

mod caches;
mod commands;
mod cost_estimator;
mod id;
mod needed_rows;
mod order;
mod plan_summary;
mod request_costs;
mod run;
mod search_space;
mod setting;
mod sweep_block;
mod utilisation;
mod whole;

pub use crate::planning::scenario::EnvironmentRedactor;
pub use caches::cache_sentences;
pub use commands::{CommandPreview, shown_commands};
pub use cost_estimator::{LongestRequest, RunCost};
pub use id::{short_name, value_text};
pub use plan_summary::{PlanNote, PlanSummary, SampleSizeCheck};
pub use run::Run;
pub use search_space::{CellChance, PlannedSearch, SearchSpace};
pub use setting::{restarts_each_run, server_setting, server_starts};
pub use sweep_block::SweepBlock;
pub use whole::{Plan, PlanError, check};
