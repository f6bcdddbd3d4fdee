//! The judging half of `bench`: from saved runs to verdicts.

use bench_shared::{foundation, records, search, vocabulary};

pub mod analysis;

/// What tests make up, by the names that it has in every crate.
#[cfg(test)]
mod fixtures {
    pub(crate) use crate::analysis::fixture as sweeps;
}
