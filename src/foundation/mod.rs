//! What everything stands on: units, the run's clock, texts as one line, files that somebody names, short processes.

pub mod clock;
pub(crate) mod named_file;
pub(crate) mod process_group;
pub mod sentence;
pub mod units;
