//! What speaks against the client of a cell: figures of it beyond their bounds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A figure of the client beyond its bound: the client itself may have been what was slow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClientLimit {
    /// Requests were sent late.
    SendLag { p99_s: f64 },
    /// The timer that arrivals wait on was late.
    TimerJitter { p99_s: f64 },
    /// It used up its processor.
    Processor {
        /// CPU time over wall time: 1 is one core.
        cpu_share: f64,
        /// The machine's cores; missing where nobody knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        processors: Option<u32>,
    },
    /// It was close to what the selftest found that its machine carries.
    Throughput {
        events_per_s: f64,
        requests_per_s: f64,
        /// Of what all cores carry, events and requests together; 1 is all.
        capacity_share: f64,
    },
    /// The disk did not keep up: so many records waited for being saved at one time.
    UnsavedRecords { records_waiting: u64 },
}

/// All that speaks against the client of a cell; empty where it was not in the way. In files with the words, as `client_limited`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "SavedClientLimits", into = "SavedClientLimits")]
pub struct ClientLimits(pub Vec<ClientLimit>);

impl ClientLimits {
    /// Whether the client may have been what was slow.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !self.0.is_empty()
    }
}

impl fmt::Display for ClientLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SendLag { p99_s } => write!(f, "send lag p99 {:.0} ms", p99_s * 1e3),
            Self::TimerJitter { p99_s } => write!(f, "timer late p99 {:.0} ms", p99_s * 1e3),
            Self::Processor { cpu_share, processors: Some(cores) } if *cores > 1 => write!(f, "CPU at {cpu_share:.2} of {cores} cores"),
            Self::Processor { cpu_share, .. } => write!(f, "CPU at {cpu_share:.2} of one core"),
            Self::Throughput { events_per_s, requests_per_s, capacity_share } => write!(
                f,
                "{events_per_s:.0} events/s and {requests_per_s:.0} requests/s are {:.0} % of what the selftest found that this machine \
                 carries",
                100.0 * capacity_share
            ),
            Self::UnsavedRecords { records_waiting } => write!(f, "{records_waiting} records waited for being saved"),
        }
    }
}

impl fmt::Display for ClientLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&limits.join(", "))
    }
}

/// As it stands in a summary's JSON.
#[derive(Serialize, Deserialize)]
struct SavedClientLimits {
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_limited: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    client_limits: Vec<ClientLimit>,
}

impl From<SavedClientLimits> for ClientLimits {
    fn from(saved: SavedClientLimits) -> Self {
        Self(saved.client_limits)
    }
}

impl From<ClientLimits> for SavedClientLimits {
    fn from(limits: ClientLimits) -> Self {
        Self { client_limited: limits.is_limited().then(|| limits.to_string()), client_limits: limits.0 }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_figures_stand_beside_their_words_and_come_back() {
        let limits = ClientLimits(vec![
            ClientLimit::SendLag { p99_s: 0.026 },
            ClientLimit::TimerJitter { p99_s: 0.125 },
            ClientLimit::Processor { cpu_share: 2.81, processors: Some(4) },
            ClientLimit::Processor { cpu_share: 0.97, processors: None },
            ClientLimit::Throughput { events_per_s: 34_000.0, requests_per_s: 300.0, capacity_share: 0.71 },
            ClientLimit::UnsavedRecords { records_waiting: 100_001 },
        ]);
        let saved = serde_json::to_value(&limits).unwrap();
        assert_eq!(
            saved["client_limited"],
            "send lag p99 26 ms, timer late p99 125 ms, CPU at 2.81 of 4 cores, CPU at 0.97 of one core, 34000 events/s and 300 requests/s \
             are 71 % of what the selftest found that this machine carries, 100001 records waited for being saved"
        );
        assert_eq!(saved["client_limits"][0], json!({ "kind": "send_lag", "p99_s": 0.026 }));
        assert_eq!(serde_json::from_value::<ClientLimits>(saved).unwrap(), limits);
        assert_eq!(serde_json::to_value(ClientLimits::default()).unwrap(), json!({}));
    }
}
