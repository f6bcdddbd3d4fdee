//! The vocabulary of what is measured per request: names, units, and which direction is better. Definitions: `docs/metrics.md`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What can be measured of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Time to first token: first token-bearing event - sent.
    Ttft,
    /// Time to first answer token: first event with a token of the answer, not of the reasoning before it - sent.
    Ttfat,
    /// First token-bearing event - intended: free of coordinated omission.
    TtftIntended,
    /// Time to first event of any kind: what tools that count the role-only chunk publish as time to first token.
    Ttfe,
    /// Last token-bearing event - sent.
    E2e,
    /// Time per output token after the first event.
    Tpot,
    /// Gaps between token-bearing events, pooled over requests.
    Itl,
    /// Output tokens per second of a request.
    OutputTps,
    /// Sent - intended: the client's own lateness and the wait for an answer that was still streaming.
    SendLag,
}

/// Which direction is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricDirection {
    Lower,
    Higher,
}

impl Metric {
    pub const ALL: [Self; 9] =
        [Self::Ttft, Self::Ttfat, Self::TtftIntended, Self::Ttfe, Self::E2e, Self::Tpot, Self::Itl, Self::OutputTps, Self::SendLag];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ttft => "ttft",
            Self::Ttfat => "ttfat",
            Self::TtftIntended => "ttft_intended",
            Self::Ttfe => "ttfe",
            Self::E2e => "e2e",
            Self::Tpot => "tpot",
            Self::Itl => "itl",
            Self::OutputTps => "output_tps",
            Self::SendLag => "send_lag",
        }
    }

    /// The unit of a value as it is computed and saved.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Tpot => "s/token",
            Self::OutputTps => "tokens/s",
            _ => "s",
        }
    }

    /// Whether every successful request has exactly one value.
    #[must_use]
    pub fn is_one_a_request(self) -> bool {
        match self {
            Self::Ttft | Self::TtftIntended | Self::Ttfe | Self::E2e | Self::SendLag => true,
            Self::Ttfat | Self::Tpot | Self::Itl | Self::OutputTps => false,
        }
    }

    #[must_use]
    pub fn better(self) -> MetricDirection {
        match self {
            Self::OutputTps => MetricDirection::Higher,
            _ => MetricDirection::Lower,
        }
    }
}

/// Whether a time, which is computed in seconds, is shown in milliseconds, in tables and in pictures alike: where the limit on it lies below a
/// second; where there is none, where the largest of its values does.
#[must_use]
pub fn shows_milliseconds(limit: Option<f64>, largest: Option<f64>) -> bool {
    limit.or(largest).is_some_and(|seconds| seconds < 1.0)
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|metric| metric.name() == text).ok_or_else(|| format!("`{text}` is not a metric"))
    }
}
