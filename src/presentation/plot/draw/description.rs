//! What pictures say in words, for those who do not see them: a cell, a goal, a range. Each kind of figure makes its sentences of it: every cell of
//! a small one, the range of a large one.

use crate::plot::figure::{FigureCell, FigureCellContent, FigureVerdict, LimitSide, PlotLimit, PlotQuantity};
use crate::plot::number;

/// More cells than this are not listed one by one.
pub const MOST_LISTED: usize = 64;

/// `0.379 s of 9 samples, interval 0.31 to 0.52, undecided`.
pub fn in_words(cell: &FigureCell, quantity: &PlotQuantity, limit: Option<&PlotLimit>) -> String {
    let value = match &cell.shown {
        FigureCellContent::Value(value) if value.is_infinite() => "infinite, for so many requests failed".to_owned(),
        FigureCellContent::Value(value) => format!("{}{} {}", cell.sign, number::beside(*value, quantity, limit), quantity.unit),
        FigureCellContent::Predicted { value, is_beyond } => {
            let interval = number::interval(cell, quantity).map(|interval| format!(", interval {interval}")).unwrap_or_default();
            let reach = if *is_beyond { ", beyond the cells that were fitted" } else { "" };
            return format!("predicted, not measured: {} {}{interval}{reach}", number::beside(*value, quantity, limit), quantity.unit);
        }
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

pub fn goal(limit: Option<&PlotLimit>, quantity: &PlotQuantity) -> Option<String> {
    limit.map(|limit| format!("Goal: {}.", number::goal(limit, quantity)))
}

pub fn range<'a>(cells: impl Iterator<Item = &'a FigureCell>, quantity: &PlotQuantity) -> String {
    let (low, high) = cells
        .filter_map(FigureCell::finite)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return "no value".to_owned();
    }
    let shown = |value: f64| number::three_digits(value * quantity.factor);
    format!("from {} to {} {}", shown(low), shown(high), quantity.unit).trim_end().to_owned()
}
