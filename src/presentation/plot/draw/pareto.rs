//! Draws operating points: a marker a cell with its name, whiskers for the interval, hollow where goals are missed, and each variant's
//! frontier as a line of steps.

use super::canvas::{Point, StrokeStyle, SvgCanvas};
use super::description;
use super::frame::{self, FrameAxis, PlotFrame};
use super::grid::count;
use super::label_placer::LabelPlacer;
use super::labels::{self, LineLabels};
use super::legend::{LegendEntry, LegendSymbol};
use super::line::{LineStyle, MarkerFill};
use super::sheet::FigureSheet;
use crate::plot::figure::{ParetoFigure, ParetoLine, PlotQuantity, PlotScale, ScaleMapping};
use crate::plot::theme::MARGIN;
use crate::plot::{PlotError, SvgDocument, number};
use crate::vocabulary::metric::MetricDirection;

const MOST_LINES: usize = 24;
const MOST_POINTS: usize = 2_000;
const PLOT_WIDTH: i32 = 620;
const PLOT_HEIGHT: i32 = 400;

pub fn draw(pareto: &ParetoFigure) -> Result<SvgDocument, PlotError> {
    check(pareto)?;
    let names: Vec<String> = pareto.lines.iter().map(name).collect();
    let height = PLOT_HEIGHT.max(count(pareto.lines.len()) * labels::LEADING);
    let dots = || pareto.lines.iter().flat_map(|line| &line.points);
    let known = |value: f64, ends: Option<(Option<f64>, Option<f64>)>| {
        let ends = ends.into_iter().flat_map(|(low, high)| [low, high]).flatten();
        std::iter::once(value).chain(ends)
    };
    let x = FrameAxis::new(scale(&pareto.x, dots().flat_map(|dot| known(dot.x, dot.along))), &pareto.x);
    let y = FrameAxis::new(scale(&pareto.y, dots().flat_map(|dot| known(dot.y, dot.up))), &pareto.y);
    let frame = PlotFrame::new(x, y, 0, PLOT_WIDTH, height);
    let sheet = FigureSheet {
        caption: pareto.caption.clone(),
        description: sentences(pareto),
        size: frame.size(&names),
        inset: frame.plot.left - MARGIN,
        entries: entries(pareto),
        bar: None,
        paint: Box::new(move |canvas, (_, top)| {
            let frame = frame.clone().below(top + frame::ABOVE);
            frame.draw(canvas);
            draw_lines(canvas, pareto, &frame);
            draw_names(canvas, pareto, &frame);
            let end = |line: &ParetoLine| frame.y_at(line.points.iter().max_by(|a, b| a.x.total_cmp(&b.x)).map_or(0.0, |dot| dot.y));
            LineLabels::new(pareto.lines.iter().map(end).zip(names.iter().cloned()), frame.plot).draw(canvas, frame.plot);
        }),
    };
    sheet.draw()
}

fn draw_lines(canvas: &mut SvgCanvas<'_>, pareto: &ParetoFigure, frame: &PlotFrame) {
    let lines = || pareto.lines.iter().zip(0..).map(|(line, number)| (line, LineStyle::of(number)));
    for (line, look) in lines() {
        look.draw_line(canvas, &staircase(&line.frontier, pareto.better, frame));
        draw_whiskers(canvas, line, look, frame);
    }
    for (line, look) in lines() {
        for dot in &line.points {
            let fill = if dot.passes { MarkerFill::Full } else { MarkerFill::Hollow };
            look.draw_marker(canvas, frame.at(dot.x, dot.y), fill);
        }
    }
}

fn check(pareto: &ParetoFigure) -> Result<(), PlotError> {
    let title = pareto.caption.title.clone();
    let points: usize = pareto.lines.iter().map(|line| line.points.len()).sum();
    if points == 0 {
        return Err(PlotError::Empty { title });
    }
    for (what, found, most) in [("lines", pareto.lines.len(), MOST_LINES), ("points", points, MOST_POINTS)] {
        if found > most {
            return Err(PlotError::TooMany { title, what, found, most });
        }
    }
    Ok(())
}

fn name(line: &ParetoLine) -> String {
    match line.without {
        0 => line.label.clone(),
        1 => format!("{}, 1 cell without", line.label),
        several => format!("{}, {several} cells without", line.label),
    }
}

/// From 0, with room for markers at the far end; by ratio where values are far apart and no shares.
fn scale(quantity: &PlotQuantity, values: impl Iterator<Item = f64>) -> PlotScale {
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    if low > 0.0 && high / low >= 12.0 && quantity.unit != "%" {
        let scale = PlotScale::around(values);
        return PlotScale { high: if high > scale.high * 0.9 { scale.high * 1.2 } else { scale.high }, ..scale };
    }
    PlotScale { high: high.max(f64::MIN_POSITIVE) * 1.08, low: 0.0, mapping: ScaleMapping::Linear }
}

fn entries(pareto: &ParetoFigure) -> Vec<LegendEntry> {
    let mut entries = Vec::new();
    let mut add = |sign, words: String| entries.push(LegendEntry { sign, words });
    let dots = || pareto.lines.iter().flat_map(|line| &line.points);
    let passing = if pareto.goals.is_empty() { "" } else { " of cells that pass" };
    if pareto.lines.iter().any(|line| !line.frontier.is_empty()) {
        add(LegendSymbol::None, format!("lines: each variant's Pareto frontier{passing}"));
    }
    if dots().any(|dot| !dot.passes) {
        add(LegendSymbol::Hollow, "misses a goal".to_owned());
    }
    let intervals = || dots().flat_map(|dot| [dot.along, dot.up]).flatten();
    if intervals().next().is_some() {
        let open = if intervals().any(|(low, high)| low.is_none() || high.is_none()) { ", dashed where its end is not known" } else { "" };
        let of = if dots().any(|dot| dot.up.is_some()) { "" } else { " along the page" };
        add(LegendSymbol::Whisker, format!("{} interval{of}{open}", number::confidence(pareto.confidence)));
    }
    add(LegendSymbol::None, "cells are named where there is room".to_owned());
    for goal in &pareto.goals {
        add(LegendSymbol::None, format!("goal: {goal}"));
    }
    entries
}

/// The edge of what the frontier's points reach: from the worse edge along the page at the nearest one's height, behind each to the next one's, and to the
/// worse edge up the page.
fn staircase(frontier: &[(f64, f64)], (along, up): (MetricDirection, MetricDirection), frame: &PlotFrame) -> Vec<Point> {
    let mut outwards: Vec<(f64, f64)> = frontier.to_vec();
    let from = if along == MetricDirection::Higher {
        frame.plot.left
    } else {
        outwards.reverse();
        frame.plot.right()
    };
    let worse = if up == MetricDirection::Higher { frame.plot.bottom() } else { frame.plot.top };
    let Some((_, first)) = outwards.first() else { return Vec::new() };
    let mut points = vec![(from, frame.y_at(*first))];
    for (index, (x, y)) in outwards.iter().enumerate() {
        let next = outwards.get(index + 1).map_or(worse, |(_, next)| frame.y_at(*next));
        points.extend([frame.at(*x, *y), (frame.x_at(*x), next)]);
    }
    points
}

fn draw_whiskers(canvas: &mut SvgCanvas<'_>, line: &ParetoLine, look: LineStyle, frame: &PlotFrame) {
    for dot in &line.points {
        let (x, y) = frame.at(dot.x, dot.y);
        let pen = StrokeStyle::new(look.colour, 1);
        let mut whisker = |end: Option<Point>, edge: Point, tick: (i32, i32)| {
            if let Some(end) = end {
                canvas.line((x, y), end, pen);
                canvas.line((end.0 - tick.0, end.1 - tick.1), (end.0 + tick.0, end.1 + tick.1), pen);
            } else {
                // So few samples do not give this end: it may be anywhere.
                canvas.path([(x, y), edge], pen, "3 3");
            }
        };
        let finite = |end: Option<f64>| end.filter(|end| end.is_finite());
        if let Some((low, high)) = dot.along {
            whisker(finite(low).map(|end| (frame.x_at(end), y)), (frame.plot.left, y), (0, 4));
            whisker(finite(high).map(|end| (frame.x_at(end), y)), (frame.plot.right(), y), (0, 4));
        }
        if let Some((low, high)) = dot.up {
            whisker(finite(low).map(|end| (x, frame.y_at(end))), (x, frame.plot.bottom()), (4, 0));
            whisker(finite(high).map(|end| (x, frame.y_at(end))), (x, frame.plot.top), (4, 0));
        }
    }
}

/// Names beside markers, in the colour of their line, where there is room.
fn draw_names(canvas: &mut SvgCanvas<'_>, pareto: &ParetoFigure, frame: &PlotFrame) {
    let dots = || pareto.lines.iter().zip(0..).flat_map(|(line, number)| line.points.iter().map(move |dot| (number, dot)));
    let mut beside = LabelPlacer::new(frame.plot, dots().map(|(_, dot)| frame.at(dot.x, dot.y)));
    for (number, dot) in dots() {
        beside.draw(canvas, frame.at(dot.x, dot.y), &dot.label, LineStyle::of(number).colour);
    }
}

/// The picture in words, for those who do not see it.
fn sentences(pareto: &ParetoFigure) -> String {
    let mut sentences = vec![format!("{} [{}] against {} [{}].", pareto.y.name, pareto.y.unit, pareto.x.name, pareto.x.unit)];
    let count: usize = pareto.lines.iter().map(|line| line.points.len()).sum();
    for line in &pareto.lines {
        for dot in line.points.iter().filter(|_| count <= description::MOST_LISTED) {
            let (x, y) = (number::three_digits(dot.x * pareto.x.factor), number::three_digits(dot.y * pareto.y.factor));
            let passes = if dot.passes { "" } else { ", misses a goal" };
            sentences.push(format!("{} {}: {x} along, {y} up, n {}{passes}.", line.label, dot.label, dot.n));
        }
        let corner = |(x, y): &(f64, f64)| {
            format!("{} and {}", number::three_digits(*x * pareto.x.factor), number::three_digits(*y * pareto.y.factor))
        };
        let corners: Vec<String> = line.frontier.iter().map(corner).collect();
        sentences.push(format!(
            "{}: frontier at {}.",
            line.label,
            if corners.is_empty() { "no point".to_owned() } else { corners.join("; ") }
        ));
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::draw::words;
    use crate::plot::draw::{
        canvas::{FontWeight, PixelRect},
        label_placer,
    };
    use crate::plot::gallery::texts;

    #[test]
    fn names_of_cells_stand_apart_from_each_other() {
        let svg = draw(&ParetoFigure::sample()).unwrap();
        let names: Vec<PixelRect> = texts(&svg)
            .into_iter()
            .filter(|(text, ..)| text.starts_with("C="))
            .map(|(text, x, y)| PixelRect {
                left: x,
                top: y - label_placer::SIZE,
                width: words::width(&text, label_placer::SIZE, FontWeight::Regular),
                height: label_placer::SIZE,
            })
            .collect();
        assert!(names.len() >= 6, "{names:?}");
        for (index, name) in names.iter().enumerate() {
            assert!(names[index + 1..].iter().all(|other| label_placer::apart(*name, *other)), "{name:?}");
        }
    }

    #[test]
    fn a_frontier_is_the_edge_of_what_its_points_reach() {
        use MetricDirection::{Higher, Lower};
        let linear = PlotScale { low: 0.0, high: 10.0, mapping: ScaleMapping::Linear };
        let plain = PlotQuantity { name: String::new(), unit: String::new(), factor: 1.0 };
        let ruler = || FrameAxis::new(linear, &plain);
        let frame = PlotFrame::new(ruler(), ruler(), 0, 100, 100);
        let left = frame.plot.left;
        let corners = staircase(&[(2.0, 8.0), (5.0, 3.0)], (Higher, Higher), &frame);
        assert_eq!(corners, [(left, 20), (left + 20, 20), (left + 20, 70), (left + 50, 70), (left + 50, 100)]);
        // Less up the page is better: the reach ends at the upper edge; less along the page, it begins at the right one.
        let corners = staircase(&[(2.0, 3.0), (5.0, 8.0)], (Higher, Lower), &frame);
        assert_eq!(corners, [(left, 70), (left + 20, 70), (left + 20, 20), (left + 50, 20), (left + 50, 0)]);
        let corners = staircase(&[(2.0, 3.0), (5.0, 8.0)], (Lower, Higher), &frame);
        assert_eq!(corners, [(left + 100, 20), (left + 50, 20), (left + 50, 70), (left + 20, 70), (left + 20, 100)]);
        assert!(staircase(&[], (Higher, Higher), &frame).is_empty());
    }
}
