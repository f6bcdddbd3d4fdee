//! Why a cell may fail although one with as much load passes: what the two cells' data says, in words.
//!
//! These are likely reasons and no proof. In: the two cells. Out: reasons, each with the figures it rests on; none where nothing is found.

use super::cell_bottleneck::named;
use super::summary::{CellSummary, GoalJudgement, GoalVerdict, RepeatCacheState, ReversalReason, ReversalReasonKind};

/// What the data says, the plainest first.
pub fn reasons(fails: &CellSummary, passes: &CellSummary) -> Vec<ReversalReason> {
    let found = [
        (ReversalReasonKind::FewRows, few_rows(fails, passes)),
        (ReversalReasonKind::OneRun, one_run(fails, passes)),
        (ReversalReasonKind::RepeatsDisagree, each(fails, passes, repeats_disagree)),
        (ReversalReasonKind::CacheContract, each(fails, passes, not_proven)),
        (ReversalReasonKind::ClientLimited, each(fails, passes, client)),
        (ReversalReasonKind::Restarts, restarts(fails, passes)),
        (ReversalReasonKind::Failures, failures(fails)),
    ];
    found.into_iter().filter_map(|(kind, words)| Some(ReversalReason { kind, words: words? })).collect()
}

/// The same question to both cells.
fn each(fails: &CellSummary, passes: &CellSummary, of: fn(&CellSummary) -> Option<String>) -> Option<String> {
    let found: Vec<String> = [fails, passes].into_iter().filter_map(of).collect();
    (!found.is_empty()).then(|| found.join(", "))
}

fn few_rows(fails: &CellSummary, passes: &CellSummary) -> Option<String> {
    // Where a verdict is void more rows would not help.
    let open = |cell: &CellSummary| {
        let goal = cell.goals.iter().find(|goal| goal.verdict == GoalVerdict::Undecided && goal.void.is_none())?;
        Some(format!("{} is undecided with n={}", named(&cell.axes), goal.estimate.n))
    };
    let undecided = each(fails, passes, open);
    let pair = fails.goals.iter().zip(&passes.goals).find(|(goal, _)| !goal.passes);
    let overlap = pair.filter(|(left, right)| overlap(left, right)).map(|_| "their intervals overlap".to_owned());
    let found: Vec<String> = [undecided, overlap].into_iter().flatten().collect();
    (!found.is_empty()).then(|| format!("few rows: {}", found.join(", ")))
}

/// Whether one value could lie behind both; an end that is missing bounds nothing.
fn overlap(left: &GoalJudgement, right: &GoalJudgement) -> bool {
    let (left, right) = (&left.estimate, &right.estimate);
    let reaches = |low: Option<super::ExtendedReal>, high: Option<super::ExtendedReal>| low.zip(high).is_none_or(|(low, high)| low <= high);
    left.value.is_some() && right.value.is_some() && reaches(left.low, right.high) && reaches(right.low, left.high)
}

fn one_run(fails: &CellSummary, passes: &CellSummary) -> Option<String> {
    match (fails.runs, passes.runs) {
        (1, 1) => Some("one run each, so nobody knows what another would say".to_owned()),
        (1, _) => Some(format!("only one run of {}", named(&fails.axes))),
        (_, 1) => Some(format!("only one run of {}", named(&passes.axes))),
        _ => None,
    }
}

fn repeats_disagree(cell: &CellSummary) -> Option<String> {
    let passing = cell.by_repeat.iter().filter(|repeat| repeat.passes == Some(true)).count();
    let all = cell.by_repeat.iter().filter(|repeat| repeat.passes.is_some()).count();
    // The fewer are the odd ones.
    let odd = passing * 2 <= all;
    let numbers: Vec<String> =
        cell.by_repeat.iter().filter(|repeat| repeat.passes == Some(odd)).map(|repeat| (repeat.repeat + 1).to_string()).collect();
    let does = if odd { "pass" } else { "fail" };
    (passing > 0 && passing < all).then(|| {
        format!("the repeats of {} disagree: {passing} of {all} pass alone (those that {does}: {})", named(&cell.axes), numbers.join(", "))
    })
}

fn not_proven(cell: &CellSummary) -> Option<String> {
    let open = cell.by_repeat.iter().filter(|repeat| repeat.caches != RepeatCacheState::ProvenEmpty).count();
    (open > 0).then(|| format!("cold caches are not proven in {open} of {} runs of {}", cell.by_repeat.len(), named(&cell.axes)))
}

fn client(cell: &CellSummary) -> Option<String> {
    let limits = &cell.client_limits;
    limits.is_limited().then(|| format!("the client itself was slow at {} ({limits})", named(&cell.axes)))
}

/// Another start of the server between the repeats of a cell, or between the two cells.
fn restarts(fails: &CellSummary, passes: &CellSummary) -> Option<String> {
    let lives =
        |cell: &CellSummary| cell.by_repeat.iter().filter_map(|repeat| repeat.server_life).collect::<std::collections::BTreeSet<_>>();
    let (left, right) = (lives(fails), lives(passes));
    let list = |lives: &std::collections::BTreeSet<u32>| lives.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    (!left.is_empty() && !right.is_empty() && (left != right || left.len() > 1)).then(|| {
        let (fails, passes) = (named(&fails.axes), named(&passes.axes));
        format!("the server was started again: {fails} ran on start {}, {passes} on start {}", list(&left), list(&right))
    })
}

fn failures(cell: &CellSummary) -> Option<String> {
    let kinds: Vec<String> = cell.failures.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    (cell.failed > 0).then(|| format!("{} of {} requests of {} failed ({})", cell.failed, cell.n, named(&cell.axes), kinds.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, answered, cell, failed, sweep, uniform};
    use super::super::{SummaryOptions, SweepSummary, summarize};
    use super::*;
    use crate::records::record::{CacheCheck, CacheEvidence, FailureKind, ServerFacts};
    use crate::records::store::SavedSweep;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn kinds(summary: &SweepSummary) -> Vec<ReversalReasonKind> {
        let [reversal] = summary.variants[0].reversals.as_slice() else { panic!("{:?}", summary.variants[0].reversals) };
        assert!(reversal.reasons.iter().all(|reason| !reason.words.is_empty()));
        reversal.reasons.iter().map(|reason| reason.kind).collect()
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
        assert!(kinds(&summary).is_empty());
        assert!(summary.variants[0].reversals[0].certain);
    }

    #[test]
    fn a_repeat_that_disagrees_is_named() {
        let mut cells = sure();
        cells[0].records = (0..200).map(|session| answered(session, 1, 0.5)).collect();
        let summary = judged(&sweep(&[GOAL], &cells));
        assert_eq!(kinds(&summary), [ReversalReasonKind::RepeatsDisagree]);
        let words = &summary.variants[0].reversals[0].reasons[0].words;
        assert_eq!(words, "the repeats of C=2, S=2 disagree: 1 of 2 pass alone (those that pass: 1)");
    }

    #[test]
    fn caches_that_are_not_proven_and_requests_that_broke_are_named() {
        let mut cells = sure();
        cells[2].cache_contract = CacheCheck::NotProven(CacheEvidence::NotRun);
        cells[0].records.push(failed(900, 1, FailureKind::Http(503)));
        let summary = judged(&sweep(&[GOAL], &cells));
        assert_eq!(kinds(&summary), [ReversalReasonKind::CacheContract, ReversalReasonKind::Failures]);
        let words = &summary.variants[0].reversals[0].reasons;
        assert_eq!(words[0].words, "cold caches are not proven in 1 of 2 runs of C=2, S=2");
        assert_eq!(words[1].words, "1 of 401 requests of C=2, S=2 failed (1 http_503)");
    }

    #[test]
    fn a_client_that_was_late_by_a_share_of_the_limit_is_named() {
        let mut saved = sweep(&[GOAL], &sure());
        saved.runs[0].record.client.send_lag_p99_s = 0.1;
        assert!(kinds(&judged(&saved)).is_empty(), "5 % of 2 s are let pass");
        saved.runs[0].record.client.send_lag_p99_s = 0.25;
        saved.runs[0].record.client.cpu_share = Some(0.97);
        let summary = judged(&saved);
        assert_eq!(kinds(&summary), [ReversalReasonKind::ClientLimited]);
        let words = &summary.variants[0].reversals[0].reasons[0].words;
        assert_eq!(words, "the client itself was slow at C=2, S=2 (send lag p99 250 ms, CPU at 0.97 of one core)");
    }

    #[test]
    fn a_server_that_was_started_again_is_named_unless_every_cell_has_a_start_of_its_own() {
        let lived = |life: u32| Some(ServerFacts { life: Some(life), ..ServerFacts::default() });
        let mut saved = sweep(&[GOAL], &sure());
        for (run, life) in saved.runs.iter_mut().zip([1, 1, 1, 1]) {
            run.record.server = lived(life);
        }
        assert!(kinds(&judged(&saved)).is_empty());
        for (run, life) in saved.runs.iter_mut().zip([1, 1, 2, 2]) {
            run.record.server = lived(life);
        }
        assert_eq!(kinds(&judged(&saved)), [ReversalReasonKind::Restarts]);
        for run in &mut saved.runs {
            run.record.header.cell = serde_json::json!({"workload": {"kind": "document_qa"}, "server": {"reset": "restart"}});
        }
        assert!(kinds(&judged(&saved)).is_empty());
    }

    #[test]
    fn one_run_each_and_few_rows_are_the_plainest_reasons() {
        let cells = [cell("vllm", 1, 1, uniform(1, 1, 5.0)), cell("vllm", 2, 2, uniform(2, 2, 0.5))];
        let summary = judged(&sweep(&[GOAL], &cells));
        assert_eq!(kinds(&summary), [ReversalReasonKind::FewRows, ReversalReasonKind::OneRun]);
        let words = &summary.variants[0].reversals[0].reasons[0].words;
        assert_eq!(words, "few rows: C=2, S=2 is undecided with n=12, their intervals overlap");
    }
}
