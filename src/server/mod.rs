//! A server's life: for now, emptying its caches before a cell, and reading its metrics. In come the `[server]` section and the server's
//! address.

mod metrics;
mod place;
mod reset;
pub mod spec;
pub mod supervisor;

pub use metrics::{Exposition, MetricsPage, PageError, Sample};
pub use reset::{ResetError, reset};
