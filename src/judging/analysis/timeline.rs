//! One run as it went on: requests by session or lane, and what its server told meanwhile. All times are seconds on the run's clock, 0
//! where its load began.
//!
//! In: a saved run. Out: plain lanes and tracks. No statistic is made.

use std::collections::BTreeMap;

use super::AnalysisError;
use super::axes::Axes;
use super::origin::SweepOrigin;
use super::watched::tracks;
use crate::foundation::clock::Micros;
use crate::records::record::{RequestPhase, RequestRecord};
use crate::records::store::{SavedRun, SavedSweep};

pub use super::watched::ServerMetricTrack;

/// Up to so many sessions have a lane each; beyond, sessions that follow each other share one.
const MOST_SESSIONS: usize = 48;

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunTimeline {
    pub origin: SweepOrigin,
    /// The run's id.
    pub run: String,
    pub variant: String,
    pub axes: Axes,
    /// From 0.
    pub repeat: u32,
    pub lanes: Vec<RunTimelineLane>,
    /// What the server told: each by one metric; empty where nobody did.
    pub tracks: Vec<ServerMetricTrack>,
}

/// Requests of which no two overlap, in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct RunTimelineLane {
    /// `session 3`, or `lane 0`.
    pub label: String,
    pub spans: Vec<RequestSpan>,
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSpan {
    pub turn: u32,
    pub intended_s: f64,
    pub sent_s: f64,
    /// `None` where no token came.
    pub first_token_s: Option<f64>,
    pub done_s: f64,
    /// The failure's kind.
    pub failure: Option<String>,
    /// Counted by the metrics; warm-up and prefill are not.
    pub measured: bool,
}

/// A saved run as lanes and tracks.
pub fn timeline(sweep: &SavedSweep, run: &SavedRun) -> Result<RunTimeline, AnalysisError> {
    let records = run.requests.records()?;
    let header = &run.record.header;
    Ok(RunTimeline {
        origin: SweepOrigin::of(&sweep.manifest),
        run: header.id.clone(),
        variant: header.variant.clone(),
        axes: header.axes.iter().cloned().collect(),
        repeat: header.repeat,
        lanes: lanes(&records),
        tracks: tracks(&run.samples()?),
    })
}

/// Requests by session where these are few, else by lane; what overlaps is laid on further lanes of the same name.
fn lanes(records: &[RequestRecord]) -> Vec<RunTimelineLane> {
    let sessions: std::collections::BTreeSet<u64> = records.iter().map(|record| record.session).collect();
    let by_session = sessions.len() <= MOST_SESSIONS;
    let mut groups: BTreeMap<(u64, u64), Vec<RequestSpan>> = BTreeMap::new();
    for record in records {
        let lane = u64::from(record.lane);
        let key = if by_session { (lane, record.session) } else { (lane, 0) };
        groups.entry(key).or_default().push(span(record));
    }
    let named = |(lane, session): (u64, u64)| if by_session { format!("session {session}") } else { format!("lane {lane}") };
    groups
        .into_iter()
        .flat_map(|(key, spans)| side_by_side(spans).into_iter().map(move |spans| RunTimelineLane { label: named(key), spans }))
        .collect()
}

fn span(record: &RequestRecord) -> RequestSpan {
    RequestSpan {
        turn: record.turn,
        intended_s: seconds(record.intended_us),
        sent_s: seconds(record.sent_us),
        first_token_s: record.first_token_us.map(seconds),
        done_s: seconds(record.done_us),
        failure: record.failure.as_ref().map(|failure| failure.kind.name()),
        measured: record.phase == RequestPhase::Measure,
    }
}

fn seconds(at: Micros) -> f64 {
    at.as_secs_f64()
}

/// Each span in the first lane in which nothing is under way when it is sent.
fn side_by_side(mut spans: Vec<RequestSpan>) -> Vec<Vec<RequestSpan>> {
    spans.sort_by(|left, right| left.sent_s.total_cmp(&right.sent_s).then(left.done_s.total_cmp(&right.done_s)));
    let mut lanes: Vec<Vec<RequestSpan>> = Vec::new();
    for span in spans {
        let free = lanes.iter_mut().find(|lane| lane.last().is_none_or(|last| last.done_s <= span.sent_s));
        match free {
            Some(lane) => lane.push(span),
            None => lanes.push(vec![span]),
        }
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{answered, cell, failed, sweep};
    use super::*;
    use crate::records::record::FailureKind;

    #[test]
    fn a_session_is_a_lane_with_its_requests_in_order() {
        let records = vec![answered(2, 1, 0.5), answered(1, 0, 0.25), failed(2, 4, FailureKind::Connect), answered(2, 0, 0.5)];
        let saved = sweep(&[], &[cell("vllm", 1, 1, records)]);
        let timeline = timeline(&saved, &saved.runs[0]).unwrap();
        assert_eq!(timeline.lanes.iter().map(|lane| lane.label.as_str()).collect::<Vec<_>>(), ["session 1", "session 2"]);
        let second = &timeline.lanes[1].spans;
        assert_eq!(second.iter().map(|span| span.turn).collect::<Vec<_>>(), [0, 1, 4]);
        assert_eq!((second[0].sent_s, second[0].first_token_s, second[0].done_s), (2.0, Some(2.5), 2.521));
        assert_eq!((second[2].failure.as_deref(), second[2].first_token_s), (Some("connect"), None));
        assert!(timeline.tracks.is_empty() && timeline.variant == "vllm");
    }

    #[test]
    fn what_overlaps_is_laid_side_by_side_and_many_sessions_share_lanes() {
        let overlapping: Vec<RequestRecord> = (0..60).map(|session| answered(session / 2 * 2, (session % 2) as u32, 1.5)).collect();
        assert_eq!(lanes(&overlapping).len(), 60, "two at once in each of 30 sessions");
        let many: Vec<RequestRecord> = (0..60).map(|session| answered(session, 0, 0.5)).collect();
        let lanes = lanes(&many);
        assert_eq!((lanes.len(), lanes[0].label.as_str(), lanes[0].spans.len()), (1, "lane 0", 60));
    }
}
