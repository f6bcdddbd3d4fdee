//! The cells of a plan along its frontiers: which run comes next, by what the sealed runs on disk say, as a scheduler that the executor follows.
//!
//! A variant's walk ends before the next one's begins, so that its server stays; `order = "abba"` lets them take turns, a cell each. A cell is
//! judged from its sealed runs alone, so what an earlier start has sealed counts as well.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::cell_judge::judge_cell;
use super::early_stopper::EarlyStopper;
use super::sweep_scheduler::SteeringError;
use crate::event::SweepEvent;
use crate::executor::{RunScheduler, StoppingRule};
use crate::planning::plan::{Plan, PlannedSearch, Run, SearchSpace, short_name, value_text};
use crate::records::record::{RunOutcome, RunRecord};
use crate::search::{
    CellIndex, FrontierSearch, LEGEND, SearchEndReason, SearchLimits, SearchMeasure, SearchStatus, SearchStep, TestedCell,
};
use crate::vocabulary::goal::Goal;
use crate::vocabulary::spec::scenario::RunOrder;

/// What the scheduler hears and tells.
#[derive(Debug)]
pub struct SearchChannels {
    /// Ids of runs that are sealed.
    pub sealed: Receiver<String>,
    pub events: UnboundedSender<SweepEvent>,
}

/// All walks of a plan.
#[derive(Debug)]
pub struct SearchScheduler {
    dir: PathBuf,
    goals: Vec<Goal>,
    repeats: u32,
    frontier: SearchSpace,
    /// About how many cells a walk takes.
    expected: usize,
    walks: Vec<ActiveSearch>,
    turns: SearchInterleaving,
    stopping: Option<EarlyStopper>,
    current: Option<(usize, CellIndex, Run)>,
    sealed: usize,
    budget: Option<TimeBudget>,
    channels: SearchChannels,
    /// What went wrong while a cell was judged: told at the end.
    trouble: Option<SteeringError>,
}

/// A walk and what is sealed of its cells.
#[derive(Debug)]
struct ActiveSearch {
    walk: FrontierSearch,
    planned: PlannedSearch,
    sealed: BTreeMap<CellIndex, BTreeSet<String>>,
    ended: Option<ActiveSearchEnd>,
}

/// Why a walk goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ActiveSearchEnd {
    Walked(SearchEndReason),
    MaxTime,
}

/// Whose turn it is.
#[derive(Debug)]
enum SearchInterleaving {
    /// The first walk that has not ended.
    OneByOne,
    /// Forwards and backwards over all of them.
    Abba { next: usize },
}

/// How much time there is, in seconds.
#[derive(Debug)]
struct TimeBudget {
    most: f64,
    simulated: bool,
    begun: Option<Instant>,
    /// Virtual time that is spent.
    spent: f64,
}

impl TimeBudget {
    fn is_spent(&self) -> bool {
        let spent = if self.simulated { self.spent } else { self.begun.map_or(0.0, |begun| begun.elapsed().as_secs_f64()) };
        spent >= self.most
    }
}

impl SearchScheduler {
    /// Goes on from what is sealed in the folder; `None` where every cell is run.
    pub fn new(
        plan: &Plan,
        sealed: &BTreeSet<String>,
        stopping: Option<EarlyStopper>,
        dir: &Path,
        channels: SearchChannels,
    ) -> Result<Option<Self>, SteeringError> {
        let Some(frontier) = plan.frontier.clone() else { return Ok(None) };
        let limits = SearchLimits { repeats: plan.repeats, max_cells: plan.search.max_cells.map(|most| most as usize) };
        let ongoing = |planned: PlannedSearch| ActiveSearch {
            walk: frontier.search(&planned, limits),
            planned,
            sealed: BTreeMap::new(),
            ended: None,
        };
        let walks: Vec<ActiveSearch> = plan.walks().into_iter().map(ongoing).collect();
        let budget = plan.search.max_time.map(|most| TimeBudget { most: most.0, simulated: plan.simulated, begun: None, spent: 0.0 });
        let turns = if plan.order == RunOrder::Abba { SearchInterleaving::Abba { next: 0 } } else { SearchInterleaving::OneByOne };
        let mut searching = Self {
            dir: dir.to_owned(),
            goals: plan.goals.clone(),
            repeats: plan.repeats,
            expected: frontier.cell_count(plan.search.max_cells).expected,
            frontier,
            walks,
            turns,
            stopping,
            current: None,
            sealed: sealed.len(),
            budget,
            channels,
            trouble: None,
        };
        searching.recall(sealed)?;
        Ok(Some(searching))
    }

    /// What went wrong, after the sweep.
    pub fn trouble(&mut self) -> Option<SteeringError> {
        self.trouble.take()
    }

    /// Sees every cell of which a run is sealed.
    fn recall(&mut self, sealed: &BTreeSet<String>) -> Result<(), SteeringError> {
        for number in 0..self.walks.len() {
            let cells: Vec<(CellIndex, BTreeSet<String>)> = self.walks[number]
                .planned
                .runs
                .iter()
                .map(|(place, runs)| (*place, runs.iter().map(|run| run.id.clone()).filter(|id| sealed.contains(id)).collect()))
                .filter(|(_, ids): &(CellIndex, BTreeSet<String>)| !ids.is_empty())
                .collect();
            for (place, ids) in cells {
                self.walks[number].sealed.insert(place, ids);
                self.see(number, place)?;
            }
        }
        Ok(())
    }

    /// Judges a cell and tells its walk.
    fn see(&mut self, number: usize, place: CellIndex) -> Result<(), SteeringError> {
        let ongoing = &mut self.walks[number];
        let Some(ids) = ongoing.sealed.get(&place) else { return Ok(()) };
        let mut seen = judge_cell(&self.dir, ids, &self.goals)?;
        let open = ongoing.planned.runs.get(&place).and_then(|runs| runs.iter().find(|run| !ids.contains(&run.id)));
        let needs_more = open.is_some_and(|run| self.stopping.as_ref().is_none_or(|stopping| stopping.needs(run)));
        if !needs_more {
            seen.runs = self.repeats;
        }
        ongoing.walk.saw(place, seen);
        Ok(())
    }

    /// The walk whose turn it is; `None` where all have ended.
    fn turn(&mut self) -> Option<usize> {
        match &mut self.turns {
            SearchInterleaving::OneByOne => self.walks.iter().position(|walk| walk.ended.is_none()),
            SearchInterleaving::Abba { next } => {
                let count = self.walks.len();
                (0..2 * count).find_map(|_| {
                    let at = *next % (2 * count);
                    *next += 1;
                    let number = if at < count { at } else { 2 * count - 1 - at };
                    self.walks[number].ended.is_none().then_some(number)
                })
            }
        }
    }

    /// The next run of a walk, or why there is none.
    fn step(&mut self, number: usize) -> Result<(CellIndex, Run), ActiveSearchEnd> {
        if self.budget.as_ref().is_some_and(TimeBudget::is_spent) {
            return Err(ActiveSearchEnd::MaxTime);
        }
        let ongoing = &mut self.walks[number];
        loop {
            let place = match ongoing.walk.next() {
                SearchStep::Done(ending) => return Err(ActiveSearchEnd::Walked(ending)),
                SearchStep::Run { place, .. } => place,
            };
            let sealed = ongoing.sealed.get(&place);
            let open = |run: &&Run| sealed.is_none_or(|ids| !ids.contains(&run.id));
            if let Some(run) = ongoing.planned.runs.get(&place).and_then(|runs| runs.iter().find(open)) {
                return Ok((place, run.clone()));
            }
            // Nothing is planned there: as good as no result.
            let seen = ongoing.walk.seen(place).copied().unwrap_or(TestedCell::nothing(0));
            ongoing.walk.saw(place, TestedCell { runs: self.repeats, ..seen });
        }
    }

    fn tell(&self, number: usize) {
        let ongoing = &self.walks[number];
        let status = ongoing.walk.status();
        let text = format!("{}: {}", ongoing.name(), self.words(ongoing, &status));
        let map = status.map(ongoing.walk.lattice()).map(|lines| format!("{}\n{LEGEND}", lines.join("\n")));
        let left = self.walks.iter().map(|walk| self.left(walk)).sum();
        let _ = self.channels.events.send(SweepEvent::Searched { text, map, left, ended: ongoing.ended.is_some() });
    }

    /// About how many runs a walk will still do: all repeats of each cell.
    fn left(&self, ongoing: &ActiveSearch) -> usize {
        if ongoing.ended.is_some() {
            return 0;
        }
        let most = self.walks.iter().map(|walk| walk.walk.status().tested).max().unwrap_or(0);
        let expected = self.expected.max(most);
        expected.saturating_sub(ongoing.walk.status().tested).max(1) * self.repeats as usize
    }

    /// How far it is, in a line: in brackets what is not excluded; a contradiction is a cell that fails although a harder one passes.
    fn words(&self, ongoing: &ActiveSearch, status: &SearchStatus) -> String {
        let lattice = ongoing.walk.lattice();
        let value = |measure: SearchMeasure, place: Option<CellIndex>| {
            place.map_or_else(|| "none".to_owned(), |place| short(measure.value(lattice, place)))
        };
        let mut parts: Vec<String> = Vec::new();
        for bracket in &status.brackets {
            let name = match bracket.measure {
                SearchMeasure::Product => "max C×S".to_owned(),
                SearchMeasure::HarmonicMean => "harmonic mean".to_owned(),
                SearchMeasure::Largest => format!("largest {}", self.frontier.axes.first().map_or("", |axis| short_name(axis))),
            };
            let (passes, most) = (value(bracket.measure, bracket.passes), value(bracket.measure, bracket.not_excluded));
            parts.push(if passes == most { format!("{name} {passes}") } else { format!("{name} {passes} (up to {most})") });
        }
        if status.brackets.is_empty() {
            parts.push(format!("{} cells on the boundary pass", status.frontier.len()));
        }
        let cells = format!("{} of {} cells", status.tested, lattice.cells());
        parts.push(match ongoing.ended {
            None => cells,
            Some(ActiveSearchEnd::Walked(SearchEndReason::Settled)) => format!("settled after {cells}"),
            Some(ActiveSearchEnd::Walked(SearchEndReason::MaxCells)) => format!("`max_cells` reached after {cells}"),
            Some(ActiveSearchEnd::MaxTime) => format!("`max_time` reached after {cells}"),
        });
        match status.violations.len() {
            0 => {}
            1 => parts.push("1 contradiction".to_owned()),
            count => parts.push(format!("{count} contradictions")),
        }
        parts.join("; ")
    }

    /// Waits until the run is on disk; whether it is.
    fn await_seal(&self, id: &str) -> bool {
        self.channels.sealed.iter().any(|sealed| sealed == id)
    }
}

impl ActiveSearch {
    /// `vllm`, `vllm, rounds 5`.
    fn name(&self) -> String {
        let within = self.planned.within.iter().map(|(path, value)| format!("{} {}", short_name(path), value_text(value)));
        std::iter::once(self.planned.variant.clone()).chain(within).collect::<Vec<_>>().join(", ")
    }
}

/// A number without needless digits.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl RunScheduler for SearchScheduler {
    fn extent(&self) -> (usize, usize) {
        let left: usize = self.walks.iter().map(|walk| self.left(walk)).sum();
        (self.sealed + left, self.sealed)
    }

    fn is_guess(&self) -> bool {
        true
    }

    fn next(&mut self) -> Option<Run> {
        if let Some(budget) = &mut self.budget {
            budget.begun.get_or_insert_with(Instant::now);
        }
        while self.trouble.is_none() {
            let number = self.turn()?;
            match self.step(number) {
                Ok((place, run)) => {
                    self.current = Some((number, place, run.clone()));
                    return Some(run);
                }
                Err(ended) => {
                    self.walks[number].ended = Some(ended);
                    self.tell(number);
                }
            }
        }
        None
    }

    fn rule(&mut self, run: &Run) -> Option<&mut dyn StoppingRule> {
        self.stopping.as_mut()?.watch(run).map(|watch| watch as &mut dyn StoppingRule)
    }

    fn ended(&mut self, record: &RunRecord) {
        let Some((number, place, run)) = self.current.take() else { return };
        if let Some(stopping) = &mut self.stopping {
            stopping.ended(&run, record);
        }
        if let Some(budget) = &mut self.budget {
            budget.spent += record.duration_us.as_secs_f64();
        }
        if record.outcome == RunOutcome::Interrupted {
            return;
        }
        if !self.await_seal(&run.id) {
            self.trouble = Some(SteeringError::Unsaved);
            return;
        }
        self.walks[number].sealed.entry(place).or_default().insert(run.id);
        match self.see(number, place) {
            Ok(()) => self.tell(number),
            Err(error) => self.trouble = Some(error),
        }
    }
}
