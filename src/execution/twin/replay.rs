//! The load of planned runs on simulated engines, in memory: runs in, the rows of each out. The same load in the same order as was measured, since a run's
//! seed gives the same prompts everywhere.

use tokio::sync::mpsc;

use crate::event::SweepEvent;
use crate::executor::{RunScheduler, ServerLaunchPaths, StopToken, StoppingRule, sweep};
use crate::foundation::on_all_cores::on_all_cores;
use crate::planning::plan::Run;
use crate::records::record::{EarlyStopReason, RequestRecord, RunOutcome, RunRecord};
use crate::vocabulary::spec::engine::EngineSpec;
use crate::vocabulary::spec::failure_policy::FailurePolicy;

/// Runs after each other that share texts which are tokenised already.
const RUNS_TOGETHER: usize = 80;

/// Sends the load of each run to its engine, on all cores: the rows of each run in order of completion, none where the engine cannot serve it.
///
/// # Panics
/// Where the machine refuses what a runtime takes.
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
    let (events, heard) = mpsc::unbounded_channel();
    let mut listed =
        ListedRuns { left: placed.collect::<Vec<_>>().into_iter(), heard, rows: Vec::new(), all: Vec::with_capacity(runs.len()) };
    let launch = ServerLaunchPaths { program: "bench".into(), logs: "servers".into() };
    let done = sweep(&mut listed, FailurePolicy::default(), &StopToken::new(), &launch, &events, None);
    assert!(done.is_ok(), "the machine has nothing left to simulate with: {done:?}");
    listed.take_told();
    listed.all.resize(runs.len(), Vec::new());
    listed.all
}

/// All of a list. It hears the sweep from within, on the thread that sends the load: another one would be woken for every request, which takes a third of
/// the time of all.
struct ListedRuns {
    left: std::vec::IntoIter<Run>,
    heard: mpsc::UnboundedReceiver<SweepEvent>,
    /// Of the run that goes on.
    rows: Vec<RequestRecord>,
    /// The rows of each run that has ended.
    all: Vec<Vec<RequestRecord>>,
}

impl ListedRuns {
    fn take_told(&mut self) {
        while let Ok(event) = self.heard.try_recv() {
            match event {
                SweepEvent::RequestDone(row) => self.rows.push(*row),
                SweepEvent::RunFinished(record) => {
                    let rows = std::mem::take(&mut self.rows);
                    self.all.push(if record.outcome == RunOutcome::Completed { rows } else { Vec::new() });
                }
                _ => {}
            }
        }
    }
}

impl RunScheduler for ListedRuns {
    fn extent(&self) -> (usize, usize) {
        (self.left.len(), 0)
    }

    fn next(&mut self) -> Option<Run> {
        self.left.next()
    }

    fn rule(&mut self, _: &Run) -> Option<&mut dyn StoppingRule> {
        Some(self)
    }

    fn ended(&mut self, _: &RunRecord) {
        self.take_told();
    }
}

/// It ends no run, and hears what was told so far: a run of many requests waits for who listens.
impl StoppingRule for ListedRuns {
    fn heard(&mut self, _: &RequestRecord) -> Option<EarlyStopReason> {
        self.take_told();
        None
    }
}
