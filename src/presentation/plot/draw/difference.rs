//! Draws what became of a measure from one side to the other: a grid of ratios in colours that part at no change, each with its call as
//! a sign and a word, so that nothing hangs on colour alone.

use super::canvas::{self, FontWeight, LabelStyle, PixelRect, SvgCanvas, TextAnchor};
use super::cells::{draw_block, draw_words, hatched_over};
use super::colour::{self, RgbColour};
use super::colour_bar::ColourBar;
use super::grid::{self, MOST_VALUES, PlotGrid};
use super::head::FigureHeading;
use super::legend::{Legend, LegendEntry, LegendSymbol, hatched};
use super::{description, words};
use crate::plot::figure::{ChangeOutcome, DifferenceCell, DifferenceFigure, DifferenceSize};
use crate::plot::theme::{self, LEAST_PAGE_WIDTH, MARGIN};
use crate::plot::{PlotError, SvgDocument, number};

const BAR_GAP: i32 = 28;
const PADDING: i32 = 4;
const SIZES: [i32; 7] = [17, 15, 13, 12, 11, 10, 9];

/// Which texts there is room for, the same in all cells.
#[derive(Clone, Copy)]
struct DifferenceTextSizes {
    ratio: Option<i32>,
    /// Of interval, n and word: each is there where this is.
    small: Option<i32>,
    word: bool,
}

pub fn draw(difference: &DifferenceFigure) -> Result<SvgDocument, PlotError> {
    grid::check(&difference.caption.title, &difference.x, &difference.y, &difference.cells, MOST_VALUES)?;
    let grid = PlotGrid::new(&difference.x, &difference.y);
    let sizes = DifferenceTextSizes::fitting(difference, grid.cell);
    let bar = bar(difference, grid.area.height);
    let content = grid.before() + grid.area.width + BAR_GAP + bar.width();
    let width = (content + 2 * MARGIN).max(LEAST_PAGE_WIDTH);
    let left = (width - content) / 2 + grid.before();
    let head = FigureHeading::new(&difference.caption, width);
    let grid = grid.at(left, head.bottom());
    let legend = Legend::new(entries(difference, sizes), left, width);
    let legend_top = grid.area.bottom() + PlotGrid::below();
    let height = legend_top + legend.height() + MARGIN / 2;
    canvas::page(width, height, &difference.caption.title, &sentences(difference), |canvas| {
        head.draw(canvas);
        for (row, cells) in difference.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                draw_cell(canvas, difference, cell.as_ref(), grid.cell_at(column, row), sizes);
            }
        }
        grid.draw_axes(canvas, &difference.x, &difference.y, width);
        let up = difference.lower_is_better;
        bar.draw(canvas, grid.area.right() + BAR_GAP, grid.area.top, &|place| colour::diverging(if up { place } else { 1.0 - place }));
        legend.draw(canvas, legend_top);
    })
}

fn bar(difference: &DifferenceFigure, height: i32) -> ColourBar {
    ColourBar::of_ratios(difference.reach, &format!("{} of {}", difference.ratio_of, difference.measure), height)
}

fn ratio_text(change: &DifferenceCell) -> String {
    match &change.size {
        DifferenceSize::Ratio(ratio) => format!("×{}", number::three_digits(*ratio)),
        DifferenceSize::Without { base, new } => format!("{base} → {new}"),
    }
}

fn interval_text(change: &DifferenceCell) -> Option<String> {
    let bound = number::three_digits;
    match (change.low, change.high) {
        (Some(low), Some(high)) => Some(format!("{} – {}", bound(low), bound(high))),
        (Some(low), None) => Some(format!("≥ {}", bound(low))),
        (None, Some(high)) => Some(format!("≤ {}", bound(high))),
        (None, None) => None,
    }
}

fn n_text(change: &DifferenceCell) -> String {
    if change.n_base == change.n_new { format!("n {}", change.n_new) } else { format!("n {} / {}", change.n_base, change.n_new) }
}

impl DifferenceTextSizes {
    fn fitting(difference: &DifferenceFigure, (width, height): (i32, i32)) -> Self {
        let room = width - 2 * PADDING;
        let all = || difference.cells.iter().flatten().flatten();
        let widest = |text: &dyn Fn(&DifferenceCell) -> Option<String>, size, weight| {
            all().filter_map(text).map(|text| words::width(&text, size, weight)).max().unwrap_or(0)
        };
        let ratio = SIZES
            .into_iter()
            .find(|size| size * 2 <= height && widest(&|change| Some(ratio_text(change)), *size, FontWeight::Bold) <= room);
        let small = [11, 10, 9].into_iter().find(|size| {
            ratio.is_some_and(|ratio| ratio + 2 * size + 14 <= height)
                && widest(&interval_text, *size, FontWeight::Regular) <= room
                && widest(&|change| Some(n_text(change)), *size, FontWeight::Regular) <= room
        });
        let word = ratio.zip(small).is_some_and(|(ratio, small)| {
            let widest = widest(&|change| Some(change.outcome.word().to_owned()), small, FontWeight::Bold);
            ratio + 3 * small + 18 <= height && widest <= room
        });
        Self { ratio, small, word }
    }
}

fn draw_cell(
    canvas: &mut SvgCanvas<'_>,
    difference: &DifferenceFigure,
    cell: Option<&DifferenceCell>,
    at: PixelRect,
    sizes: DifferenceTextSizes,
) {
    let gap = i32::from(at.width >= 12 && at.height >= 12);
    let at = PixelRect { left: at.left, top: at.top, width: at.width - gap, height: at.height - gap };
    let Some(change) = cell else {
        hatched(canvas, at, 7);
        draw_words(canvas, at, "no pair", "a side has no result");
        return;
    };
    let ground = ground(difference, change);
    canvas.fill(at, ground);
    let unknown = change.outcome == ChangeOutcome::Unknown;
    if unknown {
        hatched_over(canvas, at, ground);
    }
    let ink = ground.ink();
    let face = |size| LabelStyle::new(size, ink).align(TextAnchor::Middle);
    let mut lines: Vec<(String, LabelStyle)> = Vec::new();
    lines.extend(sizes.ratio.map(|size| (ratio_text(change), face(size).bold())));
    if let Some(size) = sizes.small {
        lines.extend(interval_text(change).map(|text| (text, face(size))));
        lines.push((n_text(change), face(size)));
        if sizes.word {
            lines.push((change.outcome.word().to_owned(), face(size).bold()));
        }
    }
    draw_block(canvas, at, &lines, unknown.then_some(ground));
    draw_sign(canvas, change.outcome, at, ink, sizes);
}

/// The sign of the call, in the upper right; in small cells beside n.
fn draw_sign(canvas: &mut SvgCanvas<'_>, outcome: ChangeOutcome, at: PixelRect, ink: RgbColour, sizes: DifferenceTextSizes) {
    let face = |size| LabelStyle::new(size, ink).bold().align(TextAnchor::End);
    if at.width >= 110 && at.height >= 52 {
        canvas.text(outcome.sign(), (at.right() - 6, at.top + 17), face(14));
    } else if sizes.ratio.is_some() {
        canvas.text(outcome.sign(), (at.right() - 3, at.bottom() - 4), face(10));
    } else if at.width >= 10 && at.height >= 12 {
        canvas.text(outcome.sign(), (at.centre().0, at.centre().1 + 3), face(8).align(TextAnchor::Middle));
    }
}

/// By how much it is better or worse; without a ratio by what it comes to.
fn ground(difference: &DifferenceFigure, change: &DifferenceCell) -> RgbColour {
    match (&change.size, change.outcome) {
        (DifferenceSize::Ratio(ratio), _) => colour::diverging(difference.badness(*ratio)),
        (DifferenceSize::Without { .. }, ChangeOutcome::Regressed) => colour::diverging(1.0),
        (DifferenceSize::Without { .. }, ChangeOutcome::Improved) => colour::diverging(0.0),
        (DifferenceSize::Without { .. }, ChangeOutcome::Same | ChangeOutcome::Unknown) => theme::EMPTY,
    }
}

fn entries(difference: &DifferenceFigure, sizes: DifferenceTextSizes) -> Vec<LegendEntry> {
    let mut entries = Vec::new();
    let mut add = |sign, words: String| entries.push(LegendEntry { sign, words });
    let all = || difference.cells.iter().flatten().flatten();
    let sure = number::confidence(difference.confidence);
    let margin = &difference.margin;
    for outcome in ChangeOutcome::ALL.into_iter().filter(|outcome| all().any(|change| change.outcome == *outcome)) {
        let words = match outcome {
            ChangeOutcome::Regressed | ChangeOutcome::Improved => format!("{} by more than {margin}", outcome.word()),
            ChangeOutcome::Same => format!("{}: within {margin}", outcome.word()),
            ChangeOutcome::Unknown => format!("{} to tell", outcome.word()),
        };
        let at = match outcome {
            ChangeOutcome::Regressed => 0.9,
            ChangeOutcome::Improved => 0.1,
            ChangeOutcome::Same | ChangeOutcome::Unknown => 0.5,
        };
        add(LegendSymbol::Outcome { ground: colour::diverging(at), outcome }, words);
    }
    if sizes.small.is_some() && all().any(|change| change.low.or(change.high).is_some()) {
        add(LegendSymbol::None, format!("small: interval, all together {sure}"));
    }
    if all().any(|change| change.n_base != change.n_new) && sizes.small.is_some() {
        add(LegendSymbol::None, "n: requests of base / new".to_owned());
    }
    if difference.cells.iter().flatten().any(Option::is_none) {
        add(LegendSymbol::Hatched, "no pair: a side has no result".to_owned());
    }
    entries
}

/// The picture in words, for those who do not see it.
fn sentences(difference: &DifferenceFigure) -> String {
    let DifferenceFigure { x, y, .. } = difference;
    let better = if difference.lower_is_better { "lower" } else { "higher" };
    let mut sentences =
        vec![format!("{} of {} over {} and {}; {better} is better.", difference.ratio_of, difference.measure, x.name, y.name)];
    let count = |outcome| difference.cells.iter().flatten().flatten().filter(|change| change.outcome == outcome).count();
    let calls = ChangeOutcome::ALL.map(|outcome| format!("{} {}", count(outcome), outcome.word()));
    sentences.push(format!("Cells: {}.", calls.join(", ")));
    if difference.cells.iter().map(Vec::len).sum::<usize>() > description::MOST_LISTED {
        return sentences.join(" ");
    }
    for (row, y_value) in difference.cells.iter().zip(&y.values) {
        for (change, x_value) in row.iter().zip(&x.values) {
            let words = change.as_ref().map_or_else(
                || "a side has no result".to_owned(),
                |change| match &change.size {
                    DifferenceSize::Ratio(ratio) => format!("ratio {}, {}", number::three_digits(*ratio), change.outcome.word()),
                    DifferenceSize::Without { base, new } => format!("from {base} to {new}, {}", change.outcome.word()),
                },
            );
            sentences.push(format!("{} {x_value}, {} {y_value}: {words}.", x.name, y.name));
        }
    }
    sentences.join(" ")
}
