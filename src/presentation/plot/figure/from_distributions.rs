//! From distributions to the figure that shows them: names of lines, unit, and where a goal draws its line. Computes no number.

use super::{CdfFigure, CdfLine, PlotLimit};
use crate::analysis::{Axes, CellDistribution, CellState, PopulationDistributions};
use crate::plot::plot_options::PlotOptions;
use crate::plot::quantity::{population_in_words, quantity};
use crate::plot::{axes, origin};
use crate::vocabulary::goal::{Aggregate, MetricPopulation};

/// One figure of all the cells; lines are named by variant, and by the axes in which the cells differ.
pub fn cdf(distributions: &PopulationDistributions, view: &PlotOptions) -> CdfFigure {
    let PopulationDistributions { population, cells, .. } = distributions;
    let shown = || cells.iter().filter_map(|cell| cell.distribution.as_ref());
    let goal = distributions.goals.iter().find(|goal| MetricPopulation::of(&goal.measure).as_ref() == Some(population));
    let limit = goal.map(|goal| PlotLimit { comparison: goal.comparison, value: goal.limit });
    let largest = shown().filter_map(|distribution| distribution.steps.last()).map(|(value, _)| *value).max_by(f64::total_cmp);
    let mut quantity = quantity(&population.largest(), limit.map(|limit| limit.value), largest);
    quantity.name = population.to_string();
    let (common, apart) = common(cells);
    let words = view.title.clone().unwrap_or_else(|| format!("distribution of {}", population_in_words(population)));
    let several = cells.iter().any(|cell| cell.variant != cells[0].variant);
    let title = [Some(words), Some(axes::in_words(&common)).filter(|axes| !axes.is_empty())];
    let line = |cell: &CellDistribution| {
        let differing: Axes =
            cell.axes.iter().filter(|(axis, _)| apart.contains(axis)).map(|(axis, value)| (axis.clone(), value.clone())).collect();
        let name = Some(cell.variant.clone()).filter(|_| several || differing.is_empty());
        let label = [name, Some(axes::in_words(&differing)).filter(|axes| !axes.is_empty())];
        steps(cell, label.into_iter().flatten().collect::<Vec<_>>().join(", "))
    };
    let share = goal.and_then(|goal| match goal.measure.aggregate {
        Aggregate::Percentile(p, _) => Some(p / 100.0),
        _ => None,
    });
    let (limit, share) = match view.limit {
        // Another limit than the goal's speaks of no share.
        Some(value) => (Some(PlotLimit { value, comparison: population.largest().limit_by() }), None),
        None => (limit, share),
    };
    let variant = if several || apart.is_empty() { None } else { cells.first().map(|cell| cell.variant.as_str()) };
    CdfFigure {
        caption: origin::caption(&distributions.origin, variant, &title.into_iter().flatten().collect::<Vec<_>>().join(", ")),
        quantity,
        lines: cells.iter().map(line).map(|line| CdfLine { margin: line.margin.filter(|_| !view.without_bands), ..line }).collect(),
        limit,
        share,
        better: population.metric.better(),
        confidence: distributions.confidence,
    }
}

/// The axes that all cells have at one value, and the names of those in which they differ.
fn common(cells: &[CellDistribution]) -> (Axes, Vec<String>) {
    let Some(first) = cells.first() else { return (Axes::new(), Vec::new()) };
    let alike = |axis: &String| cells.iter().all(|cell| cell.axes.get(axis) == first.axes.get(axis));
    let (same, apart): (Vec<_>, Vec<_>) = first.axes.iter().partition(|(axis, _)| alike(axis));
    let owned = |(axis, value): (&String, &serde_json::Value)| (axis.clone(), value.clone());
    (same.into_iter().map(owned).collect(), apart.into_iter().map(|(axis, _)| axis.clone()).collect())
}

fn steps(cell: &CellDistribution, label: String) -> CdfLine {
    let without = match (&cell.state, &cell.distribution) {
        (CellState::Failed(_), _) => Some("failed"),
        (CellState::Invalid { .. }, _) => Some("invalid"),
        (CellState::Missing | CellState::Untested { .. }, _) => Some("not run"),
        (CellState::Measured, None) => Some("no such requests"),
        (CellState::Measured, Some(_)) => None,
    };
    let distribution = cell.distribution.clone();
    let (n, failed) = distribution.as_ref().map_or((0, 0), |distribution| (distribution.n, distribution.failed));
    let margin = distribution.as_ref().and_then(|distribution| distribution.margin);
    CdfLine {
        label,
        n,
        failed,
        steps: distribution.map(|known| known.steps).unwrap_or_default(),
        margin,
        without: without.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{CellSelector, distributions, parse_cell};
    use crate::fixtures::sweeps::{published, sweep};
    use crate::plot::figure::FigureBasis;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn figure(variant: Option<&str>, cell: &str, population: &str) -> CdfFigure {
        let mut cells = published("vllm");
        cells.extend(published("lmcache"));
        let saved = sweep(&[GOAL], &cells);
        let choice = CellSelector { variant: variant.map(str::to_owned), any_of: vec![parse_cell(cell).unwrap()] };
        let chosen = choice.cells(&saved).unwrap();
        cdf(&distributions(&saved, &chosen, &population.parse().unwrap(), &[]).unwrap(), &PlotOptions::default())
    }

    #[test]
    fn a_cell_has_a_line_a_variant_and_the_goals_limit_with_its_share() {
        let figure = figure(None, "C=3,S=4", "ttft where turn >= 1");
        assert_eq!(figure.lines.iter().map(|line| line.label.as_str()).collect::<Vec<_>>(), ["vllm", "lmcache"]);
        assert_eq!((figure.limit.map(|limit| limit.value), figure.share), (Some(2.0), Some(0.95)));
        assert_eq!(figure.caption.title, "distribution of time to first token, turn ≥ 1, C=3, S=4");
        assert_eq!((figure.quantity.name.as_str(), figure.quantity.unit.as_str()), ("ttft where turn >= 1", "s"));
        assert!(figure.caption.basis == FigureBasis::Simulated);
    }

    #[test]
    fn cells_that_differ_are_named_by_what_they_differ_in() {
        let one = figure(Some("vllm"), "S=4", "e2e");
        assert_eq!(one.lines.iter().map(|line| line.label.as_str()).collect::<Vec<_>>(), ["C=1", "C=2", "C=3", "C=4"]);
        assert!(one.caption.title.starts_with("vllm: ") && one.limit.is_none());
        assert_eq!(figure(None, "S=4", "e2e").lines[7].label, "lmcache, C=4");
    }
}
