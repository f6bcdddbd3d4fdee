//! From a run's timeline to the figure that shows it. Computes no number.

use super::{PanelTrack, RequestBar, SwimLane, TimelineFigure, TimelinePanel};
use crate::analysis::{self, RequestSpan, SweepOrigin};
use crate::plot::{axes, origin};

/// More lanes than this would be hairlines; the first ones stand for all, and the caption says so.
const MOST_LANES: usize = 120;

/// One run, or several one below the other over the same seconds, each from where its own load began; `None` of none. What servers told stands below one
/// run alone.
pub fn timeline(runs: &[analysis::RunTimeline], title: Option<&str>) -> Option<TimelineFigure> {
    let first = runs.first()?;
    let words = title.map_or_else(|| "requests over time".to_owned(), str::to_owned);
    let most = (MOST_LANES / runs.len()).max(1);
    let lanes: Vec<SwimLane> = runs.iter().flat_map(|run| lanes_of(run, most, runs.len() > 1)).collect();
    let requests: usize = runs.iter().flat_map(|run| &run.lanes).map(|lane| lane.spans.len()).sum();
    let all: usize = runs.iter().map(|run| run.lanes.len()).sum();
    let cut = (all > lanes.len()).then(|| format!(" · {} of {all} lanes", lanes.len()));
    let alone = runs.len() == 1;
    let axes = if alone { axes::in_words(&first.axes) } else { String::new() };
    let title = [words, axes].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let variant = Some(first.variant.as_str()).filter(|name| *name != "default" && runs.iter().all(|run| run.variant == **name));
    // Each run is one repeat, so that none is pooled.
    let mut caption = origin::caption(&SweepOrigin { repeats: 1, ..first.origin.clone() }, variant, &title);
    let repeat = if alone && first.origin.repeats > 1 {
        format!(" · repeat {} of {}", first.repeat + 1, first.origin.repeats)
    } else {
        String::new()
    };
    let which = if alone { format!("run {}", first.run) } else { format!("{} runs", runs.len()) };
    caption.subtitle = format!("{}{repeat} · {requests} requests · {which}{}", caption.subtitle, cut.unwrap_or_default());
    Some(TimelineFigure { caption, lanes, panels: if alone { panels(&first.tracks) } else { Vec::new() }, has_several_runs: !alone })
}

/// The lanes of a run; where there are several runs, the first one is named after its cell.
fn lanes_of(run: &analysis::RunTimeline, most: usize, is_named: bool) -> impl Iterator<Item = SwimLane> + '_ {
    let name =
        [Some(run.variant.clone()).filter(|name| name != "default"), Some(axes::in_words(&run.axes)).filter(|axes| !axes.is_empty())];
    let name = name.into_iter().flatten().collect::<Vec<_>>().join(", ");
    run.lanes.iter().take(most).enumerate().map(move |(number, lane)| SwimLane {
        label: match (is_named, number) {
            (false, _) => lane.label.clone(),
            (true, 0) => name.clone(),
            (true, _) => String::new(),
        },
        bars: lane.spans.iter().map(bar).collect(),
    })
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
    use crate::fixtures::sweeps::{answered, cell, sweep};
    use crate::plot::figure::FigureBasis;

    #[test]
    fn a_run_says_which_one_it_is() {
        let saved = sweep(&[], &[cell("vllm", 2, 1, vec![answered(1, 0, 0.5), answered(1, 1, 0.5)])]);
        let figure = timeline(&[analysis::timeline(&saved, &saved.runs[0]).unwrap()], None).unwrap();
        assert_eq!(figure.caption.title, "vllm: requests over time, C=2, S=1");
        assert!(figure.caption.subtitle.contains("2 requests · run ") && figure.caption.basis == FigureBasis::Simulated);
        assert_eq!(figure.lanes[0].bars.iter().map(|bar| bar.first_turn).collect::<Vec<_>>(), [true, false]);
        assert!(figure.panels.is_empty());
    }

    #[test]
    fn several_runs_stand_below_each_other_under_their_cells() {
        let rows = || vec![answered(1, 0, 0.5), answered(2, 0, 0.5)];
        let saved = sweep(&[], &[cell("vllm", 2, 1, rows()), cell("vllm", 4, 1, rows())]);
        let runs: Vec<_> = saved.runs.iter().map(|run| analysis::timeline(&saved, run).unwrap()).collect();
        let figure = timeline(&runs, None).unwrap();
        assert_eq!(figure.lanes.iter().map(|lane| lane.label.as_str()).collect::<Vec<_>>(), ["vllm, C=2, S=1", "", "vllm, C=4, S=1", ""]);
        assert!(figure.caption.subtitle.contains("4 requests · 2 runs") && figure.caption.title == "vllm: requests over time");
        assert_eq!(timeline(&[], None), None);
    }

    #[test]
    fn counts_of_requests_share_a_panel() {
        let track = |name, unit| analysis::ServerMetricTrack { name, unit, by: format!("vllm:{name}"), points: vec![(0.0, 1.0)] };
        let panels = panels(&[track("running", "requests"), track("waiting", "requests"), track("KV cache in use", "share")]);
        assert_eq!(panels.iter().map(|panel| panel.tracks.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(panels[0].name, "requests in the server, vllm:running, vllm:waiting");
    }
}
