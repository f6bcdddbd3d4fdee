//! All runs of a course in turn: what fails is recorded, and the sweep goes on.

use futures_util::FutureExt;
use std::pin::pin;
use tokio::sync::mpsc;

use super::cell::{Setting, not_run, run_cell};
use super::course::{Course, Rule};
use super::keeper::{Keeper, Launch, NotServed, Serving};
use super::spec::{OnCellFailure, Policy};
use super::stop::Stop;
use super::threads::{Network, Threads};
use crate::clock::{Clock, virtual_runtime};
use crate::engine::TokenMemo;
use crate::event::Event;
use crate::plan::Run;
use crate::record::{Outcome, RunRecord, ServerFacts};
use crate::server::{Death, version};
use crate::workload::Corpus;

/// How a sweep ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How many runs there may be in all, as the course said at the start.
    pub planned: usize,
    /// Those of them that have a record: of this start, and of earlier ones.
    pub finished: usize,
    pub interrupted: bool,
    /// The run that failed or is invalid and was to be the last for that, and why.
    pub stopped_by: Option<(String, String)>,
}

/// Why a sweep could not even begin.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no resources for the load: {0}")]
pub struct SweepError(#[from] std::io::Error);

/// Runs what the course decides. Blocks until it is done or stopped, from outside or by its policy; everything that happens is sent to
/// `events`. No server that it started outlives it.
pub fn sweep(
    course: &mut dyn Course,
    policy: Policy,
    stop: &Stop,
    launch: &Launch,
    events: &mpsc::UnboundedSender<Event>,
) -> Result<Ending, SweepError> {
    let (planned, sealed) = course.extent();
    let _ = events.send(Event::SweepStarted { planned, sealed, about: course.is_guess() });
    let (corpus, memo) = (Corpus::default(), TokenMemo::default());
    let setting = Setting { corpus: &corpus, memo: &memo, stop, policy, threads: &Threads::One, events, server: None, notes: &[] };
    let mut site = Site { network: None, keeper: Keeper::new(launch, stop, events) };
    let (mut finished, mut stopped_by) = (sealed, None);
    while !stop.is_draining() && stopped_by.is_none() {
        let Some(run) = course.next() else { break };
        let rule = course.rule(&run);
        let record = if run.simulated { Some(simulate(&run, &setting, rule)?) } else { site.measure(&run, &setting, rule)? };
        let Some(record) = record else { break };
        finished += usize::from(record.outcome != Outcome::Interrupted);
        if policy.on_cell_failure == OnCellFailure::Stop {
            stopped_by = what_is_wrong(&record).map(|reason| (record.header.id.clone(), reason));
        }
        let _ = events.send(Event::RunFinished(Box::new(record.clone())));
        course.ended(&record);
    }
    drop(site);
    let interrupted = stop.is_draining();
    let _ = events.send(Event::SweepFinished { interrupted });
    Ok(Ending { planned, finished, interrupted, stopped_by })
}

/// Why a run is no result, where it is none.
fn what_is_wrong(record: &RunRecord) -> Option<String> {
    match &record.outcome {
        Outcome::Failed { reason } => Some(reason.clone()),
        _ => record.invalidity(),
    }
}

/// A cell on the simulated engine, in a world of its own whose time begins at 0.
fn simulate(run: &Run, setting: &Setting<'_>, rule: Option<&mut dyn Rule>) -> Result<RunRecord, SweepError> {
    Ok(virtual_runtime()?.block_on(async { run_cell(run, Clock::simulated(), setting, rule).await }))
}

/// Where real servers are measured: the threads, made for the first of them and kept, and the server that the runs are on.
struct Site<'a> {
    network: Option<Network>,
    keeper: Keeper<'a>,
}

impl Site<'_> {
    /// A cell against a server; nothing where the sweep was stopped before it began.
    fn measure(&mut self, run: &Run, setting: &Setting<'_>, rule: Option<&mut dyn Rule>) -> Result<Option<RunRecord>, SweepError> {
        let network = match &mut self.network {
            Some(network) => network,
            None => self.network.insert(Network::new()?),
        };
        let setting = Setting { threads: &network.threads, ..*setting };
        Ok(network.office.block_on(measure(run, &setting, rule, &mut self.keeper)))
    }
}

/// Whatever ends the sweep, also a panic, ends the server.
impl Drop for Site<'_> {
    fn drop(&mut self) {
        if let Some(network) = &self.network {
            network.office.block_on(self.keeper.end());
        }
    }
}

async fn measure(run: &Run, setting: &Setting<'_>, rule: Option<&mut dyn Rule>, keeper: &mut Keeper<'_>) -> Option<RunRecord> {
    let mut record = match keeper.serve(run).await {
        Err(NotServed::Interrupted) => return None,
        Err(NotServed::Failed(reason)) => return Some(not_run(run, reason, setting)),
        Ok(None) => {
            let facts = ServerFacts::default();
            let setting = Setting { server: Some(&facts), ..*setting };
            setting.threads.measuring(run_cell(run, Clock::real(), &setting, rule)).await
        }
        Ok(Some(serving)) => {
            let (record, death) = run_on(serving, run, setting, rule).await;
            match death {
                None => record,
                Some(death) => {
                    let reason = run.cell.mask().hide(death.to_string());
                    keeper.bury(&reason).await;
                    // Of an interrupted run nothing is kept, whatever happened in it.
                    let kept = !setting.stop.is_draining();
                    let outcome = if kept { Outcome::Failed { reason: format!("the server died: {reason}") } } else { record.outcome };
                    RunRecord { outcome, ..record }
                }
            }
        }
    };
    if let Some(facts) = record.server.as_mut().filter(|facts| facts.version.is_none() && record.outcome.is_whole()) {
        facts.version = version(&run.cell.target).await;
    }
    Some(record)
}

/// The cell on a server of ours. When that dies, what is in flight is given up.
async fn run_on(serving: &mut Serving, run: &Run, setting: &Setting<'_>, rule: Option<&mut dyn Rule>) -> (RunRecord, Option<Death>) {
    let mut run = run.clone();
    serving.url().clone_into(&mut run.cell.target.url);
    let (facts, notes) = (serving.facts(), serving.notes().to_vec());
    let stop = setting.stop.for_a_part();
    let setting = Setting { stop: &stop, server: Some(&facts), notes: &notes, ..*setting };
    let mut cell = pin!(setting.threads.measuring(run_cell(&run, Clock::real(), &setting, rule)));
    let record = tokio::select! {
        biased;
        record = &mut cell => record,
        death = serving.died() => {
            stop.abort();
            return (cell.await, Some(death));
        }
    };
    let suspicious = !record.counts.failures.is_empty() || matches!(record.outcome, Outcome::Failed { .. });
    if !suspicious || stop.is_draining() {
        return (record, serving.died().now_or_never());
    }
    let death = tokio::select! {
        biased;
        () = stop.draining() => None,
        death = serving.death_behind_failures() => death,
    };
    (record, death)
}
