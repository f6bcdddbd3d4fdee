//! A server's life: emptying its caches before a cell and proving it, and reading its metrics. In come the `[server]` section and the
//! server's address.

mod canary;
mod metrics;
mod place;
mod reset;
pub mod spec;
pub mod supervisor;

pub use canary::{Canary, CanaryTexts};
pub use metrics::{Exposition, MetricsPage, PageError, Sample};
pub use reset::{ResetError, reset};
