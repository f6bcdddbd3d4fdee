//! Why a cell may fail although one with as much load passes: what the two cells' data says.
//!
//! These are likely reasons and no proof. In: the two cells. Out: reasons, each with the figures it rests on; none where nothing is found.

use super::summary::{
    CellStarts, CellSummary, GoalJudgement, GoalVerdict, LimitedClient, RepeatCacheState, RepeatDisagreement, ReversalReason,
    UndecidedRows, UnprovenRuns,
};

/// What the data says, the plainest first.
pub fn reasons(fails: &CellSummary, passes: &CellSummary) -> Vec<ReversalReason> {
    let found = [
        few_rows(fails, passes),
        one_run(fails, passes),
        each(fails, passes, repeats_disagree).map(|cells| ReversalReason::RepeatsDisagree { cells }),
        each(fails, passes, unproven_runs).map(|cells| ReversalReason::CacheContract { cells }),
        each(fails, passes, limited_client).map(|cells| ReversalReason::ClientLimited { cells }),
        restarts(fails, passes),
        failures(fails),
    ];
    found.into_iter().flatten().collect()
}

/// The same question to both cells; none where neither has an answer.
fn each<Answer>(fails: &CellSummary, passes: &CellSummary, of: impl Fn(&CellSummary) -> Option<Answer>) -> Option<Vec<Answer>> {
    let found: Vec<Answer> = [fails, passes].into_iter().filter_map(of).collect();
    (!found.is_empty()).then_some(found)
}

fn few_rows(fails: &CellSummary, passes: &CellSummary) -> Option<ReversalReason> {
    // Where a verdict is void more rows would not help.
    let open = |cell: &CellSummary| {
        let goal = cell.goals.iter().find(|goal| goal.verdict == GoalVerdict::Undecided && goal.void.is_none())?;
        Some(UndecidedRows { cell: cell.axes.clone(), n: goal.estimate.n })
    };
    let cells = each(fails, passes, open).unwrap_or_default();
    let pair = fails.goals.iter().zip(&passes.goals).find(|(goal, _)| !goal.passes);
    let intervals_overlap = pair.is_some_and(|(left, right)| overlap(left, right));
    (!cells.is_empty() || intervals_overlap).then_some(ReversalReason::FewRows { cells, intervals_overlap })
}

/// Whether one value could lie behind both; an end that is missing bounds nothing.
fn overlap(left: &GoalJudgement, right: &GoalJudgement) -> bool {
    let (left, right) = (&left.estimate, &right.estimate);
    let reaches = |low: Option<super::ExtendedReal>, high: Option<super::ExtendedReal>| low.zip(high).is_none_or(|(low, high)| low <= high);
    left.value.is_some() && right.value.is_some() && reaches(left.low, right.high) && reaches(right.low, left.high)
}

fn one_run(fails: &CellSummary, passes: &CellSummary) -> Option<ReversalReason> {
    let cells = each(fails, passes, |cell| (cell.runs == 1).then(|| cell.axes.clone()))?;
    Some(ReversalReason::OneRun { cells })
}

fn repeats_disagree(cell: &CellSummary) -> Option<RepeatDisagreement> {
    let those = |passes: bool| cell.by_repeat.iter().filter(|run| run.passes == Some(passes)).map(|run| run.repeat).collect::<Vec<u32>>();
    let (passing_repeats, failing_repeats) = (those(true), those(false));
    let disagree = !passing_repeats.is_empty() && !failing_repeats.is_empty();
    disagree.then(|| RepeatDisagreement { cell: cell.axes.clone(), passing_repeats, failing_repeats })
}

fn unproven_runs(cell: &CellSummary) -> Option<UnprovenRuns> {
    let unproven = cell.by_repeat.iter().filter(|repeat| repeat.caches != RepeatCacheState::ProvenEmpty).count() as u64;
    (unproven > 0).then(|| UnprovenRuns { cell: cell.axes.clone(), unproven, runs: cell.by_repeat.len() as u64 })
}

fn limited_client(cell: &CellSummary) -> Option<LimitedClient> {
    let limits = &cell.client_limits;
    limits.is_limited().then(|| LimitedClient { cell: cell.axes.clone(), limits: limits.clone() })
}

/// Another start of the server between the repeats of a cell, or between the two cells.
fn restarts(fails: &CellSummary, passes: &CellSummary) -> Option<ReversalReason> {
    let starts = |cell: &CellSummary| CellStarts {
        cell: cell.axes.clone(),
        server_starts: cell.by_repeat.iter().filter_map(|repeat| repeat.server_life).collect(),
    };
    let (fails, passes) = (starts(fails), starts(passes));
    let (left, right) = (&fails.server_starts, &passes.server_starts);
    let is_known = !left.is_empty() && !right.is_empty();
    (is_known && (left != right || left.len() > 1)).then_some(ReversalReason::Restarts { fails, passes })
}

fn failures(cell: &CellSummary) -> Option<ReversalReason> {
    let CellSummary { axes, failed, n, failures, .. } = cell;
    (*failed > 0).then(|| ReversalReason::Failures { cell: axes.clone(), failed: *failed, n: *n, failures: failures.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, answered, cell, failed, sweep, uniform};
    use super::super::summary::{ClientLimit, ClientLimits, LoadReversal};
    use super::super::{Axes, SummaryOptions, SweepSummary, summarize};
    use super::*;
    use crate::records::record::{CacheCheck, CacheEvidence, FailureKind, ServerFacts};
    use crate::records::store::SavedSweep;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn reasons(summary: &SweepSummary) -> &[ReversalReason] {
        let [reversal] = summary.variants[0].reversals.as_slice() else { panic!("{:?}", summary.variants[0].reversals) };
        &reversal.reasons
    }

    /// The axes of the cell that fails: (2, 2).
    fn fails(summary: &SweepSummary) -> Axes {
        summary.variants[0].reversals[0].fails.clone()
    }

    /// Two repeats of each of two cells, with so many rows that neither is undecided; the smaller one fails.
    fn sure() -> Vec<Cell> {
        let rows = |ttft: f64| -> Vec<_> { (0..200).map(|session| answered(session, 1, ttft)).collect() };
        let repeat = |repeat: u32, cell: Cell| Cell { repeat, ..cell };
        (0..2).flat_map(|at| [repeat(at, cell("vllm", 2, 2, rows(5.0))), repeat(at, cell("vllm", 4, 4, rows(0.5)))]).collect()
    }

    fn judged(saved: &SavedSweep) -> SweepSummary {
        summarize(saved, &SummaryOptions::default()).unwrap()
    }

    #[test]
    fn where_the_data_says_nothing_no_reason_is_made_up() {
        let summary = judged(&sweep(&[GOAL], &sure()));
        assert!(reasons(&summary).is_empty());
        assert!(summary.variants[0].reversals[0].certain);
    }

    #[test]
    fn a_repeat_that_disagrees_is_named() {
        let mut cells = sure();
        cells[0].records = (0..200).map(|session| answered(session, 1, 0.5)).collect();
        let summary = judged(&sweep(&[GOAL], &cells));
        let found = RepeatDisagreement { cell: fails(&summary), passing_repeats: vec![0], failing_repeats: vec![1] };
        assert_eq!(reasons(&summary), [ReversalReason::RepeatsDisagree { cells: vec![found] }]);
    }

    #[test]
    fn caches_that_are_not_proven_and_requests_that_broke_are_named() {
        let mut cells = sure();
        cells[2].cache_contract = CacheCheck::NotProven(CacheEvidence::NotRun);
        cells[0].records.push(failed(900, 1, FailureKind::Http(503)));
        let summary = judged(&sweep(&[GOAL], &cells));
        let cell = fails(&summary);
        let failures = ReversalReason::Failures {
            cell: cell.clone(),
            failed: 1,
            n: 401,
            failures: std::collections::BTreeMap::from([(FailureKind::Http(503), 1)]),
        };
        let unproven = ReversalReason::CacheContract { cells: vec![UnprovenRuns { cell, unproven: 1, runs: 2 }] };
        assert_eq!(reasons(&summary), [unproven, failures]);
    }

    #[test]
    fn a_client_that_was_late_by_a_share_of_the_limit_is_named() {
        let mut saved = sweep(&[GOAL], &sure());
        saved.runs[0].record.client.send_lag_p99_s = 0.1;
        assert!(reasons(&judged(&saved)).is_empty(), "5 % of 2 s are let pass");
        saved.runs[0].record.client.send_lag_p99_s = 0.25;
        saved.runs[0].record.client.cpu_share = Some(0.97);
        let summary = judged(&saved);
        let limits = ClientLimits(vec![ClientLimit::SendLag { p99_s: 0.25 }, ClientLimit::Processor { cpu_share: 0.97, processors: None }]);
        let found = LimitedClient { cell: fails(&summary), limits };
        assert_eq!(reasons(&summary), [ReversalReason::ClientLimited { cells: vec![found] }]);
    }

    #[test]
    fn a_server_that_was_started_again_is_named_unless_every_cell_has_a_start_of_its_own() {
        let lived = |life: u32| Some(ServerFacts { life: Some(life), ..ServerFacts::default() });
        let mut saved = sweep(&[GOAL], &sure());
        for (run, life) in saved.runs.iter_mut().zip([1, 1, 1, 1]) {
            run.record.server = lived(life);
        }
        assert!(reasons(&judged(&saved)).is_empty());
        for (run, life) in saved.runs.iter_mut().zip([1, 1, 2, 2]) {
            run.record.server = lived(life);
        }
        let summary = judged(&saved);
        let reversal = &summary.variants[0].reversals[0];
        // The first repeats of both cells were run before the second ones.
        let both = |cell: &Axes| CellStarts { cell: cell.clone(), server_starts: [1, 2].into() };
        let (fails, passes) = (both(&reversal.fails), both(&reversal.passes));
        assert_eq!(reasons(&summary), [ReversalReason::Restarts { fails, passes }]);
        for run in &mut saved.runs {
            run.record.header.cell = serde_json::json!({"workload": {"kind": "document_qa"}, "server": {"reset": "restart"}}).into();
        }
        assert!(reasons(&judged(&saved)).is_empty());
    }

    #[test]
    fn one_run_each_and_few_rows_are_the_plainest_reasons() {
        let cells = [cell("vllm", 1, 1, uniform(1, 1, 5.0)), cell("vllm", 2, 2, uniform(2, 2, 0.5))];
        let summary = judged(&sweep(&[GOAL], &cells));
        let LoadReversal { fails, passes, .. } = &summary.variants[0].reversals[0];
        let undecided = vec![UndecidedRows { cell: passes.clone(), n: 12 }];
        let few_rows = ReversalReason::FewRows { cells: undecided, intervals_overlap: true };
        let one_run = ReversalReason::OneRun { cells: vec![fails.clone(), passes.clone()] };
        assert_eq!(reasons(&summary), [few_rows, one_run]);
    }
}
