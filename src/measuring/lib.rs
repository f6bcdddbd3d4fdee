//! The measuring half of `bench`: from a scenario's text to a list of runs, what they send and when, and the servers that they send it to.

use bench_shared::{foundation, records, search, vocabulary};
use bench_simulation as simulation;

pub mod servers;

pub mod workloads;

pub mod planning;
