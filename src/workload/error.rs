//! Why a workload cannot be made.

/// A fault of what the scenario names, or of the token rule.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    #[error("workloads cannot be made yet")]
    NotYet,
}
