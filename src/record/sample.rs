//! One figure that a server, a GPU or the machine told while a run went on: a row of `server_metrics.parquet`.

use std::sync::Arc;

use crate::clock::Micros;

/// A value of one time series at one time, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerSample {
    /// On the run's clock: when the page was asked for.
    pub at_us: Micros,
    /// Who told: an endpoint without query and credentials, `gpu`, or `host`.
    pub source: Arc<str>,
    /// The metric's name: `vllm:num_requests_running`. Of `gpu`: `gpu_utilization` (0 to 1), `gpu_memory_used_bytes`,
    /// `gpu_memory_total_bytes`, `gpu_power_watts`. Of `host`: `cpu_utilization` (0 to 1, of all cores), `memory_used_bytes`,
    /// `memory_total_bytes`, `storage_read_bytes_total`, `storage_written_bytes_total`.
    pub name: Arc<str>,
    /// `{engine="0",model_name="tiny"}` with the labels sorted by name; empty without any.
    pub labels: Arc<str>,
    pub kind: SampleKind,
    /// NaN and the infinities are kept as they were told.
    pub value: f64,
}

/// What a value means over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SampleKind {
    /// Only grows, and starts at 0 again where its server does; also the parts of histograms and summaries that are counted up.
    Counter,
    Gauge,
    /// The page does not say.
    Untyped,
}

impl SampleKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Untyped => "untyped",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Counter, Self::Gauge, Self::Untyped].into_iter().find(|kind| kind.name() == name)
    }
}
