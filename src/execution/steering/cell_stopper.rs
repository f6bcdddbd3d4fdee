//! One cell over all its repeats: hears its requests, and says as soon as its goals need no more of them.
//!
//! A cell is lost as soon as one goal is lost and proven to be missed, and won when all goals are settled. By `certain` both the plain value
//! against the limit and the certified verdict must be the same for every outcome of what is missing. A request costs it a few comparisons.

use super::cell_rows::{CellRows, PlannedRepeat, PlannedRows, countable};
use super::sequential_test::SequentialTest;
use crate::analysis::GoalVerdict;
use crate::analysis::clusters::least_effective_rows;
use crate::analysis::settling::{GoalCertaintyTest, GoalCounts};
use crate::records::record::{DecidedGoal, EarlyStopCertainty, EarlyStopReason, RequestPhase, RequestRecord};
use crate::vocabulary::goal::{Aggregate, Goal};
use crate::vocabulary::spec::search::EarlyStopPolicy;
use crate::workloads::workload::Corpus;

/// By what cells are ended early.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum StoppingCriterion {
    Certain,
    /// Wrong at most at this rate.
    Sequential(f64),
}

impl StoppingCriterion {
    /// `None` where nothing is.
    pub fn of(rule: EarlyStopPolicy, risk: f64) -> Option<Self> {
        match rule {
            EarlyStopPolicy::Never => None,
            EarlyStopPolicy::Certain => Some(Self::Certain),
            EarlyStopPolicy::Sequential => Some(Self::Sequential(risk)),
        }
    }
}

/// One cell, all its repeats.
#[derive(Debug, Clone)]
pub struct CellStopper {
    goals: Vec<TrackedGoal>,
    by: StoppingCriterion,
    /// Requests of all phases and repeats: planned, and heard.
    planned: u64,
    heard: u64,
    repeat: u32,
    state: CellProgress,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellProgress {
    Open,
    /// Ended early.
    Settled,
    /// A repeat failed, so the cell has no result whatever comes.
    Failed,
}

/// One goal.
#[derive(Debug, Clone)]
struct TrackedGoal {
    goal: Goal,
    /// Missing where its rows cannot be counted in advance.
    known: Option<GoalProgress>,
}

#[derive(Debug, Clone)]
struct GoalProgress {
    settling: GoalCertaintyTest,
    least_effective: u64,
    counts: GoalCounts,
    sequential: Option<SequentialTest>,
}

impl CellStopper {
    /// For the repeats of one cell. `None` where no goal of it can be settled early.
    pub(super) fn new(repeats: &[PlannedRepeat], goals: &[Goal], by: StoppingCriterion, corpus: &Corpus) -> Option<Self> {
        let workload = &repeats.first()?.workload;
        if !goals.iter().any(|goal| countable(goal, workload).is_ok()) {
            return None;
        }
        let rows = CellRows::of(repeats, goals, corpus)?;
        let watched = goals.iter().zip(&rows.of_goals).map(|(goal, rows)| TrackedGoal {
            goal: goal.clone(),
            known: if countable(goal, workload).is_ok() { GoalProgress::new(goal, rows, by, goals.len()) } else { None },
        });
        let goals: Vec<TrackedGoal> = watched.collect();
        goals.iter().any(|goal| goal.known.is_some()).then_some(Self {
            goals,
            by,
            planned: rows.requests,
            heard: 0,
            repeat: 0,
            state: CellProgress::Open,
        })
    }

    /// The repeat whose requests come next.
    pub(super) fn begin(&mut self, repeat: u32) {
        self.repeat = repeat;
    }

    /// Nothing more is needed of the cell.
    pub(super) fn settle(&mut self) {
        self.state = CellProgress::Settled;
    }

    /// A run of it failed.
    pub(super) fn fail(&mut self) {
        self.state = CellProgress::Failed;
    }

    pub(super) fn is_settled(&self) -> bool {
        self.state == CellProgress::Settled
    }

    pub(super) fn is_failed(&self) -> bool {
        self.state == CellProgress::Failed
    }

    /// Takes a request of the current repeat in, and says why no further one is needed, as soon as that is so.
    pub fn heard(&mut self, record: &RequestRecord) -> Option<EarlyStopReason> {
        self.heard += 1;
        let mut changed = false;
        if record.phase == RequestPhase::Measure {
            for goal in &mut self.goals {
                changed |= goal.hear(record, self.repeat);
            }
        }
        // Where all have come there is nothing to end.
        if changed && self.heard < self.planned { self.curtailed() } else { None }
    }

    fn curtailed(&self) -> Option<EarlyStopReason> {
        if self.is_over(TrackedGoal::certain) {
            return Some(self.settled(EarlyStopCertainty::Exact, TrackedGoal::certain));
        }
        let StoppingCriterion::Sequential(risk) = self.by else { return None };
        let at_risk = |goal: &TrackedGoal| goal.certain().or_else(|| goal.at_risk());
        self.is_over(at_risk).then(|| self.settled(EarlyStopCertainty::Sequential { risk }, at_risk))
    }

    /// Whether one goal is lost beyond doubt, or all are settled.
    fn is_over(&self, says: impl Fn(&TrackedGoal) -> Option<(bool, GoalVerdict)>) -> bool {
        let mut all = true;
        for goal in &self.goals {
            match says(goal) {
                Some((false, GoalVerdict::Missed)) => return true,
                Some(_) => {}
                None => all = false,
            }
        }
        all
    }

    fn settled(&self, certainty: EarlyStopCertainty, says: impl Fn(&TrackedGoal) -> Option<(bool, GoalVerdict)>) -> EarlyStopReason {
        let settled = |goal: &TrackedGoal| {
            let (known, (holds, _)) = (goal.known.as_ref()?, says(goal)?);
            let GoalCounts { seen, beyond, .. } = known.counts;
            let planned = known.settling.planned();
            Some(DecidedGoal { goal: goal.goal.clone().into(), holds, planned, least_effective: known.least_effective, seen, beyond })
        };
        EarlyStopReason { certainty, settled: self.goals.iter().filter_map(settled).collect() }
    }
}

impl GoalProgress {
    fn new(goal: &Goal, planned: &PlannedRows, by: StoppingCriterion, goals: usize) -> Option<Self> {
        let sizes: Vec<u64> = planned.sessions.values().copied().collect();
        let least_effective = least_effective_rows(&sizes);
        let settling = GoalCertaintyTest::new(goal, planned.rows(), least_effective)?;
        let sequential = match (by, settling.allowed_share()) {
            // One goal lost loses the cell, so all of them share the risk.
            #[expect(clippy::cast_precision_loss, reason = "goals are few")]
            (StoppingCriterion::Sequential(risk), Some(allowed)) if allowed > 0.0 && allowed < 1.0 => {
                Some(SequentialTest::new(allowed, risk / goals.max(1) as f64, &planned.sessions))
            }
            _ => None,
        };
        Some(Self { settling, least_effective, counts: GoalCounts::default(), sequential })
    }
}

impl TrackedGoal {
    /// Whether it looks at the request.
    fn hear(&mut self, record: &RequestRecord, repeat: u32) -> bool {
        let Some(known) = &mut self.known else { return false };
        if !record.fulfils(&self.goal.measure.filter) {
            return false;
        }
        let before = known.counts.beyond;
        match (&self.goal.measure.aggregate, self.goal.measure.metric()) {
            (Aggregate::Goodput(levels), _) => known.counts.add_case(!record.meets(levels)),
            (_, Some(metric)) => known.counts.add(&self.goal, record.value(metric)),
            (_, None) => known.counts.add_case(record.has_failed()),
        }
        if let Some(sequential) = &mut known.sequential {
            sequential.add((repeat, record.session), known.counts.beyond > before);
        }
        true
    }

    /// Whether it passes and its verdict, where every completion agrees on both.
    fn certain(&self) -> Option<(bool, GoalVerdict)> {
        let known = self.known.as_ref()?;
        Some((known.settling.passes(&known.counts)?, known.settling.verdict(&known.counts)?))
    }

    /// The same as far as the sequential test says it.
    fn at_risk(&self) -> Option<(bool, GoalVerdict)> {
        let few_enough = self.known.as_ref()?.sequential.as_ref()?.decision()?;
        let holds = few_enough == self.known.as_ref()?.settling.wants_few();
        Some((holds, if holds { GoalVerdict::Met } else { GoalVerdict::Missed }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::sweeps::{answered, failed as failed_row};
    use crate::records::record::FailureKind;

    /// 2 × 3 sessions of a document and two questions: 12 rows that the goals look at in each repeat, of 18.
    fn watch(goals: &[&str], by: StoppingCriterion, repeats: u32) -> Option<CellStopper> {
        let workload = r#"{"kind": "document_qa", "concurrent": 2, "sequential": 3, "rounds": 2}"#;
        let repeat = |number| PlannedRepeat { number, seed: 7, workload: serde_json::from_str(workload).unwrap() };
        let goals: Vec<Goal> = goals.iter().map(|goal| goal.parse().unwrap()).collect();
        CellStopper::new(&(0..repeats).map(repeat).collect::<Vec<_>>(), &goals, by, &Corpus::default())
    }

    /// After how many of these requests it says so, and what.
    fn told(watch: &mut CellStopper, rows: impl IntoIterator<Item = RequestRecord>) -> Option<(usize, EarlyStopReason)> {
        rows.into_iter().zip(1..).find_map(|(row, count)| Some((count, watch.heard(&row)?)))
    }

    fn rounds(ttft: f64) -> impl Iterator<Item = RequestRecord> {
        (0..3).flat_map(move |turn| (0..6).map(move |session| answered(session, turn, if turn == 0 { 9.0 } else { ttft })))
    }

    const SLOW: &str = "p90(ttft where turn >= 1) <= 2s";

    #[test]
    fn a_cell_is_lost_with_the_row_that_loses_its_first_goal() {
        // Nine of twelve rows disprove a p90, whether these are worth twelve or four: P(X >= 3 | 4, 10 %) = 0.4 %; of eight, two of four, do not.
        let mut watch = watch(&[SLOW, "error_rate <= 1%"], StoppingCriterion::Certain, 1).unwrap();
        let (count, curtailed) = told(&mut watch, rounds(3.0)).unwrap();
        assert_eq!((curtailed.certainty, curtailed.settled.len()), (EarlyStopCertainty::Exact, 1));
        let DecidedGoal { holds, planned, least_effective, seen, beyond, .. } = curtailed.settled[0];
        assert_eq!((holds, planned, least_effective, seen, beyond), (false, 12, 4, 9, 9));
        assert_eq!(count, 6 + 9);
    }

    #[test]
    fn a_cell_is_won_only_when_all_its_goals_are_settled() {
        let mut watch = watch(&[SLOW, "max(ttft) <= 10s"], StoppingCriterion::Certain, 1).unwrap();
        // The largest of all rows is known with the last one, when nothing is left to be ended.
        assert_eq!(told(&mut watch, rounds(0.5)), None);
    }

    #[test]
    fn repeats_that_are_planned_are_waited_for_and_those_that_came_count() {
        let mut watch = watch(&[SLOW], StoppingCriterion::Certain, 2).unwrap();
        assert_eq!(told(&mut watch, rounds(0.5)), None, "the second repeat may all be slow");
        watch.begin(1);
        let (count, curtailed) = told(&mut watch, rounds(0.5)).unwrap();
        assert!(curtailed.settled[0].holds && count < 18, "{curtailed}");
        assert_eq!(curtailed.settled[0].seen, 12 + count as u64 - 6);
    }

    #[test]
    fn warm_up_is_no_row_of_a_goal_and_a_failure_is_one_against_it() {
        let warm = rounds(3.0).map(|row| RequestRecord { phase: RequestPhase::Warmup, ..row });
        assert_eq!(told(&mut watch(&[SLOW], StoppingCriterion::Certain, 1).unwrap(), warm), None);
        let failing = (0..3).flat_map(|turn| (0..6).map(move |session| failed_row(session, turn, FailureKind::Connect)));
        let (count, _) = told(&mut watch(&[SLOW], StoppingCriterion::Certain, 1).unwrap(), failing).unwrap();
        assert_eq!(Some(count), told(&mut watch(&[SLOW], StoppingCriterion::Certain, 1).unwrap(), rounds(3.0)).map(|(count, _)| count));
    }

    #[test]
    fn a_test_at_a_risk_says_so_and_no_later() {
        let goal = "p95(ttft where turn >= 1) <= 2s";
        let mut certain = watch(&[goal], StoppingCriterion::Certain, 3).unwrap();
        assert_eq!(told(&mut certain, rounds(3.0)), None, "twelve rows of 36 may be worth two of eight");
        certain.begin(1);
        let certain = 18 + told(&mut certain, rounds(3.0)).unwrap().0;
        let (sooner, curtailed) = told(&mut watch(&[goal], StoppingCriterion::Sequential(0.05), 3).unwrap(), rounds(3.0)).unwrap();
        assert!(sooner < certain && sooner <= 10, "{sooner} {certain}");
        assert_eq!(curtailed.certainty, EarlyStopCertainty::Sequential { risk: 0.05 });
    }

    #[test]
    fn goals_that_cannot_be_counted_are_not_waited_for_in_vain() {
        assert!(watch(&["mean(ttft) <= 1s"], StoppingCriterion::Certain, 1).is_none());
        // One goal that can be lost is enough to be watched.
        assert!(told(&mut watch(&["mean(ttft) <= 1s", SLOW], StoppingCriterion::Certain, 1).unwrap(), rounds(3.0)).is_some());
        assert!(told(&mut watch(&["mean(ttft) <= 1s", SLOW], StoppingCriterion::Certain, 1).unwrap(), rounds(0.5)).is_none());
    }
}
