//! The cells that stand between what is met and what is not excluded, each with how many more repeats would settle it.
//!
//! In: judged cells that are undecided. Out: for each, its extra repeats if the share beyond the limit stayed as it is, or why no number
//! is known. Knows no scores: which cells stand between is for `scores.rs` to say.

use super::summary::{CapacityShape, CellSummary, GoalJudgement, GoalVerdict, RaisedScoreKind, UndecidedCell, UnsettledReason};
use crate::vocabulary::goal::Aggregate;

impl UnsettledReason {
    /// As it stands in a list of cells.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AtLimit => "at the limit",
            Self::NoRequests => "no request fits",
            Self::NoProof => "no sample proves it",
            Self::Mean => "not known for a mean",
            Self::Void(reason) => reason.words(),
        }
    }
}

impl UndecidedCell {
    /// `None` for a cell that is decided.
    pub fn of(cell: &CellSummary, shape: Option<CapacityShape>, raises: Vec<RaisedScoreKind>) -> Option<Self> {
        let open = cell.goals.iter().filter(|goal| goal.verdict == GoalVerdict::Undecided);
        let asks = open.map(|goal| (goal, extra_repeats(cell.runs, goal)));
        let (goal, extra) = asks.max_by_key(|(_, extra)| extra.unwrap_or(u64::MAX))?;
        Some(Self {
            axes: cell.axes.clone(),
            shape,
            raises,
            goal: goal.goal.clone(),
            n: goal.estimate.n,
            repeats: cell.runs,
            extra_repeats: extra.ok(),
            unsettled: extra.err(),
        })
    }
}

/// How many runs like those that are there bring the missing requests; at least one, since the cell is open as it is.
fn extra_repeats(runs: u64, goal: &GoalJudgement) -> Result<u64, UnsettledReason> {
    let n = goal.estimate.n;
    if let Some(reason) = goal.void {
        return Err(UnsettledReason::Void(reason));
    }
    match (goal.rows_needed, goal.beyond) {
        _ if n == 0 || runs == 0 => Err(UnsettledReason::NoRequests),
        (Some(rows), _) => Ok(runs.saturating_mul(rows).div_ceil(n).saturating_sub(runs).max(1)),
        (None, Some(_)) => Err(UnsettledReason::AtLimit),
        (None, None) if matches!(goal.estimate.measure.aggregate, Aggregate::Throughput(..)) && goal.estimate.value.is_some() => {
            Err(UnsettledReason::AtLimit)
        }
        (None, None) if goal.allowed_share.is_some() || !matches!(goal.estimate.measure.aggregate, Aggregate::Mean(_)) => {
            Err(UnsettledReason::NoProof)
        }
        (None, None) => Err(UnsettledReason::Mean),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{answered, cell, sweep, uniform};
    use super::super::{Score, SummaryOptions, SweepSummary, summarize};
    use super::*;
    use crate::analysis::summary::VoidReason;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn summary(goals: &[&str], cells: &[super::super::fixture::Cell]) -> SweepSummary {
        summarize(&sweep(goals, cells), &SummaryOptions::default()).unwrap()
    }

    fn between(summary: &SweepSummary) -> Vec<UndecidedCell> {
        match summary.variants[0].scores.as_slice() {
            [Score::Capacity(score)] => score.between.clone(),
            [Score::Largest(score)] => score.between.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn extra_repeats_bring_the_missing_rows_and_no_fewer_would() {
        // 36 rows in one run, 59 needed: two runs in all. 3 rows: ceil(59 / 3) = 20 runs. Three repeats of 12 rows: ceil(59 / 12) = 5.
        let mut cells = vec![cell("vllm", 4, 3, uniform(4, 3, 0.5)), cell("vllm", 1, 1, uniform(1, 1, 0.5))];
        for repeat in 0..3 {
            cells.push(super::super::fixture::Cell { repeat, ..cell("vllm", 2, 2, uniform(2, 2, 0.5)) });
        }
        let found: Vec<(u64, u64, Option<u64>)> =
            between(&summary(&[GOAL], &cells)).iter().map(|cell| (cell.shape.unwrap().product, cell.repeats, cell.extra_repeats)).collect();
        assert_eq!(found, [(12, 1, Some(1)), (4, 3, Some(2)), (1, 1, Some(19))]);
    }

    #[test]
    fn a_cell_below_what_is_met_stands_between_nothing() {
        // 72 good rows meet the goal at (6, 4): C×S 24, 2CS/(C+S) 4.8. (2, 3) is below both, (5, 5) above both.
        let cells =
            [cell("vllm", 6, 4, uniform(6, 4, 0.5)), cell("vllm", 2, 3, uniform(2, 3, 0.5)), cell("vllm", 5, 5, uniform(4, 1, 0.5))];
        let found = between(&summary(&[GOAL], &cells));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].shape, found[0].raises.as_slice()),
            (Some(CapacityShape::new(5, 5)), &[RaisedScoreKind::Product, RaisedScoreKind::HarmonicMean][..])
        );
    }

    #[test]
    fn a_share_at_the_limit_is_said_to_lie_there() {
        // Two of 40 beyond: exactly the allowed 5 %.
        let rows = (0..40).map(|session| answered(session, 1, if session < 2 { 3.0 } else { 0.5 })).collect();
        let found = between(&summary(&[GOAL], &[cell("vllm", 4, 4, rows)]));
        assert_eq!((found[0].extra_repeats, found[0].unsettled), (None, Some(UnsettledReason::AtLimit)));
    }

    #[test]
    fn a_cell_whose_client_was_the_limit_says_so_and_not_that_it_lies_at_the_limit() {
        let mut saved = sweep(&[GOAL], &[cell("vllm", 4, 3, uniform(4, 3, 0.5))]);
        saved.runs[0].record.client.send_lag_p99_s = 0.5;
        let found = between(&summarize(&saved, &SummaryOptions::default()).unwrap());
        assert_eq!((found[0].extra_repeats, found[0].unsettled), (None, Some(UnsettledReason::Void(VoidReason::ClientLimited))));
        assert_eq!(found[0].unsettled.unwrap().words(), "the client was the limit");
    }

    #[test]
    fn of_several_goals_the_one_that_asks_for_most_counts() {
        // The error rate needs 299 sessions, since none had a failure and nothing tells whether one comes alone: with 12 in a run of 48
        // requests that are 1,196 requests, 25 runs. The p95 needs 59 of 36: 2 runs.
        let found = between(&summary(&[GOAL, "error_rate <= 1%"], &[cell("vllm", 4, 3, uniform(4, 3, 0.5))]));
        assert_eq!((found[0].goal.to_string().as_str(), found[0].extra_repeats), ("error_rate <= 1%", Some(24)));
        let found = between(&summary(&["max(ttft) <= 20s"], &[cell("vllm", 4, 3, uniform(4, 3, 0.5))]));
        assert_eq!((found[0].extra_repeats, found[0].unsettled), (None, Some(UnsettledReason::NoProof)));
        let found = between(&summary(&["mean(ttft) <= 20s"], &[cell("vllm", 1, 3, uniform(1, 3, 0.5))]));
        assert_eq!((found[0].extra_repeats, found[0].unsettled), (None, Some(UnsettledReason::Mean)));
    }
}
