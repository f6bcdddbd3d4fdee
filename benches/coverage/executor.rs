//! Runs by the executor itself, on the simulated engine, in memory.

use bench::execution::event::SweepEvent;
use bench::execution::executor::{RunScheduler, ServerLaunchPaths, StopToken, StoppingRule, sweep};
use bench::planning::plan::Run;
use bench::planning::scenario::CellSpec;
use bench::records::record::{RequestRecord, RunRecord};
use bench::vocabulary::spec::failure_policy::FailurePolicy;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::judging::MeasuredRun;
use crate::requests::OpenRun;

/// One run of a workload on an engine, both as a scenario says them.
pub fn simulate(workload: &Value, engine: &Value, seed: u64) -> MeasuredRun {
    let cell = CellSpec::new(section(workload), section(&json!({"kind": "sim"})), section(engine), section(&json!({})));
    let run = Run { id: "run-0".into(), variant: "default".into(), axes: Vec::new(), repeat: 0, seed, simulated: true, cell };
    let (events, mut heard) = mpsc::unbounded_channel();
    let launch = ServerLaunchPaths { program: "bench".into(), logs: "servers".into() };
    // A long run in virtual time waits for who listens.
    std::thread::scope(|scope| {
        scope.spawn(move || {
            sweep(&mut SingleRun(Some(run)), FailurePolicy::default(), &StopToken::new(), &launch, &events, None).expect("a virtual clock")
        });
        let (mut rows, mut record) = (Vec::new(), None);
        while let Some(event) = heard.blocking_recv() {
            match event {
                SweepEvent::RequestDone(row) => rows.push(*row),
                SweepEvent::RunFinished(finished) => record = Some(*finished),
                _ => {}
            }
        }
        MeasuredRun { record: record.expect("the run ended"), rows }
    })
}

/// How many rows of a run differ from those that the executor makes of the same run, in their times and in what was in flight.
pub fn differing_rows(direct: &OpenRun) -> usize {
    let workload = serde_json::to_value(&direct.workload).expect("a workload");
    let mut rows = simulate(&workload, &json!({"preset": "tiny"}), direct.seed).rows;
    rows.sort_by_key(|row| row.session);
    let told = |row: &RequestRecord| {
        (row.session, row.intended_us, row.sent_us, row.first_token_us, row.last_token_us, row.done_us, row.in_flight)
    };
    let same = rows.iter().zip(&direct.rows).filter(|(one, other)| told(one) == told(other)).count();
    rows.len().max(direct.rows.len()) - same
}

fn section<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|fault| panic!("{value}: {fault}"))
}

/// One run, to its end.
struct SingleRun(Option<Run>);

impl RunScheduler for SingleRun {
    fn extent(&self) -> (usize, usize) {
        (1, 0)
    }

    fn next(&mut self) -> Option<Run> {
        self.0.take()
    }

    fn rule(&mut self, _: &Run) -> Option<&mut dyn StoppingRule> {
        None
    }

    fn ended(&mut self, _: &RunRecord) {}
}
