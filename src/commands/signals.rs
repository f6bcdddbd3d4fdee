//! Ctrl-C and SIGTERM while a sweep is measured and reported: in come signals, out come wishes to stop, or the end of the program.
//!
//! The first sends nothing more and awaits what is in flight, up to a limit. A Ctrl-C after it leaves at once; a SIGTERM after it changes
//! nothing, since who sends one often sends it twice. Once nothing is measured any more, either ends the program: a report can be made again.

use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::ExitReason;
use crate::execution::executor::StopToken;

/// How long requests in flight are awaited after the first signal.
const DRAIN_LIMIT: Duration = Duration::from_mins(1);
/// How long what is given up may take to be put down before the program ends without it.
const LEAVES_WITHIN: Duration = Duration::from_secs(5);

/// Hears signals until it is dropped.
#[derive(Debug)]
pub(super) struct SignalListener {
    stop: StopToken,
    measured: CancellationToken,
    runtime: Option<Runtime>,
}

impl SignalListener {
    pub fn listen() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (stop, measured) = (StopToken::new(), CancellationToken::new());
        let mut heard = runtime.block_on(async { SignalStreams::new() }).context("cannot listen for Ctrl-C")?;
        let (wishes, over) = (stop.clone(), measured.clone());
        runtime.spawn(async move { attend(&mut heard, &wishes, &over).await });
        Ok(Self { stop, measured, runtime: Some(runtime) })
    }

    /// What the signals come to.
    pub fn stop(&self) -> &StopToken {
        &self.stop
    }

    /// Says that nothing is measured any more.
    pub fn measured(&self) {
        self.measured.cancel();
    }
}

impl Drop for SignalListener {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn attend(heard: &mut SignalStreams, stop: &StopToken, measured: &CancellationToken) {
    tokio::select! {
        biased;
        () = measured.cancelled() => {
            heard.any().await;
            eprintln!("\nleaving: all that was measured is saved, and `bench report` makes the rest of its report");
            leave();
        }
        () = heard.any() => {}
    }
    eprintln!("\nstopping: requests in flight are awaited for up to {} s; Ctrl-C again leaves at once", DRAIN_LIMIT.as_secs());
    stop.drain();
    let limit = async {
        tokio::time::sleep(DRAIN_LIMIT).await;
        stop.abort();
        std::future::pending::<()>().await;
    };
    tokio::select! { biased; () = heard.ctrl_c() => {} () = limit => {} }
    eprintln!("\nleaving: requests in flight are given up, and servers are killed");
    stop.leave();
    tokio::select! { biased; () = heard.ctrl_c() => {} () = tokio::time::sleep(LEAVES_WITHIN) => {} }
    leave();
}

/// What is on disk is whole, and what was started ends by itself when this program is gone.
fn leave() -> ! {
    std::process::exit(i32::from(ExitReason::Interrupted.code()))
}

/// The signals that are heard, from when it is made.
#[cfg(unix)]
pub(super) struct SignalStreams {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl SignalStreams {
    pub(super) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one that asks the program to end.
    pub(super) async fn any(&mut self) {
        tokio::select! { biased; _ = self.interrupt.recv() => {} _ = self.terminate.recv() => {} }
    }

    async fn ctrl_c(&mut self) {
        self.interrupt.recv().await;
    }
}

/// The signals that are heard.
#[cfg(not(unix))]
pub(super) struct SignalStreams;

#[cfg(not(unix))]
impl SignalStreams {
    #[expect(clippy::unnecessary_wraps, reason = "as elsewhere")]
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for one that asks the program to end.
    pub(super) async fn any(&mut self) {
        self.ctrl_c().await;
    }

    async fn ctrl_c(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
