//! From a scenario's text to the list of runs, which cells of a matrix are worth running, and the jobs that run them on a cluster.

pub mod cluster;
pub mod plan;
pub mod scenario;
