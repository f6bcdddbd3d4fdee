//! Draws distribution functions: a band and a line of steps each, the limit upright, the share that must keep it across.

use super::canvas::{Point, StrokeStyle, SvgCanvas};
use super::description;
use super::frame::{self, FrameAxis, PlotFrame};
use super::grid::count;
use super::labels::{self, LineLabels};
use super::legend::{LegendEntry, LegendSymbol, cross};
use super::line::{LineStyle, MarkerFill};
use super::sheet::FigureSheet;
use crate::plot::figure::{CdfFigure, CdfLine, PlotQuantity, PlotScale, ScaleMapping};
use crate::plot::theme::{self, MARGIN};
use crate::plot::{PlotError, SvgDocument, number};
use crate::vocabulary::metric::MetricDirection;

const MOST_LINES: usize = 24;
const PLOT_WIDTH: i32 = 560;
const PLOT_HEIGHT: i32 = 340;
const BAND: f64 = 0.14;

pub fn draw(cdf: &CdfFigure) -> Result<SvgDocument, PlotError> {
    check(cdf)?;
    let names: Vec<String> = cdf.lines.iter().map(name).collect();
    let height = PLOT_HEIGHT.max(count(cdf.lines.len()) * labels::LEADING);
    let (x, y) = rulers(cdf);
    let frame = PlotFrame::new(x, y, 0, PLOT_WIDTH, height);
    let sheet = FigureSheet {
        caption: cdf.caption.clone(),
        description: sentences(cdf),
        size: frame.size(&names),
        inset: frame.plot.left - MARGIN,
        entries: entries(cdf),
        bar: None,
        paint: Box::new(move |canvas, (_, top)| {
            let frame = frame.clone().below(top + frame::ABOVE);
            frame.draw(canvas);
            let lines = || cdf.lines.iter().zip(0..).map(|(line, number)| (line, LineStyle::of(number)));
            for (line, look) in lines() {
                draw_band(canvas, line, look, &frame);
            }
            draw_limit(canvas, cdf, &frame);
            for (line, look) in lines() {
                draw_line(canvas, line, look, &frame);
            }
            let end = |line: &CdfLine| frame.y_at(line.steps.last().map_or(0.0, |(_, share)| *share));
            LineLabels::new(cdf.lines.iter().map(end).zip(names.iter().cloned()), frame.plot).draw(canvas, frame.plot);
        }),
    };
    sheet.draw()
}

fn check(cdf: &CdfFigure) -> Result<(), PlotError> {
    let title = cdf.caption.title.clone();
    if cdf.lines.iter().all(|line| line.steps.is_empty()) {
        return Err(PlotError::Empty { title });
    }
    if cdf.lines.len() > MOST_LINES {
        return Err(PlotError::TooMany { title, what: "lines", found: cdf.lines.len(), most: MOST_LINES });
    }
    Ok(())
}

/// A line's name with what is behind it.
fn name(line: &CdfLine) -> String {
    let failed = if line.failed > 0 { format!(", {} failed", line.failed) } else { String::new() };
    match &line.without {
        Some(reason) => format!("{}: {reason}", line.label),
        None => format!("{}, n {}{failed}", line.label, line.n),
    }
}

fn rulers(cdf: &CdfFigure) -> (FrameAxis, FrameAxis) {
    let values = cdf.lines.iter().flat_map(|line| line.steps.iter().map(|(value, _)| *value));
    let scale = PlotScale::around(values.filter(|value| *value != 0.0).chain(cdf.limit.map(|limit| limit.value)));
    let share = PlotQuantity { name: "share of requests".into(), unit: "%".into(), factor: 100.0 };
    let whole = PlotScale { low: 0.0, high: 1.0, mapping: ScaleMapping::Linear };
    (FrameAxis::new(scale, &cdf.quantity), FrameAxis::new(whole, &share))
}

fn entries(cdf: &CdfFigure) -> Vec<LegendEntry> {
    let mut entries = Vec::new();
    let mut add = |sign, words: String| entries.push(LegendEntry { sign, words });
    if let Some(limit) = &cdf.limit {
        let share = cdf.share.map(|share| format!(" for {} of requests", number::confidence(share)));
        add(LegendSymbol::Limit, format!("goal: {}{}", number::goal(limit, &cdf.quantity), share.unwrap_or_default()));
    }
    if cdf.lines.iter().any(|line| line.margin.is_some()) {
        let confidence = number::confidence(cdf.confidence);
        add(LegendSymbol::Band, format!("{confidence} band of the whole line (DKW), requests taken as independent"));
    }
    if cdf.lines.iter().any(|line| line.failed > 0) {
        let words = if cdf.better == MetricDirection::Lower {
            "failed requests never get there: the line ends below 100 %"
        } else {
            "failed requests are below all"
        };
        add(LegendSymbol::Cross, words.to_owned());
    }
    entries
}

/// The corners of a line of steps, moved up by `offset` and kept between 0 and 1, from edge to edge of the plot.
fn corners(line: &CdfLine, offset: f64, frame: &PlotFrame) -> Vec<Point> {
    let y = |share: f64| frame.y_at((share + offset).clamp(0.0, 1.0));
    let mut points = vec![(frame.plot.left, y(0.0))];
    let mut before = 0.0;
    for (value, share) in &line.steps {
        let x = frame.x_at(*value);
        points.extend([(x, y(before)), (x, y(*share))]);
        before = *share;
    }
    points.push((frame.plot.right(), y(before)));
    points.dedup();
    points
}

fn draw_band(canvas: &mut SvgCanvas<'_>, line: &CdfLine, look: LineStyle, frame: &PlotFrame) {
    if let Some(margin) = line.margin.filter(|_| !line.steps.is_empty()) {
        let lower = corners(line, -margin, frame).into_iter().rev();
        canvas.polygon(corners(line, margin, frame).into_iter().chain(lower), look.colour, BAND);
    }
}

fn draw_limit(canvas: &mut SvgCanvas<'_>, cdf: &CdfFigure, frame: &PlotFrame) {
    let Some(limit) = &cdf.limit else { return };
    let (x, plot) = (frame.x_at(limit.value), frame.plot);
    let pen = StrokeStyle::new(theme::LIMIT, theme::LIMIT_WIDTH / 2);
    canvas.line((x, plot.top), (x, plot.bottom()), pen);
    if let Some(share) = cdf.share {
        let y = frame.y_at(share);
        canvas.line((plot.left, y), (plot.right(), y), StrokeStyle::new(theme::LIMIT, 1));
    }
}

fn draw_line(canvas: &mut SvgCanvas<'_>, line: &CdfLine, look: LineStyle, frame: &PlotFrame) {
    if line.steps.is_empty() {
        return;
    }
    look.draw_line(canvas, &corners(line, 0.0, frame));
    // A marker at a step in the middle, since a line alone is told apart by colour and dash only.
    let last = line.steps.last().map_or(0.0, |(_, share)| *share);
    if let Some((value, share)) = line.steps.iter().find(|(_, share)| *share >= last / 2.0) {
        look.draw_marker(canvas, frame.at(*value, *share), MarkerFill::Full);
    }
    if line.failed > 0 {
        cross(canvas, (frame.plot.right(), frame.y_at(last)), look.colour);
    }
}

/// The picture in words, for those who do not see it.
fn sentences(cdf: &CdfFigure) -> String {
    let quantity = &cdf.quantity;
    let mut sentences = vec![format!("Distribution of {}.", quantity.name)];
    sentences.extend(description::goal(cdf.limit.as_ref(), quantity));
    for line in &cdf.lines {
        if let Some(reason) = &line.without {
            sentences.push(format!("{}: {reason}.", line.label));
            continue;
        }
        let at = |share: f64| {
            let reached = line.steps.iter().find(|(_, reached)| *reached >= share);
            reached.map_or("never".to_owned(), |(value, _)| format!("{} {}", number::three_digits(value * quantity.factor), quantity.unit))
        };
        let (half, most) = (at(0.5), at(0.95));
        let failed = line.failed;
        sentences.push(format!("{}: {} requests, {failed} failed; half within {half}, 95 % within {most}.", line.label, line.n));
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::gallery::texts;

    #[test]
    fn a_line_rises_at_its_values_and_stays_below_the_top_where_requests_failed() {
        let figure = CdfFigure::sample();
        let (x, y) = rulers(&figure);
        let frame = PlotFrame::new(x, y, 0, 560, 340);
        let points = corners(&figure.lines[1], 0.0, &frame);
        assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 >= pair[1].1), "never back and never down");
        assert!(points.last().unwrap().1 > frame.plot.top);
        assert_eq!(corners(&figure.lines[0], 0.0, &frame).last().unwrap().1, frame.plot.top);
        let svg = draw(&figure).unwrap();
        assert!(texts(&svg).iter().any(|(text, ..)| text == "lmcache, n 40, 4 failed"), "{:?}", texts(&svg));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut figure = CdfFigure::sample();
        figure.lines = vec![figure.lines[0].clone(); 25];
        assert!(matches!(draw(&figure), Err(PlotError::TooMany { what: "lines", .. })));
        figure.lines.clear();
        assert!(matches!(draw(&figure), Err(PlotError::Empty { .. })));
    }
}
