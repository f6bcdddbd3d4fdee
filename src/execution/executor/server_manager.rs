//! Keeps the server that the runs need: started when a run needs another one, shared by the runs that need the same, started again after
//! it died, ended at last. In come runs, one after the other; out come servers that serve, or why there is none.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::stop_token::StopToken;
use crate::event::SweepEvent;
use crate::planning::plan::{Run, restarts_each_run, server_setting};
use crate::records::record::{RunFailure, RunFailureCause, ServerFacts};
use crate::servers::server::supervisor::leftovers;
use crate::servers::server::{LaunchContext, LaunchPlan, ServerFailure, ServerLaunchError, ServerProcess};

/// How often a server may fail to start before the runs that need it are given up.
const STARTS_IN_A_ROW: u32 = 2;

/// How long a server may take, after requests failed, to be ready again or to end.
const RECOVERY: Duration = Duration::from_mins(1);

/// With what servers are started, and where their logs go.
#[derive(Debug, Clone)]
pub struct ServerLaunchPaths {
    /// The program that supervises them: `bench` itself.
    pub program: PathBuf,
    /// The folder with a folder of logs for each variant.
    pub logs: PathBuf,
}

/// Why a run has no server.
#[derive(Debug)]
pub(super) enum NoServerReason {
    /// The run cannot be done.
    Failed(RunFailure),
    /// The sweep is being stopped.
    Interrupted,
}

/// A server of ours that serves.
#[derive(Debug)]
pub(super) struct ManagedServer {
    variant: String,
    setting: String,
    number: u32,
    used: bool,
    life: ServerProcess,
}

impl ManagedServer {
    pub fn url(&self) -> &str {
        &self.life.url
    }

    /// Which start of its variant it is, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    pub fn facts(&self) -> ServerFacts {
        ServerFacts { life: Some(self.number), ..self.life.facts.clone() }
    }

    pub fn notes(&self) -> &[String] {
        &self.life.notes
    }

    /// Until one of its processes ends by itself. May be given up and asked again.
    pub async fn died(&mut self) -> ServerFailure {
        self.life.died().await
    }

    /// How it died of the failures of a run, if it did.
    pub async fn death_behind_failures(&mut self) -> Option<ServerFailure> {
        self.life.death_behind_failures(RECOVERY).await
    }
}

/// What a variant's servers have come to in this sweep.
#[derive(Debug, Default)]
struct ServerStartStats {
    starts: u32,
    deaths: u32,
    /// In a row, by setting.
    failed_starts: BTreeMap<String, u32>,
    /// How the last one died or failed to start, in a line.
    last: String,
}

/// Starts, keeps and ends servers.
#[derive(Debug)]
pub(super) struct ServerManager<'a> {
    launch: &'a ServerLaunchPaths,
    stop: &'a StopToken,
    events: &'a mpsc::UnboundedSender<SweepEvent>,
    serving: Option<ManagedServer>,
    accounts: BTreeMap<String, ServerStartStats>,
    has_looked_for_leftovers: bool,
}

impl<'a> ServerManager<'a> {
    pub fn new(launch: &'a ServerLaunchPaths, stop: &'a StopToken, events: &'a mpsc::UnboundedSender<SweepEvent>) -> Self {
        Self { launch, stop, events, serving: None, accounts: BTreeMap::new(), has_looked_for_leftovers: false }
    }

    /// The server for a run; none where it needs none of ours. One that it does not need is ended.
    pub async fn serve(&mut self, run: &Run) -> Result<Option<&mut ManagedServer>, NoServerReason> {
        let Some(setting) = server_setting(&run.cell) else {
            self.end().await;
            return Ok(None);
        };
        if !self.serves(run, &setting).await {
            self.end().await;
            self.refuse_hopeless(run, &setting)?;
            self.start(run, setting).await?;
        }
        if let Some(serving) = &mut self.serving {
            serving.used = true;
        }
        Ok(self.serving.as_mut())
    }

    /// Whether the server that is there will do. One that has died meanwhile will not.
    async fn serves(&mut self, run: &Run, setting: &str) -> bool {
        let Some(serving) = &mut self.serving else { return false };
        if serving.variant != run.variant || serving.setting != setting || (serving.used && restarts_each_run(&run.cell)) {
            return false;
        }
        let Some(death) = serving.died().now_or_never() else { return true };
        let mask = run.cell.mask();
        self.bury(death.failure().map_texts(|text| mask.hide(text))).await;
        false
    }

    /// Takes note of a death, and ends what is left of the server.
    pub async fn bury(&mut self, failure: RunFailure) {
        let Some(ManagedServer { variant, number, life, .. }) = self.serving.take() else { return };
        let account = self.accounts.entry(variant.clone()).or_default();
        account.deaths += 1;
        account.last = first_line(&failure.reason);
        let _ = self.events.send(SweepEvent::ServerDied { variant, life: number, failure });
        // It is dead already; what is said of the rest would hide that.
        let _ = life.stop(self.stop.leave_token()).await;
    }

    /// Ends the server that is there.
    pub async fn end(&mut self) {
        let Some(ManagedServer { variant, number, life, .. }) = self.serving.take() else { return };
        let trouble = life.stop(self.stop.leave_token()).await.err().map(|error| error.to_string());
        let _ = self.events.send(SweepEvent::ServerStopped { variant, life: number, trouble });
    }

    /// What has failed too often is not tried again.
    fn refuse_hopeless(&self, run: &Run, setting: &str) -> Result<(), NoServerReason> {
        let Some(account) = self.accounts.get(&run.variant) else { return Ok(()) };
        let ServerStartStats { deaths, last, .. } = account;
        let restarts = run.cell.server.restarts;
        if *deaths > restarts {
            return Err(not_tried(format!(
                "the server of `{}` died or failed to start {deaths} times in this sweep, and `server.restarts` is {restarts}; the \
                 last time: {last}",
                run.variant
            )));
        }
        if account.failed_starts.get(setting).is_some_and(|failed| *failed >= STARTS_IN_A_ROW) {
            return Err(not_tried(format!(
                "this server of `{}` failed to start {STARTS_IN_A_ROW} times in a row; the last time: {last}",
                run.variant
            )));
        }
        Ok(())
    }

    async fn start(&mut self, run: &Run, setting: String) -> Result<(), NoServerReason> {
        self.end_leftovers().await;
        let mask = run.cell.mask();
        let account = self.accounts.entry(run.variant.clone()).or_default();
        account.starts += 1;
        let number = account.starts;
        let variant = run.variant.clone();
        let logs = self.launch.logs.join(&variant);
        let context = LaunchContext { program: &self.launch.program, logs: &logs, hide: mask.pairs() };
        let starting = async {
            let startup = LaunchPlan::of(&run.cell.server, &run.cell.target, context)?;
            let command = mask.hide(startup.shown());
            let _ = self.events.send(SweepEvent::ServerStarting { variant: variant.clone(), life: number, command });
            ServerProcess::start(startup, &self.stop.drain_token(), self.stop.leave_token()).await
        };
        match starting.await {
            Ok(life) => {
                account.failed_starts.remove(&setting);
                let _ = self.events.send(SweepEvent::ServerReady { variant: variant.clone(), life: number, after: life.ready_after });
                self.serving = Some(ManagedServer { variant, setting, number, used: false, life });
                Ok(())
            }
            Err(ServerLaunchError::Stopped) => Err(NoServerReason::Interrupted),
            Err(error) => {
                let failure = error.failure().map_texts(|text| mask.hide(text));
                account.deaths += 1;
                account.last = first_line(&failure.reason);
                *account.failed_starts.entry(setting).or_default() += 1;
                Err(NoServerReason::Failed(failure))
            }
        }
    }

    /// Ends what an earlier sweep left behind, once.
    async fn end_leftovers(&mut self) {
        if std::mem::replace(&mut self.has_looked_for_leftovers, true) {
            return;
        }
        for leftover in leftovers() {
            let trouble = leftover.end().await.err().map(|error| error.to_string());
            let _ = self.events.send(SweepEvent::LeftoverEnded { pid: leftover.pid, command: leftover.command, trouble });
        }
    }
}

fn not_tried(reason: String) -> NoServerReason {
    NoServerReason::Failed(RunFailure::new(RunFailureCause::NotTried, reason))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
