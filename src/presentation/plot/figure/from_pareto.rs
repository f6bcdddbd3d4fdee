//! From a sweep's summary to two values of each cell against each other: what each user gets against what the server gives in all, or any two measures.
//! The frontier comes from `analysis`.

use super::{FigureBasis, FigureCaption, ParetoFigure, ParetoLine, ParetoPoint, PlotQuantity};
use crate::analysis::{CellState, CellSummary, Estimate, ExtendedReal, SweepSummary, VariantSummary, frontier};
use crate::plot::axes;
use crate::plot::origin::pooled_of;
use crate::plot::plot_options::{FigureError, PlotOptions};
use crate::plot::quantity::{in_words, quantity};
use crate::vocabulary::goal::Measure;
use crate::vocabulary::metric::MetricDirection;

/// What stands along the page and up the page.
enum ParetoSubject {
    /// Output tokens per second of a user and of the server.
    UserAndServer,
    Measures(Box<(Measure, Measure)>),
}

/// The measures that a view puts against each other; none where it names none.
///
/// # Errors
/// Where only one is named, or one of them is no measure.
pub fn two_measures(view: &PlotOptions) -> Result<Option<(Measure, Measure)>, FigureError> {
    let read = |text: &String| {
        let measure = text.parse::<Measure>();
        measure.map_err(|error| FigureError::Measure { text: text.clone(), reason: error.to_string() })
    };
    match (&view.x, &view.y) {
        (None, None) => Ok(None),
        (Some(x), Some(y)) => Ok(Some((read(x)?, read(y)?))),
        (Some(name), None) | (None, Some(name)) => Err(FigureError::OneMeasure { name: name.clone() }),
    }
}

/// All variants of the view, a point each cell that tells both.
pub fn pareto(summary: &SweepSummary, view: &PlotOptions) -> Result<ParetoFigure, FigureError> {
    if let Some(name) = view.variant.as_ref().filter(|name| summary.variants.iter().all(|variant| variant.name != **name)) {
        let known = summary.variants.iter().map(|variant| format!("`{}`", variant.name)).collect::<Vec<_>>().join(", ");
        return Err(FigureError::UnknownVariant { name: name.clone(), known });
    }
    let subject = two_measures(view)?.map_or(ParetoSubject::UserAndServer, |both| ParetoSubject::Measures(Box::new(both)));
    let wanted = |variant: &&VariantSummary| view.variant.as_ref().is_none_or(|name| *name == variant.name);
    let operating = |variant: &VariantSummary| operating(variant, &subject, view.without_bands);
    let lines: Vec<ParetoLine> = summary.variants.iter().filter(wanted).map(operating).collect();
    let title = view.title.clone().unwrap_or_else(|| subject.title());
    let (x, y) = subject.quantities(summary, &lines);
    Ok(ParetoFigure {
        caption: FigureCaption { title, subtitle: subtitle(summary, &lines), basis: FigureBasis::of_summary(summary) },
        x,
        y,
        better: subject.better(),
        lines,
        goals: summary.goals.iter().map(ToString::to_string).collect(),
        confidence: summary.confidence,
    })
}

impl ParetoSubject {
    fn title(&self) -> String {
        match self {
            Self::UserAndServer => "what a user gets against what the server gives".to_owned(),
            Self::Measures(both) => format!("{} against {}", in_words(&both.1), in_words(&both.0)),
        }
    }

    fn better(&self) -> (MetricDirection, MetricDirection) {
        match self {
            Self::UserAndServer => (MetricDirection::Higher, MetricDirection::Higher),
            Self::Measures(both) => (both.0.better(), both.1.better()),
        }
    }

    fn quantities(&self, summary: &SweepSummary, lines: &[ParetoLine]) -> (PlotQuantity, PlotQuantity) {
        let tokens_per_second = |name: &str| PlotQuantity { name: name.to_owned(), unit: "tokens/s".to_owned(), factor: 1.0 };
        let points = || lines.iter().flat_map(|line| &line.points);
        let limit = |measure: &Measure| summary.goals.iter().find(|goal| goal.measure == *measure).map(|goal| goal.limit);
        match self {
            Self::UserAndServer => (tokens_per_second("output per user, 1 / p50(tpot)"), tokens_per_second("output of the server")),
            Self::Measures(both) => (
                quantity(&both.0, limit(&both.0), points().map(|dot| dot.x).max_by(f64::total_cmp)),
                quantity(&both.1, limit(&both.1), points().map(|dot| dot.y).max_by(f64::total_cmp)),
            ),
        }
    }
}

fn subtitle(summary: &SweepSummary, lines: &[ParetoLine]) -> String {
    let imported = summary.imported.as_ref().map(|imported| format!("imported from {}", imported.program));
    let repeats = pooled_of(summary);
    let seed = imported.is_none().then(|| format!("seed {}", summary.seed));
    let samples = || lines.iter().flat_map(|line| &line.points).map(|dot| dot.n);
    let n = samples()
        .min()
        .zip(samples().max())
        .map(|(low, high)| if low == high { format!("n {low} per point") } else { format!("n {low} to {high} per point") });
    [Some(summary.name.clone()), imported, repeats, seed, n].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn operating(variant: &VariantSummary, subject: &ParetoSubject, without_bands: bool) -> ParetoLine {
    let points: Vec<ParetoPoint> = variant.cells.iter().filter_map(|cell| dot(cell, subject)).collect();
    let points = if without_bands { points.into_iter().map(|dot| ParetoPoint { along: None, up: None, ..dot }).collect() } else { points };
    // The frontier is told for more being better both ways.
    let sign = |better| if better == MetricDirection::Higher { 1.0 } else { -1.0 };
    let (along, up) = subject.better();
    let passing: Vec<(f64, f64)> = points.iter().filter(|dot| dot.passes).map(|dot| (dot.x * sign(along), dot.y * sign(up))).collect();
    let mut best: Vec<(f64, f64)> = frontier(&passing).into_iter().map(|(x, y)| (x * sign(along), y * sign(up))).collect();
    best.sort_by(|left, right| left.0.total_cmp(&right.0));
    ParetoLine { label: variant.name.clone(), frontier: best, without: (variant.cells.len() - points.len()) as u64, points }
}

fn dot(cell: &CellSummary, subject: &ParetoSubject) -> Option<ParetoPoint> {
    if cell.state != CellState::Measured {
        return None;
    }
    let (label, passes) = (axes::in_words(&cell.axes), cell.passes != Some(false));
    match subject {
        ParetoSubject::UserAndServer => {
            let per_user = cell.rates.output_tps_per_user.as_ref()?;
            let along = Some((per_user.low, per_user.high));
            Some(ParetoPoint { x: per_user.value, y: cell.rates.output_tokens_per_s?, along, up: None, n: per_user.n, label, passes })
        }
        ParetoSubject::Measures(both) => {
            let known = |measure: &Measure| cell.shown.iter().chain(&cell.also).find(|estimate| estimate.measure == *measure);
            let (x, y) = (known(&both.0)?, known(&both.1)?);
            let value = |estimate: &Estimate| estimate.value.and_then(ExtendedReal::finite);
            Some(ParetoPoint { x: value(x)?, y: value(y)?, along: ends(x), up: ends(y), n: x.n.max(y.n), label, passes })
        }
    }
}

/// None of a value that has no interval.
fn ends(estimate: &Estimate) -> Option<(Option<f64>, Option<f64>)> {
    let end = |value: Option<ExtendedReal>| value.and_then(ExtendedReal::finite);
    (estimate.low.is_some() || estimate.high.is_some()).then(|| (end(estimate.low), end(estimate.high)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, published, sweep, uniform};
    use crate::records::record::{RunFailure, RunFailureCause};

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    #[test]
    fn every_cell_is_a_point_and_those_that_miss_their_goals_are_no_part_of_the_frontier() {
        let cells = published("vllm");
        let summary = summarize(&sweep(&[GOAL], &cells), &SummaryOptions::default()).unwrap();
        let figure = pareto(&summary, &PlotOptions::default()).unwrap();
        let [vllm] = figure.lines.as_slice() else { panic!() };
        assert_eq!((vllm.points.len(), vllm.without), (16, 0));
        let missing: Vec<&str> = vllm.points.iter().filter(|dot| !dot.passes).map(|dot| dot.label.as_str()).collect();
        assert_eq!(missing, ["C=3, S=4", "C=4, S=4"]);
        let passing = |(x, y): &(f64, f64)| {
            vllm.points.iter().any(|dot| dot.passes && dot.x.to_bits() == x.to_bits() && dot.y.to_bits() == y.to_bits())
        };
        assert!(!vllm.frontier.is_empty() && vllm.frontier.iter().all(passing));
    }

    #[test]
    fn any_two_measures_stand_against_each_other_with_their_own_directions() {
        let cells = published("vllm");
        let view = PlotOptions {
            x: Some("throughput(output_tokens)".into()),
            y: Some("p95(ttft where turn >= 1)".into()),
            ..PlotOptions::default()
        };
        let also = vec!["throughput(output_tokens)".parse().unwrap()];
        let summary = summarize(&sweep(&[GOAL], &cells), &SummaryOptions { also, ..SummaryOptions::default() }).unwrap();
        let figure = pareto(&summary, &view).unwrap();
        assert_eq!(figure.better, (MetricDirection::Higher, MetricDirection::Lower));
        assert_eq!((figure.x.unit.as_str(), figure.y.unit.as_str()), ("tokens/s", "s"));
        assert_eq!(figure.caption.title, "p95 of time to first token, turn ≥ 1 against output tokens per second");
        let line = &figure.lines[0];
        assert!(line.frontier.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1), "{:?}", line.frontier);
        assert!(line.points.iter().any(|dot| dot.along.is_some()));
        let bare = pareto(&summary, &PlotOptions { without_bands: true, ..view }).unwrap();
        assert!(bare.lines[0].points.iter().all(|dot| dot.along.is_none() && dot.up.is_none()));
        let one = pareto(&summary, &PlotOptions { x: Some("p95(ttft)".into()), ..PlotOptions::default() });
        assert!(matches!(one, Err(FigureError::OneMeasure { .. })));
    }

    #[test]
    fn a_cell_without_a_result_is_counted_and_not_drawn() {
        let cells = [(1, 1), (2, 1)].map(|(c, s)| cell("vllm", c, s, uniform(c, s, 0.5)));
        let mut summary = summarize(&sweep(&[], &cells), &SummaryOptions::default()).unwrap();
        summary.variants[0].cells[1].state = CellState::Failed(RunFailure::new(RunFailureCause::Cell, "for the test".into()));
        let figure = pareto(&summary, &PlotOptions::default()).unwrap();
        assert_eq!((figure.lines[0].points.len(), figure.lines[0].without), (1, 1));
        let unknown = pareto(&summary, &PlotOptions { variant: Some("sglang".into()), ..PlotOptions::default() });
        assert!(matches!(unknown, Err(FigureError::UnknownVariant { .. })));
    }
}
