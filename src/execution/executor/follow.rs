//! The runs of a client that does not lead: each is found in its own plan, made ready, sent at the announced time 0, and told.
//!
//! In: the plan, and a leader. Out: how it ended. Caches, servers, checks and results are the leader's; this client only sends load.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::mpsc;

use super::backpressure::Backpressure;
use super::cell::{reach, schedule};
use super::client_health::ClientHealthMonitor;
use super::client_words::{MemberPart, MemberWord};
use super::drive::{ResultSink, drive};
use super::early_stop::EarlyStop;
use super::errors::ErrorLimit;
use super::load_member::{LoadMember, LoadOrder, MeetingEnd, RunOrder, RunStep};
use super::load_party::LoadParty;
use super::preflight::{PreflightError, PreflightFacts, preflight, preflight_key};
use super::prepared_load::PreparedLoad;
use super::run_totals::RunTotals;
use super::runtimes::{NetworkRuntimes, RuntimeHandles};
use super::stall_detector::StallDetector;
use super::stop_token::StopToken;
use super::sweep::SweepError;
use crate::foundation::clock::Clock;
use crate::planning::plan::{Plan, Run};
use crate::records::record::{ClientHealth, plain_run_id};
use crate::workloads::arrival::LoadShard;
use crate::workloads::tokens;
use crate::workloads::workload::{Corpus, RunSalt, Workload};

/// Does the part of one client in all runs that the leader has done. Blocks until there are no more, or the leader is lost.
///
/// # Errors
/// Where the operating system gives no threads.
pub fn follow(plan: &Plan, mut member: LoadMember, shard: LoadShard) -> Result<MeetingEnd, SweepError> {
    let network = NetworkRuntimes::new()?;
    let corpus = Corpus::default();
    let mut follower = RunFollower { plan, shard, corpus, threads: network.threads.clone(), asked: BTreeMap::new() };
    let end = network.background.block_on(async {
        loop {
            let order = match member.next_order().await {
                Ok(order) => order,
                Err(end) => return end,
            };
            if order.step == RunStep::Reach {
                follower.reach(&order);
                continue;
            }
            let run = member.run();
            let threads = follower.threads.clone();
            let word = match threads.measuring(follower.run(&order, &mut member)).await {
                Ok(part) => MemberWord::Done { run, part: Box::new(part) },
                Err(reason) => MemberWord::Failed { run, reason },
            };
            member.say(&word);
        }
    });
    member.leave();
    Ok(end)
}

/// What a client keeps from one run to the next.
struct RunFollower<'a> {
    plan: &'a Plan,
    shard: LoadShard,
    corpus: Corpus,
    threads: RuntimeHandles,
    /// What targets told when they were asked, or are being asked, by the question.
    asked: BTreeMap<String, Asked>,
}

/// What a target tells this client. Heard once, and handed out as often as it is needed.
type Asked = Shared<BoxFuture<'static, Result<PreflightFacts, Arc<PreflightError>>>>;

impl RunFollower<'_> {
    /// Begins to see whether a run's target serves this client, unless it is known to. What comes of it is told when the run is made ready.
    fn reach(&mut self, order: &RunOrder) {
        let Some(run) = self.ordered(order) else { return };
        let question = preflight_key(&run);
        if self.asked.get(&question).is_none_or(|asked| matches!(asked.peek(), Some(Err(_)))) {
            let asked = self.threads.have_done(async move { preflight(&run).await.map_err(Arc::new) }).shared();
            self.asked.insert(question, asked);
        }
    }

    /// Does a run's part; why not, in words without secrets.
    async fn run(&mut self, order: &RunOrder, member: &mut LoadMember) -> Result<MemberPart, String> {
        let mut run = self.ordered(order).ok_or_else(|| format!("its plan has no run `{}`", order.id))?;
        let mask = run.cell.mask();
        self.part(&mut run, member).await.map_err(|reason| mask.hide(reason))
    }

    /// The run in this client's own plan.
    fn ordered(&self, order: &RunOrder) -> Option<Run> {
        let id = plain_run_id(&order.id);
        let mut run = self.plan.runs.iter().find(|run| plain_run_id(&run.id) == id)?.clone();
        if let Some(url) = &order.url {
            url.clone_into(&mut run.cell.target.url);
        }
        Some(run)
    }

    async fn part(&mut self, run: &mut Run, member: &mut LoadMember) -> Result<MemberPart, String> {
        let (clock, stop) = (Clock::real(), StopToken::new());
        let watch = ClientHealthMonitor::start(clock);
        let stopped = || "it was stopped before time 0".to_owned();
        let preparing = async {
            tokio::select! {
                biased;
                () = stop.draining() => Err(stopped()),
                prepared = self.prepare(run, clock) => prepared,
            }
        };
        let ready = LoadParty::Member(member).during(&stop, preparing).await?;
        let schedule = schedule(run, &self.corpus).map_err(|error| error.to_string())?.of_client(self.shard);
        let salt = match member.loaded(&stop).await {
            None => return Err(stopped()),
            Some(LoadOrder { salt: None }) => None,
            Some(LoadOrder { salt: Some(name) }) => Some(RunSalt::of(&name, &ready.counter).await.map_err(|error| error.to_string())?),
        };
        let cell = &run.cell;
        let (load, inbox) = ready.begin(run, salt, clock, self.threads.clone(), stop.clone());
        // What rows say of the run as a whole is for the leader to say.
        let (nobody, _) = mpsc::unbounded_channel();
        let mut tally = RunTotals::default();
        let mut rows = member.rows();
        let mut sink = ResultSink {
            events: &nobody,
            tally: &mut tally,
            own: None,
            client: None,
            forward: Some(&mut rows),
            mask: cell.mask().and(load.target.masked()),
            early_stop: EarlyStop::new(None, stop.clone()),
            errors: ErrorLimit::new(None, None, stop.clone()),
            pace: Backpressure::of(clock),
        };
        let detector = StallDetector::begin(clock);
        let driven = Box::pin(drive(load, schedule, inbox, &mut sink, &mut LoadParty::Member(member))).await;
        let stall = detector.map(StallDetector::end).unwrap_or_default();
        driven.map_err(|error| error.to_string())?;
        let (sent, rows_blake3) = rows.sent();
        Ok(MemberPart {
            health: ClientHealth { stood_still_s: stall.longest_s, ..watch.finish(&tally) },
            rows: sent,
            rows_blake3,
            opened_ahead: tally.carried.ahead(),
            notes: stall.notes,
        })
    }

    /// Asks the target whether it serves this client too, and makes texts.
    async fn prepare(&mut self, run: &mut Run, clock: Clock) -> Result<PreparedLoad, String> {
        let Some(asked) = self.asked.get(&preflight_key(run)).cloned() else {
            return Err("rank 0 has not said where its server is".to_owned());
        };
        if let Some(model) = asked.await.map_err(|error| error.to_string())?.model {
            run.cell.target.model = model;
        }
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let (target, context_limit) = reach(run, clock, None).await.map_err(|error| told(&error))?;
        let counter = self.threads.background(tokens::choose(&run.cell.target, false)).await.map_err(|error| told(&error))?;
        let making = Workload::prepare(&run.cell.workload, run.seed, counter.clone(), self.corpus.clone());
        let workload = self.threads.background(making).await.map_err(|error| told(&error))?;
        Ok(PreparedLoad { target, context_limit, counter, workload })
    }
}
