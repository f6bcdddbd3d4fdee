//! The load of planned runs on simulated engines, in memory: runs in, the rows of each out. The same load in the same order as was measured, since a run's
//! seed gives the same prompts everywhere.

use tokio::sync::mpsc;

use crate::execution::event::SweepEvent;
use crate::execution::executor::{RunScheduler, ServerLaunchPaths, StopToken, StoppingRule, sweep};
use crate::foundation::on_all_cores::on_all_cores;
use crate::planning::plan::Run;
use crate::records::record::{RequestRecord, RunOutcome, RunRecord};
use crate::vocabulary::spec::engine::EngineSpec;
use crate::vocabulary::spec::failure_policy::FailurePolicy;

/// Runs after each other that share texts which are tokenised already.
const RUNS_TOGETHER: usize = 80;

/// Sends the load of each run to its engine, on all cores: the rows of each run in order of completion, none where the engine cannot serve it.
#[must_use]
pub fn replay(runs: &[(&Run, &EngineSpec)]) -> Vec<Vec<RequestRecord>> {
    // Few runs are shared among the cores as well as many.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let together = runs.len().div_ceil(cores).clamp(1, RUNS_TOGETHER);
    let chunks: Vec<&[(&Run, &EngineSpec)]> = runs.chunks(together).collect();
    on_all_cores(&chunks, |chunk| one_after_the_other(chunk)).into_iter().flatten().collect()
}

fn one_after_the_other(runs: &[(&Run, &EngineSpec)]) -> Vec<Vec<RequestRecord>> {
    let placed = runs.iter().map(|(run, engine)| {
        let mut run = (*run).clone();
        run.cell.engine = (*engine).clone();
        run
    });
    let mut listed = ListedRuns { left: placed.collect::<Vec<_>>().into_iter() };
    let (events, heard) = mpsc::unbounded_channel();
    let launch = ServerLaunchPaths { program: "bench".into(), logs: "servers".into() };
    // Who sends waits for who hears, once many rows are on their way.
    std::thread::scope(|scope| {
        let hearing = scope.spawn(|| rows_of_runs(heard, runs.len()));
        let done = sweep(&mut listed, FailurePolicy::default(), &StopToken::new(), &launch, &events, None);
        debug_assert!(done.is_ok(), "{done:?}");
        drop(events);
        hearing.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))
    })
}

/// The rows of each run, in the order of the runs.
fn rows_of_runs(mut heard: mpsc::UnboundedReceiver<SweepEvent>, runs: usize) -> Vec<Vec<RequestRecord>> {
    let (mut rows, mut all) = (Vec::new(), Vec::with_capacity(runs));
    while let Some(event) = heard.blocking_recv() {
        match event {
            SweepEvent::RequestDone(row) => rows.push(*row),
            SweepEvent::RunFinished(record) => {
                let rows = std::mem::take(&mut rows);
                all.push(if record.outcome == RunOutcome::Completed { rows } else { Vec::new() });
            }
            _ => {}
        }
    }
    all.resize(runs, Vec::new());
    all
}

/// All of a list.
struct ListedRuns {
    left: std::vec::IntoIter<Run>,
}

impl RunScheduler for ListedRuns {
    fn extent(&self) -> (usize, usize) {
        (self.left.len(), 0)
    }

    fn next(&mut self) -> Option<Run> {
        self.left.next()
    }

    fn rule(&mut self, _: &Run) -> Option<&mut dyn StoppingRule> {
        None
    }

    fn ended(&mut self, _: &RunRecord) {}
}
