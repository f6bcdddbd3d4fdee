//! What a scenario may say about the server's life: the `[server]` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[server]` section.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// Endpoints that empty the server's caches, sent a POST one after the other before each cell: paths on the target's server, or
    /// whole URLs for a cache that lives elsewhere. A cell whose reset fails is not run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<String>,
}
