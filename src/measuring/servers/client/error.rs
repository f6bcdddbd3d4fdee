//! Why a target cannot be measured at all. What goes wrong with a single request is a [`RequestFailure`](crate::records::record::RequestFailure) instead.

use crate::servers::endpoint::EndpointError;

/// A fault of the `[target]` section, or of the server before any load.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("`target.body` sets `{field}`, which is the workload's; take it out")]
    Body { field: String },
}
