//! Draws a curve: bands, lines and markers over one axis, the limit, and a label at the end of every line.

use super::canvas::{self, Align, Canvas, Pen, Point, Rect, Type, Weight};
use super::crosses::{self, Crosses};
use super::head::Head;
use super::legend::{Entry, Legend, Sign};
use super::line::{Fill, Look};
use super::{description, ticks, words};
use crate::plot::figure::{Caption, Cell, Curve, Line, Mapping, NumericAxis, Scale, Verdict};
use crate::plot::theme::{self, AXIS_NAME_SIZE, LEGEND_SIZE, MARGIN, TICK_SIZE};
use crate::plot::{PlotError, Svg, number};

const MOST_LINES: usize = 24;
const MOST_POINTS: usize = 10_000;
const PLOT_WIDTH: i32 = 560;
const PLOT_HEIGHT: i32 = 340;
/// Between the plot's sides and the first and last point.
const INSET: i32 = 24;
const NAME_LEADING: i32 = AXIS_NAME_SIZE + 5;
const LABEL_LEADING: i32 = 20;
const SAMPLE: i32 = 34;

/// Where everything goes.
struct Layout {
    width: i32,
    height: i32,
    head: Head,
    plot: Rect,
    x: Scale,
    y: Scale,
    y_ticks: Vec<(i32, String)>,
    y_name: Vec<String>,
    y_labels: i32,
    crosses: Crosses,
    /// Line number, height and words of the labels at the right.
    labels: Vec<(usize, i32, String)>,
    legend: Legend,
    legend_top: i32,
}

pub fn draw(curve: &Curve) -> Result<Svg, PlotError> {
    check(curve)?;
    let layout = Layout::of(curve);
    let words = description::of_curve(curve);
    canvas::page(layout.width, layout.height, &curve.caption.title, &words, |canvas| {
        layout.head.draw(canvas);
        draw_axes(canvas, curve, &layout);
        for (number, line) in curve.lines.iter().enumerate() {
            draw_bands(canvas, line, Look::of(number), &layout);
        }
        draw_limit(canvas, curve, &layout);
        for (number, line) in curve.lines.iter().enumerate() {
            draw_line(canvas, line, Look::of(number), &layout);
        }
        layout.crosses.draw(canvas, layout.plot.top);
        draw_labels(canvas, &layout);
        layout.legend.draw(canvas, layout.legend_top);
    })
}

fn check(curve: &Curve) -> Result<(), PlotError> {
    let title = curve.caption.title.clone();
    let points: usize = curve.lines.iter().map(|line| line.points.len()).sum();
    if points == 0 || curve.x.values.is_empty() {
        return Err(PlotError::Empty { title });
    }
    if curve.lines.len() > MOST_LINES {
        return Err(PlotError::TooMany { title, what: "lines", found: curve.lines.len(), most: MOST_LINES });
    }
    if points > MOST_POINTS {
        return Err(PlotError::TooMany { title, what: "points", found: points, most: MOST_POINTS });
    }
    Ok(())
}

impl Layout {
    fn of(curve: &Curve) -> Self {
        let height = PLOT_HEIGHT.max(count(curve.lines.len()) * LABEL_LEADING);
        let (x, y) = (x_scale(&curve.x), y_scale(curve));
        let tick_text = |value: f64| number::short(value * curve.quantity.factor);
        let y_ticks: Vec<(i32, String)> =
            ticks::spaced(y, height, TICK_SIZE + 6, &[]).into_iter().map(|(at, value)| (at, tick_text(value))).collect();
        let y_labels = y_ticks.iter().map(|(_, text)| words::width(text, TICK_SIZE, Weight::Regular)).max().unwrap_or(0);
        let y_name = words::wrap(&y_name(curve, y), AXIS_NAME_SIZE, Weight::Regular, height + 20, 0, 3);
        let names: Vec<String> = curve.lines.iter().map(|line| words::shorten(&line.label, LEGEND_SIZE, Weight::Regular, 180)).collect();
        let names_width = names.iter().map(|name| words::width(name, LEGEND_SIZE, Weight::Regular)).max().unwrap_or(0);

        let left = MARGIN + count(y_name.len()) * NAME_LEADING + y_labels + 14;
        let width = left + PLOT_WIDTH + 12 + SAMPLE + 8 + names_width + MARGIN;
        let head = Head::new(&caption(curve), width);
        let crosses = Crosses::new(curve, |value| x_at(left, x, value), left, width - MARGIN);
        let top = head.bottom() + crosses.height() + 6;
        let plot = Rect { left, top, width: PLOT_WIDTH, height };
        let labels = labels(curve, names, plot, y);
        let legend = Legend::new(entries(curve), left, width);
        let legend_top = plot.bottom() + TICK_SIZE + 12 + NAME_LEADING + 12;
        let height = legend_top + legend.height() + MARGIN / 2;
        Self { width, height, head, plot, x, y, y_ticks, y_name, y_labels, crosses, labels, legend, legend_top }
    }

    fn x_at(&self, value: f64) -> i32 {
        x_at(self.plot.left, self.x, value)
    }

    fn y_at(&self, value: f64) -> i32 {
        self.plot.bottom() - ticks::place(self.y, value, self.plot.height)
    }
}

fn count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

fn x_at(plot_left: i32, scale: Scale, value: f64) -> i32 {
    plot_left + INSET + ticks::place(scale, value, PLOT_WIDTH - 2 * INSET)
}

fn without_value(point: &crate::plot::figure::Point) -> bool {
    crosses::word(&point.cell).is_some()
}

/// The layout, by ratio or by difference, that sets the axis' values more evenly.
fn x_scale(axis: &NumericAxis) -> Scale {
    let values: Vec<f64> = axis.values.iter().map(|(value, _)| *value).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low >= high {
        // A single value stands in the middle.
        return Scale { low: low - 1.0, high: low + 1.0, mapping: Mapping::Linear };
    }
    let linear = Scale { low, high, mapping: Mapping::Linear };
    let log = Scale { low, high, mapping: Mapping::Log };
    if low > 0.0 && unevenness(log, &values) < unevenness(linear, &values) - 1e-9 { log } else { linear }
}

/// Sum of the squared gaps, which is least where all are equal.
fn unevenness(scale: Scale, values: &[f64]) -> f64 {
    values.windows(2).map(|pair| (scale.position(pair[1]) - scale.position(pair[0])).powi(2)).sum()
}

/// By ratio where values are far apart and positive, else by difference from 0.
fn y_scale(curve: &Curve) -> Scale {
    let cells = || curve.lines.iter().flat_map(|line| &line.points).map(|point| &point.cell);
    let ends = cells().filter(|cell| cell.finite().is_some()).flat_map(|cell| [cell.low, cell.high]).flatten();
    let shown: Vec<f64> = cells()
        .filter_map(Cell::finite)
        .chain(ends)
        .chain(curve.limit.map(|limit| limit.value))
        .filter(|value| value.is_finite())
        .collect();
    let low = shown.iter().copied().fold(f64::INFINITY, f64::min);
    let high = shown.iter().copied().fold(0.0, f64::max);
    if low > 0.0 && high / low >= 8.0 { Scale::around(shown) } else { Scale::linear_around(low.min(0.0), high * 1.04) }
}

fn y_name(curve: &Curve, y: Scale) -> String {
    let mapping = if y.mapping == Mapping::Log { ", log scale" } else { "" };
    if curve.quantity.unit.is_empty() {
        format!("{}{mapping}", curve.quantity.name)
    } else {
        format!("{} [{}]{mapping}", curve.quantity.name, curve.quantity.unit)
    }
}

/// The figure's caption with the samples behind its points.
fn caption(curve: &Curve) -> Caption {
    let mut caption = curve.caption.clone();
    let samples = || curve.lines.iter().flat_map(|line| &line.points).filter(|point| !without_value(point)).map(|point| point.cell.n);
    if let (Some(low), Some(high)) = (samples().min(), samples().max()) {
        let range = if low == high { format!("n {low}") } else { format!("n {low} to {high}") };
        let join = if caption.subtitle.is_empty() { "" } else { " · " };
        caption.subtitle = format!("{}{join}{range} per point", caption.subtitle);
    }
    caption
}

/// Labels at the height of each line's last value, pushed apart where they would touch.
fn labels(curve: &Curve, names: Vec<String>, plot: Rect, y: Scale) -> Vec<(usize, i32, String)> {
    let end = |line: &Line| line.points.iter().rev().find_map(|point| point.cell.finite());
    let mut labels: Vec<(usize, i32, String)> = names
        .into_iter()
        .zip(&curve.lines)
        .enumerate()
        .map(|(number, (name, line))| {
            let up = end(line).map_or(plot.height, |value| ticks::place(y, value, plot.height));
            (number, plot.bottom() - up, name)
        })
        .collect();
    labels.sort_by_key(|(number, at, _)| (*at, *number));
    let mut least = plot.top + LABEL_LEADING / 2;
    for (_, at, _) in &mut labels {
        *at = (*at).max(least);
        least = *at + LABEL_LEADING;
    }
    let mut most = plot.bottom() - LABEL_LEADING / 2;
    for (_, at, _) in labels.iter_mut().rev() {
        *at = (*at).min(most);
        most = *at - LABEL_LEADING;
    }
    labels
}

fn entries(curve: &Curve) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |sign, words: String| entries.push(Entry { sign, words });
    let cells = || curve.lines.iter().flat_map(|line| &line.points).map(|point| &point.cell);
    if let Some(limit) = &curve.limit {
        add(Sign::Limit, format!("limit: {}", number::goal(limit, &curve.quantity)));
    }
    if cells().any(|cell| cell.low.or(cell.high).is_some() && cell.finite().is_some()) {
        add(Sign::Band, format!("{} interval", number::confidence(curve.confidence)));
    }
    if cells().any(|cell| cell.verdict == Some(Verdict::Undecided) && cell.finite().is_some()) {
        add(Sign::Hollow, format!("undecided at {}: too few samples", number::confidence(curve.confidence)));
    }
    if cells().any(|cell| cell.finite().is_none()) {
        add(Sign::Cross, "no value".to_owned());
    }
    if cells().any(Cell::is_infinite) {
        add(Sign::None, "∞: too many requests failed".to_owned());
    }
    entries
}

fn draw_axes(canvas: &mut Canvas<'_>, curve: &Curve, layout: &Layout) {
    let plot = layout.plot;
    let tick = Type::new(TICK_SIZE, theme::INK);
    let pen = Pen::new(theme::SOFT_INK, 1);
    for (up, text) in &layout.y_ticks {
        let y = plot.bottom() - up;
        canvas.line((plot.left, y), (plot.right(), y), Pen::new(theme::GRID, 1));
        canvas.line((plot.left - 4, y), (plot.left, y), pen);
        canvas.text(text, (plot.left - 8, y + 4), tick.align(Align::End));
    }
    let mut free_from = i32::MIN;
    for (value, label) in &curve.x.values {
        let x = layout.x_at(*value);
        canvas.line((x, plot.bottom()), (x, plot.bottom() + 4), pen);
        let label = words::shorten(label, TICK_SIZE, Weight::Regular, 110);
        let half = words::width(&label, TICK_SIZE, Weight::Regular) / 2;
        if x - half >= free_from && x + half < layout.width {
            canvas.text(&label, (x, plot.bottom() + 6 + TICK_SIZE), tick.align(Align::Middle));
            free_from = x + half + 8;
        }
    }
    canvas.line((plot.left, plot.top), (plot.left, plot.bottom()), pen);
    canvas.line((plot.left, plot.bottom()), (plot.right(), plot.bottom()), pen);

    let face = Type::new(AXIS_NAME_SIZE, theme::INK).align(Align::Middle);
    let (x, y) = plot.centre();
    let mapping = if layout.x.mapping == Mapping::Log { ", log scale" } else { "" };
    let unit = if curve.x.unit.is_empty() { String::new() } else { format!(" [{}]", curve.x.unit) };
    let name = words::shorten(&format!("{}{unit}{mapping}", curve.x.name), AXIS_NAME_SIZE, Weight::Regular, plot.width);
    canvas.text(&name, (x, plot.bottom() + TICK_SIZE + 12 + AXIS_NAME_SIZE), face);
    let mut baseline = plot.left - layout.y_labels - 14 - (count(layout.y_name.len()) - 1) * NAME_LEADING - 4;
    for line in &layout.y_name {
        canvas.text_upward(line, (baseline, y), face);
        baseline += NAME_LEADING;
    }
}

/// Runs of neighbouring points that have a value: a line is broken where one is missing.
fn runs(line: &Line) -> impl Iterator<Item = &[crate::plot::figure::Point]> {
    line.points.split(without_value).filter(|run| !run.is_empty())
}

fn draw_bands(canvas: &mut Canvas<'_>, line: &Line, look: Look, layout: &Layout) {
    for run in runs(line) {
        let ends: Vec<(i32, i32, i32)> = run
            .iter()
            .map(|point| (layout.x_at(point.x), &point.cell))
            .filter(|(_, cell)| cell.low.or(cell.high).is_some())
            // An end that so few samples do not give is out of the picture.
            .map(|(x, cell)| (x, layout.y_at(cell.low.unwrap_or(f64::NEG_INFINITY)), layout.y_at(cell.high.unwrap_or(f64::INFINITY))))
            .collect();
        match ends.as_slice() {
            [] => {}
            [(x, low, high)] => canvas.polygon([(x - 4, *low), (x - 4, *high), (x + 4, *high), (x + 4, *low)], look.colour, 0.18),
            ends => {
                let upper = ends.iter().map(|(x, _, high)| (*x, *high));
                let lower = ends.iter().rev().map(|(x, low, _)| (*x, *low));
                canvas.polygon(upper.chain(lower), look.colour, 0.18);
            }
        }
    }
}

fn draw_limit(canvas: &mut Canvas<'_>, curve: &Curve, layout: &Layout) {
    let Some(limit) = &curve.limit else { return };
    let (y, plot) = (layout.y_at(limit.value), layout.plot);
    canvas.line((plot.left, y), (plot.right(), y), Pen::new(theme::LIMIT, theme::LIMIT_WIDTH / 2));
}

fn draw_line(canvas: &mut Canvas<'_>, line: &Line, look: Look, layout: &Layout) {
    let at = |point: &crate::plot::figure::Point| point.cell.finite().map(|value| (layout.x_at(point.x), layout.y_at(value)));
    for run in runs(line) {
        let points: Vec<Point> = run.iter().filter_map(at).collect();
        if points.len() > 1 {
            look.draw_line(canvas, &points);
        }
    }
    for point in &line.points {
        let fill = if point.cell.verdict == Some(Verdict::Undecided) { Fill::Hollow } else { Fill::Full };
        if let Some(place) = at(point) {
            look.draw_marker(canvas, place, fill);
        }
    }
}

fn draw_labels(canvas: &mut Canvas<'_>, layout: &Layout) {
    let left = layout.plot.right() + 12;
    for (number, y, name) in &layout.labels {
        let look = Look::of(*number);
        look.draw_line(canvas, &[(left, *y), (left + SAMPLE, *y)]);
        look.draw_marker(canvas, (left + SAMPLE / 2, *y), Fill::Full);
        canvas.text(name, (left + SAMPLE + 8, y + 4), Type::new(LEGEND_SIZE, theme::INK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::gallery::{curve, texts};

    fn axis(values: &[f64]) -> NumericAxis {
        NumericAxis { name: "users".into(), unit: String::new(), values: values.iter().map(|x| (*x, x.to_string())).collect() }
    }

    #[test]
    fn doublings_are_laid_out_by_ratio_and_even_steps_by_difference() {
        assert_eq!(x_scale(&axis(&[1.0, 2.0, 4.0, 8.0])).mapping, Mapping::Log);
        assert_eq!(x_scale(&axis(&[1.0, 2.0, 3.0, 4.0])).mapping, Mapping::Linear);
        assert_eq!(x_scale(&axis(&[0.0, 10.0, 1000.0])).mapping, Mapping::Linear);
        assert_eq!(ticks::place(x_scale(&axis(&[5.0])), 5.0, 100), 50);
    }

    #[test]
    fn points_without_a_value_break_the_line_and_stand_above_with_a_word() {
        let figure = curve();
        let svg = draw(&figure).unwrap();
        let layout = Layout::of(&figure);
        for word in ["vllm: ∞", "lmcache: failed"] {
            let (_, _, y) = texts(&svg).into_iter().find(|(text, ..)| text == word).unwrap();
            assert!(y < layout.plot.top, "{word}");
        }
        assert_eq!(runs(&figure.lines[1]).map(<[_]>::len).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn labels_stand_apart_and_beside_the_plot() {
        let mut figure = curve();
        figure.lines = (0..10).map(|n| Line { label: format!("v{n}"), ..figure.lines[0].clone() }).collect();
        let layout = Layout::of(&figure);
        let heights: Vec<i32> = layout.labels.iter().map(|(_, at, _)| *at).collect();
        assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= LABEL_LEADING), "{heights:?}");
        assert!(heights[0] >= layout.plot.top && heights[9] <= layout.plot.bottom());
    }

    #[test]
    fn values_far_apart_are_laid_out_by_ratio_and_near_ones_from_zero() {
        let figure = curve();
        assert_eq!(y_scale(&figure).mapping, Mapping::Log);
        let mut near = figure;
        near.lines.remove(0);
        near.limit = None;
        let scale = y_scale(&near);
        assert_eq!((scale.mapping, scale.low), (Mapping::Linear, 0.0));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut figure = curve();
        figure.lines = vec![figure.lines[0].clone(); 25];
        assert!(matches!(draw(&figure), Err(PlotError::TooMany { what: "lines", .. })));
        figure.lines.clear();
        assert!(matches!(draw(&figure), Err(PlotError::Empty { .. })));
    }
}
