//! A measured value, its interval, and where that comes from. Types only.

use serde::{Deserialize, Serialize};

use super::super::extended_real::ExtendedReal;
use crate::vocabulary::goal::Measure;
use crate::vocabulary::metric::MeasureUnit;

/// A measured value. An end of the interval that is missing is one that so few rows do not give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// As in a goal: `p95(ttft where turn >= 1)`.
    pub measure: Measure,
    pub unit: MeasureUnit,
    /// Requests behind the value, failed ones included.
    pub n: u64,
    /// `None` where no request fits.
    pub value: Option<ExtendedReal>,
    pub low: Option<ExtendedReal>,
    pub high: Option<ExtendedReal>,
    /// Sessions behind the value; those of each repeat are sessions of their own.
    #[serde(default)]
    pub sessions: u64,
    /// How many independent requests would say as much: fewer than `n` where requests of a session, or requests near in time, are alike.
    #[serde(default)]
    pub effective_n: u64,
    /// Where the interval comes from.
    #[serde(default)]
    pub method: IntervalMethod,
    /// That it is only a bound, since the cell was ended early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<EarlyStopBound>,
}

/// Where an interval comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Two order statistics of independent rows, by the exact binomial.
    OrderStatistics,
    /// The same at the effective number of rows, where sessions bring several or rows near in time are alike.
    ClusteredOrderStatistics,
    /// The exact ends of a share of independent rows.
    ClopperPearson,
    /// The same at the effective number of rows.
    ClusteredClopperPearson,
    /// A bootstrap of whole sessions.
    SessionBootstrap,
    /// Blocks of equal time of the measured window, by how much they differ.
    TimeBlocks,
    /// There is no interval.
    #[default]
    None,
}

/// That a value is not that of the whole cell, since the cell was ended before all its rows had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlyStopBound {
    pub side: BoundDirection,
    /// Rows that the whole cell would have had, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<u64>,
}

/// On which side of the value that of the whole cell lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundDirection {
    /// It is at least the value.
    AtLeast,
    /// It is at most the value.
    AtMost,
    /// Nobody knows: the value is that of the rows that came.
    SoFar,
}
