//! How much of what was sent before came from a cache, beside what the sessions keep alive: figures, with their part of a sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::amount::{self, percent};
use super::server::ServerMetricValue;
use crate::foundation::units::grouped;

/// The share of a cell's prompt tokens sent before that came from a cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenReuse {
    /// From 0 to 1.
    pub share: f64,
    /// By what that is known: `cached_tokens` of the answers, or a server's counter.
    pub by: String,
}

/// What the sessions of a cell keep alive and what the device's KV cache holds, in tokens, as far as they are known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TokenResidence {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_pool_tokens: Option<ServerMetricValue>,
}

/// Reuse in a cell that fails beside that in the one that passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReuseChange {
    /// The share in the cell that passes, from 0 to 1; missing where none passes, or where nobody tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_before: Option<f64>,
    #[serde(flatten)]
    pub reuse: TokenReuse,
    #[serde(flatten)]
    pub residence: TokenResidence,
}

/// That the cell still has its hits.
impl fmt::Display for TokenReuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of the prompt tokens sent before still came from a cache ({})", percent(self.share), self.by)
    }
}

/// Ends a sentence, or adds nothing to it.
impl fmt::Display for TokenResidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(resident) = self.resident_tokens else { return Ok(()) };
        write!(f, "; its sessions keep {} tokens alive", grouped(resident))?;
        match &self.kv_pool_tokens {
            Some(pool) => write!(f, ", the KV pool holds {} ({})", amount::grouped(pool.value), pool.by),
            None => Ok(()),
        }
    }
}
