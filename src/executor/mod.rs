//! Plan to events: runs the cells in turn, each through the one load loop, and tells everything as [`Event`](crate::event::Event)s.
//!
//! A failed request is a record, a failed run is a record, a failed sweep is an exit code. The executor knows nothing of files, terminals
//! or verdicts: who wants to keep or show what happened listens.

mod carried;
mod cell;
mod cold;
mod contract;
mod conversation;
mod course;
mod curb;
mod drive;
mod errors;
mod first_answers;
mod flight_slot;
mod honesty;
mod keeper;
mod lane;
mod lateness;
mod open;
mod pace;
mod prefill;
mod preflight;
mod row;
mod said;
mod seldom;
pub mod spec;
mod standstill;
mod stop;
#[cfg(test)]
mod stream_cases;
mod sweep;
mod tally;
mod threads;
mod token_counts;
mod watching;

pub use course::{PlanScheduler, RunScheduler, StoppingRule};
pub use keeper::ServerLaunchPaths;
pub use stop::StopToken;
pub use sweep::{SweepError, SweepOutcome, SweepStopReason, sweep};
