//! Runs a plan into a folder: the executor on this thread, the reporters on another, Ctrl-C and SIGTERM on a third.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::curtailing::Curtailing;
use crate::cli::Talk;
use crate::executor::{Course, Ending, Launch, Listed, Stop, sweep};
use crate::plan::Plan;
use crate::record::Client;
use crate::reporter::{Loudness, reporters, run_reporters};
use crate::server::supervisor::Supervisor;
use crate::stopping::Stopping;
use crate::store::SweepWriter;

/// How long requests in flight are awaited after the first Ctrl-C.
const DRAIN_LIMIT: Duration = Duration::from_mins(1);

/// Does what of the plan is not sealed in the folder yet. `chat_copy` is the CSV file beside which the files of a chat run are wanted once
/// more.
pub(super) fn measure(plan: &Plan, dir: &Path, talk: Talk, chat_copy: Option<PathBuf>) -> anyhow::Result<Ending> {
    let manifest = plan.manifest(Timestamp::now(), client(plan));
    let writer = SweepWriter::open(dir, &manifest, &plan.scenario_text)?;
    let sealed = writer.sealed_ids()?;
    let mut course = course(plan, &sealed, dir)?;
    let stop = Stop::new();
    let program = Supervisor::own_program().context("cannot find out which program this is, to supervise servers with it")?;
    let launch = Launch { program, logs: writer.paths().servers() };
    let signals = listen_for_signals(&stop)?;
    let (events, heard) = mpsc::unbounded_channel();
    let reporters = reporters(writer, chat_copy, loudness(talk), &plan.goals);
    let ending = std::thread::scope(|scope| {
        let reporting = scope.spawn(|| run_reporters(heard, reporters, &stop.abort_token()));
        let ending = sweep(&mut *course, &stop, &launch, &events);
        drop(events);
        let reported = reporting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        reported.context("the sweep was stopped since its results could not be saved")?;
        anyhow::Ok(ending?)
    })?;
    signals.shutdown_background();
    Ok(ending)
}

/// In which order runs are done, and what may end them early.
fn course(plan: &Plan, sealed: &BTreeSet<String>, dir: &Path) -> anyhow::Result<Box<dyn Course>> {
    Ok(match Stopping::of(plan) {
        Some(stopping) => Box::new(Curtailing::new(plan, sealed, stopping, dir)?),
        None => Box::new(Listed::new(plan, sealed)),
    })
}

fn loudness(talk: Talk) -> Loudness {
    match talk {
        Talk { quiet: true, .. } => Loudness::Quiet,
        Talk { verbose: 0 | 1, .. } => Loudness::Progress,
        Talk { .. } => Loudness::EveryRequest,
    }
}

/// The machine, where it matters: simulated results do not depend on it.
fn client(plan: &Plan) -> Client {
    let bench_version = env!("CARGO_PKG_VERSION").to_owned();
    if plan.simulated {
        return Client { bench_version, ..Client::default() };
    }
    let processors = std::thread::available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok());
    let operating_system = Some(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    Client { bench_version, operating_system, processors }
}

/// First Ctrl-C or SIGTERM: send nothing more and await what is in flight, up to a limit. Second: give up at once.
fn listen_for_signals(stop: &Stop) -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let stop = stop.clone();
    runtime.spawn(async move {
        interrupted().await;
        eprintln!("\nstopping: requests in flight are awaited for up to {} s; Ctrl-C again gives them up", DRAIN_LIMIT.as_secs());
        stop.drain();
        tokio::select! { biased; () = interrupted() => {} () = tokio::time::sleep(DRAIN_LIMIT) => {} }
        stop.abort();
    });
    Ok(runtime)
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! { biased; _ = interrupt.recv() => {} _ = terminate.recv() => {} }
        }
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
