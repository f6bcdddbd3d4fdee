//! A server's life: starting it, emptying its caches before a cell and proving it, reading its metrics, ending it. In come the `[server]`
//! section and the server's address.

mod canary;
mod endpoint_request;
mod life;
mod metrics;
mod reset;
pub mod supervisor;

pub use canary::{Canary, CanaryTexts, SiteFinding};
pub use life::{LaunchContext, LaunchPlan, ServerFailure, ServerLaunchError, ServerProcess, version};
pub use metrics::{
    MetricNameFilter, MetricsPage, MetricsPageError, MetricsWatcher, PrometheusPage, PrometheusSample, WatchSummary, kv_pool_tokens,
};
pub use reset::{ResetError, reset};
