//! Night after night: a measure and a score of each variant, in strips over the same nights. A night has its place whatever the day.

use super::difference::ChangeOutcome;
use super::{FigureCaption, FigureCell, PlotLimit, PlotQuantity};

#[derive(Debug, Clone, PartialEq)]
pub struct HistoryFigure {
    pub caption: FigureCaption,
    /// The oldest first.
    pub nights: Vec<NightLabel>,
    /// From top to bottom; all have a line for each variant, in the same order.
    pub strips: Vec<HistoryStrip>,
    /// What each night is called against those before it, by variant; empty where nobody asked.
    pub calls: Vec<Vec<Option<ChangeOutcome>>>,
}

/// A night in two lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightLabel {
    /// What tells it from its neighbours: `11-21`, or `15:30`.
    pub short: String,
    /// What many nights share: the year, or the date.
    pub around: String,
}

/// One quantity over the nights.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryStrip {
    /// What stands above it: `p95 of time to first token, C=4, S=3`.
    pub heading: String,
    /// What its bars reach from and to: `95 % interval`.
    pub bars: String,
    pub quantity: PlotQuantity,
    pub limit: Option<PlotLimit>,
    pub lines: Vec<NightLine>,
    /// Whether the number of samples behind each point is worth a row.
    pub samples: SampleCountRow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleCountRow {
    Shown,
    /// The points are not made of requests.
    None,
}

/// One variant's nights.
#[derive(Debug, Clone, PartialEq)]
pub struct NightLine {
    pub label: String,
    /// One a night; `None` where the night did not plan it.
    pub cells: Vec<Option<FigureCell>>,
}

#[cfg(test)]
mod sample {
    use super::{HistoryFigure, HistoryStrip, NightLabel, NightLine, SampleCountRow};
    use crate::plot::figure::{
        ChangeOutcome, FigureBasis, FigureCaption, FigureCell, FigureCellContent, FigureVerdict, PlotFigure, PlotQuantity,
    };
    use crate::plot::gallery::{ttft, two_seconds};

    impl HistoryFigure {
        /// Nights that are steady and then slow, the last variant with one of everything that can go wrong.
        pub(crate) fn sample(count: usize, variants: usize) -> Self {
            let value = |night: usize, line: usize| {
                let wave = f64::from(u32::try_from(night * 7 % 5).unwrap()) * 0.02;
                let slow = if night * 3 >= count * 2 && line == 0 { 1.3 } else { 1.0 };
                1.6 * (1.0 - 0.12 * f64::from(u32::try_from(line).unwrap())) * (1.0 + wave) * slow
            };
            let cell = |night: usize, line: usize| {
                let mut cell = FigureCell::value(value(night, line), 480);
                (cell.low, cell.high) = (Some(value(night, line) * 0.95), (night != 1).then_some(value(night, line) * 1.06));
                cell.verdict = Some(if value(night, line) > 2.0 {
                    FigureVerdict::Missed
                } else if value(night, line) > 1.9 {
                    FigureVerdict::Undecided
                } else {
                    FigureVerdict::Met
                });
                match (line, night) {
                    (2, 3) => Some(FigureCell::without_value(FigureCellContent::Failed("the server did not start".into()), 0)),
                    (2, 4) => Some(FigureCell { shown: FigureCellContent::Value(f64::INFINITY), ..cell }),
                    (2, 0) => None,
                    _ => Some(cell),
                }
            };
            let scored = |night: usize, line: usize| {
                let value = if value(night, line) > 2.0 { 12.0 } else { 16.0 + 4.0 * f64::from(u32::try_from(line).unwrap()) };
                let mut cell = FigureCell::value(value, 1);
                (cell.low, cell.high) = (Some(value - if night.is_multiple_of(3) { 4.0 } else { 0.0 }), Some(value));
                cell.verdict = night.is_multiple_of(3).then_some(FigureVerdict::Undecided);
                Some(cell)
            };
            let names = ["vllm", "lmcache", "another engine"];
            let lines = |of: &dyn Fn(usize, usize) -> Option<FigureCell>| {
                let line = |(at, name): (usize, &&str)| NightLine {
                    label: (*name).to_owned(),
                    cells: (0..count).map(|night| of(night, at)).collect(),
                };
                names.iter().take(variants).enumerate().map(line).collect::<Vec<_>>()
            };
            let first: jiff::civil::Date = "2025-12-28".parse().unwrap();
            let day = |night: usize| first + jiff::Span::new().days(i64::try_from(night).unwrap());
            let judged = |night: usize, line: usize| {
                let outcome = if line == 0 && night + 2 >= count {
                    ChangeOutcome::Regressed
                } else {
                    [ChangeOutcome::Same, ChangeOutcome::Unknown][line % 2]
                };
                (night + 3 >= count).then_some(outcome)
            };
            Self {
                caption: FigureCaption {
                    title: "nightly: night after night".into(),
                    subtitle: "seed 7".into(),
                    basis: FigureBasis::Simulated,
                },
                nights: (0..count)
                    .map(|night| NightLabel {
                        short: day(night).strftime("%m-%d").to_string(),
                        around: day(night).strftime("%Y").to_string(),
                    })
                    .collect(),
                strips: vec![
                    HistoryStrip {
                        heading: "p95 of time to first token, turn ≥ 1, C=4, S=4".into(),
                        bars: "95 % interval".into(),
                        quantity: ttft(),
                        limit: Some(two_seconds()),
                        lines: lines(&cell),
                        samples: SampleCountRow::Shown,
                    },
                    HistoryStrip {
                        heading: "max C×S".into(),
                        bars: "certified to not excluded at 95 %".into(),
                        quantity: PlotQuantity { name: "max C×S".into(), unit: String::new(), factor: 1.0 },
                        limit: None,
                        lines: lines(&scored),
                        samples: SampleCountRow::None,
                    },
                ],
                calls: (0..variants).map(|line| (0..count).map(|night| judged(night, line)).collect()).collect(),
            }
        }

        /// For the gallery.
        pub(crate) fn samples() -> Vec<(&'static str, PlotFigure)> {
            let figures = [("history", (12, 2)), ("history-troubled", (8, 3)), ("history-many", (90, 3)), ("history-one", (1, 1))];
            figures.map(|(name, (count, variants))| (name, PlotFigure::History(Self::sample(count, variants)))).into()
        }
    }
}
