//! One run over time: requests as swim lanes, and below them what the server told meanwhile. Times are seconds.

use super::FigureCaption;

#[derive(Debug, Clone, PartialEq)]
pub struct TimelineFigure {
    pub caption: FigureCaption,
    pub lanes: Vec<SwimLane>,
    /// Each a panel, or two in one where they are counts of requests.
    pub panels: Vec<TimelinePanel>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SwimLane {
    pub label: String,
    pub bars: Vec<RequestBar>,
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestBar {
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
pub struct TimelinePanel {
    /// With its unit.
    pub name: String,
    /// What values are multiplied by: 100 for shares.
    pub factor: f64,
    /// The end of its axis where that is known, in the base unit.
    pub most: Option<f64>,
    pub tracks: Vec<PanelTrack>,
}

/// Values over time, each until the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelTrack {
    pub label: String,
    pub points: Vec<(f64, f64)>,
}
