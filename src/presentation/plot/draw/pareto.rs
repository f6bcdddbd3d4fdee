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
use crate::presentation::plot::figure::{ParetoFigure, ParetoLine, PlotScale, ScaleMapping};
use crate::presentation::plot::theme::MARGIN;
use crate::presentation::plot::{PlotError, SvgDocument, number};

const MOST_LINES: usize = 24;
const MOST_POINTS: usize = 2_000;
const PLOT_WIDTH: i32 = 620;
const PLOT_HEIGHT: i32 = 400;

pub fn draw(pareto: &ParetoFigure) -> Result<SvgDocument, PlotError> {
    check(pareto)?;
    let names: Vec<String> = pareto.lines.iter().map(name).collect();
    let height = PLOT_HEIGHT.max(count(pareto.lines.len()) * labels::LEADING);
    let dots = || pareto.lines.iter().flat_map(|line| &line.points);
    let x = FrameAxis::new(scale(dots().flat_map(|dot| [Some(dot.x), dot.low, dot.high]).flatten()), &pareto.x);
    let y = FrameAxis::new(scale(dots().map(|dot| dot.y)), &pareto.y);
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
        look.draw_line(canvas, &staircase(&line.frontier, frame));
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

/// From 0, with room for markers at the far end; by ratio where values are far apart.
fn scale(values: impl Iterator<Item = f64>) -> PlotScale {
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    if low > 0.0 && high / low >= 12.0 {
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
    if dots().any(|dot| dot.low.or(dot.high).is_some()) {
        let open = if dots().any(|dot| dot.low.is_none() || dot.high.is_none()) { ", dashed where its end is not known" } else { "" };
        add(LegendSymbol::Whisker, format!("{} interval per user{open}", number::confidence(pareto.confidence)));
    }
    add(LegendSymbol::None, "cells are named where there is room".to_owned());
    if !pareto.goals.is_empty() {
        add(LegendSymbol::None, format!("goals: {}", pareto.goals.join("; ")));
    }
    entries
}

/// The edge of what the frontier's points reach: from the left edge at the first one's height, down behind each, to the axis.
fn staircase(frontier: &[(f64, f64)], frame: &PlotFrame) -> Vec<Point> {
    let Some((_, first)) = frontier.first() else { return Vec::new() };
    let mut points = vec![(frame.plot.left, frame.y_at(*first))];
    for (index, (x, y)) in frontier.iter().enumerate() {
        let below = frontier.get(index + 1).map_or(frame.plot.bottom(), |(_, next)| frame.y_at(*next));
        points.extend([frame.at(*x, *y), (frame.x_at(*x), below)]);
    }
    points
}

fn draw_whiskers(canvas: &mut SvgCanvas<'_>, line: &ParetoLine, look: LineStyle, frame: &PlotFrame) {
    for dot in line.points.iter().filter(|dot| dot.low.or(dot.high).is_some()) {
        let (x, y) = frame.at(dot.x, dot.y);
        let pen = StrokeStyle::new(look.colour, 1);
        for (end, edge) in [(dot.low, frame.plot.left), (dot.high, frame.plot.right())] {
            if let Some(end) = end.filter(|end| end.is_finite()).map(|end| frame.x_at(end)) {
                canvas.line((x, y), (end, y), pen);
                canvas.line((end, y - 4), (end, y + 4), pen);
            } else {
                // So few samples do not give this end: it may be anywhere.
                canvas.path([(x, y), (edge, y)], pen, "3 3");
            }
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
    let mut sentences = vec![format!("{} against {}, {}.", pareto.y.name, pareto.x.name, pareto.x.unit)];
    let count: usize = pareto.lines.iter().map(|line| line.points.len()).sum();
    for line in &pareto.lines {
        for dot in line.points.iter().filter(|_| count <= description::MOST_LISTED) {
            let (x, y) = (number::three_digits(dot.x), number::three_digits(dot.y));
            let passes = if dot.passes { "" } else { ", misses a goal" };
            sentences.push(format!("{} {}: {x} per user, {y} in all, n {}{passes}.", line.label, dot.label, dot.n));
        }
        let corner = |(x, y): &(f64, f64)| format!("{} and {}", number::three_digits(*x), number::three_digits(*y));
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
    use crate::presentation::plot::draw::words;
    use crate::presentation::plot::draw::{
        canvas::{FontWeight, PixelRect},
        label_placer,
    };
    use crate::presentation::plot::figure::PlotQuantity;
    use crate::presentation::plot::gallery::texts;

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
        let linear = PlotScale { low: 0.0, high: 10.0, mapping: ScaleMapping::Linear };
        let plain = PlotQuantity { name: String::new(), unit: String::new(), factor: 1.0 };
        let ruler = || FrameAxis::new(linear, &plain);
        let frame = PlotFrame::new(ruler(), ruler(), 0, 100, 100);
        let left = frame.plot.left;
        let corners = staircase(&[(2.0, 8.0), (5.0, 3.0)], &frame);
        assert_eq!(corners, [(left, 20), (left + 20, 20), (left + 20, 70), (left + 50, 70), (left + 50, 100)]);
        assert!(staircase(&[], &frame).is_empty());
    }
}
