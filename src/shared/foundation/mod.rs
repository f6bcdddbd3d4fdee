//! What everything stands on: units, the run's clock, texts as one line, the normal distribution, files that somebody names, short processes, work on all
//! cores.

pub mod clock;
pub mod named_file;
pub mod normal;
pub mod on_all_cores;
pub mod process_group;
pub mod sentence;
pub mod student;
pub mod units;
