//! Summaries as people and programs read them: figures, and a file a format.

use bench_judging::analysis;
use bench_shared::{foundation, records, vocabulary};

pub mod export;
pub mod plot;
pub mod report;

/// What the tests of the judging half make up, for the tests of this crate.
#[cfg(test)]
#[expect(dead_code, reason = "some are for the tests of the analysis alone")]
#[path = "../judging/analysis"]
mod fixtures {
    #[path = "history/stage.rs"]
    pub mod nights;
    #[path = "fixture.rs"]
    pub mod sweeps;
}
