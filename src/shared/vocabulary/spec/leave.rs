//! What a scenario may say about users who leave before their answer is over: `workload.leave`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::foundation::units::Seconds;

/// A share of requests whose users leave: the connection is closed so long after the request was sent, unless the answer is over before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveSpec {
    /// Which share of the requests may be left, from 0 to 1: `0.1`. Which ones depends on the seed and their numbers alone.
    pub share: f64,
    /// How long after a request was sent its user leaves: `"2s"`.
    pub after: Seconds,
}
