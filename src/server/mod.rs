//! A server's life: starting it, emptying its caches before a cell and proving it, reading its metrics, ending it. In come the `[server]`
//! section and the server's address.

mod canary;
mod life;
mod metrics;
mod place;
mod reset;
pub mod spec;
pub mod supervisor;

pub use canary::{Canary, CanaryTexts};
pub use life::{Death, Life, LifeError, Premises, Startup, version};
pub use metrics::{Exposition, Keep, MetricsPage, PageError, Sample, Watched, Watcher};
pub use reset::{ResetError, reset};
