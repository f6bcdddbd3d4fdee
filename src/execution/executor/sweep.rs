//! All runs of a scheduler in turn: what fails is recorded, and the sweep goes on.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::backpressure::Backpressure;
use super::cell::{CellContext, not_run, run_cell};
use super::load_leader::LoadLeader;
use super::preflight::{PreflightError, PreflightFacts, gone, preflight, preflight_key};
use super::run_scheduler::{RunScheduler, StoppingRule};
use super::runtimes::{NetworkRuntimes, RuntimeHandles};
use super::server_manager::{ManagedServer, NoServerReason, ServerLaunchPaths, ServerManager};
use super::stop_token::StopToken;
use crate::event::SweepEvent;
use crate::foundation::clock::{Clock, virtual_runtime};
use crate::planning::plan::Run;
use crate::records::record::{RunFailure, RunFailureCause, RunOutcome, RunRecord, ServerFacts};
use crate::servers::server::{ServerFailure, version};
use crate::simulation::engine::TokenMemo;
use crate::vocabulary::spec::failure_policy::{FailurePolicy, OnCellFailure};
use crate::workloads::workload::Corpus;

/// After so many runs in a row that nobody served, no further one is begun.
const UNSERVED_IN_A_ROW: u32 = 2;

/// How a sweep ended.
#[derive(Debug)]
pub struct SweepOutcome {
    /// How many runs there may be in all, as the scheduler said at the start.
    pub planned: usize,
    /// Those of them that have a record: of this start, and of earlier ones.
    pub finished: usize,
    pub interrupted: bool,
    /// Why no further run was begun, where there were more.
    pub stopped_by: Option<SweepStopReason>,
}

/// Why a sweep ended by itself before its last run.
#[derive(Debug)]
pub enum SweepStopReason {
    /// A target does not serve a small request, so its first run was not begun: why, and what to do about it.
    Preflight { reason: String, hint: Option<String> },
    /// Nobody served two runs in a row; the last of them, and why it failed.
    Unserved { run: String, reason: String },
    /// One of several clients is lost, and without it there is no load: the run, and who was lost.
    ClientLost { run: String, reason: String },
    /// A run failed or is invalid, and was to be the last for that.
    CellFailure { run: String, reason: String },
}

/// Why a sweep could not even begin.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no resources for the load: {0}")]
pub struct SweepError(#[from] std::io::Error);

/// Runs what the scheduler decides, with the `others` where several clients send the load. Blocks until it is done or stopped, from outside or by its policy; everything that happens is sent to
/// `events`. No server that it started outlives it.
pub fn sweep(
    scheduler: &mut dyn RunScheduler,
    policy: FailurePolicy,
    stop: &StopToken,
    launch: &ServerLaunchPaths,
    events: &mpsc::UnboundedSender<SweepEvent>,
    mut others: Option<&mut LoadLeader>,
) -> Result<SweepOutcome, SweepError> {
    let (planned, sealed) = scheduler.extent();
    let _ = events.send(SweepEvent::SweepStarted { planned, sealed, about: scheduler.is_guess() });
    let (corpus, memo) = (Corpus::default(), TokenMemo::default());
    let setting = CellContext {
        corpus: &corpus,
        memo: &memo,
        stop,
        policy,
        threads: &RuntimeHandles::One,
        events,
        server: None,
        notes: &[],
        template_tokens: None,
    };
    let mut site = RealServerContext { network: None, manager: ServerManager::new(launch, stop, events), asked: BTreeMap::new() };
    let (mut finished, mut stopped_by) = (sealed, None);
    let mut unserved_in_a_row = 0;
    let mut pace = Backpressure::of(Clock::simulated());
    while !stop.is_draining() && stopped_by.is_none() {
        let Some(run) = scheduler.next() else { break };
        let rule = scheduler.rule(&run);
        let measured = if run.simulated {
            RunAttemptOutcome::Record(simulate(&run, &setting, rule)?)
        } else {
            site.measure(&run, &setting, rule, others.as_deref_mut())?
        };
        let (record, is_unserved) = match measured {
            RunAttemptOutcome::NotBegun => break,
            RunAttemptOutcome::Refused { reason, hint } => {
                stopped_by = Some(SweepStopReason::Preflight { reason, hint });
                break;
            }
            RunAttemptOutcome::Record(record) => (record, false),
            RunAttemptOutcome::Unserved(record) => (record, true),
        };
        finished += usize::from(record.outcome != RunOutcome::Interrupted);
        unserved_in_a_row = if is_unserved { unserved_in_a_row + 1 } else { 0 };
        let wrong = what_is_wrong(&record).map(|reason| (record.header.id.clone(), reason));
        stopped_by = wrong.and_then(|(run, reason)| match policy.on_cell_failure {
            OnCellFailure::Stop => Some(SweepStopReason::CellFailure { run, reason }),
            OnCellFailure::StopUnserved if unserved_in_a_row >= UNSERVED_IN_A_ROW => Some(SweepStopReason::Unserved { run, reason }),
            OnCellFailure::StopUnserved | OnCellFailure::Continue => None,
        });
        if let Some(reason) = others.as_ref().and_then(|others| others.lost()) {
            stopped_by = Some(SweepStopReason::ClientLost { run: record.header.id.clone(), reason: reason.to_owned() });
        }
        let _ = events.send(SweepEvent::RunFinished(Box::new(record.clone())));
        if run.simulated {
            pace.mark(events);
        }
        scheduler.ended(&record);
    }
    drop(site);
    let interrupted = stop.is_draining();
    let _ = events.send(SweepEvent::SweepFinished { interrupted });
    Ok(SweepOutcome { planned, finished, interrupted, stopped_by })
}

/// Why a run is no result, where it is none.
fn what_is_wrong(record: &RunRecord) -> Option<String> {
    match &record.outcome {
        RunOutcome::Failed(failure) => Some(failure.with_lines()),
        _ => record.invalidity().map(|reason| reason.to_string()),
    }
}

/// A cell on the simulated engine, in a world of its own whose time begins at 0.
fn simulate(run: &Run, setting: &CellContext<'_>, rule: Option<&mut dyn StoppingRule>) -> Result<RunRecord, SweepError> {
    Ok(virtual_runtime()?.block_on(async { run_cell(run, Clock::simulated(), setting, rule, None).await }))
}

/// How a run came out.
enum RunAttemptOutcome {
    /// The sweep was stopped before it began.
    NotBegun,
    /// Its target does not serve a small request: why, and what to do about it.
    Refused {
        reason: String,
        hint: Option<String>,
    },
    Record(RunRecord),
    /// It failed since nobody served it.
    Unserved(RunRecord),
}

/// Where real servers are measured: the threads, made for the first of them and kept, and the server that the runs are on.
struct RealServerContext<'a> {
    network: Option<NetworkRuntimes>,
    manager: ServerManager<'a>,
    /// What was told by targets that were asked before their first runs.
    asked: BTreeMap<String, PreflightFacts>,
}

impl RealServerContext<'_> {
    /// A cell against a server.
    fn measure(
        &mut self,
        run: &Run,
        setting: &CellContext<'_>,
        rule: Option<&mut dyn StoppingRule>,
        others: Option<&mut LoadLeader>,
    ) -> Result<RunAttemptOutcome, SweepError> {
        let network = match &mut self.network {
            Some(network) => network,
            None => self.network.insert(NetworkRuntimes::new()?),
        };
        let setting = CellContext { threads: &network.threads, ..*setting };
        Ok(network.background.block_on(measure(run, &setting, rule, others, &mut self.manager, &mut self.asked)))
    }
}

/// Whatever ends the sweep, also a panic, ends the server.
impl Drop for RealServerContext<'_> {
    fn drop(&mut self) {
        if let Some(network) = &self.network {
            network.background.block_on(self.manager.end());
        }
    }
}

async fn measure(
    run: &Run,
    setting: &CellContext<'_>,
    rule: Option<&mut dyn StoppingRule>,
    mut others: Option<&mut LoadLeader>,
    manager: &mut ServerManager<'_>,
    asked: &mut BTreeMap<String, PreflightFacts>,
) -> RunAttemptOutcome {
    let mut serving = match manager.serve(run).await {
        Err(NoServerReason::Interrupted) => return RunAttemptOutcome::NotBegun,
        Err(NoServerReason::Failed(failure)) => return RunAttemptOutcome::Record(not_run(run, failure, setting)),
        Ok(serving) => serving,
    };
    if let Some(others) = &mut others {
        others.reach(run, serving.as_deref().map(ManagedServer::url));
    }
    let mut run = run.clone();
    if let Some(serving) = &serving {
        serving.url().clone_into(&mut run.cell.target.url);
    }
    let facts = tokio::select! {
        biased;
        () = setting.stop.draining() => return RunAttemptOutcome::NotBegun,
        facts = ask_first(&run, serving.as_deref(), asked) => facts,
    };
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => {
            let mask = run.cell.mask();
            let (reason, hint) = (mask.hide(error.to_string()), error.hint().map(|hint| mask.hide(hint.to_owned())));
            if setting.policy.on_cell_failure == OnCellFailure::Continue {
                return RunAttemptOutcome::Unserved(not_run(&run, RunFailure::new(RunFailureCause::Preflight, reason), setting));
            }
            return RunAttemptOutcome::Refused { reason, hint };
        }
    };
    if let Some(model) = facts.model {
        run.cell.target.model = model;
    }
    let setting = CellContext { template_tokens: facts.template_tokens, ..*setting };
    let (mut record, death) = match &mut serving {
        None => {
            let facts = ServerFacts::default();
            let setting = CellContext { server: Some(&facts), ..setting };
            (setting.threads.measuring(run_cell(&run, Clock::real(), &setting, rule, others)).await, None)
        }
        Some(serving) => run_on(serving, &run, &setting, rule, others).await,
    };
    if let Some(death) = death {
        let mask = run.cell.mask();
        let failure = death.failure().map_texts(|text| mask.hide(text));
        manager.bury(failure.clone()).await;
        // Of an interrupted run nothing is kept, whatever happened in it.
        if !setting.stop.is_draining() {
            record.outcome = RunOutcome::Failed(failure);
        }
        return RunAttemptOutcome::Record(record);
    }
    let is_unserved = is_unserved(&run, &mut record, &setting).await;
    if let Some(facts) = record.server.as_mut().filter(|facts| facts.version.is_none() && record.outcome.is_whole()) {
        facts.version = version(&run.cell.target).await;
    }
    if is_unserved { RunAttemptOutcome::Unserved(record) } else { RunAttemptOutcome::Record(record) }
}

/// The small request before the first run of a target, and of each start of a server. One of ours that answers and fails is left to the run,
/// which knows its process.
async fn ask_first(
    run: &Run,
    serving: Option<&ManagedServer>,
    asked: &mut BTreeMap<String, PreflightFacts>,
) -> Result<PreflightFacts, PreflightError> {
    let start = serving.map_or_else(String::new, |serving| format!("{} {} ", run.variant, serving.number()));
    let key = start + &preflight_key(run);
    if let Some(facts) = asked.get(&key) {
        return Ok(facts.clone());
    }
    let facts = match preflight(run).await {
        Err(error) if serving.is_some() && error.is_passing() => PreflightFacts::default(),
        facts => facts?,
    };
    asked.insert(key, facts.clone());
    Ok(facts)
}

/// Whether nobody served the run: its requests say so, or the server does not serve any more, which makes the run one that failed.
async fn is_unserved(run: &Run, record: &mut RunRecord, setting: &CellContext<'_>) -> bool {
    let is_suspicious = !record.counts.failures.is_empty() || matches!(record.outcome, RunOutcome::Failed(_));
    if !is_suspicious || setting.stop.is_draining() {
        return false;
    }
    let gone = tokio::select! {
        biased;
        () = setting.stop.draining() => return false,
        gone = gone(run) => gone,
    };
    if let (Some(reason), true) = (&gone, record.outcome.is_whole()) {
        let reason = run.cell.mask().hide(reason.clone());
        record.outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::ServerLost, reason));
    }
    gone.is_some() || record.counts.unserved().is_some()
}

/// The cell on a server of ours. When that dies, what is in flight is given up.
async fn run_on(
    serving: &mut ManagedServer,
    run: &Run,
    setting: &CellContext<'_>,
    rule: Option<&mut dyn StoppingRule>,
    others: Option<&mut LoadLeader>,
) -> (RunRecord, Option<ServerFailure>) {
    let (facts, notes) = (serving.facts(), serving.notes().to_vec());
    let stop = setting.stop.for_a_part();
    let setting = CellContext { stop: &stop, server: Some(&facts), notes: &notes, ..*setting };
    let mut cell = pin!(setting.threads.measuring(run_cell(run, Clock::real(), &setting, rule, others)));
    let record = tokio::select! {
        biased;
        record = &mut cell => record,
        death = serving.died() => {
            stop.abort();
            return (cell.await, Some(death));
        }
    };
    let suspicious = !record.counts.failures.is_empty() || matches!(record.outcome, RunOutcome::Failed(_));
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
