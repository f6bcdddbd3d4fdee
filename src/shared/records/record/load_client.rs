//! One of several clients of a run: what it sent, how it fared, and how far its clock was from that of the client that leads.

use serde::{Deserialize, Serialize};

use super::clock_offset::ClockOffset;
use super::run::ClientHealth;

/// A client that sent a part of a run's load.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LoadClient {
    /// From 0, which leads: as in the column `client`.
    pub rank: u32,
    /// The machine that it ran on, as far as that tells its name.
    pub host: String,
    /// Its rows.
    pub requests: u64,
    /// The BLAKE3 hash, in hexadecimal, of its rows as they were sent to the client that leads; missing of that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_blake3: Option<String>,
    /// Its clock before time 0, against that of the client that leads; missing of that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_before: Option<ClockOffset>,
    /// The same after its last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_after: Option<ClockOffset>,
    pub health: ClientHealth,
}
