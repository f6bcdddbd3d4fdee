//! Cells run on the simulated engine, by the executor, in memory: the whole grid to its end, and a search that ends cells early.

use std::collections::BTreeMap;

use bench::analysis::{Judgement, Table, Verdict, judge, judge_curtailed};
use bench::event::Event;
use bench::executor::spec::Policy;
use bench::executor::{Course, Launch, Rule, Stop, sweep};
use bench::goal::Goal;
use bench::plan::{Plan, Run};
use bench::record::{Curtailed, Outcome, RequestRecord, RunRecord};
use bench::scenario::{Options, load_text};
use bench::search::spec::{SearchKind, SearchSpec};
use bench::search::{Aim, Axis, Evidence, Lattice, Limits, Place, Seen, Standing, Step, Walk};
use bench::stopping::{CellWatch, Stopping};
use bench::store::{SavedRequests, to_table};
use tokio::sync::mpsc;

/// The plan of an engine's grid.
pub struct Cells {
    plan: Plan,
    goal: Goal,
    lattice: Lattice,
    by_place: BTreeMap<Place, usize>,
}

/// How a cell came out.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub seen: Seen,
    /// Virtual seconds.
    pub server_s: f64,
}

/// What a search found.
pub struct Found {
    pub standing: Standing,
    pub cells: BTreeMap<Place, Measured>,
}

impl Cells {
    pub fn new(scenario: &str) -> Self {
        let scenario = load_text("random.toml".as_ref(), scenario, &Options::default()).unwrap_or_else(|faults| panic!("{faults}"));
        let plan = Plan::new(&scenario).unwrap();
        let numbers = |axis: usize| plan.axes[axis].1.iter().map(|value| value.as_f64().unwrap()).collect::<Vec<f64>>();
        let axes = [numbers(0), numbers(1)];
        let place = |run: &Run| {
            let at = |axis: usize| axes[axis].iter().position(|value| Some(*value) == run.axes[axis].1.as_f64()).unwrap();
            Place(at(0), at(1))
        };
        let by_place = plan.runs.iter().enumerate().map(|(index, run)| (place(run), index)).collect();
        let lattice = Lattice::new(axes.map(|values| Axis::listed(values).unwrap()).into()).unwrap();
        Self { goal: plan.goals[0].clone(), plan, lattice, by_place }
    }

    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// Ends cells as soon as what the goal says of them is certain.
    fn stopping(&self) -> Stopping {
        let goals = self.plan.goals.iter().cloned().zip(self.plan.goal_texts.iter().cloned()).collect();
        let mut stopping = Stopping::by_rule(&SearchSpec::from(SearchKind::Frontier), goals).unwrap();
        stopping.expect(&self.plan.runs);
        stopping
    }

    fn run(&self, place: Place) -> &Run {
        &self.plan.runs[self.by_place[&place]]
    }
}

/// Every cell to its end.
pub fn whole_grid(cells: &Cells) -> BTreeMap<Place, Measured> {
    cells.lattice.places().map(|place| (place, measure(cells, place, None))).collect()
}

/// The cells that a walk asks for, each as long as it takes to be certain of it.
pub fn search(cells: &Cells) -> Found {
    let mut walk = Walk::new(cells.lattice.clone(), Aim::Capacity, Limits::default());
    let mut measured = BTreeMap::new();
    while let Step::Run { place, .. } = walk.next() {
        let cell = measure(cells, place, Some(cells.stopping()));
        walk.saw(place, cell.seen);
        measured.insert(place, cell);
    }
    Found { standing: walk.standing(), cells: measured }
}

fn measure(cells: &Cells, place: Place, stopping: Option<Stopping>) -> Measured {
    let (rows, record) = simulate(cells.run(place), stopping);
    let table = Table::pool([&SavedRequests::held(to_table(&rows).unwrap())]).unwrap();
    let judgement = match &record.outcome {
        Outcome::Completed => judge(&cells.goal, &table),
        Outcome::Curtailed(curtailed) => judge_curtailed(curtailed, &cells.goal, &table),
        other => panic!("{other:?}"),
    };
    Measured { seen: seen(&judgement.unwrap()), server_s: record.duration_us.as_secs_f64() }
}

fn seen(judgement: &Judgement) -> Seen {
    let evidence = match judgement.verdict {
        Verdict::Met => Evidence::Met,
        Verdict::Missed => Evidence::Missed,
        Verdict::Undecided => Evidence::Undecided,
    };
    Seen { passes: Some(judgement.passes), evidence, runs: 1 }
}

/// One run and no other.
struct Single {
    run: Option<Run>,
    stopping: Option<Stopping>,
    heard: Option<Heard>,
}

/// What may end it.
struct Heard(CellWatch);

impl Rule for Heard {
    fn heard(&mut self, request: &RequestRecord) -> Option<Curtailed> {
        self.0.heard(request)
    }
}

impl Course for Single {
    fn extent(&self) -> (usize, usize) {
        (1, 0)
    }

    fn next(&mut self) -> Option<Run> {
        self.run.take()
    }

    fn rule(&mut self, run: &Run) -> Option<&mut dyn Rule> {
        let stopping = self.stopping.as_mut()?;
        self.heard = Some(Heard(stopping.watch(run)?.clone()));
        self.heard.as_mut().map(|heard| heard as &mut dyn Rule)
    }

    fn ended(&mut self, _: &RunRecord) {}
}

fn simulate(run: &Run, stopping: Option<Stopping>) -> (Vec<RequestRecord>, RunRecord) {
    let (events, mut heard) = mpsc::unbounded_channel();
    let launch = Launch { program: "bench".into(), logs: "servers".into() };
    sweep(&mut Single { run: Some(run.clone()), stopping, heard: None }, Policy::default(), &Stop::new(), &launch, &events).unwrap();
    drop(events);
    let (mut rows, mut record) = (Vec::new(), None);
    while let Some(event) = heard.blocking_recv() {
        match event {
            Event::RequestDone(row) => rows.push(*row),
            Event::RunFinished(finished) => record = Some(*finished),
            _ => {}
        }
    }
    (rows, record.unwrap())
}
