//! From a history to a figure: the shown measure and the score in strips over the nights, and what the gate called each night. Computes no
//! number.

use super::from_summary::side;
use super::{
    ChangeOutcome, FigureBasis, FigureCaption, FigureCell, FigureCellContent, FigureVerdict, HistoryFigure as Nights, HistoryStrip,
    NightLabel, NightLine, PlotFigure, PlotLimit, PlotQuantity, SampleCountRow,
};
use crate::analysis::compare::ComparisonVerdict;
use crate::analysis::history::{GateResult, ScorePoint, ScoreSeries, SweepHistory, ValuePoint, VariantHistory};
use crate::analysis::{self, CellState, show_axes};
use crate::plot::number;
use crate::plot::quantity::{in_words, quantity};

/// The picture of a history; `None` where there is nothing to draw.
#[must_use]
pub fn of_history(history: &SweepHistory, gate: Option<&GateResult>) -> Option<PlotFigure> {
    let strips: Vec<HistoryStrip> = std::iter::once(measure(history)).chain(score(history)).collect();
    let has_points = strips.iter().flat_map(|strip| &strip.lines).any(|line| line.cells.iter().any(Option::is_some));
    let imported = history.imported.as_ref().map(|program| format!(" · imported from {program}")).unwrap_or_default();
    let count = if history.nights.len() == 1 { "1 night".to_owned() } else { format!("{} nights", history.nights.len()) };
    has_points.then(|| {
        PlotFigure::History(Nights {
            caption: FigureCaption {
                title: format!("{}: night after night", history.name),
                subtitle: format!("{count} · {}{imported}", history.seed_words()),
                basis: FigureBasis::of(history.simulated),
            },
            nights: labels(history),
            strips,
            calls: history.variants.iter().map(|variant| calls(history, gate, &variant.name)).collect(),
        })
    })
}

fn measure(history: &SweepHistory) -> HistoryStrip {
    let limit = history.goal.as_ref().map(|goal| PlotLimit { comparison: goal.comparison, value: goal.limit });
    let line = |variant: &VariantHistory| {
        let nights = history.shown_of(variant).map(|series| series.nights.iter().map(|point| point.as_ref().map(value)).collect());
        NightLine { label: variant.name.clone(), cells: nights.unwrap_or_default() }
    };
    let lines: Vec<NightLine> = history.variants.iter().map(line).collect();
    let largest = lines.iter().flat_map(|line| &line.cells).flatten().filter_map(FigureCell::finite).max_by(f64::total_cmp);
    HistoryStrip {
        heading: [in_words(&history.measure), history.cell_words()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
        bars: format!("{} interval", number::confidence(history.confidence)),
        quantity: quantity(&history.measure, limit.map(|limit| limit.value), largest),
        limit,
        lines,
        samples: SampleCountRow::Shown,
    }
}

/// The score of the cells that the shown one belongs to, with what is certified and what is not excluded as the ends of its bars.
fn score(history: &SweepHistory) -> Option<HistoryStrip> {
    let held = |series: &&ScoreSeries| {
        let shown = history.shown_cell.as_ref();
        series.within.iter().all(|(name, value)| shown.and_then(|shown| shown.get(name)) == Some(value))
    };
    let first = history.variants.iter().find_map(|variant| variant.scores.iter().find(held))?;
    let line = |variant: &VariantHistory| {
        let series = variant.scores.iter().find(|series| series.score == first.score && series.within == first.within);
        let cells = series.map(|series| series.nights.iter().map(|point| point.as_ref().map(scored)).collect());
        NightLine { label: variant.name.clone(), cells: cells.unwrap_or_default() }
    };
    let within = show_axes(&first.within);
    Some(HistoryStrip {
        heading: [first.score.clone(), within].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "),
        bars: format!("certified to not excluded at {}", number::confidence(history.confidence)),
        quantity: PlotQuantity { name: first.score.clone(), unit: String::new(), factor: 1.0 },
        limit: None,
        lines: history.variants.iter().map(line).collect(),
        samples: SampleCountRow::None,
    })
}

/// Day and month over the year; or the time of day over the date, where nights of few dates are shown.
fn labels(history: &SweepHistory) -> Vec<NightLabel> {
    let parts: Vec<(&str, &str)> = history.nights.iter().map(|night| night.label.split_once(' ').unwrap_or((&night.label, ""))).collect();
    let dates: std::collections::BTreeSet<&str> = parts.iter().map(|(date, _)| *date).collect();
    let by_hour = dates.len() * 3 <= parts.len().max(3);
    let label = |(date, time): &(&str, &str)| {
        let (year, day) = date.split_once('-').unwrap_or(("", date));
        let (short, around) = match (time.is_empty(), by_hour) {
            (true, _) => (day.to_owned(), year.to_owned()),
            (false, true) => ((*time).to_owned(), (*date).to_owned()),
            (false, false) => (format!("{day} {time}"), year.to_owned()),
        };
        NightLabel { short, around }
    };
    parts.iter().map(label).collect()
}

/// What the gate called each night of a variant; `None` where it was not asked.
fn calls(history: &SweepHistory, gate: Option<&GateResult>, variant: &str) -> Vec<Option<ChangeOutcome>> {
    let judged = gate.and_then(|gate| gate.variants.iter().find(|known| known.variant == variant));
    let call = |folder: &str| {
        let night = judged?.nights.iter().find(|night| night.night == folder)?;
        Some(match night.call {
            ComparisonVerdict::Improved => ChangeOutcome::Improved,
            ComparisonVerdict::Same => ChangeOutcome::Same,
            ComparisonVerdict::Regressed => ChangeOutcome::Regressed,
            ComparisonVerdict::NotEnoughData => ChangeOutcome::Unknown,
        })
    };
    history.nights.iter().map(|night| call(&night.folder)).collect()
}

fn value(point: &ValuePoint) -> FigureCell {
    let without = |shown: FigureCellContent| FigureCell::without_value(shown, 0);
    let estimate = match (&point.state, &point.estimate) {
        (CellState::Failed(failure), _) => return without(FigureCellContent::Failed(failure.to_string())),
        (CellState::Invalid { reason }, _) => return without(FigureCellContent::Invalid(reason.to_string())),
        (CellState::Missing, _) => return without(FigureCellContent::Missing),
        (CellState::Untested { implied }, _) => return without(FigureCellContent::Untested(side(*implied))),
        (CellState::Measured, None) => return without(FigureCellContent::Nothing),
        (CellState::Measured, Some(estimate)) => estimate,
    };
    let Some(value) = estimate.value else { return without(FigureCellContent::Nothing) };
    FigureCell {
        shown: FigureCellContent::Value(value.get()),
        n: estimate.n,
        low: estimate.low.map(analysis::ExtendedReal::get),
        high: estimate.high.map(analysis::ExtendedReal::get),
        verdict: point.verdict.map(|verdict| match verdict {
            analysis::GoalVerdict::Met => FigureVerdict::Met,
            analysis::GoalVerdict::Missed => FigureVerdict::Missed,
            analysis::GoalVerdict::Undecided => FigureVerdict::Undecided,
        }),
        sign: estimate.bound.map_or("", |bound| bound.side.sign()),
    }
}

/// A score that nothing passes is 0; one that is not certified is undecided.
fn scored(point: &ScorePoint) -> FigureCell {
    let sure = point.value == point.certified && point.value == point.not_excluded;
    FigureCell {
        shown: FigureCellContent::Value(point.value.unwrap_or(0.0)),
        n: 1,
        low: Some(point.certified.unwrap_or(0.0)),
        high: Some(point.not_excluded.unwrap_or(0.0)),
        verdict: (!sure).then_some(FigureVerdict::Undecided),
        sign: "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::history::{GateOptions, gate, history};
    use crate::fixtures::nights::nights;

    fn figure(history: &SweepHistory, gate: Option<&GateResult>) -> Nights {
        match of_history(history, gate) {
            Some(PlotFigure::History(figure)) => figure,
            other => panic!("no history: {other:?}"),
        }
    }

    #[test]
    fn nights_have_their_dates_intervals_limit_and_score() {
        let history = history(&nights(&[0.5, 0.52, 8.0]), None).unwrap();
        let figure = figure(&history, None);
        assert_eq!(figure.nights[2], NightLabel { short: "01-03".into(), around: "2026".into() });
        let [measure, score] = figure.strips.as_slice() else { panic!("{:?}", figure.strips) };
        assert_eq!(measure.limit.unwrap().value.total_cmp(&2.0), std::cmp::Ordering::Equal);
        let cells: Vec<&FigureCell> = measure.lines[0].cells.iter().flatten().collect();
        assert!(cells.len() == 3 && cells.iter().all(|cell| cell.low.is_some() && cell.n == 120), "{cells:?}");
        assert_eq!(cells[2].verdict, Some(FigureVerdict::Missed));
        let values: Vec<_> = score.lines[0].cells.iter().flatten().map(|cell| cell.finite().unwrap()).collect();
        assert_eq!(values, [4.0, 4.0, 2.0]);
        assert!(figure.caption.basis == FigureBasis::Simulated && measure.heading.ends_with("C=2, S=2"), "{}", measure.heading);
        assert!(figure.calls[0].iter().all(Option::is_none));
        assert!(crate::plot::draw(&PlotFigure::History(figure)).is_ok());
    }

    #[test]
    fn the_gate_marks_the_nights_that_it_was_asked_about() {
        let nights = nights(&[0.5, 0.5, 0.5, 0.8]);
        let gate = gate(&nights, None, &GateOptions { nights: 2, ..GateOptions::default() });
        let figure = figure(&history(&nights, None).unwrap(), Some(&gate));
        assert_eq!(figure.calls, [vec![None, None, Some(ChangeOutcome::Same), Some(ChangeOutcome::Regressed)]]);
    }

    #[test]
    fn nights_of_one_date_are_told_by_the_time_of_day() {
        let mut nights = nights(&[0.5, 0.5, 0.5]);
        for (night, hour) in nights.iter_mut().zip(["08:00", "09:30", "11:00"]) {
            night.sweep.manifest.created_at = format!("2026-01-01T{hour}:00Z").parse().unwrap();
        }
        let figure = figure(&history(&nights, None).unwrap(), None);
        assert_eq!(figure.nights[1], NightLabel { short: "09:30".into(), around: "2026-01-01".into() });
    }
}
