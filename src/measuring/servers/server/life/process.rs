//! A server that was started by us, from its first process to its last.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::error::{ServerFailure, ServerLaunchError, excerpt};
use super::launch::{LaunchPlan, ProcessLaunch, SERVER};
use super::pool::pool_in_log;
use super::ready::ReadinessProbe;
use super::version::version;
use crate::foundation::clock::{Clock, Micros};
use crate::records::record::ServerFacts;
use crate::servers::server::supervisor::{SupervisorError, SupervisorHandle};

/// A server that serves. Dropped without [`ServerProcess::stop`], its processes are ended all the same, by the supervising process.
#[derive(Debug)]
pub struct ServerProcess {
    supervisor: SupervisorHandle,
    logs: BTreeMap<String, PathBuf>,
    /// Of the server itself.
    ready: Option<ReadinessProbe>,
    /// Where it is: the target's URL, with the port that it got.
    pub url: String,
    /// From the start of the first process until the server was ready.
    pub ready_after: Micros,
    /// What is known of it, but for which life it is.
    pub facts: ServerFacts,
    /// Remarks for every run on it.
    pub notes: Vec<String>,
}

impl ServerProcess {
    /// Starts the processes one after the other, and awaits each.
    ///
    /// # Errors
    /// When somebody listens there already, when a process cannot be started, ends, or is not ready in time, and when `stop` is
    /// cancelled. Nothing that was started is left then; once `hurry` is cancelled, it is killed without its grace.
    pub async fn start(startup: LaunchPlan, stop: &CancellationToken, hurry: &CancellationToken) -> Result<Self, ServerLaunchError> {
        startup.spot.refuse_taken().await?;
        let clock = Clock::real();
        let logs: BTreeMap<String, PathBuf> =
            startup.processes.iter().map(|process| (process.job.name.clone(), process.job.log.clone())).collect();
        let server_log = startup.processes.last().map(|process| process.job.log.clone()).unwrap_or_default();
        let written_before = std::fs::metadata(&server_log).map_or(0, |log| log.len());
        let mut supervisor = SupervisorHandle::spawn(&startup.program)?;
        let limit = (startup.limit, startup.limit());
        let mut ready = None;
        for process in startup.processes {
            match start(process, &mut supervisor, &logs, limit, stop).await {
                Ok(readiness) => ready = readiness,
                Err(error) => {
                    // Why it did not start matters more than that it could not be ended.
                    let _ = supervisor.stop_or_kill(hurry).await;
                    return Err(error);
                }
            }
        }
        let ready_after = clock.now();
        let kv_pool_tokens = pool_in_log(&server_log, written_before);
        let facts = ServerFacts {
            life: None,
            ready_after_s: Some(ready_after.as_secs_f64()),
            version: version(&startup.target).await,
            kv_pool_tokens,
            kv_pool_from: kv_pool_tokens.map(|_| "log".to_owned()),
            external_cache: startup.external_cache,
        };
        let notes = startup.spot.exposure().into_iter().collect();
        Ok(Self { supervisor, logs, ready, url: startup.target.url, ready_after, facts, notes })
    }

    /// Until a process ends by itself. May be given up and asked again.
    pub async fn died(&mut self) -> ServerFailure {
        died(&mut self.supervisor, &self.logs).await
    }

    /// How it died of the failures that were just seen, if it did. It lives when it is ready as at its start; one that neither is ready
    /// again nor ends within the limit is as good as dead. Servers take their time: vLLM answers with errors for seconds after its engine
    /// is gone.
    pub async fn death_behind_failures(&mut self, limit: Duration) -> Option<ServerFailure> {
        let Self { supervisor, logs, ready, .. } = self;
        let Some(ready) = ready else {
            return tokio::time::timeout(limit, died(supervisor, logs)).await.ok();
        };
        tokio::select! {
            biased;
            death = died(supervisor, logs) => Some(death),
            () = ready.wait() => None,
            () = tokio::time::sleep(limit) => Some(ServerFailure::silent(limit, &ready.last, logs.get(SERVER).map(PathBuf::as_path))),
        }
    }

    /// Ends all processes, the last started first; once `hurry` is cancelled, without the graces that are left.
    ///
    /// # Errors
    /// When something lives on.
    pub async fn stop(self, hurry: &CancellationToken) -> Result<(), SupervisorError> {
        self.supervisor.stop_or_kill(hurry).await
    }
}

async fn died(supervisor: &mut SupervisorHandle, logs: &BTreeMap<String, PathBuf>) -> ServerFailure {
    let exited = supervisor.exited().await;
    let log = logs.get(&exited.name).cloned();
    ServerFailure::new(exited, log.as_deref())
}

/// Starts one process and waits until it is ready, has ended, is late, or nobody wants it any more; by what it is ready.
async fn start(
    process: ProcessLaunch,
    supervisor: &mut SupervisorHandle,
    logs: &BTreeMap<String, PathBuf>,
    (limit, time): (crate::foundation::units::Seconds, std::time::Duration),
    stop: &CancellationToken,
) -> Result<Option<ReadinessProbe>, ServerLaunchError> {
    if stop.is_cancelled() {
        return Err(ServerLaunchError::Stopped);
    }
    let ProcessLaunch { job, ready } = process;
    let (name, log) = (job.name.clone(), job.log.clone());
    supervisor.start(job).await?;
    let Some(mut ready) = ready else { return Ok(None) };
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(ServerLaunchError::Stopped),
        death = died(supervisor, logs) => Err(ServerLaunchError::Died(death)),
        () = ready.wait() => Ok(Some(ready)),
        () = tokio::time::sleep(time) => {
            Err(ServerLaunchError::NotReady { name, limit, last: ready.last.clone(), log: excerpt(&log) })
        }
    }
}
