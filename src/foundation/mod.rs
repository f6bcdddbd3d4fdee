//! What everything stands on: units, the run's clock, texts as one line, the normal distribution, files that somebody names, short processes, work on all
//! cores.

pub mod clock;
pub(crate) mod named_file;
pub mod normal;
pub(crate) mod on_all_cores;
pub(crate) mod process_group;
pub mod sentence;
pub mod student;
pub mod units;
