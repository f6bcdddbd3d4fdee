//! Cells run on the simulated engine, by the executor, in memory: the whole grid to its end, and a search that ends cells early.

use std::collections::BTreeMap;

use bench::analysis::{GoalJudgement, GoalVerdict, RequestTable, judge, judge_curtailed};
use bench::execution::event::SweepEvent;
use bench::execution::executor::{RunScheduler, ServerLaunchPaths, StopToken, StoppingRule, sweep};
use bench::execution::steering::{CellStopper, EarlyStopper};
use bench::planning::plan::{Plan, Run};
use bench::planning::scenario::{ScenarioOverrides, load_text};
use bench::records::record::{EarlyStopReason, RequestRecord, RunOutcome, RunRecord};
use bench::records::store::{SavedRequests, to_table};
use bench::search::{
    CellIndex, ExpectedCells, FrontierSearch, GoalEvidence, LatticeAxis, LoadLattice, SearchLimits, SearchObjective, SearchStatus,
    SearchStep, TestedCell,
};
use bench::vocabulary::goal::Goal;
use bench::vocabulary::spec::failure_policy::FailurePolicy;
use bench::vocabulary::spec::search::{SearchKind, SearchSpec};
use serde_json::Value;
use tokio::sync::mpsc;

/// The plan of an engine's grid.
pub struct Cells {
    plan: Plan,
    goal: Goal,
    lattice: LoadLattice,
    by_place: BTreeMap<CellIndex, usize>,
}

/// How a cell came out.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub seen: TestedCell,
    /// Virtual seconds.
    pub server_s: f64,
}

/// What a search found.
pub struct Found {
    pub status: SearchStatus,
    pub cells: BTreeMap<CellIndex, Measured>,
}

impl Cells {
    pub fn new(scenario: &str) -> Self {
        let scenario =
            load_text("random.toml".as_ref(), scenario, &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{faults}"));
        let plan = Plan::new(&scenario).unwrap();
        let numbers = |axis: usize| plan.axes[axis].1.iter().map(|value| value.as_f64().unwrap()).collect::<Vec<f64>>();
        let axes = [numbers(0), numbers(1)];
        let by_place = plan.runs.iter().enumerate().map(|(index, run)| (place(&plan, &run.axes), index)).collect();
        let lattice = LoadLattice::new(axes.map(|values| LatticeAxis::listed(values).unwrap()).into()).unwrap();
        Self { goal: plan.goals[0].clone(), plan, lattice, by_place }
    }

    pub fn lattice(&self) -> &LoadLattice {
        &self.lattice
    }

    /// Ends cells as soon as what the goal says of them is certain.
    fn stopping(&self) -> EarlyStopper {
        let mut stopping = EarlyStopper::by_rule(&SearchSpec::from(SearchKind::Frontier), self.plan.goals.clone()).unwrap();
        stopping.expect(&self.plan.runs);
        stopping
    }

    pub fn run(&self, place: CellIndex) -> &Run {
        &self.plan.runs[self.by_place[&place]]
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn place(&self, axes: &[(String, Value)]) -> CellIndex {
        place(&self.plan, axes)
    }
}

fn place(plan: &Plan, axes: &[(String, Value)]) -> CellIndex {
    let at = |axis: usize| plan.axes[axis].1.iter().position(|value| *value == axes[axis].1).unwrap();
    CellIndex(at(0), at(1))
}

/// Every cell to its end.
pub fn whole_grid(cells: &Cells) -> BTreeMap<CellIndex, Measured> {
    cells.lattice.places().map(|place| (place, measure(cells, place, None))).collect()
}

/// The cells that a walk asks for, each as long as it takes to be certain of it.
pub fn search(cells: &Cells, expected: Option<ExpectedCells>) -> Found {
    let walk = FrontierSearch::new(cells.lattice.clone(), SearchObjective::Capacity, SearchLimits::default());
    let mut walk = match expected {
        Some(expected) => walk.expecting(expected),
        None => walk,
    };
    let mut measured = BTreeMap::new();
    while let SearchStep::Run { place, .. } = walk.next() {
        let cell = measure(cells, place, Some(cells.stopping()));
        walk.saw(place, cell.seen);
        measured.insert(place, cell);
    }
    Found { status: walk.status(), cells: measured }
}

/// The server time of a cell that ends as soon as it is certain.
pub fn least_server_s(cells: &Cells, place: CellIndex) -> f64 {
    measure(cells, place, Some(cells.stopping())).server_s
}

fn measure(cells: &Cells, place: CellIndex, stopping: Option<EarlyStopper>) -> Measured {
    let (rows, record) = simulate(cells.run(place), stopping);
    let table = RequestTable::pool([&SavedRequests::held(to_table(&rows).unwrap())]).unwrap();
    let judgement = match &record.outcome {
        RunOutcome::Completed => judge(&cells.goal, &table),
        RunOutcome::Curtailed(curtailed) => judge_curtailed(curtailed, &cells.goal, &table),
        other => panic!("{other:?}"),
    };
    Measured { seen: seen(&judgement.unwrap()), server_s: record.duration_us.as_secs_f64() }
}

fn seen(judgement: &GoalJudgement) -> TestedCell {
    let evidence = match judgement.verdict {
        GoalVerdict::Met => GoalEvidence::Met,
        GoalVerdict::Missed => GoalEvidence::Missed,
        GoalVerdict::Undecided => GoalEvidence::Undecided,
    };
    TestedCell { passes: Some(judgement.passes), evidence, runs: 1 }
}

/// One run and no other.
struct Single {
    run: Option<Run>,
    stopping: Option<EarlyStopper>,
    heard: Option<Heard>,
}

/// What may end it.
struct Heard(CellStopper);

impl StoppingRule for Heard {
    fn heard(&mut self, request: &RequestRecord) -> Option<EarlyStopReason> {
        self.0.heard(request)
    }
}

impl RunScheduler for Single {
    fn extent(&self) -> (usize, usize) {
        (1, 0)
    }

    fn next(&mut self) -> Option<Run> {
        self.run.take()
    }

    fn rule(&mut self, run: &Run) -> Option<&mut dyn StoppingRule> {
        let stopping = self.stopping.as_mut()?;
        self.heard = Some(Heard(stopping.watch(run)?.clone()));
        self.heard.as_mut().map(|heard| heard as &mut dyn StoppingRule)
    }

    fn ended(&mut self, _: &RunRecord) {}
}

fn simulate(run: &Run, stopping: Option<EarlyStopper>) -> (Vec<RequestRecord>, RunRecord) {
    let (events, mut heard) = mpsc::unbounded_channel();
    let launch = ServerLaunchPaths { program: "bench".into(), logs: "servers".into() };
    sweep(
        &mut Single { run: Some(run.clone()), stopping, heard: None },
        FailurePolicy::default(),
        &StopToken::new(),
        &launch,
        &events,
        None,
    )
    .unwrap();
    drop(events);
    let (mut rows, mut record) = (Vec::new(), None);
    while let Some(event) = heard.blocking_recv() {
        match event {
            SweepEvent::RequestDone(row) => rows.push(*row),
            SweepEvent::RunFinished(finished) => record = Some(*finished),
            _ => {}
        }
    }
    (rows, record.unwrap())
}
