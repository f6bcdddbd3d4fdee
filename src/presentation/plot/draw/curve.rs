//! Draws a curve: bands, lines and markers over one axis, the limit, n at the points, and a name at the end of every line.

use super::canvas::{Point, StrokeStyle, SvgCanvas};
use super::description;
use super::frame::{self, AxisTick, FrameAxis, PlotFrame};
use super::grid::count;
use super::interval::{self, PixelInterval};
use super::label_placer::LabelPlacer;
use super::labels::{self, LineLabels};
use super::legend::{LegendEntry, LegendSymbol};
use super::line::{LineStyle, MarkerFill};
use super::missing_points::{self, MissingPointLayout};
use super::sheet::FigureSheet;
use crate::plot::figure::{self, CurveFigure, CurveLine, FigureCaption, FigureCell, FigureVerdict, NumericAxis, PlotScale, ScaleMapping};
use crate::plot::theme::{self, MARGIN};
use crate::plot::{PlotError, SvgDocument, number};

const MOST_LINES: usize = 24;
const MOST_POINTS: usize = 10_000;
/// Width and height of the plot on a page of its own, and as one of several panels.
pub const WHOLE: (i32, i32) = (560, 340);
pub const PANEL: (i32, i32) = (380, 260);
/// Rays of several lines at one value stand so far from each other.
const BETWEEN_RAYS: i32 = 8;

pub fn draw(curve: &CurveFigure) -> Result<SvgDocument, PlotError> {
    sheet(curve, y_scale([curve]), WHOLE)?.draw()
}

/// A curve whose values are laid out on a given scale, which curves that are to be compared share.
pub fn sheet(curve: &CurveFigure, y: PlotScale, size: (i32, i32)) -> Result<FigureSheet<'_>, PlotError> {
    check(curve)?;
    let drawing = CurveLayout::of(curve, y, size);
    let (width, height) = drawing.frame.size(&names(curve));
    Ok(FigureSheet {
        caption: caption(curve),
        description: sentences(curve),
        size: (width, drawing.crosses.height() + height),
        inset: drawing.frame.plot.left - MARGIN,
        entries: entries(curve),
        bar: None,
        paint: Box::new(move |canvas, (_, top)| drawing.draw(canvas, top)),
    })
}

/// A curve with its axes and what stands above them.
struct CurveLayout<'a> {
    curve: &'a CurveFigure,
    /// At the page's upper edge.
    frame: PlotFrame,
    crosses: MissingPointLayout,
}

impl<'a> CurveLayout<'a> {
    fn of(curve: &'a CurveFigure, y: PlotScale, size: (i32, i32)) -> Self {
        let height = size.1.max(count(curve.lines.len()) * labels::LEADING);
        let x = FrameAxis::of_stops(x_scale(&curve.x), (&curve.x.name, &curve.x.unit), stops(curve));
        let frame = PlotFrame::new(x, FrameAxis::new(y, &curve.quantity), 0, size.0, height);
        let right = MARGIN + frame.size(&names(curve)).0;
        let crosses = MissingPointLayout::new(curve, |value| frame.x_at(value), frame.plot.left, right);
        Self { curve, frame, crosses }
    }

    fn draw(&self, canvas: &mut SvgCanvas<'_>, top: i32) {
        let frame = self.frame.clone().below(top + self.crosses.height() + frame::ABOVE);
        frame.draw(canvas);
        let lines = || self.curve.lines.iter().zip(0..).map(|(line, number)| (line, LineStyle::of(number)));
        for (line, look) in lines().filter(|_| self.curve.bands) {
            draw_bands(canvas, line, look, &frame);
        }
        draw_limit(canvas, self.curve, &frame);
        if self.curve.bands {
            draw_rays(canvas, self.curve, &frame);
        }
        for (line, look) in lines() {
            draw_line(canvas, line, look, &frame);
        }
        draw_samples(canvas, self.curve, &frame);
        self.crosses.draw(canvas, frame.plot.top);
        let end = |line: &CurveLine| line.points.iter().rev().find_map(|point| point.cell.finite());
        // A line without any value has its name at the upper edge, where its crosses are.
        let ends = self.curve.lines.iter().map(|line| end(line).map_or(frame.plot.top, |value| frame.y_at(value)));
        LineLabels::new(ends.zip(names(self.curve)), frame.plot).draw(canvas, frame.plot);
    }
}

fn check(curve: &CurveFigure) -> Result<(), PlotError> {
    let title = curve.caption.title.clone();
    let points: usize = curve.lines.iter().map(|line| line.points.len()).sum();
    if points == 0 || curve.x.values.is_empty() {
        return Err(PlotError::Empty { title });
    }
    for (what, found, most) in [("lines", curve.lines.len(), MOST_LINES), ("points", points, MOST_POINTS)] {
        if found > most {
            return Err(PlotError::TooMany { title, what, found, most });
        }
    }
    Ok(())
}

fn names(curve: &CurveFigure) -> Vec<String> {
    curve.lines.iter().map(|line| line.label.clone()).collect()
}

fn without_value(point: &figure::CurvePoint) -> bool {
    missing_points::word(&point.cell).is_some()
}

/// How many samples each line has at a value of the axis, where it has a result there.
#[expect(clippy::float_cmp, reason = "points carry the axis' own values")]
fn samples_at(curve: &CurveFigure, x: f64) -> Vec<u64> {
    let points = curve.lines.iter().flat_map(|line| &line.points);
    points.filter(|point| point.x == x && !without_value(point)).map(|point| point.cell.n).collect()
}

/// The n that all lines have at a value; `None` where they differ.
fn common_n(curve: &CurveFigure, x: f64) -> Option<u64> {
    let samples = samples_at(curve, x);
    samples.first().copied().filter(|first| samples.iter().all(|n| n == first))
}

/// The axis' values, each with its n below where that is the same for all lines.
fn stops(curve: &CurveFigure) -> Vec<AxisTick> {
    let note = |x: f64| common_n(curve, x).map(|n| format!("n {n}")).unwrap_or_default();
    curve.x.values.iter().map(|(value, label)| AxisTick { value: *value, label: label.clone(), note: note(*value) }).collect()
}

/// The layout, by ratio or by difference, that sets the axis' values more evenly.
fn x_scale(axis: &NumericAxis) -> PlotScale {
    let values: Vec<f64> = axis.values.iter().map(|(value, _)| *value).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low >= high {
        // A single value stands in the middle.
        return PlotScale { low: low - 1.0, high: low + 1.0, mapping: ScaleMapping::Linear };
    }
    let linear = PlotScale { low, high, mapping: ScaleMapping::Linear };
    let log = PlotScale { low, high, mapping: ScaleMapping::Log };
    if low > 0.0 && unevenness(log, &values) < unevenness(linear, &values) - 1e-9 { log } else { linear }
}

/// Sum of the squared gaps, which is least where all are equal.
fn unevenness(scale: PlotScale, values: &[f64]) -> f64 {
    values.windows(2).map(|pair| (scale.position(pair[1]) - scale.position(pair[0])).powi(2)).sum()
}

/// Of all the curves' values: by ratio where these are far apart and positive, else by difference from 0.
pub fn y_scale<'a>(curves: impl IntoIterator<Item = &'a CurveFigure>) -> PlotScale {
    let curves: Vec<&CurveFigure> = curves.into_iter().collect();
    let cells = || curves.iter().flat_map(|curve| &curve.lines).flat_map(|line| &line.points).map(|point| &point.cell);
    let banded =
        || curves.iter().filter(|curve| curve.bands).flat_map(|curve| &curve.lines).flat_map(|line| &line.points).map(|point| &point.cell);
    let ends = banded().filter(|cell| cell.finite().is_some()).flat_map(|cell| [cell.low, cell.high]).flatten();
    let limits = curves.iter().filter_map(|curve| curve.limit).map(|limit| limit.value);
    let shown: Vec<f64> = cells().filter_map(FigureCell::finite).chain(ends).chain(limits).filter(|value| value.is_finite()).collect();
    let low = shown.iter().copied().fold(f64::INFINITY, f64::min);
    let high = shown.iter().copied().fold(0.0, f64::max);
    let are_shares = curves.iter().all(|curve| curve.quantity.unit == "%");
    if are_shares && (0.8..=1.0).contains(&high) && low >= 0.0 {
        // Nothing is more than all of it.
        return PlotScale { low: 0.0, high: 1.0, mapping: ScaleMapping::Linear };
    }
    if low > 0.0 && high / low >= 8.0 { PlotScale::around(shown) } else { PlotScale::linear_around(low.min(0.0), high * 1.04) }
}

/// The figure's caption with the samples behind its points.
fn caption(curve: &CurveFigure) -> FigureCaption {
    let mut caption = curve.caption.clone();
    let samples = || curve.lines.iter().flat_map(|line| &line.points).filter(|point| !without_value(point)).map(|point| point.cell.n);
    if let (Some(low), Some(high)) = (samples().min(), samples().max()) {
        let range = if low == high { format!("n {low}") } else { format!("n {low} to {high}") };
        let join = if caption.subtitle.is_empty() { "" } else { " · " };
        caption.subtitle = format!("{}{join}{range} per point", caption.subtitle);
    }
    caption
}

fn entries(curve: &CurveFigure) -> Vec<LegendEntry> {
    let mut entries = Vec::new();
    let mut add = |sign, words: String| entries.push(LegendEntry { sign, words });
    let cells = || curve.lines.iter().flat_map(|line| &line.points).map(|point| &point.cell);
    let intervals = || cells().filter(|_| curve.bands).filter_map(|cell| PixelInterval::of(cell, 0, |_| 0));
    let sure = number::confidence(curve.confidence);
    if let Some(limit) = &curve.limit {
        add(LegendSymbol::Limit, format!("limit: {}", number::goal(limit, &curve.quantity)));
    }
    if intervals().any(|stretch| stretch.low.or(stretch.high).is_some()) {
        add(LegendSymbol::Band, format!("{sure} interval"));
    }
    if intervals().any(|stretch| stretch.low.is_none() || stretch.high.is_none()) {
        let early = cells().any(|cell| !cell.sign.is_empty());
        let why = if early { "too few samples, or stopped early" } else { "too few samples, or too many failed" };
        add(LegendSymbol::Open, format!("its end is not known: {why}"));
    }
    if cells().any(|cell| cell.verdict == Some(FigureVerdict::Undecided) && cell.finite().is_some()) {
        add(LegendSymbol::Hollow, format!("undecided at {sure}: too few samples"));
    }
    if cells().any(|cell| cell.finite().is_none()) {
        add(LegendSymbol::Cross, "no value".to_owned());
    }
    if cells().any(FigureCell::is_infinite) {
        add(LegendSymbol::None, "∞: too many requests failed".to_owned());
    }
    entries
}

/// Runs of neighbouring points that have a value: a line is broken where one is missing.
fn runs(line: &CurveLine) -> impl Iterator<Item = &[figure::CurvePoint]> {
    line.points.split(without_value).filter(|run| !run.is_empty())
}

fn stretch(point: &figure::CurvePoint, frame: &PlotFrame) -> Option<PixelInterval> {
    PixelInterval::of(&point.cell, frame.x_at(point.x), |value| frame.y_at(value))
}

fn draw_bands(canvas: &mut SvgCanvas<'_>, line: &CurveLine, look: LineStyle, frame: &PlotFrame) {
    for run in runs(line) {
        let stretches: Vec<PixelInterval> = run.iter().filter_map(|point| stretch(point, frame)).collect();
        interval::band(canvas, &stretches, look.colour);
    }
}

/// A ray to the plot's edge from each point whose interval has no end there; those of several lines stand beside each other.
fn draw_rays(canvas: &mut SvgCanvas<'_>, curve: &CurveFigure, frame: &PlotFrame) {
    let middle = (count(curve.lines.len()) - 1) * BETWEEN_RAYS / 2;
    for ((line, number), shift) in curve.lines.iter().zip(0..).zip((0..).map(|number: i32| number * BETWEEN_RAYS - middle)) {
        for stretch in line.points.iter().filter_map(|point| stretch(point, frame)) {
            let (from, colour) = ((stretch.x + shift, stretch.value), LineStyle::of(number).colour);
            if stretch.high.is_none() {
                interval::ray(canvas, from, frame.plot.top, colour);
            }
            if stretch.low.is_none() {
                interval::ray(canvas, from, frame.plot.bottom(), colour);
            }
        }
    }
}

fn draw_limit(canvas: &mut SvgCanvas<'_>, curve: &CurveFigure, frame: &PlotFrame) {
    let Some(limit) = &curve.limit else { return };
    let (y, plot) = (frame.y_at(limit.value), frame.plot);
    canvas.line((plot.left, y), (plot.right(), y), StrokeStyle::new(theme::LIMIT, theme::LIMIT_WIDTH / 2));
}

fn draw_line(canvas: &mut SvgCanvas<'_>, line: &CurveLine, look: LineStyle, frame: &PlotFrame) {
    let at = |point: &figure::CurvePoint| point.cell.finite().map(|value| frame.at(point.x, value));
    for run in runs(line) {
        let points: Vec<Point> = run.iter().filter_map(at).collect();
        if points.len() > 1 {
            look.draw_line(canvas, &points);
        }
    }
    for point in &line.points {
        let fill = if point.cell.verdict == Some(FigureVerdict::Undecided) { MarkerFill::Hollow } else { MarkerFill::Full };
        if let Some(place) = at(point) {
            look.draw_marker(canvas, place, fill);
        }
    }
}

/// The n of points beside them, where lines differ in it and there is room; the subtitle has the range of all.
fn draw_samples(canvas: &mut SvgCanvas<'_>, curve: &CurveFigure, frame: &PlotFrame) {
    let points = || curve.lines.iter().zip(0..).flat_map(|(line, number)| line.points.iter().map(move |point| (number, point)));
    let at = |point: &figure::CurvePoint| Some(frame.at(point.x, point.cell.finite()?));
    let mut beside = LabelPlacer::new(frame.plot, points().filter_map(|(_, point)| at(point)));
    for (number, point) in points().filter(|(_, point)| common_n(curve, point.x).is_none()) {
        if let Some(marker) = at(point) {
            beside.draw(canvas, marker, &format!("n {}", point.cell.n), LineStyle::of(number).colour);
        }
    }
}

/// The picture in words, for those who do not see it.
fn sentences(curve: &CurveFigure) -> String {
    let CurveFigure { x, quantity, .. } = curve;
    let mut sentences = vec![format!("Curve of {} over {}.", quantity.name, x.name)];
    sentences.extend(description::goal(curve.limit.as_ref(), quantity));
    let count = curve.lines.iter().map(|line| line.points.len()).sum::<usize>();
    for line in &curve.lines {
        if count > description::MOST_LISTED {
            let range = description::range(line.points.iter().map(|point| &point.cell), quantity);
            sentences.push(format!("{}: {} points, {range}.", line.label, line.points.len()));
            continue;
        }
        for point in &line.points {
            let words = description::in_words(&point.cell, quantity, curve.limit.as_ref());
            sentences.push(format!("{} at {}: {words}.", line.label, x.label(point.x)));
        }
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::draw::ticks;
    use crate::plot::gallery::texts;

    fn axis(values: &[f64]) -> NumericAxis {
        NumericAxis { name: "users".into(), unit: String::new(), values: values.iter().map(|x| (*x, x.to_string())).collect() }
    }

    fn words(curve: &CurveFigure) -> Vec<String> {
        texts(&draw(curve).unwrap()).into_iter().map(|(text, ..)| text).collect()
    }

    #[test]
    fn doublings_are_laid_out_by_ratio_and_even_steps_by_difference() {
        assert_eq!(x_scale(&axis(&[1.0, 2.0, 4.0, 8.0])).mapping, ScaleMapping::Log);
        assert_eq!(x_scale(&axis(&[1.0, 2.0, 3.0, 4.0])).mapping, ScaleMapping::Linear);
        assert_eq!(x_scale(&axis(&[0.0, 10.0, 1000.0])).mapping, ScaleMapping::Linear);
        assert_eq!(ticks::place(x_scale(&axis(&[5.0])), 5.0, 100), 50);
    }

    #[test]
    fn points_without_a_value_break_the_line_and_stand_above_with_a_word() {
        let figure = CurveFigure::sample();
        let all = texts(&draw(&figure).unwrap());
        let height = |word: &str| all.iter().find(|(text, ..)| text == word).unwrap().2;
        // The uppermost tick stands at the plot's upper edge.
        for word in ["vllm: ∞", "lmcache: failed"] {
            assert!(height(word) < height("20"), "{word}");
        }
        assert_eq!(runs(&figure.lines[1]).map(<[_]>::len).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn samples_stand_below_the_axis_where_lines_agree_and_at_the_points_where_they_do_not() {
        let mut figure = CurveFigure::sample();
        let n = |words: &[String], text: &str| words.iter().filter(|word| *word == text).count();
        assert_eq!(n(&words(&figure), "n 120"), 1, "both lines have 120 at the second value");
        figure.lines[0].points[1].cell.n = 119;
        let apart = words(&figure);
        assert_eq!((n(&apart, "n 119"), n(&apart, "n 120"), n(&apart, "n 60")), (1, 1, 1), "{apart:?}");
    }

    #[test]
    fn an_interval_without_an_upper_end_is_a_ray_and_no_band_up_to_the_edge() {
        let mut figure = CurveFigure::sample();
        let closed = draw(&figure).unwrap();
        let dashes = |svg: &SvgDocument| svg.text.matches("stroke-dasharray=\"3 3\"").count();
        assert_eq!(dashes(&closed), 0);
        figure.lines[0].points[1].cell.high = Some(f64::INFINITY);
        figure.lines[1].points[0].cell.high = None;
        let open = draw(&figure).unwrap();
        assert_eq!(dashes(&open), 3, "one a point, one in the legend");
        assert!(words(&figure).iter().any(|word| word.starts_with("its end is not known")));
        assert_eq!(y_scale([&figure]), y_scale([&CurveFigure::sample()]), "what is not known does not stretch the axis");
    }

    #[test]
    fn values_far_apart_are_laid_out_by_ratio_and_near_ones_from_zero() {
        let figure = CurveFigure::sample();
        assert_eq!(y_scale([&figure]).mapping, ScaleMapping::Log);
        let mut near = figure;
        near.lines.remove(0);
        near.limit = None;
        let scale = y_scale([&near]);
        assert_eq!((scale.mapping, scale.low), (ScaleMapping::Linear, 0.0));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut figure = CurveFigure::sample();
        figure.lines = vec![figure.lines[0].clone(); 25];
        assert!(matches!(draw(&figure), Err(PlotError::TooMany { what: "lines", .. })));
        figure.lines.clear();
        assert!(matches!(draw(&figure), Err(PlotError::Empty { .. })));
    }
}
