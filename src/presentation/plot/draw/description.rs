//! A picture in words, for those who do not see it: every cell of a small one, the range of a large one.

use crate::presentation::plot::figure::{
    CdfFigure, ChangeOutcome, CurveFigure, DifferenceFigure, DifferenceSize, FigureCell, FigureCellContent, FigureVerdict, Heatmap,
    HistoryFigure, HistoryStrip, LimitSide, ParetoFigure, PlotLimit, PlotQuantity, SampleCountRow, TimelineFigure,
};
use crate::presentation::plot::number;

/// More cells than this are not listed one by one.
const MOST_LISTED: usize = 64;

pub fn of_heatmap(heatmap: &Heatmap) -> String {
    let Heatmap { x, y, quantity, .. } = heatmap;
    let mut sentences = vec![format!("Heatmap of {} over {} and {}.", quantity.name, x.name, y.name)];
    sentences.extend(goal(heatmap.limit.as_ref(), quantity));
    let count = heatmap.cells.iter().map(Vec::len).sum::<usize>();
    if count > MOST_LISTED {
        sentences.push(format!("{count} cells, {}.", range(heatmap.cells.iter().flatten(), quantity)));
        return sentences.join(" ");
    }
    for (row, y_value) in heatmap.cells.iter().zip(&y.values) {
        for (cell, x_value) in row.iter().zip(&x.values) {
            let words = in_words(cell, quantity, heatmap.limit.as_ref());
            sentences.push(format!("{} {x_value}, {} {y_value}: {words}.", x.name, y.name));
        }
    }
    sentences.join(" ")
}

pub fn of_curve(curve: &CurveFigure) -> String {
    let CurveFigure { x, quantity, .. } = curve;
    let mut sentences = vec![format!("Curve of {} over {}.", quantity.name, x.name)];
    sentences.extend(goal(curve.limit.as_ref(), quantity));
    let count = curve.lines.iter().map(|line| line.points.len()).sum::<usize>();
    for line in &curve.lines {
        if count > MOST_LISTED {
            let range = range(line.points.iter().map(|point| &point.cell), quantity);
            sentences.push(format!("{}: {} points, {range}.", line.label, line.points.len()));
            continue;
        }
        for point in &line.points {
            let words = in_words(&point.cell, quantity, curve.limit.as_ref());
            sentences.push(format!("{} at {}: {words}.", line.label, x.label(point.x)));
        }
    }
    sentences.join(" ")
}

pub fn of_difference(difference: &DifferenceFigure) -> String {
    let DifferenceFigure { x, y, .. } = difference;
    let better = if difference.lower_is_better { "lower" } else { "higher" };
    let mut sentences =
        vec![format!("{} of {} over {} and {}; {better} is better.", difference.ratio_of, difference.measure, x.name, y.name)];
    let count = |outcome| difference.cells.iter().flatten().flatten().filter(|change| change.outcome == outcome).count();
    let calls = ChangeOutcome::ALL.map(|outcome| format!("{} {}", count(outcome), outcome.word()));
    sentences.push(format!("Cells: {}.", calls.join(", ")));
    if difference.cells.iter().map(Vec::len).sum::<usize>() > MOST_LISTED {
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

pub fn of_cdf(cdf: &CdfFigure) -> String {
    let quantity = &cdf.quantity;
    let mut sentences = vec![format!("Distribution of {}.", quantity.name)];
    sentences.extend(goal(cdf.limit.as_ref(), quantity));
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

pub fn of_pareto(pareto: &ParetoFigure) -> String {
    let mut sentences = vec![format!("{} against {}, {}.", pareto.y.name, pareto.x.name, pareto.x.unit)];
    let count: usize = pareto.lines.iter().map(|line| line.points.len()).sum();
    for line in &pareto.lines {
        for dot in line.points.iter().filter(|_| count <= MOST_LISTED) {
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

pub fn of_timeline(timeline: &TimelineFigure) -> String {
    let bars = || timeline.lanes.iter().flat_map(|lane| &lane.bars);
    let (lanes, requests, failed) = (timeline.lanes.len(), bars().count(), bars().filter(|bar| bar.failed).count());
    let end = number::three_digits(bars().map(|bar| bar.done).fold(0.0, f64::max));
    let mut sentences = vec![format!("{requests} requests in {lanes} lanes, {failed} failed; the last one ends at {end} s.")];
    sentences.extend(timeline.panels.iter().map(|panel| format!("Below: {}.", panel.name)));
    sentences.join(" ")
}

pub fn of_history(history: &HistoryFigure) -> String {
    let nights = &history.nights;
    let mut sentences = vec![format!("{} nights.", nights.len())];
    let count = history.strips.iter().flat_map(|strip| &strip.lines).map(|line| line.cells.len()).sum::<usize>();
    for strip in &history.strips {
        sentences.push(format!("{}.", strip.heading));
        sentences.extend(goal(strip.limit.as_ref(), &strip.quantity));
        for line in &strip.lines {
            if count > MOST_LISTED {
                sentences.push(format!("{}: {}.", line.label, range(line.cells.iter().flatten(), &strip.quantity)));
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
        _ => in_words(cell, &strip.quantity, strip.limit.as_ref()),
    }
}

/// `0.379 s of 9 samples, interval 0.31 to 0.52, undecided`.
pub fn in_words(cell: &FigureCell, quantity: &PlotQuantity, limit: Option<&PlotLimit>) -> String {
    let value = match &cell.shown {
        FigureCellContent::Value(value) if value.is_infinite() => "infinite, for so many requests failed".to_owned(),
        FigureCellContent::Value(value) => format!("{}{} {}", cell.sign, number::beside(*value, quantity, limit), quantity.unit),
        FigureCellContent::Failed(reason) => return format!("failed, {reason}"),
        FigureCellContent::Missing => return "not run".to_owned(),
        FigureCellContent::Untested(Some(LimitSide::Passing)) => return "not run, implied to pass".to_owned(),
        FigureCellContent::Untested(Some(LimitSide::Failing)) => return "not run, implied to fail".to_owned(),
        FigureCellContent::Untested(None) => return "untested".to_owned(),
        FigureCellContent::Nothing => return "no such requests".to_owned(),
        FigureCellContent::Invalid(reason) => return format!("invalid, {reason}"),
    };
    // A bound has said so itself.
    let interval = number::interval(cell, quantity).filter(|_| cell.sign.is_empty()).map(|interval| format!(", interval {interval}"));
    let verdict = cell.verdict.map(|verdict| match verdict {
        FigureVerdict::Met => ", met",
        FigureVerdict::Missed => ", missed",
        FigureVerdict::Undecided => ", undecided",
    });
    format!("{} of {} samples{}{}", value.trim(), cell.n, interval.unwrap_or_default(), verdict.unwrap_or_default())
}

fn goal(limit: Option<&PlotLimit>, quantity: &PlotQuantity) -> Option<String> {
    limit.map(|limit| format!("Goal: {}.", number::goal(limit, quantity)))
}

fn range<'a>(cells: impl Iterator<Item = &'a FigureCell>, quantity: &PlotQuantity) -> String {
    let (low, high) = cells
        .filter_map(FigureCell::finite)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return "no value".to_owned();
    }
    let shown = |value: f64| number::three_digits(value * quantity.factor);
    format!("from {} to {} {}", shown(low), shown(high), quantity.unit).trim_end().to_owned()
}
