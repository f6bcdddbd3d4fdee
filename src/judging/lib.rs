//! The judging half of `bench`: from saved runs to verdicts, pictures and reports.

use bench_shared::{foundation, records, search, vocabulary};

pub mod analysis;

pub mod presentation;
