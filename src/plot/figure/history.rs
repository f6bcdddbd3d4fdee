//! Night after night: a measure and a score of each variant, in strips over the same nights. A night has its place whatever the day.

use super::difference::Outcome;
use super::{Caption, Cell, Limit, Quantity};

#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub caption: Caption,
    /// The oldest first.
    pub nights: Vec<NightLabel>,
    /// From top to bottom; all have a line for each variant, in the same order.
    pub strips: Vec<Strip>,
    /// What each night is called against those before it, by variant; empty where nobody asked.
    pub calls: Vec<Vec<Option<Outcome>>>,
}

/// A night in two lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightLabel {
    /// What tells it from its neighbours: `11-21`, or `15:30`.
    pub short: String,
    /// What many nights share: the year, or the date.
    pub around: String,
}

/// One quantity over the nights.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// What stands above it: `p95 of time to first token, C=4, S=3`.
    pub heading: String,
    /// What its bars reach from and to: `95 % interval`.
    pub bars: String,
    pub quantity: Quantity,
    pub limit: Option<Limit>,
    pub lines: Vec<NightLine>,
    /// Whether the number of samples behind each point is worth a row.
    pub samples: Samples,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Samples {
    Shown,
    /// The points are not made of requests.
    None,
}

/// One variant's nights.
#[derive(Debug, Clone, PartialEq)]
pub struct NightLine {
    pub label: String,
    /// One a night; `None` where the night did not plan it.
    pub cells: Vec<Option<Cell>>,
}
