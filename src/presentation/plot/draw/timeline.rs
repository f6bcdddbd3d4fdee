//! Draws a run: lanes of requests, and panels of what the server told below them, all over the same seconds.

use super::canvas::{FontWeight, LabelStyle, PixelRect, Point, StrokeStyle, SvgCanvas, TextAnchor};
use super::legend::{LegendEntry, LegendSymbol};
use super::line::LineStyle;
use super::sheet::FigureSheet;
use super::{bar, ticks, words};
use crate::plot::figure::{PlotScale, RequestBar, ScaleMapping, SwimLane, TimelineFigure, TimelinePanel};
use crate::plot::theme::{self, AXIS_NAME_SIZE, MARGIN, TICK_SIZE};
use crate::plot::{PlotError, SvgDocument, number};

const MOST_LANES: usize = 400;
const MOST_BARS: usize = 20_000;
const PLOT_WIDTH: i32 = 760;
/// Pixels that lanes share, as far as each stays within its own bounds.
const LANES_HEIGHT: i32 = 420;
const LANE: (i32, i32) = (3, 18);
const PANEL_HEIGHT: i32 = 80;
const GAP: i32 = 22;
const LABEL: i32 = 10;
/// For the names of panels' lines.
const RIGHT: i32 = 110;

struct TimelineLayout {
    lanes: PixelRect,
    lane: i32,
    time: PlotScale,
    panels: Vec<PixelRect>,
}

pub fn draw(timeline: &TimelineFigure) -> Result<SvgDocument, PlotError> {
    check(timeline)?;
    let layout = TimelineLayout::of(timeline, 0);
    let sheet = FigureSheet {
        caption: timeline.caption.clone(),
        description: sentences(timeline),
        size: (layout.lanes.right() + RIGHT - 2 * MARGIN, layout.bottom() + TICK_SIZE + 12 + AXIS_NAME_SIZE + 14),
        inset: layout.lanes.left - MARGIN,
        entries: entries(timeline),
        bar: None,
        paint: Box::new(|canvas, (_, top)| {
            let layout = TimelineLayout::of(timeline, top);
            draw_time(canvas, &layout);
            for (lane, number) in timeline.lanes.iter().zip(0..) {
                draw_lane(canvas, lane, layout.lanes.top + number * layout.lane, &layout);
            }
            draw_names(canvas, timeline, &layout);
            for (panel, at) in timeline.panels.iter().zip(&layout.panels) {
                draw_panel(canvas, panel, *at, &layout);
            }
        }),
    };
    sheet.draw()
}

fn check(timeline: &TimelineFigure) -> Result<(), PlotError> {
    let title = timeline.caption.title.clone();
    let bars: usize = timeline.lanes.iter().map(|lane| lane.bars.len()).sum();
    if bars == 0 {
        return Err(PlotError::Empty { title });
    }
    for (what, found, most) in [("lanes", timeline.lanes.len(), MOST_LANES), ("requests", bars, MOST_BARS)] {
        if found > most {
            return Err(PlotError::TooMany { title, what, found, most });
        }
    }
    Ok(())
}

impl TimelineLayout {
    fn of(timeline: &TimelineFigure, top: i32) -> Self {
        let labels = timeline.lanes.iter().map(|lane| words::width(&lane.label, LABEL, FontWeight::Regular)).max().unwrap_or(0);
        let ends = timeline.panels.iter().map(|panel| words::width(&top_text(panel), TICK_SIZE, FontWeight::Regular)).max().unwrap_or(0);
        let left = MARGIN + labels.max(ends + AXIS_NAME_SIZE + 6) + 10;
        let count = i32::try_from(timeline.lanes.len()).unwrap_or(1);
        let lane = (LANES_HEIGHT / count.max(1)).clamp(LANE.0, LANE.1);
        let lanes = PixelRect { left, top: top + 6, width: PLOT_WIDTH, height: lane * count };
        let mut bottom = lanes.bottom();
        let panels: Vec<PixelRect> = timeline
            .panels
            .iter()
            .map(|_| {
                let panel = PixelRect { left, top: bottom + GAP, width: PLOT_WIDTH, height: PANEL_HEIGHT };
                bottom = panel.bottom();
                panel
            })
            .collect();
        Self { lanes, lane, time: time(timeline), panels }
    }

    fn x_at(&self, seconds: f64) -> i32 {
        self.lanes.left + ticks::place(self.time, seconds, self.lanes.width)
    }

    fn bottom(&self) -> i32 {
        self.panels.last().map_or(self.lanes.bottom(), |panel| panel.bottom())
    }
}

/// From the first request's due time to the last one's end.
fn time(timeline: &TimelineFigure) -> PlotScale {
    let bars = || timeline.lanes.iter().flat_map(|lane| &lane.bars);
    let low = bars().map(|bar| bar.intended.min(bar.sent)).fold(0.0, f64::min);
    let high = bars().map(|bar| bar.done).fold(low, f64::max);
    PlotScale { low, high: if high > low { high } else { low + 1.0 }, mapping: ScaleMapping::Linear }
}

fn entries(timeline: &TimelineFigure) -> Vec<LegendEntry> {
    let any = |fits: &dyn Fn(&RequestBar) -> bool| timeline.lanes.iter().flat_map(|lane| &lane.bars).any(fits);
    let mut entries = Vec::new();
    let mut add = |there: bool, sign, words: &str| {
        if there {
            entries.push(LegendEntry { sign, words: words.to_owned() });
        }
    };
    add(
        any(&|bar| bar.first_turn && bar.measured),
        LegendSymbol::Bar { first_turn: true },
        "first turn: until the first token, then the answer",
    );
    add(any(&|bar| !bar.first_turn && bar.measured), LegendSymbol::Bar { first_turn: false }, "follow-up turn, the same");
    add(any(&|bar| !bar.measured), LegendSymbol::PaleBar, "warm-up, not counted");
    add(any(&|bar| bar.sent > bar.intended), LegendSymbol::Wait, "due and not sent yet");
    add(any(&|bar| bar.failed), LegendSymbol::Cross, "failed");
    add(timeline.panels.is_empty() && !timeline.has_several_runs, LegendSymbol::None, "no metrics of a server were saved");
    entries
}

/// The seconds, with a grid through lanes and panels.
fn draw_time(canvas: &mut SvgCanvas<'_>, layout: &TimelineLayout) {
    let (bottom, pen) = (layout.bottom(), StrokeStyle::new(theme::SOFT_INK, 1));
    for (along, seconds) in ticks::spaced(layout.time, layout.lanes.width, 48, &[]) {
        let x = layout.lanes.left + along;
        for area in [layout.lanes].iter().chain(&layout.panels) {
            canvas.line((x, area.top), (x, area.bottom()), StrokeStyle::new(theme::GRID, 1));
        }
        canvas.line((x, bottom), (x, bottom + 4), pen);
        canvas.text(&number::short(seconds), (x, bottom + 6 + TICK_SIZE), LabelStyle::new(TICK_SIZE, theme::INK).align(TextAnchor::Middle));
    }
    for area in [layout.lanes].iter().chain(&layout.panels) {
        canvas.line((area.left, area.top), (area.left, area.bottom()), pen);
        canvas.line((area.left, area.bottom()), (area.right(), area.bottom()), pen);
    }
    let middle = layout.lanes.left + layout.lanes.width / 2;
    let face = LabelStyle::new(AXIS_NAME_SIZE, theme::INK).align(TextAnchor::Middle);
    canvas.text("time on the run's clock [s]", (middle, bottom + TICK_SIZE + 12 + AXIS_NAME_SIZE), face);
}

fn draw_lane(canvas: &mut SvgCanvas<'_>, lane: &SwimLane, top: i32, layout: &TimelineLayout) {
    let gap = i32::from(layout.lane >= 5) + i32::from(layout.lane >= 12);
    let (top, height) = (top + gap, (layout.lane - 2 * gap).max(1));
    let middle = top + height / 2;
    for request in &lane.bars {
        let (left, right) = (layout.x_at(request.sent), layout.x_at(request.done));
        if request.intended < request.sent && layout.x_at(request.intended) < left {
            bar::wait(canvas, (layout.x_at(request.intended), middle), left);
        }
        // A request shorter than a pixel is there all the same.
        let at = PixelRect { left, top, width: (right - left).max(1), height };
        let first_token = if request.failed { at.right() } else { request.first_token.map_or(at.right(), |at| layout.x_at(at)) };
        bar::draw(canvas, at, first_token, request.first_turn, request.measured);
    }
    for request in lane.bars.iter().filter(|bar| bar.failed) {
        draw_cross(canvas, (layout.x_at(request.done), middle), (height / 2).clamp(2, 5));
    }
}

fn draw_cross(canvas: &mut SvgCanvas<'_>, (x, y): Point, arm: i32) {
    for pen in [StrokeStyle::new(theme::PAPER, 4), StrokeStyle::new(theme::INK, 2)] {
        canvas.line((x - arm, y - arm), (x + arm, y + arm), pen);
        canvas.line((x - arm, y + arm), (x + arm, y - arm), pen);
    }
}

/// Names of lanes, as many as there is room for; one that is the same as the one above is not said again.
fn draw_names(canvas: &mut SvgCanvas<'_>, timeline: &TimelineFigure, layout: &TimelineLayout) {
    let face = LabelStyle::new(LABEL, theme::INK).align(TextAnchor::End);
    let mut free_from = layout.lanes.top;
    let mut before = "";
    for (lane, number) in timeline.lanes.iter().zip(0..) {
        let middle = layout.lanes.top + number * layout.lane + layout.lane / 2;
        if lane.label != before && middle - LABEL / 2 >= free_from - 1 {
            canvas.text(&lane.label, (layout.lanes.left - 6, middle + 4), face);
            free_from = middle + LABEL / 2 + 2;
        }
        before = &lane.label;
    }
}

/// The upper end of a panel's axis.
fn top_of(panel: &TimelinePanel) -> f64 {
    let largest = panel.tracks.iter().flat_map(|track| &track.points).map(|(_, value)| *value).fold(0.0, f64::max);
    panel.most.unwrap_or_else(|| PlotScale::linear_around(0.0, largest).high)
}

fn top_text(panel: &TimelinePanel) -> String {
    number::short(top_of(panel) * panel.factor)
}

fn draw_panel(canvas: &mut SvgCanvas<'_>, panel: &TimelinePanel, at: PixelRect, layout: &TimelineLayout) {
    let face = LabelStyle::new(TICK_SIZE, theme::INK).align(TextAnchor::End);
    let scale = PlotScale { low: 0.0, high: top_of(panel), mapping: ScaleMapping::Linear };
    canvas.line((at.left, at.top), (at.right(), at.top), StrokeStyle::new(theme::GRID, 1));
    canvas.text(&top_text(panel), (at.left - 6, at.top + 5), face);
    canvas.text("0", (at.left - 6, at.bottom() + 3), face);
    canvas.text(&panel.name, (at.left + 6, at.top - 5), LabelStyle::new(TICK_SIZE - 1, theme::INK));
    let ends: Vec<i32> =
        panel.tracks.iter().map(|track| track.points.last().map_or(at.bottom(), |(_, value)| height(at, scale, *value))).collect();
    let mut places = ends.clone();
    if let [first, second] = places.as_mut_slice()
        && (*first - *second).abs() < 14
    {
        (*first, *second) = (at.top + 24, at.top + 48);
    }
    for ((number, track), place) in panel.tracks.iter().enumerate().zip(places) {
        let look = LineStyle::of(number);
        let inside = track.points.iter().filter(|(time, _)| (layout.time.low..=layout.time.high).contains(time));
        let mut line: Vec<Point> = Vec::new();
        for (time, value) in inside {
            let (x, y) = (layout.x_at(*time), height(at, scale, *value));
            if let Some((_, before)) = line.last().copied() {
                line.push((x, before));
            }
            line.push((x, y));
        }
        line.dedup();
        look.draw_line(canvas, &line);
        if panel.tracks.len() > 1 {
            let left = at.right() + 8;
            look.draw_line(canvas, &[(left, place), (left + 24, place)]);
            canvas.text(&track.label, (left + 30, place + 4), LabelStyle::new(TICK_SIZE - 1, theme::INK));
        }
    }
}

fn height(at: PixelRect, scale: PlotScale, value: f64) -> i32 {
    at.bottom() - ticks::place(scale, value, at.height)
}

/// The picture in words, for those who do not see it.
fn sentences(timeline: &TimelineFigure) -> String {
    let bars = || timeline.lanes.iter().flat_map(|lane| &lane.bars);
    let (lanes, requests, failed) = (timeline.lanes.len(), bars().count(), bars().filter(|bar| bar.failed).count());
    let end = number::three_digits(bars().map(|bar| bar.done).fold(0.0, f64::max));
    let mut sentences = vec![format!("{requests} requests in {lanes} lanes, {failed} failed; the last one ends at {end} s.")];
    sentences.extend(timeline.panels.iter().map(|panel| format!("Below: {}.", panel.name)));
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::gallery::texts;

    #[test]
    fn lanes_and_panels_share_the_seconds() {
        let figure = TimelineFigure::sample();
        let layout = TimelineLayout::of(&figure, 0);
        assert_eq!(layout.panels.len(), 2);
        assert!(layout.panels[0].top > layout.lanes.bottom() && layout.panels[1].top > layout.panels[0].bottom());
        assert_eq!((layout.x_at(layout.time.low), layout.x_at(layout.time.high)), (layout.lanes.left, layout.lanes.right()));
        let svg = draw(&figure).unwrap();
        for word in ["session 1", "KV cache in use [%], vllm:kv_cache_usage_perc", "failed", "waiting"] {
            assert!(texts(&svg).iter().any(|(text, ..)| text == word), "{word}: {:?}", texts(&svg));
        }
    }

    #[test]
    fn a_run_without_a_server_says_so_and_one_without_requests_is_refused() {
        let mut figure = TimelineFigure::sample();
        figure.panels.clear();
        let svg = draw(&figure).unwrap();
        assert!(texts(&svg).iter().any(|(text, ..)| text == "no metrics of a server were saved"));
        figure.lanes.clear();
        assert!(matches!(draw(&figure), Err(PlotError::Empty { .. })));
    }
}
