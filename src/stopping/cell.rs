//! One cell over all its repeats: hears its requests, and says as soon as its goals need no more of them.
//!
//! A cell is lost as soon as one goal is lost and proven to be missed, and won when all goals are settled. By `certain` both the plain value
//! against the limit and the certified verdict must be the same for every outcome of what is missing. A request costs it a few comparisons.

use super::bets::Bets;
use super::rows::{CellRows, PlannedRows, countable};
use super::value::{failed, fits, value};
use crate::analysis::Verdict;
use crate::analysis::clusters::least_effective_rows;
use crate::analysis::settling::{Settling, Standing};
use crate::goal::{Aggregate, Goal};
use crate::plan::Run;
use crate::record::{Certainty, Curtailed, Phase, RequestRecord, Settled};
use crate::search::spec::StopRule;
use crate::workload::Corpus;

/// By what cells are ended early.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum By {
    Certain,
    /// Wrong at most at this rate.
    Sequential(f64),
}

impl By {
    /// `None` where nothing is.
    pub fn of(rule: StopRule, risk: f64) -> Option<Self> {
        match rule {
            StopRule::Never => None,
            StopRule::Certain => Some(Self::Certain),
            StopRule::Sequential => Some(Self::Sequential(risk)),
        }
    }
}

/// One cell, all its repeats.
#[derive(Debug, Clone)]
pub struct CellWatch {
    goals: Vec<Watched>,
    by: By,
    /// Requests of all phases and repeats: planned, and heard.
    planned: u64,
    heard: u64,
    repeat: u32,
    state: State,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Ended early.
    Settled,
    /// A repeat failed, so the cell has no result whatever comes.
    Failed,
}

/// One goal.
#[derive(Debug, Clone)]
struct Watched {
    text: String,
    goal: Goal,
    /// Missing where its rows cannot be counted in advance.
    known: Option<Known>,
}

#[derive(Debug, Clone)]
struct Known {
    settling: Settling,
    least_effective: u64,
    standing: Standing,
    bets: Option<Bets>,
}

impl CellWatch {
    /// For the repeats of one cell. `None` where no goal of it can be settled early.
    pub(super) fn new(repeats: &[Run], goals: &[(Goal, String)], by: By, corpus: &Corpus) -> Option<Self> {
        let workload = &repeats.first()?.cell.workload;
        let plain: Vec<Goal> = goals.iter().map(|(goal, _)| goal.clone()).collect();
        let rows = CellRows::of(repeats, &plain, corpus)?;
        let watched = goals.iter().zip(&rows.of_goals).map(|((goal, text), rows)| Watched {
            text: text.clone(),
            goal: goal.clone(),
            known: if countable(goal, workload).is_ok() { Known::new(goal, rows, by, goals.len()) } else { None },
        });
        let goals: Vec<Watched> = watched.collect();
        goals.iter().any(|goal| goal.known.is_some()).then_some(Self {
            goals,
            by,
            planned: rows.requests,
            heard: 0,
            repeat: 0,
            state: State::Open,
        })
    }

    /// The repeat whose requests come next.
    pub(super) fn begin(&mut self, repeat: u32) {
        self.repeat = repeat;
    }

    /// Nothing more is needed of the cell.
    pub(super) fn settle(&mut self) {
        self.state = State::Settled;
    }

    /// A run of it failed.
    pub(super) fn fail(&mut self) {
        self.state = State::Failed;
    }

    pub(super) fn is_settled(&self) -> bool {
        self.state == State::Settled
    }

    pub(super) fn is_failed(&self) -> bool {
        self.state == State::Failed
    }

    /// Takes a request of the current repeat in, and says why no further one is needed, as soon as that is so.
    pub fn heard(&mut self, record: &RequestRecord) -> Option<Curtailed> {
        self.heard += 1;
        let mut changed = false;
        if record.phase == Phase::Measure {
            for goal in &mut self.goals {
                changed |= goal.hear(record, self.repeat);
            }
        }
        // Where all have come there is nothing to end.
        if changed && self.heard < self.planned { self.curtailed() } else { None }
    }

    fn curtailed(&self) -> Option<Curtailed> {
        if self.is_over(Watched::certain) {
            return Some(self.settled(Certainty::Exact, Watched::certain));
        }
        let By::Sequential(risk) = self.by else { return None };
        let at_risk = |goal: &Watched| goal.certain().or_else(|| goal.at_risk());
        self.is_over(at_risk).then(|| self.settled(Certainty::Sequential { risk }, at_risk))
    }

    /// Whether one goal is lost beyond doubt, or all are settled.
    fn is_over(&self, says: impl Fn(&Watched) -> Option<(bool, Verdict)>) -> bool {
        let mut all = true;
        for goal in &self.goals {
            match says(goal) {
                Some((false, Verdict::Missed)) => return true,
                Some(_) => {}
                None => all = false,
            }
        }
        all
    }

    fn settled(&self, certainty: Certainty, says: impl Fn(&Watched) -> Option<(bool, Verdict)>) -> Curtailed {
        let settled = |goal: &Watched| {
            let (known, (holds, _)) = (goal.known.as_ref()?, says(goal)?);
            let Standing { seen, beyond, .. } = known.standing;
            let planned = known.settling.planned();
            Some(Settled { goal: goal.text.clone(), holds, planned, least_effective: known.least_effective, seen, beyond })
        };
        Curtailed { certainty, settled: self.goals.iter().filter_map(settled).collect() }
    }
}

impl Known {
    fn new(goal: &Goal, planned: &PlannedRows, by: By, goals: usize) -> Option<Self> {
        let sizes: Vec<u64> = planned.sessions.values().copied().collect();
        let least_effective = least_effective_rows(&sizes);
        let settling = Settling::new(goal, planned.rows(), least_effective)?;
        let bets = match (by, settling.allowed_share()) {
            // One goal lost loses the cell, so all of them share the risk.
            #[expect(clippy::cast_precision_loss, reason = "goals are few")]
            (By::Sequential(risk), Some(allowed)) if allowed > 0.0 && allowed < 1.0 => {
                Some(Bets::new(allowed, risk / goals.max(1) as f64, &planned.sessions))
            }
            _ => None,
        };
        Some(Self { settling, least_effective, standing: Standing::default(), bets })
    }
}

impl Watched {
    /// Whether it looks at the request.
    fn hear(&mut self, record: &RequestRecord, repeat: u32) -> bool {
        let Some(known) = &mut self.known else { return false };
        if !fits(&self.goal.measure.filter, record.session, record.lane, record.turn) {
            return false;
        }
        let before = known.standing.beyond;
        match (self.goal.measure.aggregate, self.goal.measure.metric()) {
            (Aggregate::ErrorRate, _) | (_, None) => known.standing.add_failure(failed(record)),
            (_, Some(metric)) => known.standing.add(&self.goal, value(metric, record)),
        }
        if let Some(bets) = &mut known.bets {
            bets.add((repeat, record.session), known.standing.beyond > before);
        }
        true
    }

    /// Whether it passes and its verdict, where every completion agrees on both.
    fn certain(&self) -> Option<(bool, Verdict)> {
        let known = self.known.as_ref()?;
        Some((known.settling.passes(&known.standing)?, known.settling.verdict(&known.standing)?))
    }

    /// The same as far as the sequential test says it.
    fn at_risk(&self) -> Option<(bool, Verdict)> {
        let few_enough = self.known.as_ref()?.bets.as_ref()?.said()?;
        let holds = few_enough == self.known.as_ref()?.settling.wants_few();
        Some((holds, if holds { Verdict::Met } else { Verdict::Missed }))
    }
}
