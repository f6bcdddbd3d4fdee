//! Watches a server and its machine while a run goes on: pages in the Prometheus text format, GPUs, the host. In come the `[server.watch]`
//! section and the target; out go samples on the run's clock, at a fixed period, through a sink of the caller's.
//!
//! Never in the path of a request: an own task with its own connections. What cannot be read is a note for people, never an error. What the
//! figures mean is not known here.

mod gpu;
mod host;
mod name_filter;
mod page;
mod pool;
mod storage;
mod watched_page;
mod watcher;

pub use crate::records::exposition::{PrometheusPage, PrometheusSample};
pub use name_filter::MetricNameFilter;
pub use page::{MetricsPage, MetricsPageError};
pub use pool::kv_pool_tokens;
pub use watcher::{MetricsWatcher, WatchSummary};
