//! From a sweep's summary to what each user gets against what the server gives in all. The frontier comes from `analysis`.

use super::{FigureCaption, ParetoFigure, ParetoLine, ParetoPoint, PlotQuantity};
use crate::analysis::{CellState, CellSummary, SweepSummary, VariantSummary, frontier};
use crate::presentation::plot::axes;
use crate::presentation::plot::origin::pooled_of;
use crate::presentation::plot::plot_options::{FigureError, PlotOptions};

/// All variants of the view, a point each cell that tells both.
pub fn pareto(summary: &SweepSummary, view: &PlotOptions) -> Result<ParetoFigure, FigureError> {
    if let Some(name) = view.variant.as_ref().filter(|name| summary.variants.iter().all(|variant| variant.name != **name)) {
        let known = summary.variants.iter().map(|variant| format!("`{}`", variant.name)).collect::<Vec<_>>().join(", ");
        return Err(FigureError::UnknownVariant { name: name.clone(), known });
    }
    let wanted = |variant: &&VariantSummary| view.variant.as_ref().is_none_or(|name| *name == variant.name);
    let tokens_per_second = |name: &str| PlotQuantity { name: name.to_owned(), unit: "tokens/s".to_owned(), factor: 1.0 };
    let title = view.title.clone().unwrap_or_else(|| "what a user gets against what the server gives".to_owned());
    Ok(ParetoFigure {
        caption: FigureCaption { title, subtitle: subtitle(summary), simulated: summary.simulated },
        x: tokens_per_second("output per user, 1 / p50(tpot)"),
        y: tokens_per_second("output of the server"),
        lines: summary.variants.iter().filter(wanted).map(operating).collect(),
        goals: summary.goals.iter().map(ToString::to_string).collect(),
        confidence: summary.confidence,
    })
}

fn subtitle(summary: &SweepSummary) -> String {
    let imported = summary.imported.as_ref().map(|imported| format!("imported from {}", imported.program));
    let repeats = pooled_of(summary);
    let seed = imported.is_none().then(|| format!("seed {}", summary.seed));
    let samples =
        || summary.variants.iter().flat_map(|variant| &variant.cells).filter_map(|cell| Some(cell.rates.output_tps_per_user.as_ref()?.n));
    let n = samples()
        .min()
        .zip(samples().max())
        .map(|(low, high)| if low == high { format!("n {low} per point") } else { format!("n {low} to {high} per point") });
    [Some(summary.name.clone()), imported, repeats, seed, n].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn operating(variant: &VariantSummary) -> ParetoLine {
    let points: Vec<ParetoPoint> = variant.cells.iter().filter_map(dot).collect();
    let passing: Vec<(f64, f64)> = points.iter().filter(|dot| dot.passes).map(|dot| (dot.x, dot.y)).collect();
    ParetoLine { label: variant.name.clone(), frontier: frontier(&passing), without: (variant.cells.len() - points.len()) as u64, points }
}

fn dot(cell: &CellSummary) -> Option<ParetoPoint> {
    if cell.state != CellState::Measured {
        return None;
    }
    let per_user = cell.rates.output_tps_per_user.as_ref()?;
    Some(ParetoPoint {
        x: per_user.value,
        y: cell.rates.output_tokens_per_s?,
        low: per_user.low,
        high: per_user.high,
        n: per_user.n,
        label: axes::in_words(&cell.axes),
        passes: cell.passes != Some(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{cell, published, sweep, uniform};
    use crate::analysis::{SummaryOptions, summarize};
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
