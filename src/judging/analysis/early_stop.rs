//! Cells that were ended early: goals judged as the whole cell would have been, and values told as the bounds that they are.
//!
//! The rows that came and how many were planned tell what every completion of them would say (`settling`). Of a goal or a measure of which
//! the planned rows are not known, nothing is said but what the rows that came show. In: the outcome of a cell's runs, and its rows. Must not
//! know how runs are ended.

use super::cells::CellRuns;
use super::estimate::MeasureSample;
use super::settling::{GoalCertaintyTest, GoalCounts};
use super::verdict::judge;
use super::{AnalysisError, Estimate, ExtendedReal, RequestTable, estimate, percentile};
use crate::analysis::summary::{BoundDirection, EarlyStopBound, GoalJudgement, GoalVerdict, IntervalMethod};
use crate::records::record::{EarlyStopCertainty, EarlyStopReason, RunOutcome};
use crate::vocabulary::goal::{Aggregate, ComparisonOperator, Goal, Measure, RowCondition};
use crate::vocabulary::metric::Metric;

impl BoundDirection {
    /// What stands before the value.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => "≥ ",
            Self::AtMost => "≤ ",
            Self::SoFar => "~ ",
        }
    }

    /// In tables for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AtLeast => "at_least",
            Self::AtMost => "at_most",
            Self::SoFar => "so_far",
        }
    }
}

/// Why and by what a cell was ended early.
#[derive(Debug, Clone)]
pub(super) struct CellEarlyStop {
    pub told: EarlyStopReason,
}

impl CellRuns<'_> {
    /// Why it was ended early, where it was.
    pub(super) fn curtailment(&self) -> Option<CellEarlyStop> {
        self.runs.iter().find_map(|run| match &run.record.outcome {
            RunOutcome::Curtailed(curtailed) => Some(CellEarlyStop { told: curtailed.clone() }),
            RunOutcome::Completed | RunOutcome::Failed(_) | RunOutcome::Interrupted => None,
        })
    }
}

/// Judges the rows that came of a cell that was ended early, as the whole cell would have been judged.
pub fn judge_curtailed(told: &EarlyStopReason, goal: &Goal, table: &RequestTable) -> Result<GoalJudgement, AnalysisError> {
    CellEarlyStop { told: told.clone() }.judge(goal, table)
}

impl CellEarlyStop {
    /// Judges the rows that came as the whole cell would have been judged.
    pub fn judge(&self, goal: &Goal, table: &RequestTable) -> Result<GoalJudgement, AnalysisError> {
        let whole = judge(goal, table)?;
        let sample = MeasureSample::of(&goal.measure, table)?;
        let Some((planned, least)) = self.planned(&goal.measure.filter) else { return Ok(unknown(whole)) };
        if sample.n >= planned {
            return Ok(whole);
        }
        let Some(settling) = GoalCertaintyTest::new(goal, planned, least) else { return Ok(unknown(whole)) };
        let counts = counts(goal, &sample);
        let at_risk = self.at_risk(goal);
        let certain = settling.passes(&counts);
        let passes = certain.or(at_risk);
        let verdict = match (settling.verdict(&counts), at_risk) {
            (Some(verdict), _) => verdict,
            (None, Some(holds)) => {
                if holds {
                    GoalVerdict::Met
                } else {
                    GoalVerdict::Missed
                }
            }
            (None, None) => GoalVerdict::Undecided,
        };
        let ends = ends(&goal.measure, &sample, planned);
        let bounded = match passes {
            Some(holds) => bounded(whole.estimate, side(goal, holds), ends, planned),
            None => bounded(whole.estimate, BoundDirection::SoFar, ends, planned),
        };
        // What a test says at a risk, it says of the limit.
        let estimate = match (certain, at_risk) {
            (None, Some(holds)) => at_limit(bounded, goal, side(goal, holds), planned),
            _ => bounded,
        };
        Ok(GoalJudgement { estimate, passes: passes == Some(true), is_open: passes.is_none(), verdict, rows_needed: None, ..whole })
    }

    /// A measure that no goal speaks of, as the bound that is finite.
    pub fn estimate(&self, measure: &Measure, table: &RequestTable) -> Result<Estimate, AnalysisError> {
        let sample = MeasureSample::of(measure, table)?;
        let whole = estimate(measure, table)?;
        let Some((planned, _)) = self.planned(&measure.filter) else { return Ok(so_far(whole, None)) };
        if sample.n >= planned {
            return Ok(whole);
        }
        let ends = ends(measure, &sample, planned);
        let side = match ends {
            Some((_, high)) if high.is_finite() => BoundDirection::AtMost,
            Some(_) => BoundDirection::AtLeast,
            None => BoundDirection::SoFar,
        };
        Ok(bounded(whole, side, ends, planned))
    }

    /// How many rows fulfil these conditions in the whole cell, and how few independent ones they may be worth, where a goal that was settled
    /// is about the same rows.
    fn planned(&self, filter: &[RowCondition]) -> Option<(u64, u64)> {
        let settled = self.told.settled.iter().find(|settled| settled.goal.goal().is_some_and(|goal| goal.measure.filter == filter))?;
        Some((settled.planned, settled.least_effective))
    }

    /// Whether it holds, as a sequential test said of this very goal.
    fn at_risk(&self, goal: &Goal) -> Option<bool> {
        let EarlyStopCertainty::Sequential { .. } = self.told.certainty else { return None };
        self.told.settled.iter().find(|settled| settled.goal.goal() == Some(goal)).map(|settled| settled.holds)
    }
}

/// Where the rows that came stand to the goal.
fn counts(goal: &Goal, sample: &MeasureSample) -> GoalCounts {
    let mut counts = GoalCounts::default();
    for value in sample.ascending() {
        match goal.measure.aggregate {
            // The values of a share are 1 for what it counts and 0 for anything else.
            Aggregate::ErrorRate => counts.add_case(*value > 0.5),
            Aggregate::Goodput(_) => counts.add_case(*value < 0.5),
            _ => counts.add(goal, *value),
        }
    }
    counts
}

/// On which side of the shown end the whole value lies: a goal that fails from above does so by at least so much.
fn side(goal: &Goal, holds: bool) -> BoundDirection {
    let upper = matches!(goal.comparison, ComparisonOperator::Less | ComparisonOperator::LessOrEqual);
    if upper == holds { BoundDirection::AtMost } else { BoundDirection::AtLeast }
}

/// The smallest and the largest value that a completion gives: the missing rows take no time at all, or fail. `None` of measures that are
/// not monotone in their rows or whose rows cannot be counted.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn ends(measure: &Measure, sample: &MeasureSample, planned: u64) -> Option<(f64, f64)> {
    let missing = usize::try_from(planned.saturating_sub(sample.n)).ok()?;
    let one_a_row = measure.metric().is_none_or(Metric::is_one_a_request);
    match measure.aggregate {
        Aggregate::ErrorRate | Aggregate::Goodput(_) => {
            let share = |hits: u64| hits as f64 / planned.max(1) as f64;
            Some((share(sample.hits), share(sample.hits + missing as u64)))
        }
        Aggregate::Percentile(p, _) if one_a_row => {
            let best: Vec<f64> = std::iter::repeat_n(0.0, missing).chain(sample.ascending().iter().copied()).collect();
            let worst: Vec<f64> = sample.ascending().iter().copied().chain(std::iter::repeat_n(f64::INFINITY, missing)).collect();
            percentile(&best, p).zip(percentile(&worst, p))
        }
        Aggregate::Max(_) if one_a_row => sample.ascending().last().map(|largest| (*largest, f64::INFINITY)),
        Aggregate::Min(_) if one_a_row => sample.ascending().first().map(|smallest| (0.0, *smallest)),
        Aggregate::Percentile(..) | Aggregate::Max(_) | Aggregate::Min(_) | Aggregate::Mean(_) | Aggregate::Throughput(..) => None,
    }
}

/// The estimate with one of the ends as its value, and without an interval: that of the rows that came would be one of rows chosen by their
/// values.
#[expect(clippy::float_cmp, reason = "ends that agree to the last bit are the value itself")]
fn bounded(estimate: Estimate, side: BoundDirection, ends: Option<(f64, f64)>, planned: u64) -> Estimate {
    let Some((low, high)) = ends else { return so_far(estimate, Some(planned)) };
    if low == high {
        return Estimate { value: ExtendedReal::new(low), low: None, high: None, method: IntervalMethod::None, ..estimate };
    }
    let value = match side {
        BoundDirection::AtLeast if low > 0.0 => low,
        BoundDirection::AtMost if high.is_finite() => high,
        BoundDirection::AtLeast | BoundDirection::AtMost | BoundDirection::SoFar => return so_far(estimate, Some(planned)),
    };
    let bound = Some(EarlyStopBound { side, planned: Some(planned) });
    Estimate { value: ExtendedReal::new(value), low: None, high: None, method: IntervalMethod::None, bound, ..estimate }
}

fn at_limit(estimate: Estimate, goal: &Goal, side: BoundDirection, planned: u64) -> Estimate {
    let bound = Some(EarlyStopBound { side, planned: Some(planned) });
    Estimate { value: ExtendedReal::new(goal.limit), low: None, high: None, method: IntervalMethod::None, bound, ..estimate }
}

fn so_far(estimate: Estimate, planned: Option<u64>) -> Estimate {
    Estimate {
        low: None,
        high: None,
        method: IntervalMethod::None,
        bound: Some(EarlyStopBound { side: BoundDirection::SoFar, planned }),
        ..estimate
    }
}

/// Of a goal whose planned rows are not known: nothing is certain.
fn unknown(judgement: GoalJudgement) -> GoalJudgement {
    let estimate = so_far(judgement.estimate, None);
    GoalJudgement { estimate, passes: false, is_open: true, verdict: GoalVerdict::Undecided, rows_needed: None, ..judgement }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Cell, cell, sweep, uniform};
    use super::super::{CellSummary, SummaryOptions, SweepSummary, summarize};
    use super::*;
    use crate::records::record::{DecidedGoal, RequestRecord};
    use crate::vocabulary::goal::SavedGoal;

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    fn curtailed(mut whole: Cell, rows: usize, certainty: EarlyStopCertainty, settled: &[(&str, bool, u64)]) -> Cell {
        whole.records.truncate(rows);
        let of = |(goal, holds, planned): &(&str, bool, u64)| DecidedGoal {
            goal: SavedGoal::Read(goal.parse().unwrap()),
            holds: *holds,
            planned: *planned,
            least_effective: planned / 3,
            seen: 0,
            beyond: 0,
        };
        whole.outcome = RunOutcome::Curtailed(EarlyStopReason { certainty, settled: settled.iter().map(of).collect() });
        whole
    }

    /// A cell of 4 × 3 sessions, their follow-ups round by round.
    fn slow(ttft: f64) -> Cell {
        let mut records: Vec<RequestRecord> = uniform(4, 3, ttft);
        records.sort_by_key(|record| (record.turn, record.session));
        cell("vllm", 4, 3, records)
    }

    fn summary(goals: &[&str], cell: Cell) -> SweepSummary {
        summarize(&sweep(goals, &[cell]), &SummaryOptions::default()).unwrap()
    }

    fn only(summary: &SweepSummary) -> &CellSummary {
        &summary.variants[0].cells[0]
    }

    #[test]
    fn a_lost_cell_says_what_the_whole_one_would_have_said_with_a_lower_bound() {
        let whole = summary(&[GOAL], slow(3.0));
        let early = summary(&[GOAL], curtailed(slow(3.0), 12 + 20, EarlyStopCertainty::Exact, &[(GOAL, false, 36)]));
        let (whole, early) = (only(&whole), only(&early));
        assert_eq!((early.passes, early.verdict), (Some(false), Some(GoalVerdict::Missed)));
        assert_eq!((early.passes, early.verdict), (whole.passes, whole.verdict));
        let estimate = early.shown.as_ref().unwrap();
        assert_eq!((estimate.bound, estimate.n), (Some(EarlyStopBound { side: BoundDirection::AtLeast, planned: Some(36) }), 20));
        assert_eq!((estimate.value, estimate.low, estimate.high), (ExtendedReal::new(3.0), None, None));
        assert_eq!(early.state, super::super::CellState::Measured);
        assert_eq!(early.curtailed.as_ref().map(|told| told.certainty), Some(EarlyStopCertainty::Exact));
    }

    #[test]
    fn a_won_cell_has_an_upper_bound() {
        // Of 36 rows, one missing cannot lift the p95 beyond the two values that it lies between.
        let early = summary(&[GOAL], curtailed(slow(0.5), 12 + 35, EarlyStopCertainty::Exact, &[(GOAL, true, 36)]));
        let early = only(&early);
        assert_eq!((early.passes, early.verdict), (Some(true), Some(GoalVerdict::Undecided)));
        let estimate = early.shown.as_ref().unwrap();
        assert_eq!((estimate.value, estimate.bound.map(|bound| bound.side)), (ExtendedReal::new(0.5), None), "both ends agree");
    }

    #[test]
    fn other_goals_are_judged_as_far_as_their_rows_are_known() {
        let judged = |goal: &str| {
            let question = SummaryOptions { goals: vec![goal.parse().unwrap()], ..SummaryOptions::default() };
            let saved = sweep(&[GOAL], &[curtailed(slow(3.0), 12 + 20, EarlyStopCertainty::Exact, &[(GOAL, false, 36)])]);
            only(&summarize(&saved, &question).unwrap()).clone()
        };
        // 20 of 36 rows at 3 s: the median is certainly above 2 s and not yet below 4 s.
        assert_eq!(judged("p50(ttft where turn >= 1) <= 2s").passes, Some(false));
        let open = judged("p95(ttft where turn >= 1) <= 4s");
        assert_eq!((open.passes, open.verdict, open.goals[0].is_open), (None, Some(GoalVerdict::Undecided), true));
        // Of all turns nobody said how many there would be.
        let unknown = judged("p95(ttft) <= 4s");
        assert_eq!(
            (unknown.passes, unknown.goals[0].estimate.bound),
            (None, Some(EarlyStopBound { side: BoundDirection::SoFar, planned: None }))
        );
    }

    #[test]
    fn what_a_test_said_at_a_risk_is_said_of_the_limit() {
        let risk = EarlyStopCertainty::Sequential { risk: 0.05 };
        let early = summary(&[GOAL], curtailed(slow(3.0), 12 + 1, risk, &[(GOAL, false, 36)]));
        let early = only(&early);
        assert_eq!((early.passes, early.verdict), (Some(false), Some(GoalVerdict::Missed)));
        let estimate = early.shown.as_ref().unwrap();
        assert_eq!((estimate.value, estimate.bound.map(|bound| bound.side)), (ExtendedReal::new(2.0), Some(BoundDirection::AtLeast)));
    }
}
