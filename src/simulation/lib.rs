//! The simulated engine of `bench`, in memory and as a server.

use bench_shared::{foundation, vocabulary};

pub mod engine;
pub mod serve;
