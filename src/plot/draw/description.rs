//! A picture in words, for those who do not see it: every cell of a small one, the range of a large one.

use crate::plot::figure::{Cell, Curve, Heatmap, Limit, Quantity, Shown, Verdict};
use crate::plot::number;

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

pub fn of_curve(curve: &Curve) -> String {
    let Curve { x, quantity, .. } = curve;
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

/// `0.379 s of 9 samples, interval 0.31 to 0.52, undecided`.
fn in_words(cell: &Cell, quantity: &Quantity, limit: Option<&Limit>) -> String {
    let value = match &cell.shown {
        Shown::Value(value) if value.is_infinite() => "infinite, for so many requests failed".to_owned(),
        Shown::Value(value) => format!("{} {}", number::beside(*value, quantity, limit), quantity.unit),
        Shown::Failed(reason) => return format!("failed, {reason}"),
        Shown::Missing => return "not run".to_owned(),
        Shown::Nothing => return "no such requests".to_owned(),
        Shown::Invalid(reason) => return format!("invalid, {reason}"),
    };
    let interval = number::interval(cell, quantity).map(|interval| format!(", interval {interval}"));
    let verdict = cell.verdict.map(|verdict| match verdict {
        Verdict::Met => ", met",
        Verdict::Missed => ", missed",
        Verdict::Undecided => ", undecided",
    });
    format!("{} of {} samples{}{}", value.trim(), cell.n, interval.unwrap_or_default(), verdict.unwrap_or_default())
}

fn goal(limit: Option<&Limit>, quantity: &Quantity) -> Option<String> {
    limit.map(|limit| format!("Goal: {}.", number::goal(limit, quantity)))
}

fn range<'a>(cells: impl Iterator<Item = &'a Cell>, quantity: &Quantity) -> String {
    let (low, high) =
        cells.filter_map(Cell::finite).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return "no value".to_owned();
    }
    let shown = |value: f64| number::three_digits(value * quantity.factor);
    format!("from {} to {} {}", shown(low), shown(high), quantity.unit).trim_end().to_owned()
}
