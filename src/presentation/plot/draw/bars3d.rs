//! Draws a value over two axes as bars in space: the same figure as a heatmap, in the look of the first plots of this benchmark.
//!
//! Isometric, the first values of both axes in front, so that bars that grow with the load hide little. Heights are linear from 0; what is
//! far above the limit is cut off with a broken top, and its label tells the value.

use super::canvas::{FontWeight, LabelStyle, Point, StrokeStyle, SvgCanvas, TextAnchor};
use super::colour::{self, RgbColour};
use super::grid::{self, axis_name, count};
use super::legend::{LegendEntry, LegendSymbol};
use super::sheet::FigureSheet;
use super::{heatmap, words};
use crate::plot::figure::{FigureCell, FigureCellContent, FigureVerdict, Heatmap, LabelAxis, LimitSide, PlotScale};
use crate::plot::theme::{self, AXIS_NAME_SIZE, TICK_SIZE};
use crate::plot::{PlotError, SvgDocument, number};

/// Values on one axis; more bars stand too close to be read.
const MOST_VALUES: usize = 24;
/// Height of the tallest bar in pixels.
const TALLEST: i32 = 260;
/// Where a value is above so many times the limit, bars end at so many times the limit.
const FAR: f64 = 10.0;
const CUT: f64 = 3.0;
/// What the upright axis takes at the left, what stands above the tallest bar, beside the floor and below its front corner.
const AXIS: i32 = 90;
const ABOVE: i32 = 34;
const BESIDE: i32 = 30;
const BELOW: i32 = 44;
/// Of the floor's front corner to each side: the names of both axes need it.
const LEAST_SIDE: i32 = 180;
/// How much of a cell a bar leaves free on each side.
const GAP: f64 = 0.14;
const LABEL_SIZE: i32 = 11;

/// From cells and values to pixels.
struct IsometricProjection {
    /// The front corner of the floor.
    origin: Point,
    /// Pixels to the side and upward of one cell.
    step: (f64, f64),
    /// The value of the greatest height.
    top: f64,
    size: (f64, f64),
}

impl IsometricProjection {
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    fn at(&self, x: f64, y: f64, height: f64) -> Point {
        let (across, up) = ((x - y) * self.step.0, (x + y) * self.step.1 + height);
        (self.origin.0 + across.round() as i32, self.origin.1 - up.round() as i32)
    }

    fn height(&self, value: f64) -> f64 {
        (value.min(self.top) / self.top).max(0.0) * f64::from(TALLEST)
    }
}

pub fn draw(figure: &Heatmap) -> Result<SvgDocument, PlotError> {
    sheet(figure, top_of(&[figure]))?.draw()
}

/// Bars on a given height of the axis, which figures that are to be compared share.
pub fn sheet(figure: &Heatmap, top: f64) -> Result<FigureSheet<'_>, PlotError> {
    grid::check(&figure.caption.title, &figure.x, &figure.y, &figure.cells, MOST_VALUES)?;
    let (columns, rows) = (count(figure.x.values.len()), count(figure.y.values.len()));
    let across = (900 / (columns + rows)).clamp(20, 64);
    let up = across / 2;
    let (left, right) = (AXIS + (rows * across).max(LEAST_SIDE), (columns * across).max(LEAST_SIDE));
    let height = ABOVE + TALLEST + (columns + rows) * up;
    let space = move |(x, y): Point| IsometricProjection {
        origin: (x + left, y + height),
        step: (f64::from(across), f64::from(up)),
        top,
        size: (f64::from(columns), f64::from(rows)),
    };
    Ok(FigureSheet {
        caption: figure.caption.clone(),
        description: heatmap::sentences(figure),
        size: (left + right + BESIDE, height + BELOW),
        inset: 0,
        entries: entries(figure, top),
        bar: None,
        paint: Box::new(move |canvas, at| {
            let space = space(at);
            draw_walls(canvas, figure, &space);
            draw_bars(canvas, figure, &space);
            draw_axis(canvas, &figure.x, &space, (false, right));
            draw_axis(canvas, &figure.y, &space, (true, left));
        }),
    })
}

/// The value of the greatest height: the largest one of all, or a few times the limit where bars beyond would flatten the others.
pub fn top_of(figures: &[&Heatmap]) -> f64 {
    let cells = figures.iter().flat_map(|figure| figure.cells.iter().flatten());
    let largest = cells.filter_map(FigureCell::finite).fold(0.0, f64::max);
    let scale = PlotScale::linear_around(0.0, largest).high;
    match figures.first().and_then(|figure| figure.limit) {
        Some(limit) if limit.value > 0.0 => {
            if largest > limit.value * FAR {
                limit.value * CUT
            } else {
                scale.max(limit.value * 1.1)
            }
        }
        _ => scale,
    }
}

/// The floor and both walls behind, with lines at round values and their labels.
fn draw_walls(canvas: &mut SvgCanvas<'_>, figure: &Heatmap, space: &IsometricProjection) {
    let (columns, rows) = space.size;
    let pen = StrokeStyle::new(theme::GRID, 1);
    for tick in (PlotScale { low: 0.0, high: space.top, mapping: crate::plot::figure::ScaleMapping::Linear }).ticks() {
        let height = space.height(tick);
        let (left, back, right) = (space.at(0.0, rows, height), space.at(columns, rows, height), space.at(columns, 0.0, height));
        canvas.line(left, back, pen);
        canvas.line(back, right, pen);
        let text = number::short(tick * figure.quantity.factor);
        canvas.text(&text, (left.0 - 8, left.1 + 4), LabelStyle::new(TICK_SIZE, theme::INK).align(TextAnchor::End));
    }
    for n in 0..=figure.x.values.len() {
        let x = f64::from(count(n));
        canvas.line(space.at(x, 0.0, 0.0), space.at(x, rows, 0.0), pen);
    }
    for n in 0..=figure.y.values.len() {
        let y = f64::from(count(n));
        canvas.line(space.at(0.0, y, 0.0), space.at(columns, y, 0.0), pen);
    }
    let foot = space.at(0.0, rows, 0.0);
    canvas.line(foot, (foot.0, foot.1 - TALLEST), StrokeStyle::new(theme::SOFT_INK, 1));
    let unit = &figure.quantity.unit;
    let name = if unit.is_empty() { figure.quantity.name.clone() } else { format!("{} [{unit}]", figure.quantity.name) };
    let name = words::shorten(&name, AXIS_NAME_SIZE, FontWeight::Regular, TALLEST + 120);
    canvas.text_upward(&name, (foot.0 - 56, foot.1 - TALLEST / 2), LabelStyle::new(AXIS_NAME_SIZE, theme::INK).align(TextAnchor::Middle));
}

/// Bars from back to front, what is below the limit under its plane and the rest above.
fn draw_bars(canvas: &mut SvgCanvas<'_>, figure: &Heatmap, space: &IsometricProjection) {
    let limit = figure.limit.map(|limit| space.height(limit.value)).filter(|height| *height > 0.0);
    for (column, row, cell) in back_to_front(figure) {
        match cell.shown {
            FigureCellContent::Value(value) => {
                let height = space.height(value);
                draw_box(canvas, space, (column, row), (0.0, limit.map_or(height, |limit| limit.min(height))), look(figure, value));
            }
            _ => draw_floor(canvas, space, (column, row), cell),
        }
    }
    if let Some(height) = limit {
        let (columns, rows) = space.size;
        let plane = [(0.0, 0.0), (columns, 0.0), (columns, rows), (0.0, rows)].map(|(x, y)| space.at(x, y, height));
        canvas.polygon(plane, theme::LIMIT, 0.16);
        for (from, to) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
            canvas.line(plane[from], plane[to], StrokeStyle::new(theme::LIMIT, 2));
        }
    }
    for (column, row, cell) in back_to_front(figure) {
        if let FigureCellContent::Value(value) = cell.shown {
            let height = space.height(value);
            if let Some(limit) = limit.filter(|limit| height > *limit) {
                draw_box(canvas, space, (column, row), (limit, height), look(figure, value));
            }
            if value > space.top {
                draw_break(canvas, space, (column, row));
            }
            draw_label(canvas, figure, space, (column, row), cell, value);
        }
    }
}

/// Columns, rows and cells, the farthest ones first.
fn back_to_front(figure: &Heatmap) -> Vec<(f64, f64, &FigureCell)> {
    let mut cells: Vec<(usize, usize, &FigureCell)> = Vec::new();
    for (row, line) in figure.cells.iter().enumerate() {
        cells.extend(line.iter().enumerate().map(|(column, cell)| (column, row, cell)));
    }
    cells.sort_by_key(|(column, row, _)| std::cmp::Reverse(column + row));
    cells.into_iter().map(|(column, row, cell)| (f64::from(count(column)), f64::from(count(row)), cell)).collect()
}

fn look(figure: &Heatmap, value: f64) -> RgbColour {
    colour::at(figure.scale.position(value))
}

/// A part of a bar between two heights: both faces in front and its top.
fn draw_box(
    canvas: &mut SvgCanvas<'_>,
    space: &IsometricProjection,
    (column, row): (f64, f64),
    (low, high): (f64, f64),
    colour: RgbColour,
) {
    let (x0, x1, y0, y1) = (column + GAP, column + 1.0 - GAP, row + GAP, row + 1.0 - GAP);
    let face = |corners: [(f64, f64, f64); 4]| corners.map(|(x, y, height)| space.at(x, y, height));
    let left = face([(x0, y0, low), (x0, y1, low), (x0, y1, high), (x0, y0, high)]);
    let right = face([(x0, y0, low), (x1, y0, low), (x1, y0, high), (x0, y0, high)]);
    let above = face([(x0, y0, high), (x1, y0, high), (x1, y1, high), (x0, y1, high)]);
    for (corners, shade) in [(left, 0.32), (right, 0.16), (above, 0.0)] {
        canvas.polygon(corners, colour.toward(theme::INK, shade), 1.0);
        let outline = corners.into_iter().chain([corners[0]]);
        canvas.path(outline, StrokeStyle::new(colour.toward(theme::INK, 0.5), 1), "");
    }
}

/// A paper-coloured gap below the top of a bar that goes on.
fn draw_break(canvas: &mut SvgCanvas<'_>, space: &IsometricProjection, (column, row): (f64, f64)) {
    let (x0, x1, y0, y1) = (column + GAP, column + 1.0 - GAP, row + GAP, row + 1.0 - GAP);
    let height = f64::from(TALLEST) - 22.0;
    let zigzag = [(x0, y1, 0.0), (x0, f64::midpoint(y0, y1), 6.0), (x0, y0, 0.0), (f64::midpoint(x0, x1), y0, 6.0), (x1, y0, 0.0)];
    let lower = zigzag.map(|(x, y, up)| space.at(x, y, height + up));
    let upper = lower.map(|(x, y)| (x, y - 7));
    canvas.polygon(lower.into_iter().chain(upper.into_iter().rev()), theme::PAPER, 1.0);
    canvas.path(lower, StrokeStyle::new(theme::INK, 1), "");
    canvas.path(upper, StrokeStyle::new(theme::INK, 1), "");
}

/// The value above a bar, with n and a sign where a goal is undecided, and the interval as an upright line.
fn draw_label(
    canvas: &mut SvgCanvas<'_>,
    figure: &Heatmap,
    space: &IsometricProjection,
    (column, row): (f64, f64),
    cell: &FigureCell,
    value: f64,
) {
    let point = |value: f64| space.at(column + 0.5, row + 0.5, space.height(value));
    let (x, mut y) = point(value);
    if let (Some(low), Some(high), true) = (cell.low, cell.high, value.is_finite()) {
        let ends = (point(low.max(0.0)), point(high));
        canvas.line(ends.0, ends.1, StrokeStyle::new(theme::INK, 1));
        for end in [ends.0, ends.1] {
            canvas.line((end.0 - 4, end.1), (end.0 + 4, end.1), StrokeStyle::new(theme::INK, 1));
        }
        y = y.min(ends.1.1);
    }
    let sign = if cell.verdict == Some(FigureVerdict::Undecided) { "?" } else { "" };
    let text = format!("{}{sign}", number::beside(value, &figure.quantity, figure.limit.as_ref()));
    let n = format!("n {}", cell.n);
    let with_n = words::width(&n, 9, FontWeight::Regular) <= 44 && space.step.0 >= 34.0;
    let lines = if with_n { 24 } else { 13 };
    let below = if with_n { words::width(&n, 9, FontWeight::Regular) } else { 0 };
    let half = words::width(&text, LABEL_SIZE, FontWeight::Bold).max(below) / 2 + 2;
    let patch = [(x - half, y - 4 - lines), (x + half, y - 4 - lines), (x + half, y - 4), (x - half, y - 4)];
    canvas.polygon(patch, theme::PAPER, 0.85);
    let face = LabelStyle::new(LABEL_SIZE, theme::INK).align(TextAnchor::Middle);
    canvas.text(&text, (x, y - 4 - lines + LABEL_SIZE), face.bold());
    if with_n {
        canvas.text(&n, (x, y - 7), LabelStyle::new(9, theme::INK).align(TextAnchor::Middle));
    }
}

/// The place of a cell without a value: flat and hatched, with a word, so that it cannot be taken for 0.
fn draw_floor(canvas: &mut SvgCanvas<'_>, space: &IsometricProjection, (column, row): (f64, f64), cell: &FigureCell) {
    let (x0, x1, y0, y1) = (column + GAP, column + 1.0 - GAP, row + GAP, row + 1.0 - GAP);
    let tile = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)].map(|(x, y)| space.at(x, y, 0.0));
    canvas.polygon(tile, theme::EMPTY, 1.0);
    let pen = StrokeStyle::new(theme::HATCH, 1);
    for n in 0..=6 {
        let share = f64::from(n) / 6.0;
        let (x, y) = (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share);
        canvas.line(space.at(x, y0, 0.0), space.at(x, y1, 0.0), pen);
        if matches!(cell.shown, FigureCellContent::Invalid(_)) {
            canvas.line(space.at(x0, y, 0.0), space.at(x1, y, 0.0), pen);
        }
    }
    let word = match cell.shown {
        FigureCellContent::Failed(_) => "failed",
        FigureCellContent::Missing | FigureCellContent::Predicted { .. } | FigureCellContent::Untested(None) => "not run",
        FigureCellContent::Untested(Some(LimitSide::Passing)) => "implied ✓",
        FigureCellContent::Untested(Some(LimitSide::Failing)) => "implied ✗",
        FigureCellContent::Invalid(_) => "invalid",
        FigureCellContent::Nothing | FigureCellContent::Value(_) => "no value",
    };
    let (x, y) = space.at(column + 0.5, row + 0.5, 0.0);
    if f64::from(words::width(word, 10, FontWeight::Regular)) <= 1.5 * space.step.0 {
        canvas.text(word, (x, y + 4), LabelStyle::new(10, theme::INK).align(TextAnchor::Middle));
    }
}

/// Labels along an edge of the floor in front, and the axis' name below them.
fn draw_axis(canvas: &mut SvgCanvas<'_>, axis: &LabelAxis, space: &IsometricProjection, (up_the_page, room): (bool, i32)) {
    let align = if up_the_page { TextAnchor::End } else { TextAnchor::Start };
    let aside = if up_the_page { -6 } else { 6 };
    let place = |along: f64| if up_the_page { space.at(0.0, along, 0.0) } else { space.at(along, 0.0, 0.0) };
    for (n, label) in axis.values.iter().enumerate() {
        let (x, y) = place(f64::from(count(n)) + 0.5);
        let label = words::shorten(label, TICK_SIZE, FontWeight::Regular, 80);
        canvas.text(&label, (x + aside, y + 14), LabelStyle::new(TICK_SIZE, theme::INK).align(align));
    }
    let end = place(0.0);
    let name = words::shorten(&axis_name(axis), AXIS_NAME_SIZE, FontWeight::Regular, room - 4 * aside.abs());
    canvas.text(&name, (end.0 + 4 * aside, end.1 + 30), LabelStyle::new(AXIS_NAME_SIZE, theme::INK).align(align));
}

fn entries(figure: &Heatmap, top: f64) -> Vec<LegendEntry> {
    let mut entries = Vec::new();
    let mut add = |sign, words: String| entries.push(LegendEntry { sign, words });
    let all = || figure.cells.iter().flatten();
    let sure = number::confidence(figure.confidence);
    if let Some(limit) = &figure.limit {
        add(LegendSymbol::Limit, format!("plane: limit {}", number::goal(limit, &figure.quantity)));
    }
    let beyond = |cell: &FigureCell| matches!(cell.shown, FigureCellContent::Value(value) if value > top);
    if all().any(beyond) {
        let top = number::short(top * figure.quantity.factor);
        add(LegendSymbol::None, format!("broken top: above {top} {}", figure.quantity.unit).trim_end().to_owned());
    }
    if all().any(FigureCell::is_infinite) {
        add(LegendSymbol::None, "∞: too many requests failed".to_owned());
    }
    if all().any(|cell| cell.low.and(cell.high).is_some()) {
        add(LegendSymbol::None, format!("upright line: {sure} interval"));
    }
    if all().any(|cell| cell.verdict == Some(FigureVerdict::Undecided)) {
        add(LegendSymbol::None, format!("?: undecided at {sure}, too few samples"));
    }
    if all().any(|cell| {
        matches!(
            cell.shown,
            FigureCellContent::Failed(_) | FigureCellContent::Missing | FigureCellContent::Untested(_) | FigureCellContent::Nothing
        )
    }) {
        add(LegendSymbol::Hatched, "no value".to_owned());
    }
    if all().any(|cell| matches!(cell.shown, FigureCellContent::Invalid(_))) {
        add(LegendSymbol::Crossed, "invalid: not counted".to_owned());
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::gallery::{VLLM, texts};

    #[test]
    fn every_bar_tells_its_value_and_far_ones_have_a_broken_top() {
        let svg = draw(&Heatmap::published("vllm", &VLLM)).unwrap();
        let words: Vec<String> = texts(&svg).into_iter().map(|(text, ..)| text).collect();
        for value in VLLM.iter().flatten() {
            assert!(words.contains(&number::three_digits(*value)), "{value}");
        }
        assert!(words.contains(&"broken top: above 6 s".to_owned()), "{words:?}");
        assert!(words.contains(&"plane: limit ≤ 2 s".to_owned()));
    }

    #[test]
    fn heights_are_linear_from_0_up_to_where_bars_are_cut() {
        let figure = Heatmap::published("vllm", &VLLM);
        let space = IsometricProjection { origin: (0, 0), step: (10.0, 5.0), top: top_of(&[&figure]), size: (4.0, 4.0) };
        assert!((space.top - 6.0).abs() < 1e-12, "three times the limit");
        assert!((space.height(3.0) * 2.0 - space.height(6.0)).abs() < 1e-9);
        assert!((space.height(42.5) - space.height(f64::INFINITY)).abs() < 1e-9);
        assert!(space.height(0.0).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_value_lies_flat_with_a_word_and_no_number() {
        let words: Vec<String> = texts(&draw(&Heatmap::troubled()).unwrap()).into_iter().map(|(text, ..)| text).collect();
        for word in ["failed", "not run", "invalid", "∞"] {
            assert!(words.iter().any(|text| text == word), "{word}: {words:?}");
        }
        assert!(words.iter().any(|text| text == "SIMULATED"));
    }

    #[test]
    fn nearer_bars_are_drawn_after_those_behind() {
        let figure = Heatmap::published("vllm", &VLLM);
        let depths: Vec<f64> = back_to_front(&figure).into_iter().map(|(column, row, _)| column + row).collect();
        assert!(depths.windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!(depths.len(), 16);
    }
}
