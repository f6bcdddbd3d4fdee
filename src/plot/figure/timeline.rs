//! One run over time: requests as swim lanes, and below them what the server told meanwhile. Times are seconds.

use super::Caption;

#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    pub caption: Caption,
    pub lanes: Vec<Lane>,
    /// Each a panel, or two in one where they are counts of requests.
    pub panels: Vec<Panel>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    pub label: String,
    pub bars: Vec<Bar>,
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Opens a session.
    pub first_turn: bool,
    pub intended: f64,
    pub sent: f64,
    pub first_token: Option<f64>,
    pub done: f64,
    pub failed: bool,
    pub measured: bool,
}

/// Figures of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// With its unit.
    pub name: String,
    /// What values are multiplied by: 100 for shares.
    pub factor: f64,
    /// The end of its axis where that is known, in the base unit.
    pub most: Option<f64>,
    pub tracks: Vec<Track>,
}

/// Values over time, each until the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    pub label: String,
    pub points: Vec<(f64, f64)>,
}
