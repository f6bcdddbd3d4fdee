//! Draws nights: strips with a point and a bar for each variant and night, side by side, over one axis of dates; below them the samples and
//! what each night is called.

use super::canvas::{self, FontWeight, LabelStyle, PixelRect, StrokeStyle, SvgCanvas, TextAnchor};
use super::head::FigureHeading;
use super::labels::LineLabels;
use super::legend::{self, Legend, LegendEntry, LegendSymbol};
use super::line::{LineStyle, MarkerFill};
use super::nights::{self, NightAxis};
use super::{description, ticks, words};
use crate::plot::figure::{
    ChangeOutcome, FigureCaption, FigureCell, FigureVerdict, HistoryFigure, HistoryStrip, NightLine, PlotScale, SampleCountRow,
    ScaleMapping,
};
use crate::plot::theme::{self, LEGEND_SIZE, MARGIN, TICK_SIZE};
use crate::plot::{PlotError, SvgDocument, number};

const MOST_LINES: usize = 24;
const MOST_NIGHTS: usize = 1_000;
const PLOT_WIDTH: i32 = 680;
const FIRST_HEIGHT: i32 = 230;
const OTHER_HEIGHT: i32 = 110;
/// For a strip's heading.
const HEADING: i32 = 30;
/// Ends of intervals and a limit within this factor of the values are in the picture.
const NEAR: f64 = 1.7;
/// Where points without a value stand.
const BAND: i32 = 20;

struct HistoryLayout {
    width: i32,
    height: i32,
    head: FigureHeading,
    plots: Vec<StripLayout>,
    axis: NightAxis,
    names: LineLabels,
    legend: Legend,
    legend_top: i32,
}

/// A strip's place and scale.
struct StripLayout {
    at: PixelRect,
    y: PlotScale,
}

pub fn draw(history: &HistoryFigure) -> Result<SvgDocument, PlotError> {
    check(history)?;
    let layout = HistoryLayout::of(history);
    canvas::page(layout.width, layout.height, &history.caption.title, &sentences(history), |canvas| {
        layout.head.draw(canvas);
        for (strip, plot) in history.strips.iter().zip(&layout.plots) {
            draw_strip(canvas, strip, plot, &layout.axis);
        }
        if let (Some(first), Some(last)) = (layout.plots.first(), layout.plots.last()) {
            layout.names.draw(canvas, first.at);
            layout.axis.draw(canvas, last.at.bottom());
        }
        layout.legend.draw(canvas, layout.legend_top);
    })
}

fn check(history: &HistoryFigure) -> Result<(), PlotError> {
    let title = history.caption.title.clone();
    let lines = history.strips.iter().map(|strip| strip.lines.len()).max().unwrap_or(0);
    if lines == 0 || history.nights.is_empty() || cells(history).next().is_none() {
        return Err(PlotError::Empty { title });
    }
    for (what, found, most) in [("lines", lines, MOST_LINES), ("nights", history.nights.len(), MOST_NIGHTS)] {
        if found > most {
            return Err(PlotError::TooMany { title, what, found, most });
        }
    }
    Ok(())
}

fn cells(history: &HistoryFigure) -> impl Iterator<Item = &FigureCell> {
    history.strips.iter().flat_map(strip_cells)
}

fn strip_cells(strip: &HistoryStrip) -> impl Iterator<Item = &FigureCell> {
    strip.lines.iter().flat_map(|line| &line.cells).flatten()
}

impl HistoryLayout {
    fn of(history: &HistoryFigure) -> Self {
        let scales: Vec<PlotScale> = history.strips.iter().map(y_scale).collect();
        let tick_width = |(strip, scale): (&HistoryStrip, &PlotScale)| {
            let ticks = scale.ticks().into_iter().map(|value| tick_text(strip, value));
            ticks.map(|text| words::width(&text, TICK_SIZE, FontWeight::Regular)).max().unwrap_or(0)
        };
        let left = MARGIN + history.strips.iter().zip(&scales).map(tick_width).max().unwrap_or(0) + 12;
        let lines = history.strips.first().map_or(&[][..], |strip| &strip.lines);
        let rows = rows(history, lines);
        let right = LineLabels::width(lines.iter().map(|line| line.label.as_str())).max(nights::width(&rows));
        let width = left + PLOT_WIDTH + right + MARGIN;
        let head = FigureHeading::new(&caption(history), width);
        let mut top = head.bottom() - 6;
        let mut plots: Vec<StripLayout> = Vec::new();
        for (strip, y) in history.strips.iter().zip(scales) {
            let band = if strip_cells(strip).any(|cell| cell.finite().is_none()) { BAND } else { 0 };
            let height = if plots.is_empty() { FIRST_HEIGHT.max(20 * i32::try_from(lines.len()).unwrap_or(0)) } else { OTHER_HEIGHT };
            let at = PixelRect { left, top: top + HEADING + band, width: PLOT_WIDTH, height };
            top = at.bottom();
            plots.push(StripLayout { at, y });
        }
        let axis = NightAxis::new(&history.nights, lines.len(), rows, (left, PLOT_WIDTH));
        let ends = lines.iter().map(|line| (plots.first().map_or(0, |plot| end(plot, line)), line.label.clone()));
        let names = LineLabels::new(ends, plots.first().map_or(PixelRect { left, top, width: 0, height: 0 }, |plot| plot.at));
        let legend_top = top + axis.height() + 18;
        let legend = Legend::new(entries(history), left, width);
        let height = legend_top + legend.height() + MARGIN / 2;
        Self { width, height, head, plots, axis, names, legend, legend_top }
    }
}

/// The height at which a line's name should stand: that of its last value.
fn end(plot: &StripLayout, line: &NightLine) -> i32 {
    line.cells.iter().rev().flatten().find_map(FigureCell::finite).map_or(plot.at.top, |value| y_at(plot, value))
}

fn y_at(plot: &StripLayout, value: f64) -> i32 {
    plot.at.bottom() - ticks::place(plot.y, value, plot.at.height)
}

/// Around the values, with what of their intervals and limit is near, and from 0 only where that is near: nights are looked at for how they
/// differ, and what is far away would press them into a line.
fn y_scale(strip: &HistoryStrip) -> PlotScale {
    let ends = strip_cells(strip).filter(|cell| cell.finite().is_some()).flat_map(|cell| [cell.low, cell.high]).flatten();
    let mut shown: Vec<f64> = strip_cells(strip).filter_map(FigureCell::finite).collect();
    let around = |shown: &[f64]| {
        let ends = shown.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
        if ends.0 > ends.1 { strip.limit.map_or((0.0, 1.0), |limit| (limit.value, limit.value)) } else { ends }
    };
    let (low, high) = around(&shown);
    let near = if strip.samples == SampleCountRow::None { f64::NEG_INFINITY..=f64::INFINITY } else { low / NEAR..=high * NEAR };
    shown.extend(ends.chain(strip.limit.map(|limit| limit.value)).filter(|value| value.is_finite() && near.contains(value)));
    let (low, high) = around(&shown);
    if low <= 0.0 || strip.samples == SampleCountRow::None {
        return PlotScale::linear_around(low.min(0.0), (high * 1.08).max(0.0));
    }
    if high / low >= 8.0 {
        return PlotScale::around(shown);
    }
    if low < 0.35 * high {
        return PlotScale::linear_around(0.0, high * 1.04);
    }
    let room = ((high - low) * 0.12).max(high * 0.01);
    PlotScale { low: low - room, high: high + room, mapping: ScaleMapping::Linear }
}

fn is_in(scale: PlotScale, value: f64) -> bool {
    (scale.low..=scale.high).contains(&value)
}

fn tick_text(strip: &HistoryStrip, value: f64) -> String {
    number::short(value * strip.quantity.factor)
}

/// The figure's caption with the samples behind its points.
fn caption(history: &HistoryFigure) -> FigureCaption {
    let mut caption = history.caption.clone();
    let counted = history.strips.iter().filter(|strip| strip.samples == SampleCountRow::Shown);
    let n = || counted.clone().flat_map(strip_cells).map(|cell| cell.n).filter(|n| *n > 0);
    if let (Some(low), Some(high)) = (n().min(), n().max()) {
        let range = if low == high { format!("n {low}") } else { format!("n {low} to {high}") };
        caption.subtitle = format!("{} · {range} per point", caption.subtitle);
    }
    caption
}

/// Below the dates: the samples of each night, one row where all variants have the same; and the calls.
fn rows(history: &HistoryFigure, lines: &[NightLine]) -> Vec<nights::NightTextRow> {
    let mut rows: Vec<nights::NightTextRow> = Vec::new();
    for strip in history.strips.iter().filter(|strip| strip.samples == SampleCountRow::Shown) {
        let of =
            |line: &NightLine| line.cells.iter().map(|cell| cell.as_ref().map_or_else(String::new, |cell| cell.n.to_string())).collect();
        let counts: Vec<Vec<String>> = strip.lines.iter().map(of).collect();
        if counts.windows(2).all(|pair| pair[0] == pair[1]) {
            rows.extend(counts.into_iter().next().map(|texts| nights::NightTextRow { name: "n".to_owned(), texts }));
        } else {
            rows.extend(
                counts
                    .into_iter()
                    .zip(&strip.lines)
                    .map(|(texts, line)| nights::NightTextRow { name: format!("{}, n", line.label), texts }),
            );
        }
    }
    let sign = |call: &Option<ChangeOutcome>| call.map_or_else(String::new, |call| call.sign().to_owned());
    let called = history.calls.iter().zip(lines).filter(|(calls, _)| calls.iter().any(Option::is_some));
    rows.extend(called.map(|(calls, line)| nights::NightTextRow {
        name: format!("{}, against before", line.label),
        texts: calls.iter().map(sign).collect(),
    }));
    rows
}

fn entries(history: &HistoryFigure) -> Vec<LegendEntry> {
    let mut entries = Vec::new();
    let mut add = |there: bool, sign, words: String| {
        if there {
            entries.push(LegendEntry { sign, words });
        }
    };
    for strip in &history.strips {
        let (Some(limit), scale) = (&strip.limit, y_scale(strip)) else { continue };
        let goal = number::goal(limit, &strip.quantity);
        let beyond = if limit.value > scale.high { "above" } else { "below" };
        if is_in(scale, limit.value) {
            add(true, LegendSymbol::Limit, format!("limit: {goal}"));
        } else {
            add(true, LegendSymbol::None, format!("limit: {goal}, {beyond} the picture"));
        }
    }
    let goes_on = |strip: &HistoryStrip| {
        let scale = y_scale(strip);
        let beyond = |end: Option<f64>| end.is_none_or(|end| !is_in(scale, end));
        strip_cells(strip)
            .any(|cell| cell.finite().is_some() && cell.low.or(cell.high).is_some() && (beyond(cell.low) || beyond(cell.high)))
    };
    add(history.strips.iter().any(goes_on), LegendSymbol::None, "a bar without a cap goes on beyond the picture".to_owned());
    add(cells(history).any(|cell| cell.verdict == Some(FigureVerdict::Undecided)), LegendSymbol::Hollow, "undecided".to_owned());
    add(cells(history).any(|cell| cell.finite().is_none() && !cell.is_infinite()), LegendSymbol::Cross, "no result".to_owned());
    add(cells(history).any(FigureCell::is_infinite), LegendSymbol::None, "∞: too many requests failed".to_owned());
    let called = |outcome: ChangeOutcome| history.calls.iter().flatten().flatten().any(|call| *call == outcome);
    let calls: Vec<String> = ChangeOutcome::ALL
        .into_iter()
        .filter(|outcome| called(*outcome))
        .map(|outcome| format!("{} {}", outcome.sign(), outcome.word()))
        .collect();
    add(!calls.is_empty(), LegendSymbol::None, format!("against the nights before: {}", calls.join(", ")));
    entries
}

fn draw_strip(canvas: &mut SvgCanvas<'_>, strip: &HistoryStrip, plot: &StripLayout, axis: &NightAxis) {
    draw_ground(canvas, strip, plot, axis);
    for (number, line) in strip.lines.iter().enumerate() {
        draw_bars(canvas, line, number, plot, axis);
    }
    for (number, line) in strip.lines.iter().enumerate() {
        draw_line(canvas, line, number, plot, axis);
    }
}

fn draw_ground(canvas: &mut SvgCanvas<'_>, strip: &HistoryStrip, plot: &StripLayout, axis: &NightAxis) {
    let (at, pen, grid) = (plot.at, StrokeStyle::new(theme::SOFT_INK, 1), StrokeStyle::new(theme::GRID, 1));
    for x in axis.labelled() {
        canvas.line((x, at.top), (x, at.bottom()), grid);
    }
    for (up, value) in ticks::spaced(plot.y, at.height, TICK_SIZE + 6, &[]) {
        let y = at.bottom() - up;
        canvas.line((at.left, y), (at.right(), y), grid);
        canvas.line((at.left - 4, y), (at.left, y), pen);
        canvas.text(&tick_text(strip, value), (at.left - 8, y + 4), LabelStyle::new(TICK_SIZE, theme::INK).align(TextAnchor::End));
    }
    canvas.line((at.left, at.top), (at.left, at.bottom()), pen);
    canvas.line((at.left, at.bottom()), (at.right(), at.bottom()), pen);
    if let Some(limit) = strip.limit.as_ref().filter(|limit| is_in(plot.y, limit.value)) {
        let y = y_at(plot, limit.value);
        canvas.line((at.left, y), (at.right(), y), StrokeStyle::new(theme::LIMIT, theme::LIMIT_WIDTH / 2));
    }
    let unit = if strip.quantity.unit.is_empty() { String::new() } else { format!(" [{}]", strip.quantity.unit) };
    let scale = if plot.y.mapping == ScaleMapping::Log { ", log scale" } else { "" };
    let band = if strip_cells(strip).any(|cell| cell.finite().is_none()) { BAND } else { 0 };
    let baseline = at.top - band - 10;
    let heading = words::shorten(&format!("{}{unit}{scale}", strip.heading), LEGEND_SIZE, FontWeight::Bold, at.width - 220);
    canvas.text(&heading, (at.left, baseline), LabelStyle::new(LEGEND_SIZE, theme::INK).bold());
    let bars = format!("bars: {}", strip.bars);
    canvas.text(&bars, (at.right(), baseline), LabelStyle::new(LEGEND_SIZE, theme::SOFT_INK).align(TextAnchor::End));
}

/// Bars from the interval's low end to its high one; an end that is not given, or beyond the plot, goes to its edge and has no cap.
fn draw_bars(canvas: &mut SvgCanvas<'_>, line: &NightLine, number: usize, plot: &StripLayout, axis: &NightAxis) {
    let pen = StrokeStyle::new(LineStyle::of(number).colour, 2);
    for (night, cell) in line.cells.iter().enumerate() {
        let Some(cell) = cell.as_ref().filter(|cell| cell.finite().is_some() && cell.low.or(cell.high).is_some()) else { continue };
        let x = axis.x_at(night, number);
        let place = |end: Option<f64>| end.filter(|end| is_in(plot.y, *end)).map(|end| y_at(plot, end));
        let (low, high) = (place(cell.low), place(cell.high));
        canvas.line((x, low.unwrap_or(plot.at.bottom())), (x, high.unwrap_or(plot.at.top)), pen);
        for y in [low, high].into_iter().flatten().filter(|_| low != high) {
            canvas.line((x - axis.cap(), y), (x + axis.cap() + 1, y), pen);
        }
    }
}

/// The line through neighbouring nights that have a value, a marker on each, and above the plot the nights without one.
fn draw_line(canvas: &mut SvgCanvas<'_>, line: &NightLine, number: usize, plot: &StripLayout, axis: &NightAxis) {
    let look = LineStyle::of(number);
    let at = |(night, cell): (usize, &Option<FigureCell>)| Some((axis.x_at(night, number), y_at(plot, cell.as_ref()?.finite()?)));
    let places: Vec<Option<(i32, i32)>> = line.cells.iter().enumerate().map(at).collect();
    for run in places.split(Option::is_none).filter(|run| run.len() > 1) {
        let run: Vec<(i32, i32)> = run.iter().flatten().copied().collect();
        look.draw_line(canvas, &run);
    }
    for ((night, cell), place) in line.cells.iter().enumerate().zip(&places) {
        let Some(cell) = cell else { continue };
        let fill = if cell.verdict == Some(FigureVerdict::Undecided) { MarkerFill::Hollow } else { MarkerFill::Full };
        let (x, y) = (axis.x_at(night, number), plot.at.top - BAND / 2);
        match place {
            Some(place) => look.draw_small_marker(canvas, *place, axis.radius(), fill),
            None if cell.is_infinite() => {
                canvas.text("∞", (x, y + 5), LabelStyle::new(TICK_SIZE + 3, look.colour).bold().align(TextAnchor::Middle));
            }
            None => legend::cross(canvas, (x, y), look.colour),
        }
    }
}

/// The picture in words, for those who do not see it.
fn sentences(history: &HistoryFigure) -> String {
    let nights = &history.nights;
    let mut sentences = vec![format!("{} nights.", nights.len())];
    let count = history.strips.iter().flat_map(|strip| &strip.lines).map(|line| line.cells.len()).sum::<usize>();
    for strip in &history.strips {
        sentences.push(format!("{}.", strip.heading));
        sentences.extend(description::goal(strip.limit.as_ref(), &strip.quantity));
        for line in &strip.lines {
            if count > description::MOST_LISTED {
                sentences.push(format!("{}: {}.", line.label, description::range(line.cells.iter().flatten(), &strip.quantity)));
                continue;
            }
            for (night, cell) in nights.iter().zip(&line.cells) {
                let words = cell.as_ref().map_or_else(|| "not planned".to_owned(), |cell| of_night(cell, strip));
                sentences.push(format!("{} on {} {}: {words}.", line.label, night.around, night.short));
            }
        }
    }
    sentences.join(" ")
}

/// A score is no sample of requests.
fn of_night(cell: &FigureCell, strip: &HistoryStrip) -> String {
    match (strip.samples, cell.finite(), number::interval(cell, &strip.quantity)) {
        (SampleCountRow::None, Some(value), Some(interval)) => format!("{}, {}: {interval}", number::short(value), strip.bars),
        (SampleCountRow::None, Some(value), None) => number::short(value),
        _ => description::in_words(cell, &strip.quantity, strip.limit.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::gallery::{texts, two_seconds};

    #[test]
    fn the_newest_night_is_named_and_no_two_names_touch() {
        for count in [1, 6, 14, 31, 200] {
            let figure = HistoryFigure::sample(count, 3);
            let layout = HistoryLayout::of(&figure);
            let named: Vec<(String, i32, i32)> = layout.axis.named().collect();
            assert_eq!(named.last().unwrap().0, figure.nights[count - 1].short, "{count} nights");
            let apart = named.windows(2).all(|pair| pair[0].1 + pair[0].2 / 2 + 6 <= pair[1].1 - pair[1].2 / 2);
            assert!(apart, "{count} nights: {named:?}");
        }
    }

    #[test]
    fn variants_of_a_night_stand_side_by_side_within_its_place() {
        let figure = HistoryFigure::sample(12, 3);
        let axis = HistoryLayout::of(&figure).axis;
        for night in 0..11 {
            let places = [0, 1, 2].map(|line| axis.x_at(night, line));
            assert!(places[0] < places[1] && places[1] < places[2] && places[2] < axis.x_at(night + 1, 0), "{places:?}");
        }
    }

    #[test]
    fn the_samples_of_every_night_are_there_where_there_is_room_and_in_the_subtitle_always() {
        let svg = draw(&HistoryFigure::sample(6, 2)).unwrap();
        assert_eq!(texts(&svg).iter().filter(|(text, ..)| text == "480").count(), 6);
        let svg = draw(&HistoryFigure::sample(200, 2)).unwrap();
        assert!(texts(&svg).iter().all(|(text, ..)| text != "480"));
        assert!(texts(&svg).iter().any(|(text, ..)| text.contains("n 480 per point")), "{:?}", texts(&svg));
    }

    #[test]
    fn small_changes_fill_the_strip_and_large_ones_are_laid_out_by_ratio() {
        let mut figure = HistoryFigure::sample(6, 1);
        figure.strips[0].limit = None;
        let scale = y_scale(&figure.strips[0]);
        assert!(scale.low > 0.0 && scale.mapping == ScaleMapping::Linear, "{scale:?}");
        if let Some(cell) = &mut figure.strips[0].lines[0].cells[0] {
            *cell = FigureCell::value(40.0, 480);
        }
        assert_eq!(y_scale(&figure.strips[0]).mapping, ScaleMapping::Log);
    }

    #[test]
    fn a_limit_far_away_is_told_and_not_drawn() {
        let mut figure = HistoryFigure::sample(6, 1);
        figure.strips[0].limit = Some(crate::plot::figure::PlotLimit { value: 40.0, ..two_seconds() });
        assert!(y_scale(&figure.strips[0]).high < 4.0);
        let svg = draw(&figure).unwrap();
        assert!(texts(&svg).iter().any(|(text, ..)| text == "limit: ≤ 40 s, above the picture"), "{:?}", texts(&svg));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut figure = HistoryFigure::sample(6, 2);
        figure.strips[0].lines = vec![figure.strips[0].lines[0].clone(); 25];
        assert!(matches!(draw(&figure), Err(PlotError::TooMany { what: "lines", .. })));
        figure.strips.clear();
        assert!(matches!(draw(&figure), Err(PlotError::Empty { .. })));
    }
}
