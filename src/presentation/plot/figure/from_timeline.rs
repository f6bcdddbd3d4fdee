//! From a run's timeline to the figure that shows it. Computes no number.

use super::{PanelTrack, RequestBar, SwimLane, TimelineFigure, TimelinePanel};
use crate::analysis::{self, RequestSpan, SweepOrigin};
use crate::presentation::plot::{axes, origin};

/// More lanes than this would be hairlines; the first ones stand for all, and the caption says so.
const MOST_LANES: usize = 120;

pub fn timeline(run: &analysis::RunTimeline, title: Option<&str>) -> TimelineFigure {
    let axes = axes::in_words(&run.axes);
    let words = title.map_or_else(|| "requests over time".to_owned(), str::to_owned);
    let title = [words, axes].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let variant = Some(run.variant.as_str()).filter(|name| *name != "default");
    // The picture is of one repeat, so that none is pooled.
    let mut caption = origin::caption(&SweepOrigin { repeats: 1, ..run.origin.clone() }, variant, &title);
    let requests: usize = run.lanes.iter().map(|lane| lane.spans.len()).sum();
    let cut = (run.lanes.len() > MOST_LANES).then(|| format!(" · the first {MOST_LANES} of {} lanes", run.lanes.len()));
    let repeat = if run.origin.repeats > 1 { format!(" · repeat {} of {}", run.repeat + 1, run.origin.repeats) } else { String::new() };
    caption.subtitle = format!("{}{repeat} · {requests} requests · run {}{}", caption.subtitle, run.run, cut.unwrap_or_default());
    let lane = |lane: &analysis::RunTimelineLane| SwimLane { label: lane.label.clone(), bars: lane.spans.iter().map(bar).collect() };
    TimelineFigure { caption, lanes: run.lanes.iter().take(MOST_LANES).map(lane).collect(), panels: panels(&run.tracks) }
}

fn bar(span: &RequestSpan) -> RequestBar {
    RequestBar {
        first_turn: span.turn == 0,
        intended: span.intended_s,
        sent: span.sent_s,
        first_token: span.first_token_s,
        done: span.done_s,
        failed: span.failure.is_some(),
        measured: span.measured,
    }
}

/// Counts of requests share a panel; a share has one of its own.
fn panels(tracks: &[analysis::ServerMetricTrack]) -> Vec<TimelinePanel> {
    let track = |track: &analysis::ServerMetricTrack| PanelTrack { label: track.name.to_owned(), points: track.points.clone() };
    let (counts, shares): (Vec<_>, Vec<_>) = tracks.iter().partition(|track| track.unit == "requests");
    let told = counts.iter().map(|track| track.by.as_str()).collect::<Vec<_>>().join(", ");
    let counted = TimelinePanel {
        name: format!("requests in the server, {told}"),
        factor: 1.0,
        most: None,
        tracks: counts.iter().copied().map(track).collect(),
    };
    let share = |known: &analysis::ServerMetricTrack| TimelinePanel {
        name: format!("{} [%], {}", known.name, known.by),
        factor: 100.0,
        most: Some(1.0),
        tracks: vec![track(known)],
    };
    let counted = (!counts.is_empty()).then_some(counted);
    counted.into_iter().chain(shares.into_iter().map(share)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{answered, cell, sweep};

    #[test]
    fn a_run_says_which_one_it_is() {
        let saved = sweep(&[], &[cell("vllm", 2, 1, vec![answered(1, 0, 0.5), answered(1, 1, 0.5)])]);
        let figure = timeline(&analysis::timeline(&saved, &saved.runs[0]).unwrap(), None);
        assert_eq!(figure.caption.title, "vllm: requests over time, C=2, S=1");
        assert!(figure.caption.subtitle.contains("2 requests · run ") && figure.caption.simulated);
        assert_eq!(figure.lanes[0].bars.iter().map(|bar| bar.first_turn).collect::<Vec<_>>(), [true, false]);
        assert!(figure.panels.is_empty());
    }

    #[test]
    fn counts_of_requests_share_a_panel() {
        let track = |name, unit| analysis::ServerMetricTrack { name, unit, by: format!("vllm:{name}"), points: vec![(0.0, 1.0)] };
        let panels = panels(&[track("running", "requests"), track("waiting", "requests"), track("KV cache in use", "share")]);
        assert_eq!(panels.iter().map(|panel| panel.tracks.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(panels[0].name, "requests in the server, vllm:running, vllm:waiting");
    }
}
