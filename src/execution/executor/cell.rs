//! One cell, once: empties the caches, makes the sessions, drives the load, and says how it went.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::backpressure::Backpressure;
use super::cache_check::hidden;
use super::client_health::ClientHealthMonitor;
use super::cold_cache::{ColdCacheError, RunAttempt};
use super::drive::{ResultSink, drive};
use super::early_stop::EarlyStop;
use super::errors::{ErrorLimit, RunError};
use super::load_leader::LoadLeader;
use super::load_party::LoadParty;
use super::prepared_load::PreparedLoad;
use super::run_scheduler::StoppingRule;
use super::run_totals::RunTotals;
use super::runtimes::RuntimeHandles;
use super::sequential_loop::LoadError;
use super::stall_detector::{StallDetector, StallReport};
use super::stop_token::StopToken;
use super::target_monitor::TargetMonitor;
use crate::event::SweepEvent;
use crate::foundation::clock::Clock;
use crate::planning::plan::{EnvironmentRedactor, Run};
use crate::records::record::{
    CacheCheck, CacheEvidence, ClientHealth, EarlyStopReason, FormatVersion, PromptSalt, RunFailure, RunFailureCause, RunOutcome,
    RunRecord, ServerFacts, TokenRule,
};
use crate::servers::client::{HttpTarget, SimTarget, SiteCounts, Target, TargetError};
use crate::servers::server::WatchSummary;
use crate::simulation::engine::{EngineParameters, EngineSpecError, TokenMemo};
use crate::vocabulary::spec::failure_policy::FailurePolicy;
use crate::vocabulary::spec::target::{TargetKind, TargetSpec};
use crate::vocabulary::spec::workload::{LoadLoop, WorkloadSpec};
use crate::workloads::arrival::{LoadShard, RequestSchedule};
use crate::workloads::tokens::{self, TokenCountError};
use crate::workloads::workload::{Corpus, RunSalt, Workload, WorkloadError};

/// Why a cell could not be run. The sweep goes on without it.
#[derive(Debug, thiserror::Error)]
pub(super) enum CellError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Engine(#[from] EngineSpecError),
    #[error(transparent)]
    Cold(#[from] ColdCacheError),
    #[error(transparent)]
    Tokens(#[from] TokenCountError),
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    #[error(transparent)]
    Lane(#[from] LoadError),
    #[error(transparent)]
    Fault(#[from] RunError),
}

impl CellError {
    fn failure(&self, mask: &EnvironmentRedactor) -> RunFailure {
        let cause = match self {
            Self::Fault(RunError::Unserved(_)) => RunFailureCause::Unserved,
            Self::Fault(RunError::TooManyErrors(_)) => RunFailureCause::TooManyErrors,
            Self::Lane(LoadError::Client(_)) => RunFailureCause::ClientLost,
            _ => RunFailureCause::Cell,
        };
        RunFailure::new(cause, mask.hide(self.to_string()))
    }
}

/// What a cell needs from the sweep.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellContext<'a> {
    /// Texts that are made once and used in every cell.
    pub corpus: &'a Corpus,
    /// What the simulated engine knows of these texts.
    pub memo: &'a TokenMemo,
    pub stop: &'a StopToken,
    /// How failures are taken.
    pub policy: FailurePolicy,
    pub threads: &'a RuntimeHandles,
    pub events: &'a mpsc::UnboundedSender<SweepEvent>,
    /// What is known of the server before the cell; nothing where it is simulated.
    pub server: Option<&'a ServerFacts>,
    /// Remarks on the server for the record.
    pub notes: &'a [String],
    /// How long its chat template is, where it was asked.
    pub template_tokens: Option<u64>,
}

/// Runs the cell, to its end or until the rule says that it may end early. Whatever happens, a record comes back.
pub(super) async fn run_cell(
    run: &Run,
    clock: Clock,
    setting: &CellContext<'_>,
    rule: Option<&mut dyn StoppingRule>,
    mut others: Option<&mut LoadLeader>,
) -> RunRecord {
    let watch = ClientHealthMonitor::start(clock);
    let mut log = CellLog::new();
    log.own = others.is_some().then(RunTotals::default);
    let attempted = attempt(run, clock, setting, rule, others.as_deref_mut(), &mut log).await;
    let outcome = match attempted {
        Err(error) => RunOutcome::Failed(error.failure(&run.cell.mask())),
        Ok(()) if setting.stop.is_draining() => RunOutcome::Interrupted,
        Ok(()) => log.curtailed.take().map_or(RunOutcome::Completed, RunOutcome::Curtailed),
    };
    let own = log.own.as_ref().unwrap_or(&log.tally);
    let health = ClientHealth { stood_still_s: log.standstill.longest_s, ..watch.finish(own) };
    let clients = match others {
        Some(others) => {
            let notes = others.parts().flat_map(|(rank, part)| part.notes.iter().map(move |note| format!("client {rank}: {note}")));
            log.standstill.notes.extend(notes);
            others.finish(own.counts().requests, health.clone()).await
        }
        None => Vec::new(),
    };
    let client = clients.iter().fold(health, |worst, client| worst.worse(&client.health));
    let watched_notes = log.watched.notes.iter().map(|note| run.cell.mask().hide(note.clone()));
    let notes = setting
        .notes
        .iter()
        .cloned()
        .chain(insecure_note(run))
        .chain(sites_note(&log.sites))
        .chain(notes(&log.tally, &run.cell.workload))
        .chain(watched_notes)
        .chain(log.standstill.notes)
        .collect();
    RunRecord {
        format: FormatVersion::CURRENT,
        header: run.header(),
        outcome,
        started_at: clock.anchor(),
        duration_us: log.tally.end(),
        token_rule: log.token_rule,
        cache_contract: hidden(log.cache_contract, &run.cell.mask()),
        salt: log.salt,
        server: with_pool(setting.server.cloned(), log.watched.kv_pool_tokens),
        client,
        clients,
        connections: log.tally.carried.connections(),
        counts: log.tally.counts(),
        offered_qps: log.offered_qps,
        tables: BTreeMap::new(),
        notes,
    }
}

/// The record of a cell that was not even begun, told as any other.
pub(super) fn not_run(run: &Run, failure: RunFailure, setting: &CellContext<'_>) -> RunRecord {
    let clock = Clock::real();
    let header = run.header();
    let begun = SweepEvent::RunStarted { run: Arc::new(header.clone()), requests: None, started_at: clock.anchor() };
    let _ = setting.events.send(begun);
    let CellLog { tally, token_rule, cache_contract, offered_qps, .. } = CellLog::new();
    RunRecord {
        format: FormatVersion::CURRENT,
        header,
        outcome: RunOutcome::Failed(failure),
        started_at: clock.anchor(),
        duration_us: tally.end(),
        token_rule,
        cache_contract,
        salt: None,
        server: None,
        client: ClientHealth::default(),
        clients: Vec::new(),
        connections: None,
        counts: tally.counts(),
        offered_qps,
        tables: BTreeMap::new(),
        notes: Vec::new(),
    }
}

/// What is known of the server, with the size of its KV cache where its metrics tell it.
fn with_pool(mut server: Option<ServerFacts>, tokens: Option<u64>) -> Option<ServerFacts> {
    if tokens.is_some() {
        let server = server.get_or_insert_with(ServerFacts::default);
        server.kv_pool_tokens = tokens;
        server.kv_pool_from = Some("metrics".to_owned());
    }
    server
}

/// Nobody knows who answered where no certificate was checked.
fn insecure_note(run: &Run) -> Option<String> {
    let target = &run.cell.target;
    (target.insecure && target.kind == TargetKind::Http).then(|| TargetSpec::INSECURE.to_owned())
}

/// How several servers shared the requests of all phases.
fn sites_note(sites: &[SiteCounts]) -> Option<String> {
    let told = |SiteCounts { url, requests, failed }: &SiteCounts| match failed {
        0 => format!("`{url}` {requests}"),
        _ => format!("`{url}` {requests} ({failed} failed)"),
    };
    let shares: Vec<String> = sites.iter().map(told).collect();
    (!shares.is_empty()).then(|| format!("requests by server (`target.urls`), those of the cache check included: {}", shares.join(", ")))
}

/// Remarks for people.
fn notes(tally: &RunTotals, workload: &WorkloadSpec) -> Vec<String> {
    let (unsent, held_back) = (tally.unsent(), tally.held_back());
    let load_loop = workload.load_loop();
    let unsent = (unsent > 0).then(|| match load_loop {
        LoadLoop::Closed | LoadLoop::UserPool { .. } => {
            format!("{unsent} turns were due and never sent: the answers before them were still streaming at the end")
        }
        LoadLoop::Open { places } => {
            format!("{unsent} requests were due and never sent: all {places} places of `max_in_flight` were taken to the end")
        }
    });
    let held_back = match load_loop {
        LoadLoop::Open { places } if held_back > 0 => Some(format!(
            "{held_back} requests were sent late because all {places} places of `max_in_flight` were taken; `ttft_intended` holds their wait"
        )),
        LoadLoop::Open { .. } | LoadLoop::Closed | LoadLoop::UserPool { .. } => None,
    };
    unsent
        .into_iter()
        .chain(tally.left_note())
        .chain(tally.lost_turn_notes())
        .chain(held_back)
        .chain(tally.length_note())
        .chain(tally.history_note(workload))
        .chain(tally.carried.notes())
        .collect()
}

/// What is found out on the way and recorded even where the cell fails later.
#[derive(Debug)]
struct CellLog {
    tally: RunTotals,
    /// Of several clients, what this one sent itself.
    own: Option<RunTotals>,
    token_rule: TokenRule,
    cache_contract: CacheCheck,
    salt: Option<PromptSalt>,
    offered_qps: Option<f64>,
    watched: WatchSummary,
    curtailed: Option<EarlyStopReason>,
    standstill: StallReport,
    /// What each of several servers had to do.
    sites: Vec<SiteCounts>,
}

impl CellLog {
    fn new() -> Self {
        Self {
            tally: RunTotals::default(),
            own: None,
            token_rule: TokenRule::Simulated,
            cache_contract: CacheCheck::NotProven(CacheEvidence::NotRun),
            salt: None,
            offered_qps: None,
            watched: WatchSummary::default(),
            curtailed: None,
            standstill: StallReport::default(),
            sites: Vec::new(),
        }
    }
}

async fn attempt(
    run: &Run,
    clock: Clock,
    setting: &CellContext<'_>,
    rule: Option<&mut dyn StoppingRule>,
    others: Option<&mut LoadLeader>,
    log: &mut CellLog,
) -> Result<(), CellError> {
    let cell = &run.cell;
    let schedule = schedule(run, setting.corpus)?;
    log.offered_qps = schedule.offered_qps;
    let header = Arc::new(run.header());
    let _ = setting.events.send(SweepEvent::RunStarted { run: header, requests: schedule.requests, started_at: clock.anchor() });

    let shard = others.as_ref().and_then(|others| others.shard());
    let mut party = match others {
        Some(others) => {
            others.begin(run);
            LoadParty::Leader(others)
        }
        None => LoadParty::Alone,
    };
    let (target, context_limit) = reach(run, clock, Some(setting.memo)).await?;
    let counter = setting.threads.background(tokens::choose(&cell.target, run.simulated)).await?;
    log.token_rule = shown(counter.rule(), &cell.mask());
    let preparing = Workload::prepare(&cell.workload, run.seed, counter.clone(), setting.corpus.clone());
    let workload = setting.threads.background(preparing).await?;

    // As late as there is something to be emptied: just before the load.
    let attempt = RunAttempt::new(run, &counter);
    let salt = setting.threads.background(attempt.salt()).await?;
    log.salt = salt.as_ref().and_then(|salt| attempt.recorded(salt));
    let emptied = tokio::select! {
        biased;
        () = setting.stop.draining() => return Ok(()),
        emptied = attempt.empty(&target, salt.as_ref(), context_limit) => emptied,
    };
    let emptied = emptied.inspect_err(|error| log.cache_contract = not_emptied(error))?;
    log.cache_contract = emptied.so_far();

    if let LoadParty::Leader(others) = &party {
        others.load(salt.as_ref().map(|_| attempt.name()));
    }

    // What ends this cell early ends nothing else.
    let salt_tokens = salt.as_ref().map_or(0, RunSalt::tokens);
    let stop = setting.stop.for_a_part();
    let ready = PreparedLoad { target, context_limit, counter, workload };
    let (load, inbox) = ready.begin(run, salt, clock, setting.threads.clone(), stop.clone());
    let watching = setting.threads.background(TargetMonitor::start(run, &load.target, clock, setting.events)).await;
    let errors = ErrorLimit::new(setting.policy.max_error_rate, schedule.requests, stop.clone());
    let mut sink = ResultSink {
        events: setting.events,
        tally: &mut log.tally,
        own: log.own.as_mut(),
        client: shard.map(|_| 0),
        forward: None,
        mask: cell.mask().and(load.target.masked()),
        early_stop: EarlyStop::new(rule, stop),
        errors,
        pace: Backpressure::of(clock),
    };
    let detector = StallDetector::begin(clock);
    let target = load.target.clone();
    let part = schedule.of_client(shard.unwrap_or(LoadShard::WHOLE));
    let driven = Box::pin(drive(load, part, inbox, &mut sink, &mut party)).await;
    log.standstill = detector.map(StallDetector::end).unwrap_or_default();
    let ResultSink { early_stop, errors, .. } = sink;
    log.curtailed = early_stop.curtailed();
    log.watched = watching.finish().await;
    log.sites = target.site_counts();
    driven?;
    log.cache_contract = emptied.with(log.tally.first_turns(&cell.workload, salt_tokens, setting.template_tokens));
    // What was given up when the sweep was stopped says nothing of the cell.
    if !setting.stop.is_draining() {
        errors.judge(&log.tally.counts())?;
    }
    Ok(())
}

/// The check of a cell that is not run since its caches could not be emptied.
fn not_emptied(error: &ColdCacheError) -> CacheCheck {
    CacheCheck::Failed(CacheEvidence::NotEmptied { error: error.to_string() })
}

pub(super) fn schedule(run: &Run, corpus: &Corpus) -> Result<RequestSchedule, WorkloadError> {
    Ok(RequestSchedule::new(&run.cell.workload, run.seed, corpus.recorded(&run.cell.workload)?.as_ref()))
}

/// The rule without what the environment says of the tokenizer's path.
fn shown(rule: TokenRule, mask: &EnvironmentRedactor) -> TokenRule {
    match rule {
        TokenRule::Tokenizer { file, blake3 } => TokenRule::Tokenizer { file: mask.hide(file), blake3 },
        other => other,
    }
}

/// The target, and the most tokens of a conversation where it tells.
pub(super) async fn reach(run: &Run, clock: Clock, memo: Option<&TokenMemo>) -> Result<(Target, Option<u64>), CellError> {
    let cell = &run.cell;
    if run.simulated {
        let parameters = EngineParameters::resolve(&cell.engine, run.seed)?;
        let context_limit = Some(parameters.context_limit);
        return Ok((Target::Sim(SimTarget::start(&cell.target, &parameters, clock, memo.cloned().unwrap_or_default())), context_limit));
    }
    let target = HttpTarget::new(&cell.target, clock)?;
    let context_limit = target.model_limit().await;
    Ok((Target::Http(target), context_limit))
}
