//! One run over time: requests as swim lanes, and below them what the server told meanwhile. Times are seconds.

use super::FigureCaption;

#[derive(Debug, Clone, PartialEq)]
pub struct TimelineFigure {
    pub caption: FigureCaption,
    pub lanes: Vec<SwimLane>,
    /// Each a panel, or two in one where they are counts of requests.
    pub panels: Vec<TimelinePanel>,
    /// Of several runs, below which no panel stands.
    pub has_several_runs: bool,
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

#[cfg(test)]
mod sample {
    use super::{PanelTrack, RequestBar, SwimLane, TimelineFigure, TimelinePanel};
    use crate::plot::figure::{CurveFigure, FigureCaption};

    impl TimelineFigure {
        /// Six lanes with a failed request, over two panels.
        pub(crate) fn sample() -> Self {
            let lane = |session: u32| {
                let bar = |turn: u32| {
                    let intended = f64::from(session) * 0.7 + f64::from(turn) * 4.0;
                    let sent = intended + f64::from(turn % 2) * 0.8;
                    let failed = session == 2 && turn == 2;
                    let first_token = (!failed).then_some(sent + if turn == 0 { 1.6 } else { 0.4 });
                    RequestBar { first_turn: turn == 0, intended, sent, first_token, done: sent + 2.6, failed, measured: session > 0 }
                };
                SwimLane { label: format!("session {session}"), bars: (0..4).map(bar).collect() }
            };
            let track = |label: &str, most: u32| {
                let points = (0..40_u32).map(|n| (f64::from(n) * 0.5, f64::from(n * 7 % (most + 1)))).collect();
                PanelTrack { label: label.into(), points }
            };
            let usage = PanelTrack {
                label: "KV cache in use".into(),
                points: (0..40_u32).map(|n| (f64::from(n) * 0.5, f64::from(n) / 45.0)).collect(),
            };
            Self {
                caption: FigureCaption { title: "vllm: requests over time, C=2, S=3".into(), ..CurveFigure::sample().caption },
                lanes: (0..6).map(lane).collect(),
                panels: vec![
                    TimelinePanel {
                        name: "requests in the server, vllm:num_requests_running, vllm:num_requests_waiting".into(),
                        factor: 1.0,
                        most: None,
                        tracks: vec![track("running", 4), track("waiting", 2)],
                    },
                    TimelinePanel {
                        name: "KV cache in use [%], vllm:kv_cache_usage_perc".into(),
                        factor: 100.0,
                        most: Some(1.0),
                        tracks: vec![usage],
                    },
                ],
                has_several_runs: false,
            }
        }
    }
}
