//! From a plan to records: the one load loop, those who listen to it, what steers it, what the client itself can measure, and the twin.
//!
//! The one library that sees both halves of `bench`: [`steering`] has cells judged while a sweep goes on, [`twin`] holds simulated rows to measured ones.

use bench_judging::analysis;
use bench_measuring::{planning, servers, workloads};
use bench_shared::{foundation, records, search, vocabulary};
use bench_simulation as simulation;

pub mod event;
pub mod executor;
pub mod meeting;
pub mod reporter;
pub mod selftest;
pub mod steering;
pub mod twin;

/// What the tests of both halves make up, for the tests of this crate.
#[cfg(test)]
#[expect(dead_code, reason = "some are for the tests of the halves alone")]
#[path = ".."]
mod fixtures {
    #[path = "shared/records/store/fixture.rs"]
    pub mod records;
    #[path = "judging/analysis/fixture.rs"]
    pub mod sweeps;
}
