//! A checked scenario to the list of what is to be done: every run, in run order, with its id and its seed.
//!
//! Knows nothing of how a run is done, and connects to nothing.

mod run;
mod whole;

pub use run::Run;
pub use whole::{Plan, PlanError};
