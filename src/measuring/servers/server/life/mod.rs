//! One life of a server: from its start, through the moment when it serves, to its end. In come the `[server]` section, the target, and
//! where things are to be; out come a server that answers, what is known of it, and how it died where it did.
//!
//! Nothing here knows which cells are run on it, when it is started again, or who is told.

mod connector;
mod error;

mod launch;
mod listeners;
mod pool;
mod port;
mod process;
mod ready;
mod version;

pub use error::{ServerFailure, ServerLaunchError};
pub use launch::{LaunchContext, LaunchPlan};
pub use process::ServerProcess;
pub use version::version;
