//! The cells that a search left out: what follows for them where more load is not easier, by the measured cells around them.
//!
//! In: judged cells of one variant, and the axes of the frontier. Out: the states of those that no run is there of. They are never measured, have
//! no number, and count in no score but for what is not excluded.

use std::collections::BTreeMap;

use serde_json::Value;

use super::scores::by_facet;
use super::summary::{AxisSummary, CellState, CellSummary, FrontierCounts, GoalVerdict, ImpliedOutcome, VariantSummary};
use crate::search::{CellIndex, CellStateTable, GoalEvidence, LatticeAxis, LoadLattice, SearchCellState, TestedCell};

impl ImpliedOutcome {
    /// Short enough for a cell of a table.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ToPass => "implied ✓",
            Self::ToFail | Self::ToFailForCertain => "implied ✗",
            Self::Nothing => "untested",
        }
    }

    /// Whether one that is no harder fails.
    #[must_use]
    pub fn fails(self) -> bool {
        matches!(self, Self::ToFail | Self::ToFailForCertain)
    }

    /// For programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ToPass => "implied_to_pass",
            Self::ToFail | Self::ToFailForCertain => "implied_to_fail",
            Self::Nothing => "untested",
        }
    }
}

/// Says of each cell of a variant that was not run what is implied of it.
pub(super) fn imply(cells: &mut [CellSummary], frontier: &[String], axes: &[AxisSummary]) {
    let all: Vec<&AxisSummary> = frontier.iter().filter_map(|name| axes.iter().find(|axis| axis.name == *name)).collect();
    let place = |cell: &CellSummary| {
        let along = |axis: Option<&&AxisSummary>| {
            axis.map_or(Some(0), |axis| axis.values.iter().position(|v| cell.axes.get(&axis.name) == Some(v)))
        };
        Some(CellIndex(along(all.first())?, along(all.get(1))?))
    };
    let Some(lattice) = lattice(&all) else { return };
    let facets: Vec<BTreeMap<CellIndex, ImpliedOutcome>> = by_facet(cells, |name| frontier.iter().any(|axis| axis == name))
        .into_iter()
        .map(|(_, cells)| {
            let places = || cells.iter().filter_map(|cell| Some((place(cell)?, *cell)));
            let seen: BTreeMap<CellIndex, TestedCell> = places().filter_map(|(place, cell)| Some((place, seen(cell)?))).collect();
            let known = CellStateTable::of(&lattice, &seen);
            places().filter(|(_, cell)| cell.state == CellState::Missing).map(|(place, _)| (place, implied(&known, place))).collect()
        })
        .collect();
    // Facets come in the order in which their first cells do.
    let keys: Vec<_> = by_facet(cells, |name| frontier.iter().any(|axis| axis == name)).into_iter().map(|(within, _)| within).collect();
    for cell in cells.iter_mut().filter(|cell| cell.state == CellState::Missing) {
        let facet = keys.iter().position(|within| within.iter().all(|(name, value)| cell.axes.get(name) == Some(value)));
        let found = facet.and_then(|facet| facets[facet].get(&place(cell)?).copied());
        cell.state = CellState::Untested { implied: found.unwrap_or(ImpliedOutcome::Nothing) };
    }
}

fn lattice(axes: &[&AxisSummary]) -> Option<LoadLattice> {
    let ascending = |axis: &&AxisSummary| LatticeAxis::listed(axis.values.iter().filter_map(Value::as_f64).collect()).ok();
    LoadLattice::new(axes.iter().map(ascending).collect::<Option<_>>()?).ok()
}

/// A cell that was run; `None` where it was not.
fn seen(cell: &CellSummary) -> Option<TestedCell> {
    let runs = u32::try_from(cell.runs).unwrap_or(u32::MAX);
    let evidence = match cell.verdict {
        Some(GoalVerdict::Met) => GoalEvidence::Met,
        Some(GoalVerdict::Missed) => GoalEvidence::Missed,
        Some(GoalVerdict::Undecided) | None => GoalEvidence::Undecided,
    };
    (cell.state != CellState::Missing).then_some(TestedCell { passes: cell.passes, evidence, runs })
}

fn implied(known: &CellStateTable, place: CellIndex) -> ImpliedOutcome {
    match known.state(place) {
        SearchCellState::ImpliedToPass => ImpliedOutcome::ToPass,
        SearchCellState::ImpliedToFail if known.is_excluded(place) => ImpliedOutcome::ToFailForCertain,
        SearchCellState::ImpliedToFail => ImpliedOutcome::ToFail,
        SearchCellState::Open | SearchCellState::Passes | SearchCellState::Fails | SearchCellState::NoResult => ImpliedOutcome::Nothing,
    }
}

/// What a sweep along a frontier ran of a variant and left out.
pub(super) fn frontier_counts(variant: &VariantSummary, frontier: &[String]) -> FrontierCounts {
    let count = |of: &dyn Fn(Option<ImpliedOutcome>) -> bool| {
        let implied = |cell: &CellSummary| match cell.state {
            CellState::Untested { implied } => Some(implied),
            _ => None,
        };
        variant.cells.iter().filter(|cell| of(implied(cell))).count() as u64
    };
    FrontierCounts {
        variant: variant.name.clone(),
        axes: frontier.to_vec(),
        run: count(&|implied| implied.is_none()),
        implied_to_pass: count(&|implied| implied == Some(ImpliedOutcome::ToPass)),
        implied_to_fail: count(&|implied| implied.is_some_and(ImpliedOutcome::fails)),
        untested: count(&|implied| implied == Some(ImpliedOutcome::Nothing)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, cell, searched_over_users, sweep, uniform};
    use super::super::{SummaryOptions, SweepSummary, show_axes, summarize};
    use super::*;
    use crate::analysis::summary::{Score, ScoreBound, SweepNote};
    use crate::records::record::FrontierSweep;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    /// A 4×4 table of which only these cells were run.
    fn searched(run: &[(u64, u64, f64)]) -> SweepSummary {
        let all: Vec<Cell> =
            (1..=4).flat_map(|c| (1..=4).map(move |s| (c, s))).map(|(c, s)| cell("vllm", c, s, uniform(c, s, 1.0))).collect();
        let mut saved = sweep(&[GOAL], &all);
        let measured: Vec<Cell> = run.iter().map(|(c, s, ttft)| cell("vllm", *c, *s, uniform(*c, *s, *ttft))).collect();
        saved.runs = sweep(&[GOAL], &measured).runs;
        saved.manifest.search =
            Some(FrontierSweep { axes: vec!["workload.concurrent".into(), "workload.sequential".into()], climbed: Vec::new() });
        summarize(&saved, &SummaryOptions::default()).unwrap()
    }

    fn state(summary: &SweepSummary, place: &str) -> CellState {
        summary.variants[0].cells.iter().find(|cell| show_axes(&cell.axes) == place).unwrap().state.clone()
    }

    #[test]
    fn what_was_not_run_is_implied_or_untested_and_never_missing() {
        let summary = searched(&[(3, 3, 1.0), (4, 3, 9.0), (3, 4, 9.0)]);
        assert_eq!(state(&summary, "C=3, S=3"), CellState::Measured);
        assert_eq!(state(&summary, "C=2, S=3"), CellState::Untested { implied: ImpliedOutcome::ToPass });
        assert_eq!(state(&summary, "C=4, S=4"), CellState::Untested { implied: ImpliedOutcome::ToFailForCertain });
        assert_eq!(state(&summary, "C=1, S=4"), CellState::Untested { implied: ImpliedOutcome::Nothing });
        assert!(summary.variants[0].cells.iter().all(|cell| cell.state != CellState::Missing));
        let frontier = FrontierCounts {
            variant: "vllm".into(),
            axes: vec!["workload.concurrent".into(), "workload.sequential".into()],
            run: 3,
            implied_to_pass: 8,
            implied_to_fail: 1,
            untested: 4,
        };
        assert_eq!(summary.notes.0, [SweepNote::Frontier(frontier)]);
        assert_eq!(summary.runs.planned, 3, "what was left out by design is not planned");
    }

    #[test]
    fn what_is_not_excluded_counts_cells_that_were_not_run_and_the_headline_does_not() {
        let score = |run: &[(u64, u64, f64)]| match &searched(run).variants[0].scores[0] {
            Score::Capacity(score) => (score.max_product.unwrap().product, score.largest_not_excluded.unwrap().product),
            Score::Largest(_) => unreachable!(),
        };
        assert_eq!(score(&[(2, 2, 1.0)]), (4, 16), "nothing says that 4×4 fails");
        assert_eq!(score(&[(4, 3, 1.0), (4, 4, 9.0)]), (12, 12));
    }

    fn scored(summary: &SweepSummary) -> Vec<(String, Option<f64>, ScoreBound, bool)> {
        let of = |score: &Score| match score {
            Score::Largest(score) => {
                (format!("{} at {}", score.axis, show_axes(&score.within)), score.passes, score.bound, score.is_implied)
            }
            Score::Capacity(_) => panic!("no C×S"),
        };
        summary.variants[0].scores.iter().map(of).collect()
    }

    #[test]
    fn the_score_of_a_search_goes_by_its_axis_and_each_verdict_names_its_panel() {
        let summary = searched_over_users(None);
        let expected = [
            ("workload.users at qps=4".to_owned(), Some(20.0), ScoreBound::AtLeast, false),
            ("workload.users at qps=16".to_owned(), None, ScoreBound::Exact, false),
        ];
        assert_eq!(scored(&summary), expected);
    }

    #[test]
    fn a_chosen_score_counts_implied_cells_as_what_they_are() {
        let found: Vec<_> = scored(&searched_over_users(Some("workload.qps")));
        let expected = [(5, true), (10, true), (20, false)]
            .map(|(users, is_implied)| (format!("workload.qps at users={users}"), Some(4.0), ScoreBound::Exact, is_implied));
        assert_eq!(found, expected, "20 users pass at 4, so that 5 and 10 are implied to, and 16 fails for 5");
    }
}
