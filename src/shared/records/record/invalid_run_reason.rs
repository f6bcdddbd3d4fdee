//! Why a run that was done is no result: the figures that tell, and their sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::CacheEvidence;

/// Why a run that was done is no result. Shown as a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum InvalidRunReason {
    /// Its caches were not empty.
    WarmCaches { evidence: CacheEvidence },
    /// Its client did nothing for so long, in seconds, although it was due.
    ClientStandstill { stood_still_s: f64 },
}

impl fmt::Display for InvalidRunReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WarmCaches { evidence } => evidence.fmt(f),
            Self::ClientStandstill { stood_still_s } => {
                write!(f, "the client stood still for {stood_still_s:.1} s (stopped, suspended, or without a processor)")
            }
        }
    }
}
