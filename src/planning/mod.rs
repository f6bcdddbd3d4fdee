//! From a scenario's text to the list of runs, and which cells of a matrix are worth running.

pub mod plan;
pub mod scenario;
pub mod search;
