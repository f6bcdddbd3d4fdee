//! Tables that are not monotone: a cell that fails although another with as much load passes.
//!
//! More sessions never make a server faster, so one of the two is off: by chance, or by something that differed. In: judged cells. Out:
//! each such cell once, with the cell that shows it; `reason.rs` looks for what the data says of why.

use super::axes::Axes;
use super::reason::reasons;
use super::scores::by_facet;
use super::summary::{CellSummary, GoalVerdict, LoadComparison, LoadReversal};

/// A cell with its load along each axis.
struct CellLoad<'a> {
    cell: &'a CellSummary,
    load: Vec<f64>,
}

/// The reversals of one variant, in the order of its cells. Load grows along these axes.
pub fn reversals(cells: &[CellSummary], axes: &[String]) -> Vec<LoadReversal> {
    if axes.is_empty() || cells.iter().all(|cell| cell.passes.is_none()) {
        return Vec::new();
    }
    let facets = by_facet(cells, |name| axes.iter().any(|axis| axis == name));
    facets.into_iter().flat_map(|(within, cells)| of_facet(&within, &cells, axes)).collect()
}

fn of_facet(within: &Axes, cells: &[&CellSummary], axes: &[String]) -> Vec<LoadReversal> {
    let judged = |passes: bool| -> Vec<CellLoad<'_>> {
        let load = |cell: &CellSummary| axes.iter().map(|axis| cell.axes.get(axis)?.as_f64()).collect::<Option<Vec<f64>>>();
        let of = |cell: &&'_ CellSummary| cell.passes == Some(passes);
        cells.iter().copied().filter(of).filter_map(|cell| Some(CellLoad { load: load(cell)?, cell })).collect()
    };
    let (passing, failing) = (judged(true), judged(false));
    let shown_by = |fails: &CellLoad<'_>| {
        let witnesses = passing.iter().filter_map(|passes| Some((relation(&fails.load, &passes.load)?, passes)));
        // The surest witness: one that is met, then one with more load in every way, then the one with most requests.
        let best = witnesses.max_by_key(|(load, passes)| (passes.cell.verdict == Some(GoalVerdict::Met), *load, passes.cell.n));
        best.map(|(load, passes)| reversal(within, fails.cell, passes.cell, load))
    };
    failing.iter().filter_map(shown_by).collect()
}

#[expect(clippy::float_cmp, reason = "products of whole numbers of sessions are exact")]
fn relation(fails: &[f64], passes: &[f64]) -> Option<LoadComparison> {
    if passes.iter().zip(fails).all(|(passes, fails)| passes >= fails) {
        return Some(LoadComparison::More);
    }
    let product = |load: &[f64]| load.iter().product::<f64>();
    (product(fails) == product(passes)).then_some(LoadComparison::SameProduct)
}

fn reversal(within: &Axes, fails: &CellSummary, passes: &CellSummary, load: LoadComparison) -> LoadReversal {
    LoadReversal {
        within: within.clone(),
        fails: fails.axes.clone(),
        passes: passes.axes.clone(),
        load,
        certain: fails.verdict == Some(GoalVerdict::Missed) && passes.verdict == Some(GoalVerdict::Met),
        reasons: reasons(fails, passes),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, cell, published, sweep, uniform};
    use super::super::{SummaryOptions, show_axes, summarize};
    use super::*;
    use crate::analysis::summary::ReversalReason;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn found(cells: &[Cell]) -> Vec<LoadReversal> {
        summarize(&sweep(&[GOAL], cells), &SummaryOptions::default()).unwrap().variants.remove(0).reversals
    }

    #[test]
    fn the_published_table_is_flagged_where_the_same_sessions_have_opposite_verdicts() {
        let found = found(&published("vllm"));
        assert_eq!(found.len(), 1, "4×4 fails with more load than anything that passes");
        assert_eq!((show_axes(&found[0].fails).as_str(), show_axes(&found[0].passes).as_str()), ("C=3, S=4", "C=4, S=3"));
        assert_eq!((found[0].load, found[0].certain), (LoadComparison::SameProduct, false));
        let [ReversalReason::FewRows { .. }, one_run] = found[0].reasons.as_slice() else { panic!("{:?}", found[0].reasons) };
        assert_eq!(*one_run, ReversalReason::OneRun { cells: vec![found[0].fails.clone(), found[0].passes.clone()] });
    }

    #[test]
    fn a_table_that_only_falls_is_not_flagged() {
        assert!(found(&published("lmcache")).is_empty());
        let falling =
            [cell("vllm", 1, 1, uniform(1, 1, 0.5)), cell("vllm", 2, 2, uniform(2, 2, 5.0)), cell("vllm", 4, 3, uniform(4, 3, 9.0))];
        assert!(found(&falling).is_empty());
    }

    #[test]
    fn a_cell_below_one_that_passes_is_flagged_once_with_the_surest_witness() {
        // 72 good rows at (6, 4) meet the goal; 27 at (3, 3) do not suffice.
        let cells =
            [cell("vllm", 2, 2, uniform(2, 2, 5.0)), cell("vllm", 3, 3, uniform(3, 3, 0.5)), cell("vllm", 6, 4, uniform(6, 4, 0.5))];
        let found = found(&cells);
        assert_eq!(found.len(), 1);
        assert_eq!((show_axes(&found[0].passes).as_str(), found[0].load, found[0].certain), ("C=6, S=4", LoadComparison::More, true));
    }

    #[test]
    fn cells_of_other_settings_are_no_witnesses() {
        let with = |answer: u64, mut cell: Cell| {
            cell.axes.push(("workload.answer_tokens".into(), answer.into()));
            cell
        };
        let cells = [with(512, cell("vllm", 1, 1, uniform(1, 1, 5.0))), with(16, cell("vllm", 2, 2, uniform(2, 2, 0.5)))];
        assert!(found(&cells).is_empty());
    }
}
