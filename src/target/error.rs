//! Why a target cannot be measured at all. What goes wrong with a single request is a [`Failure`](crate::record::Failure) instead.

use crate::endpoint::EndpointError;

/// A fault of the `[target]` section, or of the server before any load.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("`target.body` sets `{field}`, which is the workload's; take it out")]
    Body { field: String },
    #[error("{}", unknown_model(model, url, served))]
    Model { model: String, url: String, served: Vec<String> },
}

fn unknown_model(model: &str, url: &str, served: &[String]) -> String {
    let names: Vec<String> = served.iter().map(|name| format!("`{name}`")).collect();
    format!("`{url}` does not serve the model `{model}`, but {}; set `target.model` to a served one", names.join(", "))
}
