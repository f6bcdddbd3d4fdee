//! Units of measured values: the base unit in which they are computed and saved, and the one in which people are shown them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The base unit of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MeasureUnit {
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "s/token")]
    SecondsPerToken,
    #[serde(rename = "tokens/s")]
    TokensPerSecond,
    #[serde(rename = "requests/s")]
    RequestsPerSecond,
    /// From 0 to 1.
    #[serde(rename = "share")]
    Share,
}

impl MeasureUnit {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::SecondsPerToken => "s/token",
            Self::TokensPerSecond => "tokens/s",
            Self::RequestsPerSecond => "requests/s",
            Self::Share => "share",
        }
    }

    /// How its values are shown, in tables and in pictures alike: times in milliseconds where the limit on them lies below a second; where
    /// there is none, where the largest of the values does.
    #[must_use]
    pub fn display(self, limit: Option<f64>, largest: Option<f64>) -> DisplayUnit {
        let is_short = limit.or(largest).is_some_and(|seconds| seconds < 1.0);
        let (unit, factor) = match self {
            Self::Seconds if is_short => ("ms", 1e3),
            Self::Seconds => ("s", 1.0),
            Self::SecondsPerToken => ("ms/token", 1e3),
            Self::TokensPerSecond => ("tokens/s", 1.0),
            Self::RequestsPerSecond => ("requests/s", 1.0),
            Self::Share => ("%", 100.0),
        };
        DisplayUnit { unit, factor }
    }
}

impl fmt::Display for MeasureUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How values of a unit are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DisplayUnit {
    pub unit: &'static str,
    /// What a value is multiplied by.
    pub factor: f64,
}

impl DisplayUnit {
    /// Values as they are, for what shows none of them.
    pub const BASE: Self = Self { unit: "", factor: 1.0 };
}
