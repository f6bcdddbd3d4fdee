//! All cells of a plan in turn: what is sealed is skipped, what fails is recorded, and the sweep goes on.

use std::collections::BTreeSet;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::cell::{Setting, run_cell};
use super::stop::Stop;
use crate::clock::{Clock, virtual_runtime};
use crate::engine::TokenMemo;
use crate::event::Event;
use crate::plan::{Plan, Run};
use crate::record::{Outcome, RunRecord};
use crate::workload::Corpus;

/// How a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Cells that could not be run.
    pub failed: usize,
    pub interrupted: bool,
}

/// Why a sweep could not even begin.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no resources for the load: {0}")]
pub struct SweepError(#[from] std::io::Error);

/// Runs the plan minus what is sealed. Blocks until it is done or stopped; everything that happens is sent to `events`.
pub fn sweep(plan: &Plan, sealed: &BTreeSet<String>, stop: &Stop, events: &mpsc::UnboundedSender<Event>) -> Result<Ending, SweepError> {
    let open: Vec<&Run> = plan.runs.iter().filter(|run| !sealed.contains(&run.id)).collect();
    let _ = events.send(Event::SweepStarted { planned: plan.runs.len(), sealed: plan.runs.len() - open.len() });
    let (corpus, memo) = (Corpus::default(), TokenMemo::default());
    let setting = Setting { corpus: &corpus, memo: &memo, stop, events, server: None, notes: &[] };
    let mut network: Option<Runtime> = None;
    let mut failed = 0;
    for run in open {
        if stop.is_draining() {
            break;
        }
        let record = if run.simulated { simulate(run, &setting)? } else { measure(run, &setting, &mut network)? };
        failed += usize::from(matches!(record.outcome, Outcome::Failed { .. }));
        let _ = events.send(Event::RunFinished(Box::new(record)));
    }
    let interrupted = stop.is_draining();
    let _ = events.send(Event::SweepFinished { interrupted });
    Ok(Ending { failed, interrupted })
}

/// A cell on the simulated engine, in a world of its own whose time begins at 0.
fn simulate(run: &Run, setting: &Setting<'_>) -> Result<RunRecord, SweepError> {
    Ok(virtual_runtime()?.block_on(async { run_cell(run, Clock::simulated(), setting).await }))
}

/// A cell against a server. The runtime is made for the first one and kept.
fn measure(run: &Run, setting: &Setting<'_>, network: &mut Option<Runtime>) -> Result<RunRecord, SweepError> {
    let runtime = match network {
        Some(runtime) => runtime,
        None => network.insert(tokio::runtime::Builder::new_multi_thread().enable_all().build()?),
    };
    Ok(runtime.block_on(run_cell(run, Clock::real(), setting)))
}
